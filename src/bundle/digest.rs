//! SHA-256 digests, as the OCI image spec writes them.

use std::fmt;
use std::io;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use super::tally;
use super::text::serde_as_text;

/// A SHA-256 digest. In text: 64 lower-case hexadecimal characters, with
/// `sha256:` before them where the OCI image spec wants it.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Digest([u8; 32]);

/// Text that is not a digest.
#[derive(Debug, thiserror::Error)]
#[error("`{text}` is not a {algorithm} digest (64 lower-case hexadecimal characters)")]
pub struct DigestError {
    algorithm: &'static str,
    text: String,
}

impl DigestError {
    pub(super) fn new(algorithm: &'static str, text: &str) -> Self {
        let text = text.chars().take(80).collect();
        Self { algorithm, text }
    }
}

impl Digest {
    /// Length of a digest in bytes.
    pub const BYTES: usize = 32;

    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new();
        hasher.update(bytes);
        hasher.finish()
    }

    /// The digest whose raw bytes these are.
    #[must_use]
    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// The raw bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// 64 hexadecimal characters, without the algorithm.
    #[must_use]
    pub fn hex(&self) -> String {
        to_hex(&self.0)
    }

    /// Reads 64 hexadecimal characters, or the same after `sha256:`.
    pub fn parse(text: &str) -> Result<Self, DigestError> {
        let bytes = from_hex(text.strip_prefix("sha256:").unwrap_or(text));
        bytes.map(Self).ok_or_else(|| DigestError::new("SHA-256", text))
    }

    /// The same after `sha256:` only, as the OCI image spec and an index spell it.
    pub fn parse_prefixed(text: &str) -> Result<Self, DigestError> {
        if text.starts_with("sha256:") {
            Self::parse(text)
        } else {
            Err(DigestError::new("SHA-256", text))
        }
    }
}

/// The bytes as 64 lower-case hexadecimal characters.
pub(super) fn to_hex(bytes: &[u8; Digest::BYTES]) -> String {
    use fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(2 * Digest::BYTES), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

/// What [`to_hex`] writes, read; `None` for anything else.
pub(super) fn from_hex(hex: &str) -> Option<[u8; Digest::BYTES]> {
    if hex.len() != 2 * Digest::BYTES || !hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let mut bytes = [0; Digest::BYTES];
    for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

/// `sha256:` and the hexadecimal digest.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = DigestError;
    fn from_str(text: &str) -> Result<Self, DigestError> {
        Self::parse(text)
    }
}

serde_as_text!(Digest, Digest::parse_prefixed);

/// Hashes what is written to it, and counts it.
#[derive(Clone, Debug, Default)]
pub struct Hasher {
    state: Sha256,
    bytes: u64,
}

impl Hasher {
    /// A hasher that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `bytes`.
    pub fn update(&mut self, bytes: &[u8]) {
        tally::SHA256.add(bytes);
        self.state.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    /// How many bytes it has seen.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The digest of all of them.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest(self.state.finalize().into())
    }
}

impl io::Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // FIPS 180-2, appendix B.1.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn the_digest_of_abc_is_the_standards() {
        assert_eq!(Digest::of(b"abc").hex(), ABC);
        assert_eq!(Digest::parse(ABC).expect("hex"), Digest::of(b"abc"));
        assert_eq!(Digest::of(b"abc").to_string(), format!("sha256:{ABC}"));
    }

    #[test]
    fn what_is_written_into_a_hasher_is_hashed() {
        let mut hasher = Hasher::new();
        assert_eq!(io::copy(&mut &b"abc"[..], &mut hasher).expect("hashed"), 3);
        assert_eq!((hasher.bytes(), hasher.finish()), (3, Digest::of(b"abc")));
    }

    #[test]
    fn other_spellings_are_refused() {
        for text in [
            "",
            "sha256:",
            &ABC[1..],
            &ABC.to_uppercase(),
            "sha512:00",
            &format!("{ABC}0"),
        ] {
            assert!(Digest::parse(text).is_err(), "{text}");
        }
        assert!(serde_json::from_str::<Digest>(&format!("\"{ABC}\"")).is_err());
    }
}
