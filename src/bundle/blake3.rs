//! BLAKE3-256 digests: of chunks, and of files that this program wrote. Nobody else names
//! anything by them, and they take a small part of the time of SHA-256 where a processor has
//! no instructions for that.

use std::fmt;
use std::io;

use super::Digest;
use super::digest::{DigestError, from_hex, to_hex};
use super::tally;
use super::text::serde_as_text;

/// A BLAKE3-256 digest. In text: `blake3:` and 64 lower-case hexadecimal characters.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Blake3([u8; Digest::BYTES]);

impl Blake3 {
    const PREFIX: &str = "blake3:";

    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut hasher = Blake3Hasher::new();
        hasher.update(bytes);
        hasher.finish()
    }

    fn parse(text: &str) -> Result<Self, DigestError> {
        let bytes = text.strip_prefix(Self::PREFIX).and_then(from_hex);
        bytes.map(Self).ok_or_else(|| DigestError::new("BLAKE3", text))
    }
}

/// `blake3:` and the hexadecimal digest.
impl fmt::Display for Blake3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", Self::PREFIX, to_hex(&self.0))
    }
}

impl fmt::Debug for Blake3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

serde_as_text!(Blake3, Blake3::parse);

/// Hashes what is written to it, and counts it.
#[derive(Clone, Debug, Default)]
pub struct Blake3Hasher(::blake3::Hasher);

impl Blake3Hasher {
    /// A hasher that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `bytes`.
    pub fn update(&mut self, bytes: &[u8]) {
        tally::BLAKE3.add(bytes);
        self.0.update(bytes);
    }

    /// How many bytes it has seen.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.count()
    }

    /// The digest of all of them.
    #[must_use]
    pub fn finish(&self) -> Blake3 {
        Blake3(self.0.finalize().into())
    }
}

impl io::Write for Blake3Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A digest of either kind: of a run of a bundle's bytes, or of a file that a bundle became.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Checksum {
    /// Of what nobody else has a name for.
    Blake3(Blake3),
    /// Of what others name, too.
    Sha256(Digest),
}

impl Checksum {
    /// The digest of the same kind that `bytes` have.
    #[must_use]
    pub fn of_same_kind(self, bytes: &[u8]) -> Self {
        match self {
            Self::Blake3(_) => Self::Blake3(Blake3::of(bytes)),
            Self::Sha256(_) => Self::Sha256(Digest::of(bytes)),
        }
    }

    fn parse(text: &str) -> Result<Self, DigestError> {
        if text.starts_with(Blake3::PREFIX) {
            Blake3::parse(text).map(Self::Blake3)
        } else {
            Digest::parse_prefixed(text).map(Self::Sha256)
        }
    }
}

serde_as_text!(Checksum, Checksum::parse);

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blake3(digest) => digest.fmt(f),
            Self::Sha256(digest) => digest.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_the_blake3_specification() {
        // The specification's test vectors: byte number I is I modulo 251. One block, one chunk
        // of BLAKE3's own and one byte more, and a tree of 31 of them.
        for (length, hex) in [
            (
                0,
                "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
            ),
            (
                1,
                "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213",
            ),
            (
                1024,
                "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7",
            ),
            (
                1025,
                "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444",
            ),
            (
                31744,
                "62b6960e1a44bcc1eb1a611a8d6235b6b4b78f32e7abc4fb4c6cdcce94895c47",
            ),
        ] {
            let bytes: Vec<u8> = (0..length).map(|at: u32| (at % 251) as u8).collect();
            let digest = Blake3::of(&bytes);
            assert_eq!(digest.to_string(), format!("blake3:{hex}"), "{length}");
            let mut hasher = Blake3Hasher::new();
            io::copy(&mut bytes.as_slice(), &mut hasher).expect("hashed");
            assert_eq!((hasher.bytes(), hasher.finish()), (u64::from(length), digest));
        }
    }

    #[test]
    fn a_checksum_hashes_by_its_own_algorithm() {
        let chunk = Checksum::Blake3(Blake3::of(b"a"));
        assert_eq!(chunk.of_same_kind(b"b"), Checksum::Blake3(Blake3::of(b"b")));
        let other = Checksum::Sha256(Digest::of(b"a"));
        assert_eq!(other.of_same_kind(b"b").to_string(), Digest::of(b"b").to_string());
    }
}
