//! The parsers of bytes that others wrote, as a fuzzer calls them: each takes anything,
//! and gives in words what came of it. `tests/fuzz` has the same for cargo-fuzz.

use std::error::Error;
use std::fs;
use std::path::Path;

use minikube_offline::bundle::{
    BundleIndex, ImageConfig, ImageReference, KeyId, Platform, Signature, Version,
};
use minikube_offline::install::Journal;
use minikube_offline::progress::Silent;
use minikube_offline::trust::{PublicKey, TrustedKeys};
use minikube_offline::verify::OpenedBundle;

use super::draft::Draft;
use super::words::words_of;

/// A parser, its name, and whether its input is text for the most part.
pub(crate) type Parser = (&'static str, fn(&[u8], &Path) -> String);

/// All of them. Each may write to the one path that it is given.
pub(crate) const PARSERS: &[Parser] = &[
    ("bundle", bundle),
    ("index", index),
    ("signature", signature),
    ("payload", payload),
    ("journal", journal),
    ("texts", texts),
    #[cfg(feature = "packager")]
    ("spec", spec),
];

#[allow(clippy::needless_pass_by_value)] // Each result is made for it.
fn said(result: Result<(), impl Error + 'static>) -> String {
    result.err().map(|error| words_of(&error)).unwrap_or_default()
}

/// A whole file: its declared length, trailer, signature, index, header, stub, payload.
pub(crate) fn bundle(input: &[u8], scratch: &Path) -> String {
    fs::write(scratch, input).expect("the scratch file");
    said(
        OpenedBundle::open(scratch, &TrustedKeys::none())
            .and_then(|opened| opened.verify(&Silent))
            .and_then(|verified| verified.verify_parts(&Silent)),
    )
}

/// An index, as it stands in a bundle.
pub(crate) fn index(input: &[u8], _: &Path) -> String {
    said(BundleIndex::parse(input).map(|index| {
        assert_eq!(
            index.encode().expect("it was accepted"),
            input,
            "two spellings of one index"
        );
        assert!(index.payload_offset().checked_add(index.payload_size()).is_some());
    }))
}

/// Signatures, as a run and as text, and keys.
pub(crate) fn signature(input: &[u8], _: &Path) -> String {
    let text = String::from_utf8_lossy(input);
    let parsed = Signature::parse_text(&text);
    if let Ok(signature) = &parsed {
        let again = Signature::parse_text(&signature.to_text("again")).expect("what was written is read");
        assert_eq!(again, *signature);
    }
    if let Some(Ok(Some(signature))) = input.first_chunk().map(Signature::parse_run) {
        assert_eq!(
            signature.encode_run().as_ref().map(<[u8; 138]>::as_slice),
            input.get(..138)
        );
    }
    let _ = text.parse::<KeyId>();
    said(parsed.map(|_| ())) + &said(PublicKey::parse_file(&text).map(|_| ()))
}

/// The stored bytes of a frame, which have their digests: the decoder and the reader of
/// members.
pub(crate) fn payload(input: &[u8], scratch: &Path) -> String {
    thread_local!(static SOUND: Draft = Draft::sound());
    let mut draft = SOUND.with(Clone::clone);
    draft.stored[1] = input.to_vec();
    draft.fit();
    bundle(&draft.finish_unsigned(), scratch)
}

/// A journal: read, then opened, which cuts off a torn line.
pub(crate) fn journal(input: &[u8], scratch: &Path) -> String {
    fs::write(scratch, input).expect("the scratch file");
    let read = Journal::peek(scratch).map(|_| ());
    let opened = Journal::open(scratch).map(|_| ());
    assert_eq!(read.is_ok(), opened.is_ok());
    said(read)
}

/// What stands in an index or an archive as text, and descriptions of images.
pub(crate) fn texts(input: &[u8], _: &Path) -> String {
    let text = String::from_utf8_lossy(input);
    if let Ok(reference) = ImageReference::parse(&text) {
        assert_eq!(
            ImageReference::parse(&reference.to_string()).expect("its own spelling"),
            reference
        );
    }
    let _ = text
        .parse::<Version>()
        .map(|version| assert_eq!(version.to_string(), *text));
    let _ = text.parse::<Platform>();
    said(ImageReference::parse(&text).map(|_| ())) + &said(ImageConfig::parse(input).map(|_| ()))
}

/// What a person writes: `bundle.toml`.
#[cfg(feature = "packager")]
pub(crate) fn spec(input: &[u8], scratch: &Path) -> String {
    said(minikube_offline::spec::parse_spec(&String::from_utf8_lossy(input), scratch).map(|_| ()))
}
