//! What a publisher signed, carried so that a site can check it by itself.

use serde::{Deserialize, Serialize};

use super::provenance::is_url;
use super::{Digest, limits};

/// A publisher's signature of a part, as [cosign](https://docs.sigstore.dev) makes them.
/// Each digest is a member of the payload: the file as it was published.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    /// Where it was.
    pub url: String,
    /// What is signed, when that is not the part itself: the first document, which names
    /// the digest of the second, and so on; the last names the part's.
    pub documents: Vec<Digest>,
    /// The signature.
    pub signature: Digest,
    /// The certificate of the key, and then those of who issued it, where they were there.
    pub certificates: Vec<Digest>,
    /// The entry in the log of signatures, where it was there.
    pub log: Option<Digest>,
}

impl Attestation {
    /// Every file of it.
    pub fn files(&self) -> impl Iterator<Item = Digest> + '_ {
        let documents = self.documents.iter().chain([&self.signature]);
        let rest = self.certificates.iter().chain(&self.log);
        documents.chain(rest).copied()
    }
}

impl Attestation {
    /// Whether a part can have it: a binary is what is signed itself; for an image a document is.
    pub(super) fn check(&self, is_image: bool) -> Result<(), &'static str> {
        if !is_url(&self.url) {
            return Err("has an attestation whose URL is too long or not plain text");
        }
        if self.documents.is_empty() == is_image {
            return Err("has an attestation that does not name what is signed, or names it twice");
        }
        if self.certificates.is_empty() {
            return Err("has an attestation without a certificate");
        }
        if self.documents.len().max(self.certificates.len()) > limits::ATTESTATION_FILES {
            return Err("has an attestation of too many files");
        }
        Ok(())
    }
}

/// Where such a file lies in the payload.
#[must_use]
pub fn attestation_path(digest: Digest) -> String {
    format!("{ATTESTATION_DIR}{}", digest.hex())
}

/// What the paths of such files begin with.
pub(super) const ATTESTATION_DIR: &str = "attestations/";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::{Origin, Transport};

    fn origin(attestations: usize, url: usize, documents: usize, certificates: usize) -> Origin {
        let attestation = Attestation {
            url: "u".repeat(url),
            signature: Digest::of(b"s"),
            documents: vec![Digest::of(b"d"); documents],
            certificates: vec![Digest::of(b"c"); certificates],
            log: Some(Digest::of(b"l")),
        };
        Origin {
            attestations: vec![attestation; attestations],
            ..Origin::by(Transport::Https)
        }
    }

    #[test]
    fn signatures_are_refused_just_above_each_limit() {
        use limits::{ATTESTATION_FILES as FILES, ATTESTATIONS as COUNT, URL_BYTES as URL};
        let refused = |origin: Origin| origin.check(true).is_err();
        assert!(!refused(origin(COUNT, URL, FILES, FILES)));
        assert!(refused(origin(COUNT + 1, URL, FILES, FILES)));
        assert!(refused(origin(1, URL + 1, 1, 1)));
        assert!(refused(origin(1, URL, FILES + 1, 1)) && refused(origin(1, URL, 1, FILES + 1)));
        assert!(refused(origin(1, URL, 0, 1)) && refused(origin(1, URL, 1, 0)));
    }

    #[test]
    fn a_signature_names_each_of_its_files() {
        let files: Vec<Digest> = origin(1, 1, 1, 1).attestations[0].files().collect();
        assert_eq!(files, [b"d", b"s", b"c", b"l"].map(|text| Digest::of(text)));
    }
}
