//! Signatures of minisign (<https://jedisct1.github.io/minisign/>): as the run that
//! follows the index, and as the text that stands in files beside what they sign.
//!
//! Only the prehashed form (`ED`, Ed25519 over BLAKE2b-512) is read; the older `Ed`
//! is refused.

use std::fmt;
use std::str::FromStr;

use super::base64::{decode_base64, encode_base64};
use super::limits;

/// The trusted comment of every index signature. It is signed, and being always the
/// same it is not stored; it keeps a signature that the key made over something else
/// from passing as one of an index.
pub const INDEX_COMMENT: &str = "minikube-offline format 1 index";

/// The trusted comment of every signature of the head of a delta.
pub const DELTA_COMMENT: &str = "minikube-offline format 1 delta";

const PREHASHED: [u8; 2] = *b"ED";
const UNTRUSTED: &str = "untrusted comment: ";
const TRUSTED: &str = "trusted comment: ";

/// The id of a minisign key: a hint for choosing the key, never a reason to trust it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct KeyId([u8; Self::BYTES]);

/// A minisign signature.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signature {
    key_id: KeyId,
    over_message: [u8; Self::ED25519_BYTES],
    trusted_comment: String,
    /// Over `over_message` and the trusted comment; minisign calls it global.
    over_comment: [u8; Self::ED25519_BYTES],
}

/// Something that is not a signature of the one kind that is accepted.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// It is not prehashed.
    #[error("it is not a prehashed minisign signature: its algorithm is `{}`, not `ED`", found.escape_ascii())]
    Algorithm {
        /// The algorithm that it names.
        found: [u8; 2],
    },
    /// It is not a minisign signature file.
    #[error("it does not have the four lines of a minisign signature")]
    Form,
    /// Text that is not a key id.
    #[error("`{text}` is not a key id (16 hexadecimal characters)")]
    KeyId {
        /// The text.
        text: String,
    },
}

impl KeyId {
    /// Length of an id.
    pub const BYTES: usize = 8;

    /// The id with these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

/// As minisign prints it: the number that the bytes are, the lowest one first.
impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016X}", u64::from_le_bytes(self.0))
    }
}

impl FromStr for KeyId {
    type Err = SignatureError;
    fn from_str(text: &str) -> Result<Self, SignatureError> {
        let hexadecimal = text.len() == 2 * Self::BYTES && text.bytes().all(|b| b.is_ascii_hexdigit());
        let number = u64::from_str_radix(text, 16).ok().filter(|_| hexadecimal);
        number
            .map(|number| Self(number.to_le_bytes()))
            .ok_or_else(|| SignatureError::KeyId {
                text: text.chars().take(80).collect(),
            })
    }
}

impl Signature {
    /// Length of the run that follows the index.
    pub const RUN_BYTES: usize = 2 + KeyId::BYTES + 2 * Self::ED25519_BYTES;

    /// The run of a bundle that nobody signed.
    pub const UNSIGNED: [u8; Self::RUN_BYTES] = [0; Self::RUN_BYTES];

    const ED25519_BYTES: usize = 64;

    /// Reads the run that follows the index; `None` when it is unsigned.
    pub fn parse_run(run: &[u8; Self::RUN_BYTES]) -> Result<Option<Self>, SignatureError> {
        Self::parse_run_of(run, INDEX_COMMENT)
    }

    /// The same of a run whose trusted comment is `comment`.
    pub fn parse_run_of(run: &[u8; Self::RUN_BYTES], comment: &str) -> Result<Option<Self>, SignatureError> {
        if *run == Self::UNSIGNED {
            return Ok(None);
        }
        let (front, global) = run.split_at(Self::RUN_BYTES - Self::ED25519_BYTES);
        let front = front.try_into().expect("the rest of the run");
        let global = global.try_into().expect("the end of the run");
        Self::new(front, comment.to_owned(), global).map(Some)
    }

    /// The run; `None` when this signs something other than an index.
    #[must_use]
    pub fn encode_run(&self) -> Option<[u8; Self::RUN_BYTES]> {
        self.encode_run_of(INDEX_COMMENT)
    }

    /// The same of a signature whose trusted comment is to be `comment`.
    #[must_use]
    pub fn encode_run_of(&self, comment: &str) -> Option<[u8; Self::RUN_BYTES]> {
        if self.trusted_comment != comment {
            return None;
        }
        let mut run = [0; Self::RUN_BYTES];
        let (front, global) = run.split_at_mut(Self::RUN_BYTES - Self::ED25519_BYTES);
        front.copy_from_slice(&self.front());
        global.copy_from_slice(&self.over_comment);
        Some(run)
    }

    /// Reads a `.minisig` file, strictly: four lines, one spelling, no trailing bytes.
    pub fn parse_text(text: &str) -> Result<Self, SignatureError> {
        let lines: Vec<&str> = text.strip_suffix('\n').unwrap_or(text).split('\n').collect();
        let [untrusted, front, trusted, global] = lines[..] else {
            return Err(SignatureError::Form);
        };
        let comment = trusted.strip_prefix(TRUSTED).ok_or(SignatureError::Form)?;
        let plain = !comment.chars().any(|c| c.is_control() && c != '\t');
        if text.len() > limits::KEY_TEXT_BYTES || !untrusted.starts_with(UNTRUSTED) || !plain {
            return Err(SignatureError::Form);
        }
        let front = decode_base64(front).ok_or(SignatureError::Form)?;
        let global = decode_base64(global).ok_or(SignatureError::Form)?;
        Self::new(front, comment.to_owned(), global)
    }

    /// The `.minisig` file, with `untrusted_comment` in its first line.
    #[must_use]
    pub fn to_text(&self, untrusted_comment: &str) -> String {
        format!(
            "{UNTRUSTED}{untrusted_comment}\n{}\n{TRUSTED}{}\n{}\n",
            encode_base64(&self.front()),
            self.trusted_comment,
            encode_base64(&self.over_comment),
        )
    }

    /// The key that it says it was made with.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// The comment that is signed together with the signature.
    #[must_use]
    pub fn trusted_comment(&self) -> &str {
        &self.trusted_comment
    }

    fn new(
        front: [u8; 2 + KeyId::BYTES + Self::ED25519_BYTES],
        trusted_comment: String,
        over_comment: [u8; Self::ED25519_BYTES],
    ) -> Result<Self, SignatureError> {
        let found = [front[0], front[1]];
        if found != PREHASHED {
            return Err(SignatureError::Algorithm { found });
        }
        Ok(Self {
            key_id: KeyId(front[2..10].try_into().expect("eight bytes")),
            over_message: front[10..].try_into().expect("64 bytes"),
            trusted_comment,
            over_comment,
        })
    }

    fn front(&self) -> [u8; 2 + KeyId::BYTES + Self::ED25519_BYTES] {
        let mut front = [0; 2 + KeyId::BYTES + Self::ED25519_BYTES];
        front[..2].copy_from_slice(&PREHASHED);
        front[2..10].copy_from_slice(&self.key_id.0);
        front[10..].copy_from_slice(&self.over_message);
        front
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the tests of minisign-verify: signed with the key of minisign's author.
    const PREHASHED_TEXT: &str = "untrusted comment: signature from minisign secret key\n\
        RUQf6LRCGA9i559r3g7V1qNyJDApGip8MfqcadIgT9CuhV3EMhHoN1mGTkUidF/z7SrlQgXdy8ofjb7bNJJylDOocrCo8KLzZwo=\n\
        trusted comment: timestamp:1556193335\tfile:test\n\
        y/rUw2y8/hOUYjZU71eHp/Wo1KZ40fGy2VJEDl34XMJM+TX48Ss/17u3IvIfbVR1FkZZSNCisQbuQY+bHwhEBg==\n";

    fn run() -> [u8; Signature::RUN_BYTES] {
        let mut run = [7; Signature::RUN_BYTES];
        run[..2].copy_from_slice(b"ED");
        run
    }

    #[test]
    fn a_signature_file_is_read_as_it_was_written() {
        let signature = Signature::parse_text(PREHASHED_TEXT).expect("a signature");
        assert_eq!(signature.key_id().to_string(), "E7620F1842B4E81F");
        assert_eq!(signature.trusted_comment(), "timestamp:1556193335\tfile:test");
        assert_eq!(
            signature.to_text("signature from minisign secret key"),
            PREHASHED_TEXT
        );
        assert_eq!(signature.encode_run(), None, "it signs no index");
    }

    #[test]
    fn what_is_not_the_one_form_is_refused() {
        let broken = [
            PREHASHED_TEXT.replace('\n', "\r\n"),
            PREHASHED_TEXT.replace("untrusted comment: ", ""),
            PREHASHED_TEXT.replace("\ntrusted comment: ", "\n"),
            PREHASHED_TEXT.replace("test\n", "te\u{1b}st\n"),
            PREHASHED_TEXT.replace("Bg==", "Bh=="),
            format!("{PREHASHED_TEXT}\n"),
            format!("{PREHASHED_TEXT}more"),
            PREHASHED_TEXT.lines().take(2).collect::<Vec<_>>().join("\n"),
            PREHASHED_TEXT.replace("file:test", &"x".repeat(limits::KEY_TEXT_BYTES)),
            String::new(),
        ];
        for text in broken {
            assert_eq!(
                Signature::parse_text(&text),
                Err(SignatureError::Form),
                "{text:?}"
            );
        }
        let most = "x".repeat(limits::KEY_TEXT_BYTES - PREHASHED_TEXT.len() + "file:test".len());
        let most = PREHASHED_TEXT.replace("file:test", &most);
        assert!(most.len() == limits::KEY_TEXT_BYTES && Signature::parse_text(&most).is_ok());
        let legacy = PREHASHED_TEXT.replace("\nRUQ", "\nRWQ");
        let error = Signature::parse_text(&legacy).expect_err("legacy");
        assert_eq!(error, SignatureError::Algorithm { found: *b"Ed" });
    }

    #[test]
    fn a_run_is_read_as_it_was_written_and_zeros_are_no_signature() {
        let signature = Signature::parse_run(&run()).expect("a run").expect("signed");
        assert_eq!(signature.trusted_comment(), INDEX_COMMENT);
        assert_eq!(signature.encode_run(), Some(run()));
        assert_eq!(Signature::parse_run(&Signature::UNSIGNED), Ok(None));
        for bit in 0..Signature::RUN_BYTES * 8 {
            let mut flipped = Signature::UNSIGNED;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(Signature::parse_run(&flipped).is_err(), "bit {bit}");
        }
        let mut legacy = run();
        legacy[1] = b'd';
        assert!(Signature::parse_run(&legacy).is_err());
    }

    #[test]
    fn a_key_id_is_written_as_minisign_writes_it() {
        let id: KeyId = "E7620F1842B4E81F".parse().expect("an id");
        assert_eq!(id.as_bytes()[0], 0x1f);
        assert_eq!("e7620f1842b4e81f".parse(), Ok(id));
        for text in [
            "",
            "E7620F1842B4E81",
            "+7620F1842B4E81F",
            "E7620F1842B4E81F0",
            "../etc/passwd0000",
        ] {
            assert!(text.parse::<KeyId>().is_err(), "{text}");
        }
    }
}
