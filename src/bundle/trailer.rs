//! The trailer: the last bytes of a bundle, from which a reader finds the rest.

use super::limits;
use super::{Digest, Hasher, Signature};

/// The trailer. Truncation and appended bytes show in it before anything is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Trailer {
    /// Length of the whole bundle in bytes.
    pub total_bytes: u64,
    /// Where the index starts.
    pub index_offset: u64,
    /// Length of the index in bytes.
    pub index_bytes: u64,
    /// The SHA-256 of the index and of the signature that follows it.
    pub sealed_sha256: Digest,
}

/// A trailer that does not fit the file that it ends.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrailerError {
    /// There is no trailer at the end of the file.
    #[error("it does not end as a bundle does: it was cut short, or it is no bundle")]
    Missing,
    /// The format is not one that this version reads.
    #[error(
        "the bundle has format {found}, and this program reads format {}",
        limits::FORMAT
    )]
    Format {
        /// The format that it names.
        found: u32,
    },
    /// The file has another length than the trailer says.
    #[error("it is {found} bytes long and should be {expected}")]
    Length {
        /// What the trailer says.
        expected: u64,
        /// What the file has.
        found: u64,
    },
    /// Places or lengths do not add up.
    #[error("its trailer contradicts itself")]
    Inconsistent,
}

impl Trailer {
    /// Length of a trailer.
    pub const BYTES: usize = 80;

    /// The same as the trailer states it.
    const LENGTH_FIELD: u32 = 80;

    /// Length of the signature as the trailer states it.
    const SIGNATURE_FIELD: u64 = Signature::RUN_BYTES as u64;

    /// The bytes of the trailer; see `FORMAT.md` for the table.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..8].copy_from_slice(&limits::MAGIC);
        bytes[8..12].copy_from_slice(&limits::FORMAT.to_le_bytes());
        bytes[12..16].copy_from_slice(&Self::LENGTH_FIELD.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.total_bytes.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.index_offset.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.index_bytes.to_le_bytes());
        bytes[40..48].copy_from_slice(&Self::SIGNATURE_FIELD.to_le_bytes());
        bytes[48..].copy_from_slice(self.sealed_sha256.as_bytes());
        bytes
    }

    /// Reads the trailer of a file that is `file_bytes` long.
    pub fn parse(bytes: &[u8; Self::BYTES], file_bytes: u64) -> Result<Self, TrailerError> {
        let u32_at = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        let u64_at = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        if bytes[..8] != limits::MAGIC {
            return Err(TrailerError::Missing);
        }
        if u32_at(8) != limits::FORMAT {
            return Err(TrailerError::Format { found: u32_at(8) });
        }
        let trailer = Self {
            total_bytes: u64_at(16),
            index_offset: u64_at(24),
            index_bytes: u64_at(32),
            sealed_sha256: Digest::from_bytes(bytes[48..].try_into().expect("32 bytes")),
        };
        if trailer.total_bytes != file_bytes {
            return Err(TrailerError::Length {
                expected: trailer.total_bytes,
                found: file_bytes,
            });
        }
        if u32_at(12) != Self::LENGTH_FIELD || u64_at(40) != Self::SIGNATURE_FIELD || !trailer.adds_up() {
            return Err(TrailerError::Inconsistent);
        }
        Ok(trailer)
    }

    /// Where the signature starts.
    #[must_use]
    pub fn signature_offset(&self) -> u64 {
        self.index_offset + self.index_bytes
    }

    /// The digest that seals `index` and `signature`.
    #[must_use]
    pub fn seal(index: &[u8], signature: &[u8; Signature::RUN_BYTES]) -> Digest {
        let mut hasher = Hasher::new();
        hasher.update(index);
        hasher.update(signature);
        hasher.finish()
    }

    fn adds_up(&self) -> bool {
        let end = self
            .index_offset
            .checked_add(self.index_bytes)
            .and_then(|end| end.checked_add(Self::SIGNATURE_FIELD))
            .and_then(|end| end.checked_add(Self::BYTES as u64));
        end == Some(self.total_bytes) && (1..=limits::INDEX_BYTES).contains(&self.index_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trailer() -> Trailer {
        Trailer {
            total_bytes: 5000,
            index_offset: 4000,
            index_bytes: 5000 - 4000 - 80 - 138,
            sealed_sha256: Digest::of(b"index and signature"),
        }
    }

    #[test]
    fn a_trailer_is_read_as_it_was_written() {
        assert_eq!(
            Trailer::parse(&trailer().encode(), 5000).expect("trailer"),
            trailer()
        );
        assert_eq!(trailer().signature_offset(), 5000 - 80 - 138);
    }

    #[test]
    fn every_flipped_bit_is_refused_or_changes_the_digest() {
        let good = trailer().encode();
        for bit in 0..good.len() * 8 {
            let mut bytes = good;
            bytes[bit / 8] ^= 1 << (bit % 8);
            match Trailer::parse(&bytes, 5000) {
                Err(_) => {}
                Ok(read) => assert!(
                    bit >= 48 * 8 && read.sealed_sha256 != trailer().sealed_sha256,
                    "bit {bit}"
                ),
            }
        }
    }

    #[test]
    fn another_length_is_told_in_bytes() {
        let error = Trailer::parse(&trailer().encode(), 4999).expect_err("cut short");
        assert_eq!(error.to_string(), "it is 4999 bytes long and should be 5000");
    }
}
