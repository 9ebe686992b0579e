//! A public key of minisign, and what it says of a signature.

use crate::bundle::{KeyId, Signature, decode_base64, encode_base64, limits};

/// A public key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PublicKey {
    key_id: KeyId,
    verifier: minisign_verify::PublicKey,
    base64: String,
}

/// Text that is not a public key of minisign.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PublicKeyError {
    /// The 42 bytes are not there, or are those of something else.
    #[error("it is not a minisign public key (56 characters that start with `RW`)")]
    Form,
    /// It is a secret key.
    #[error("it is a secret key: what verifies is the public one")]
    Secret,
}

const UNTRUSTED: &str = "untrusted comment: ";

/// What minisign writes there, before the key's id.
const DEFAULT_COMMENT: &str = "minisign public key";

/// minisign names this algorithm in its keys, whichever way they sign.
const ALGORITHM: [u8; 2] = *b"Ed";

impl PublicKey {
    /// Reads the 56 characters of a key.
    pub fn parse_base64(text: &str) -> Result<Self, PublicKeyError> {
        let bytes: [u8; 42] = decode_base64(text).ok_or(PublicKeyError::Form)?;
        let verifier = minisign_verify::PublicKey::from_base64(text).map_err(|_| PublicKeyError::Form)?;
        // No one has the secret half of a key of zeros, and every signature would do.
        if bytes[..2] != ALGORITHM || bytes[10..].iter().all(|byte| *byte == 0) {
            return Err(PublicKeyError::Form);
        }
        Ok(Self {
            key_id: KeyId::from_bytes(bytes[2..10].try_into().expect("eight bytes")),
            verifier,
            base64: text.to_owned(),
        })
    }

    /// Reads a key file: a comment and the key, or the key alone. As stock minisign does, it
    /// takes what an editor may leave: Windows' line ends, a byte order mark, empty lines at
    /// the end.
    pub fn parse_file(text: &str) -> Result<Self, PublicKeyError> {
        if text.len() > limits::KEY_TEXT_BYTES {
            return Err(PublicKeyError::Form);
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim_end();
        let lines: Vec<&str> = text.lines().collect();
        match lines[..] {
            [key] => Self::parse_base64(key),
            [comment, key] if comment.starts_with(UNTRUSTED) => {
                // Secret keys have the same form, and are much longer.
                if key.len() > 200 {
                    return Err(PublicKeyError::Secret);
                }
                Self::parse_base64(key)
            }
            _ => Err(PublicKeyError::Form),
        }
    }

    /// The key with this id and these bytes, as minisign writes it.
    #[must_use]
    pub fn of(key_id: KeyId, key: &[u8; 32]) -> Option<Self> {
        let mut bytes = [0; 42];
        bytes[..2].copy_from_slice(&ALGORITHM);
        bytes[2..10].copy_from_slice(key_id.as_bytes());
        bytes[10..].copy_from_slice(key);
        Self::parse_base64(&encode_base64(&bytes)).ok()
    }

    /// Its id.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// Its 56 characters, which are the whole key.
    #[must_use]
    pub fn base64(&self) -> &str {
        &self.base64
    }

    /// The trusted comment of the statement that this key follows the one that signs it.
    #[must_use]
    pub fn statement_comment(&self) -> String {
        format!("minikube-offline key {}", self.key_id)
    }

    /// The key file, as stock minisign writes it.
    #[must_use]
    pub fn to_file(&self) -> String {
        self.to_file_saying(&format!("{DEFAULT_COMMENT} {}", self.key_id))
    }

    /// The key file with another comment, which is one line.
    #[must_use]
    pub fn to_file_saying(&self, comment: &str) -> String {
        format!("{UNTRUSTED}{comment}\n{}\n", self.base64)
    }

    /// The comment of a key file, unless minisign wrote it.
    #[must_use]
    pub fn comment_in(text: &str) -> Option<&str> {
        let line = text.trim_start_matches('\u{feff}').lines().next()?;
        let comment = line.strip_prefix(UNTRUSTED)?.trim();
        (!comment.is_empty() && !comment.starts_with(DEFAULT_COMMENT)).then_some(comment)
    }

    /// Whether `signature` was made with this key over `message` and over `comment`, its
    /// trusted comment: what a signature is for is as much signed as what it is of.
    #[must_use]
    pub fn has_signed(&self, message: &[u8], comment: &str, signature: &Signature) -> bool {
        if signature.trusted_comment() != comment {
            return false;
        }
        // The legacy form does not parse: every `Signature` is prehashed and has a
        // trusted comment. Said once more to the crate, whose default is laxer.
        let text = signature.to_text("");
        minisign_verify::Signature::decode(&text)
            .and_then(|decoded| self.verifier.verify(message, &decoded, false))
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of minisign's author, and two signatures made with it: from the tests of
    /// minisign-verify.
    const KEY: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
    const PREHASHED: &str = "untrusted comment: signature from minisign secret key\n\
        RUQf6LRCGA9i559r3g7V1qNyJDApGip8MfqcadIgT9CuhV3EMhHoN1mGTkUidF/z7SrlQgXdy8ofjb7bNJJylDOocrCo8KLzZwo=\n\
        trusted comment: timestamp:1556193335\tfile:test\n\
        y/rUw2y8/hOUYjZU71eHp/Wo1KZ40fGy2VJEDl34XMJM+TX48Ss/17u3IvIfbVR1FkZZSNCisQbuQY+bHwhEBg==\n";

    const COMMENT: &str = "timestamp:1556193335\tfile:test";

    #[test]
    fn a_foreign_vector_verifies_and_nothing_near_it_does() {
        let key = PublicKey::parse_base64(KEY).expect("a key");
        let signature = Signature::parse_text(PREHASHED).expect("a signature");
        assert!(key.has_signed(b"test", COMMENT, &signature));
        assert!(!key.has_signed(b"Test", COMMENT, &signature) && !key.has_signed(b"", COMMENT, &signature));
        let other_comment = PREHASHED.replace("file:test", "file:best");
        let other_comment = Signature::parse_text(&other_comment).expect("still a signature");
        assert!(!key.has_signed(b"test", "timestamp:1556193335\tfile:best", &other_comment));
        assert!(!key.has_signed(b"test", "another comment", &signature));
        let other = PublicKey::of(key.key_id(), &[9; 32]).expect("a key");
        assert!(
            !other.has_signed(b"test", COMMENT, &signature),
            "the id alone is nothing"
        );
    }

    #[test]
    fn a_key_file_is_read_as_it_was_written() {
        let key = PublicKey::parse_base64(KEY).expect("a key");
        assert_eq!(key.key_id().to_string(), "E7620F1842B4E81F");
        assert_eq!(PublicKey::parse_file(&key.to_file()), Ok(key.clone()));
        assert_eq!(PublicKey::parse_file(KEY), Ok(key.clone()));
        assert_eq!(PublicKey::parse_file(&format!("{KEY}\n")), Ok(key));
    }

    /// Tried with minisign 0.11, which takes each of them, too.
    #[test]
    fn what_an_editor_leaves_in_a_key_file_does_not_matter() {
        let key = PublicKey::parse_base64(KEY).expect("a key");
        for text in [
            format!("untrusted comment: x\r\n{KEY}\r\n"),
            format!("\u{feff}untrusted comment: x\n{KEY}\n"),
            format!("untrusted comment: x\n{KEY}\n\n"),
            format!("untrusted comment: x\n{KEY} \n"),
            format!("{KEY}\r\n"),
        ] {
            assert_eq!(PublicKey::parse_file(&text), Ok(key.clone()), "{text:?}");
        }
    }

    #[test]
    fn a_key_file_has_a_size_that_it_can_have() {
        let of = |length: usize| {
            let comment = "x".repeat(length - UNTRUSTED.len() - 1 - KEY.len());
            PublicKey::parse_file(&format!("{UNTRUSTED}{comment}\n{KEY}"))
        };
        assert!(of(limits::KEY_TEXT_BYTES).is_ok());
        for more in [1, 2] {
            assert_eq!(of(limits::KEY_TEXT_BYTES + more), Err(PublicKeyError::Form));
        }
        let long = |length: usize| PublicKey::parse_file(&format!("{UNTRUSTED}\n{}", "R".repeat(length)));
        assert_eq!(long(200), Err(PublicKeyError::Form));
        assert_eq!(long(201), Err(PublicKeyError::Secret));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let secret = format!(
            "untrusted comment: minisign encrypted secret key\n{}\n",
            "R".repeat(212)
        );
        assert_eq!(PublicKey::parse_file(&secret), Err(PublicKeyError::Secret));
        let zeros = encode_base64(&[&b"Ed"[..], &[1; 8], &[0; 32]].concat());
        let prehashed = encode_base64(&[&b"ED"[..], &[1; 8], &[7; 32]].concat());
        for text in [
            "",
            "\n",
            "\u{feff}",
            &KEY[1..],
            &format!(" {KEY}"),
            &format!("untrusted comment: x\n\n{KEY}\n"),
            &format!("{KEY}\n{KEY}\n"),
            &format!("a comment\n{KEY}\n"),
            &format!("untrusted comment: x\n{KEY}\n{KEY}\n"),
            &zeros,
            &prehashed,
        ] {
            assert_eq!(PublicKey::parse_file(text), Err(PublicKeyError::Form), "{text:?}");
        }
    }
}
