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

/// The first bytes of a stored frame: magic number, descriptor, window, content size.
pub const FRAME_HEADER_BYTES: usize = 4 + 1 + 1 + 8;

impl Frame {
    /// Whether `header`, the first [`FRAME_HEADER_BYTES`] of the stored frame or all of a
    /// shorter one, is of the one kind that the format has: one zstd frame of this
    /// content size, with neither checksum nor dictionary, and a window of at most
    /// 2^[`limits::WINDOW_LOG`]. Source: RFC 8878, section 3.1.1.1.
    #[must_use]
    pub fn admits(&self, header: &[u8]) -> bool {
        const MAGIC: [u8; 4] = 0xFD2F_B528_u32.to_le_bytes();
        let Some([descriptor, rest @ ..]) = header.strip_prefix(&MAGIC) else {
            return false;
        };
        // Unused, reserved, checksum and dictionary.
        if descriptor & 0b0001_1111 != 0 {
            return false;
        }
        let single_segment = descriptor & 0b0010_0000 != 0;
        let (window, rest) = match rest {
            rest if single_segment => (None, rest),
            [window, rest @ ..] => (Some(*window), rest),
            [] => return false,
        };
        // The field's length, and what its value is counted from.
        let (length, from) = match (descriptor >> 6, single_segment) {
            (0, true) => (1, 0),
            (0, false) => return false,
            (1, _) => (2, 256),
            (2, _) => (4, 0),
            _ => (8, 0),
        };
        let Some(field) = rest.get(..length) else {
            return false;
        };
        let mut bytes = [0; 8];
        bytes[..length].copy_from_slice(field);
        let content = u64::from_le_bytes(bytes).checked_add(from);
        let window = match window {
            None => self.plain_size,
            Some(byte) => {
                let base = 1u64 << (10 + (byte >> 3));
                base + base / 8 * u64::from(byte & 7)
            }
        };
        content == Some(self.plain_size) && window <= 1 << limits::WINDOW_LOG
    }
}

/// Length of a tar block, and of a header (POSIX.1-1988 ustar).
pub const TAR_BLOCK: usize = 512;

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

    #[test]
    fn a_frame_header_is_admitted_in_each_of_its_forms_and_no_other() {
        let header = |bytes: &[u8]| [&0xFD2F_B528_u32.to_le_bytes(), bytes].concat();
        let admits = |plain_size: u64, bytes: &[u8]| {
            let frame = Frame {
                size: 0,
                plain_size,
                members: 1,
            };
            frame.admits(&header(bytes))
        };
        // Content size in 1, 2, 4 and 8 bytes, in one segment and with a window.
        assert!(admits(255, &[0x20, 255]) && !admits(254, &[0x20, 255]));
        assert!(admits(256, &[0x60, 0, 0]) && admits(65_791, &[0x60, 255, 255]));
        assert!(admits(7, &[0xA0, 7, 0, 0, 0]) && admits(7, &[0xE0, 7, 0, 0, 0, 0, 0, 0, 0]));
        assert!(admits(256, &[0x40, 0, 0, 0]) && admits(7, &[0x80, 0, 7, 0, 0, 0]));
        // The longest of them is what a reader looks at.
        let longest = [0xC0, 0, 7, 0, 0, 0, 0, 0, 0, 0];
        assert!(admits(7, &longest) && header(&longest).len() == FRAME_HEADER_BYTES);
        // A window of 2^27 and the next larger one, of 2^27 by its content and one more.
        let (largest, next) = (17 << 3, 17 << 3 | 1);
        assert!(admits(7, &[0x80, largest, 7, 0, 0, 0]) && !admits(7, &[0x80, next, 7, 0, 0, 0]));
        assert!(admits(1 << 27, &[0xA0, 0, 0, 0, 8]) && !admits((1 << 27) + 1, &[0xA0, 1, 0, 0, 8]));
        assert!(!admits(7, &[0x80, 0xff, 7, 0, 0, 0]));
        // No content size; checksum, dictionaries, reserved and unused bits; cut short.
        assert!(!admits(7, &[0x00, 0, 7, 0, 0, 0]) && !admits(0, &[0x00, 0, 7, 0, 0, 0]));
        assert!(!admits(7, &[0x00, 0, 7, 0, 0, 0, 0, 0, 0, 0]));
        // A window between two powers of two: eighths are added.
        assert!(admits(7, &[0x80, 16 << 3 | 7, 7, 0, 0, 0]));
        for bit in 0..5 {
            assert!(!admits(7, &[0x80 | 1 << bit, 0, 7, 0, 0, 0]), "bit {bit}");
        }
        for short in [&[][..], &[0x80], &[0x80, 0], &[0x80, 0, 7, 0, 0], &[0x20]] {
            assert!(!admits(7, short), "{short:?}");
        }
        assert!(!admits(u64::MAX, &[0xE0, 255, 255, 255, 255, 255, 255, 255, 255]));
        let skippable = 0x184D_2A50_u32.to_le_bytes();
        let frame = Frame {
            size: 0,
            plain_size: 7,
            members: 1,
        };
        assert!(!frame.admits(&[&skippable[..], &[0x20, 7]].concat()) && !frame.admits(&[]));
    }
}
