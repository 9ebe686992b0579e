//! What a delta holds at most: so much of it is in memory at once.

/// The first bytes of a delta.
pub(super) const MAGIC: [u8; 8] = *b"MKDELTA\n";

/// The format of deltas that this version writes, and the only one that it reads.
pub(super) const FORMAT: u32 = 1;

/// Magic, format, length of the head, length of the file, seal.
pub(super) const FRONT_BYTES: usize = 8 + 4 + 4 + 8 + 32;

/// A head larger than this is refused unread.
pub(super) const HEAD_BYTES: u32 = 8 << 20;

/// What one patch makes.
pub(super) const PATCH_BYTES: u64 = 32 << 20;

/// What a patch may take from the base: as much as it makes, and half of that on both sides.
pub(super) const PREFIX_BYTES: u64 = 2 * PATCH_BYTES;

/// All patches together.
pub(super) const DATA_BYTES: u64 = 1 << 40;
