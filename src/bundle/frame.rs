//! The payload: zstd frames which, decoded one after another, are one tar.

use serde::{Deserialize, Serialize};

use super::Digest;

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
const TAR_BLOCK: u64 = 512;

/// Bytes of the end-of-archive mark, which ends the last frame.
pub(super) const TAR_END: u64 = 2 * TAR_BLOCK;

/// Bytes that a member of `size` bytes takes in the tar: header, content, padding.
/// `None` when that is beyond 2^64.
#[must_use]
pub fn member_span(size: u64) -> Option<u64> {
    size.checked_next_multiple_of(TAR_BLOCK)?.checked_add(TAR_BLOCK)
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
    }
}
