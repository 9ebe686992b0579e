//! What stands between payload and index: the header of a zstd skippable frame
//! (RFC 8878, section 3.1.2) that holds all that follows, so that a stock `zstd -d`
//! which starts at the payload ends well at the end of the file.

/// Length of the header in bytes.
pub const TAIL_HEADER_BYTES: usize = 8;

const SKIPPABLE_MAGIC: u32 = 0x184D_2A50;

/// The header in front of `tail_bytes` bytes of index, signature and trailer.
///
/// The limit on the index keeps the length far below what the field can hold.
#[must_use]
pub fn tail_header(tail_bytes: u64) -> [u8; TAIL_HEADER_BYTES] {
    let length = u32::try_from(tail_bytes).expect("limited by INDEX_BYTES");
    let mut bytes = [0; TAIL_HEADER_BYTES];
    bytes[..4].copy_from_slice(&SKIPPABLE_MAGIC.to_le_bytes());
    bytes[4..].copy_from_slice(&length.to_le_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_a_skippable_frames() {
        // RFC 8878, section 3.1.2: magic number and length, the lowest byte first.
        assert_eq!(tail_header(0x0102), [0x50, 0x2a, 0x4d, 0x18, 0x02, 0x01, 0, 0]);
    }
}
