//! What a publisher signed, carried so that a site can check it by itself.

use serde::{Deserialize, Serialize};

use super::{Digest, Origin, is_plain, limits};

/// A publisher's signature of a part, as [cosign](https://docs.sigstore.dev) makes them.
/// Each digest is a member of the payload: the file as it was published.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedSignature {
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

impl PublishedSignature {
    /// Every file of it.
    pub fn files(&self) -> impl Iterator<Item = Digest> + '_ {
        let documents = self.documents.iter().chain([&self.signature]);
        let rest = self.certificates.iter().chain(&self.log);
        documents.chain(rest).copied()
    }
}

impl Origin {
    /// Whether all in it is such as a part can have, as a sentence where it is not. What is
    /// shown to a person is one line of plain text. A program is what is signed itself; for an
    /// image a document is.
    pub(super) fn check(&self, is_image: bool) -> Result<(), &'static str> {
        if self.transport.len() > limits::TRANSPORT_BYTES || !is_plain(&self.transport) {
            return Err("has a transport that is too long or no plain text");
        }
        let mut evidence = self.evidence.iter();
        if !evidence.all(|said| said.len() <= limits::SENTENCE_BYTES && is_plain(said)) {
            return Err("was compared with something that is too long or no plain text");
        }
        if self.signatures.len() > limits::SIGNATURES {
            return Err("has too many signatures");
        }
        for signature in &self.signatures {
            let url = &signature.url;
            if url.len() > limits::SIGNATURE_URL_BYTES || !is_plain(url) {
                return Err("has a signature whose URL is too long or no plain text");
            }
            if signature.documents.is_empty() == is_image {
                return Err("has a signature that does not say what is signed, or says it twice");
            }
            if signature.certificates.is_empty() {
                return Err("has a signature without a certificate");
            }
            let files = signature.documents.len().max(signature.certificates.len());
            if files > limits::SIGNATURE_FILES {
                return Err("has a signature of too many files");
            }
        }
        Ok(())
    }
}

/// Where such a file lies in the payload.
#[must_use]
pub fn evidence_path(digest: Digest) -> String {
    format!("{EVIDENCE_DIR}{}", digest.hex())
}

/// What the paths of such files begin with.
pub(super) const EVIDENCE_DIR: &str = "evidence/";

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(signatures: usize, url: usize, documents: usize, certificates: usize) -> Origin {
        let signature = PublishedSignature {
            url: "u".repeat(url),
            signature: Digest::of(b"s"),
            documents: vec![Digest::of(b"d"); documents],
            certificates: vec![Digest::of(b"c"); certificates],
            log: Some(Digest::of(b"l")),
        };
        Origin {
            unverified: false,
            transport: "file".to_owned(),
            evidence: Vec::new(),
            signatures: vec![signature; signatures],
        }
    }

    #[test]
    fn signatures_are_refused_just_above_each_limit() {
        use limits::{SIGNATURE_FILES as FILES, SIGNATURE_URL_BYTES as URL, SIGNATURES as COUNT};
        let refused = |origin: Origin| origin.check(true).is_err();
        assert!(!refused(origin(COUNT, URL, FILES, FILES)));
        assert!(refused(origin(COUNT + 1, URL, FILES, FILES)));
        assert!(refused(origin(1, URL + 1, 1, 1)));
        assert!(refused(origin(1, URL, FILES + 1, 1)) && refused(origin(1, URL, 1, FILES + 1)));
        assert!(refused(origin(1, URL, 0, 1)) && refused(origin(1, URL, 1, 0)));
    }

    #[test]
    fn what_is_shown_of_an_origin_is_one_line_of_plain_text() {
        use limits::{SENTENCE_BYTES as SENTENCE, TRANSPORT_BYTES as TRANSPORT};
        let said = |transport: &str, evidence: &str| {
            let mut origin = origin(0, 0, 0, 0);
            origin.transport = transport.to_owned();
            origin.evidence = vec!["it has layers".to_owned(), evidence.to_owned()];
            origin.check(false).err()
        };
        let transport = Some("has a transport that is too long or no plain text");
        let sentence = Some("was compared with something that is too long or no plain text");
        assert_eq!(said(&"t".repeat(TRANSPORT), &"s".repeat(SENTENCE)), None);
        assert_eq!(said(&"t".repeat(TRANSPORT + 1), ""), transport);
        assert_eq!(said("file", &"s".repeat(SENTENCE + 1)), sentence);
        for forged in [
            "file)\n  minikube: its SHA-256 is",
            "a\rb",
            "a\u{2028}b",
            "\u{202e}a",
            "\u{9b}2J",
            "\t",
        ] {
            assert_eq!(said(forged, ""), transport, "{forged:?}");
            assert_eq!(said("file", forged), sentence, "{forged:?}");
        }
    }

    #[test]
    fn a_signature_names_each_of_its_files() {
        let files: Vec<Digest> = origin(1, 1, 1, 1).signatures[0].files().collect();
        assert_eq!(files, [b"d", b"s", b"c", b"l"].map(|text| Digest::of(text)));
    }
}
