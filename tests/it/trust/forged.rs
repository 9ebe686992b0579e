//! What a forger does to a bundle: bits flipped, digests made to fit, signatures exchanged.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use minikube_offline::bundle::{BundleIndex, Digest, Signature, Trailer};
use minikube_offline::failure::{Failure, Kind};
use minikube_offline::progress::Silent;
use minikube_offline::trust::TrustedKeys;
use minikube_offline::verify::OpenedBundle;

use super::{USES, signed};
use crate::support::effort::report;
use crate::support::keys::Key;
use crate::support::parts::SampleParts;
use crate::support::program::{Sandbox, bytes};

/// A bundle's bytes, and where what is sealed lies in them.
#[derive(Clone)]
struct Sealed {
    content: Vec<u8>,
    trailer: Trailer,
    index: BundleIndex,
}

impl Sealed {
    fn read(path: &Path) -> Self {
        let opened = OpenedBundle::open(path, &TrustedKeys::none()).expect("a bundle");
        Self {
            content: bytes(path),
            trailer: *opened.trailer(),
            index: opened.index().clone(),
        }
    }

    fn index_range(&self) -> std::ops::Range<usize> {
        let start = usize::try_from(self.trailer.index_offset).unwrap();
        start..start + usize::try_from(self.trailer.index_bytes).unwrap()
    }

    fn run(&mut self) -> &mut [u8; Signature::RUN_BYTES] {
        let start = self.index_range().end;
        (&mut self.content[start..start + Signature::RUN_BYTES])
            .try_into()
            .unwrap()
    }

    /// What a forger does last: the trailer's digest fits what stands there.
    fn reseal(&mut self) {
        let run = *self.run();
        self.trailer.sealed_sha256 = Trailer::seal(&self.content[self.index_range()], &run);
        let trailer = self.content.len() - Trailer::BYTES;
        self.content[trailer..].copy_from_slice(&self.trailer.encode());
    }

    /// Writes what is sealed, and the trailer, into a file that has all the rest.
    fn write_tail(&self, path: &Path) {
        let file = File::options().write(true).open(path).unwrap();
        let start = self.index_range().start;
        file.write_all_at(&self.content[start..], self.trailer.index_offset)
            .unwrap();
    }

    /// Makes every byte before the index useless.
    fn destroy_front(&mut self) {
        let front = self.index_range().start;
        self.content[..front].fill(0xa5);
    }
}

/// What a check of the file says with `trusted`; `None` when it finds nothing wrong.
fn kind_of(path: &Path, trusted: &TrustedKeys) -> Option<Kind> {
    let checked = OpenedBundle::open(path, trusted).and_then(|bundle| bundle.verify(&Silent).map(|_| ()));
    checked.err().map(|error| Failure::from(error).kind)
}

#[test]
fn nothing_before_the_index_is_read_for_a_bundle_that_is_refused() {
    let sandbox = Sandbox::new();
    let (right, wrong) = (Key::make(&sandbox, "right"), Key::make(&sandbox, "wrong"));
    let bundle = signed(&sandbox, &right);
    let mut sealed = Sealed::read(&bundle);
    sealed.destroy_front();
    fs::write(&bundle, &sealed.content).unwrap();
    for arguments in USES {
        let with = |key: &Key| {
            sandbox
                .packager(arguments.iter().copied().chain(["--key", &key.base64]))
                .status
        };
        assert_eq!((with(&wrong), with(&right)), (3, 4), "{arguments:?}");
    }
    // Where the index is not even JSON, the refusal still comes first.
    let range = sealed.index_range();
    sealed.content[range].fill(b'{');
    sealed.reseal();
    fs::write(&bundle, &sealed.content).unwrap();
    assert_eq!(kind_of(&bundle, &wrong.trusted()), Some(Kind::NotAuthentic));
    assert_eq!(kind_of(&bundle, &right.trusted()), Some(Kind::NotAuthentic));
    assert_eq!(kind_of(&bundle, &TrustedKeys::none()), Some(Kind::Damaged));
}

#[test]
fn every_bit_of_the_signature_counts() {
    let sandbox = Sandbox::new();
    let key = Key::make(&sandbox, "one");
    let bundle = signed(&sandbox, &key);
    let trusted = key.trusted();
    let mut whole = Sealed::read(&bundle);
    whole.destroy_front();
    let damaged = sandbox.path("damaged.run");
    fs::write(&damaged, &whole.content).unwrap();
    let (mut not_authentic, mut refused) = (0, 0);
    for bit in 0..Signature::RUN_BYTES * 8 {
        let mut sealed = whole.clone();
        sealed.run()[bit / 8] ^= 1 << (bit % 8);
        sealed.write_tail(&damaged);
        for keys in [&trusted, &TrustedKeys::none()] {
            assert_eq!(kind_of(&damaged, keys), Some(Kind::Damaged), "bit {bit}");
        }
        sealed.reseal();
        sealed.write_tail(&damaged);
        match kind_of(&damaged, &trusted) {
            Some(Kind::NotAuthentic) => not_authentic += 1,
            // No algorithm but one is known.
            Some(Kind::Damaged) => refused += 1,
            other => panic!("bit {bit}: {other:?}"),
        }
    }
    assert_eq!((not_authentic, refused), (1104 - 16, 16));
    report(&format!(
        "{} bits, each found with and without its digest",
        not_authentic + refused
    ));
}

#[test]
fn every_bit_of_the_index_counts() {
    let sandbox = Sandbox::new();
    let key = Key::make(&sandbox, "one");
    let bundle = signed(&sandbox, &key);
    let trusted = key.trusted();
    let mut sealed = Sealed::read(&bundle);
    sealed.destroy_front();
    let damaged = sandbox.path("damaged.run");
    fs::write(&damaged, &sealed.content).unwrap();
    // One bit of each byte, another one each time; the trailer's digest is made to fit.
    for at in sealed.index_range() {
        let bit = 1 << (at % 8);
        sealed.content[at] ^= bit;
        sealed.reseal();
        sealed.write_tail(&damaged);
        assert_eq!(kind_of(&damaged, &trusted), Some(Kind::NotAuthentic), "byte {at}");
        sealed.content[at] ^= bit;
    }
    report(&format!(
        "{} bytes of an index, each found",
        sealed.trailer.index_bytes
    ));
}

#[test]
fn a_forged_bundle_is_whole_and_only_a_key_finds_it() {
    let sandbox = Sandbox::new();
    let key = Key::make(&sandbox, "one");
    let bundle = signed(&sandbox, &key);
    let mut sealed = Sealed::read(&bundle);
    // Another program in the stub's place; every digest is made to fit it.
    let stub = usize::try_from(sealed.index.header.size).unwrap();
    sealed.content[stub + 5000] ^= 1;
    let size = usize::try_from(sealed.index.stubs[0].size).unwrap();
    let (before, after) = (
        sealed.index.stubs[0].sha256,
        Digest::of(&sealed.content[stub..stub + size]),
    );
    let header = String::from_utf8(sealed.content[..stub].to_vec()).unwrap();
    let header = header.replace(&before.hex(), &after.hex());
    sealed.content[..stub].copy_from_slice(header.as_bytes());
    sealed.index.stubs[0].sha256 = after;
    sealed.index.header.sha256 = Digest::of(header.as_bytes());
    let range = sealed.index_range();
    sealed.content[range].copy_from_slice(&sealed.index.encode().unwrap());
    sealed.reseal();
    fs::write(&bundle, &sealed.content).unwrap();
    let alone = sandbox.packager(["verify", "x.run", "--deep"]);
    assert_eq!(alone.status, 0, "{alone:?}");
    let expected = format!("integrity only: it names the key {}, unchecked", key.id);
    assert!(alone.stdout.contains(&expected), "{alone:?}");
    let outcome = sandbox.packager(["verify", "x.run", "--key", &key.base64]);
    assert_eq!(outcome.status, 3, "{outcome:?}");
    let expected = format!("its signature was not made by the key {}", key.id);
    assert!(outcome.stderr.contains(&expected), "{outcome:?}");
    // The signature taken away instead: as a bundle that nobody signed.
    *sealed.run() = Signature::UNSIGNED;
    sealed.reseal();
    fs::write(&bundle, &sealed.content).unwrap();
    assert_eq!(kind_of(&bundle, &key.trusted()), Some(Kind::NotAuthentic));
}

#[test]
fn an_edited_stub_is_found_by_the_installed_program() {
    let sandbox = Sandbox::new();
    let key = Key::make(&sandbox, "one");
    let bundle = signed(&sandbox, &key);
    let mut content = bytes(&bundle);
    let stub = usize::try_from(Sealed::read(&bundle).index.header.size).unwrap();
    content[stub + 5000] ^= 1;
    fs::write(&bundle, content).unwrap();
    let outcome = sandbox.packager(["verify", "x.run", "--key", &key.base64]);
    assert_eq!(outcome.status, 4, "{outcome:?}");
    assert!(outcome.stderr.contains("the stub for linux/arm64"), "{outcome:?}");
}

#[test]
fn a_signature_of_another_bundle_or_of_the_old_kind_is_refused() {
    let sandbox = Sandbox::new();
    let key = Key::make(&sandbox, "one");
    let bundle = signed(&sandbox, &key);
    let mut first = Sealed::read(&bundle);
    let mut arguments = vec!["pack".to_owned(), "-oy.run".to_owned(), "--serial=2".to_owned()];
    arguments.push(format!("--stub={}", sandbox.stub().display()));
    arguments.extend(SampleParts::make(&sandbox.path("parts"), false).flags());
    assert_eq!(sandbox.packager(&arguments).status, 0);
    let other = sandbox.path("y.run");
    let mut second = Sealed::read(&other);
    *second.run() = *first.run();
    second.reseal();
    fs::write(&other, &second.content).unwrap();
    assert_eq!(kind_of(&other, &key.trusted()), Some(Kind::NotAuthentic));
    first.run()[1] = b'd';
    first.reseal();
    fs::write(&bundle, &first.content).unwrap();
    let outcome = sandbox.packager(["verify", "x.run", "--key", &key.base64]);
    assert_eq!(outcome.status, 4, "{outcome:?}");
    assert!(
        outcome.stderr.contains("its algorithm is `Ed`, not `ED`"),
        "{outcome:?}"
    );
}
