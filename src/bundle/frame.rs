//! The payload: zstd frames which, decoded one after another, are one tar.

use serde::{Deserialize, Serialize};

use super::Digest;
use super::limits;

/// One regular file in the payload's tar.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Where it lies in the tar. Never a path on a machine: what is installed
    /// where is decided by a part's role.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// The SHA-256 of its content.
    pub sha256: Digest,
}

impl Member {
    /// The tar header in front of the content: everything in it follows from the
    /// path and the size, so that a reader can demand these very bytes.
    ///
    /// `None` when the path does not fit: it must be at most
    /// [`limits::PATH_BYTES`] of printable ASCII.
    #[must_use]
    pub fn tar_header(&self) -> Option<[u8; TAR_BLOCK]> {
        let fits = (1..limits::PATH_BYTES).contains(&self.path.len());
        if !fits || !self.path.bytes().all(|b| b.is_ascii_graphic()) {
            return None;
        }
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Regular);
        header.as_mut_bytes()[..self.path.len()].copy_from_slice(self.path.as_bytes());
        header.set_mode(if self.path.starts_with("bin/") {
            0o755
        } else {
            0o644
        });
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(self.size);
        header.set_cksum();
        Some(*header.as_bytes())
    }

    /// How many zero bytes follow the content.
    #[must_use]
    pub fn padding(&self) -> usize {
        let over = usize::try_from(self.size % TAR_BLOCK as u64).expect("less than a block");
        (TAR_BLOCK - over) % TAR_BLOCK
    }
}

/// One zstd frame: a run of whole tar members.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Frame {
    /// Bytes as stored.
    pub size: u64,
    /// Bytes when decoded.
    pub plain_size: u64,
    /// How many members it holds, in the order of the index.
    pub members: u64,
}

/// Length of a tar block, and of a header (POSIX.1-1988 ustar).
const TAR_BLOCK: usize = 512;

/// Zero bytes that mark the end of the archive; they end the last frame.
pub const TAR_END_BYTES: usize = 2 * TAR_BLOCK;

/// Bytes that a member of `size` bytes takes in the tar: header, content, padding.
/// `None` when that is beyond 2^64.
#[must_use]
pub fn member_span(size: u64) -> Option<u64> {
    size.checked_next_multiple_of(TAR_BLOCK as u64)?
        .checked_add(TAR_BLOCK as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_padded_to_blocks() {
        assert_eq!(member_span(0), Some(512));
        assert_eq!(member_span(1), Some(1024));
        assert_eq!(member_span(512), Some(1024));
        assert_eq!(member_span(u64::MAX), None);
        for size in [0, 1, 511, 512, 513] {
            let member = Member {
                path: "a".to_owned(),
                size,
                sha256: Digest::of(b""),
            };
            assert_eq!(member_span(size), Some(512 + size + member.padding() as u64));
        }
    }

    #[test]
    fn a_header_is_what_a_tar_reader_expects() {
        let member = Member {
            path: "bin/kubelet".to_owned(),
            size: 9 << 30,
            sha256: Digest::of(b""),
        };
        let bytes = member.tar_header().expect("a short path");
        let header = tar::Header::from_byte_slice(&bytes);
        assert_eq!(header.path_bytes().as_ref(), b"bin/kubelet");
        assert_eq!(header.size().expect("size"), 9 << 30);
        assert_eq!(header.mode().expect("mode"), 0o755);
        let long = Member {
            path: "a".repeat(limits::PATH_BYTES),
            ..member
        };
        assert!(long.tar_header().is_none());
    }
}
