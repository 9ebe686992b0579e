//! The text that a person reads about a part's origin. Made here alone, from the records; no
//! program reads it.

use crate::bundle::{NamedBy, Origin, Platform, Transport, Unattested, Verification};

/// What a part was compared with and what was signed of it, a sentence each.
pub(super) fn sentences(origin: &Origin, platform: Option<Platform>) -> Vec<String> {
    let verified = origin.verified_by.iter().map(|it| verification(it, platform));
    let mut sentences: Vec<String> = verified.collect();
    if origin.unverified && origin.verified_by.iter().all(|it| it.digest().is_none()) {
        let from = origin.url.as_deref().unwrap_or(origin.transport.name());
        sentences.insert(
            0,
            format!("nothing was compared: accepted unverified from {from}"),
        );
    }
    if origin.transport == Transport::Docker {
        sentences.push("each of its blobs has the digest that its manifest names".to_owned());
    }
    sentences.extend(attested(origin));
    sentences
}

/// The digests by which an image is named, each with who names it.
pub(super) fn names(named_by: &[NamedBy]) -> Vec<String> {
    let namer = |named: &NamedBy| serde_json::json!(named.by).as_str().map(str::to_owned);
    let texts = named_by.iter().map(|named| {
        let name = named.name.as_ref().map(|name| format!(" {name}"));
        let (by, name) = (namer(named).unwrap_or_default(), name.unwrap_or_default());
        format!("{} ({by}{name})", named.digest)
    });
    texts.collect()
}

fn verification(verification: &Verification, platform: Option<Platform>) -> String {
    use Verification as V;
    match verification {
        V::PublisherChecksum { url, .. } | V::ReleaseList { url, .. } => {
            format!("its SHA-256 is the one that {url} says")
        }
        V::MirrorChecksum { url, .. } => {
            format!("accepted unverified: only the mirror's {url} says that this is its SHA-256")
        }
        V::RegistryTag { subject, digest } => format!("{subject} says that this tag is {digest}"),
        V::MirrorTag { subject, digest } => {
            format!("accepted unverified: only the mirror {subject} says that this tag is {digest}")
        }
        V::ImageIndex { digest } => match platform {
            Some(platform) => format!("its manifest for {platform} is {digest}"),
            None => format!("its manifest is {digest}"),
        },
        V::CorrectedPlatform { subject, digest } => {
            let platform = platform.map_or_else(|| "another".to_owned(), |platform| platform.to_string());
            format!(
                "its config {digest} says {subject}, and its index says {platform}: packed with the index's platform \
                 in the config, as minikube does"
            )
        }
        V::MinikubeNodeImage { digest } => format!("minikube names it by this digest: {digest}"),
        V::MinikubeAddon { subject, digest } => {
            format!("minikube's addon `{subject}` names it by this digest: {digest}")
        }
        V::CniManifest { subject, digest } => {
            format!("minikube's manifest of {subject} names it by this digest: {digest}")
        }
        V::UserManifest { digest } => format!("a manifest of the bundle names it by this digest: {digest}"),
        V::UserDigest { digest } => format!("it was asked for by this digest: {digest}"),
        V::Lock { digest } => format!("only the lock names its digest: {digest}"),
        V::SelfReportedVersion { subject } => format!("it says that it is {subject}"),
        V::LayerDigests {} => "its layers have the digests that its config lists".to_owned(),
    }
}

fn attested(origin: &Origin) -> Option<String> {
    let text = match (origin.attestations.len(), origin.unattested) {
        (0, None) => return None,
        (0, Some(Unattested::NotFound)) => "no signature of its publisher's with a certificate was found",
        (0, Some(Unattested::NoAnswer)) => "whether its publisher signed it could not be found out",
        (0, Some(Unattested::SigstoreBundle)) => {
            "its publisher's signature is a Sigstore bundle in the registry, and is not packed"
        }
        (1, _) => "its publisher's signature is packed; `pack` did not check it",
        (count, _) => {
            return Some(format!(
                "{count} signatures of its publisher's are packed; `pack` did not check them"
            ));
        }
    };
    Some(text.to_owned())
}
