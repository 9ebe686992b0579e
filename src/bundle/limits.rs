//! What a reader accepts at most. A bundle beyond a limit is refused before the
//! memory or the time is spent.

/// The format that this version writes, and the only one that it reads.
pub const FORMAT: u32 = 1;

/// The first line of a trailer.
pub const MAGIC: [u8; 8] = *b"MKOFFLN\n";

/// The header and every stub start at a multiple of this, so that `dd` with this
/// block size can cut them out.
pub const BLOCK_BYTES: u64 = 4096;

/// Stored payload bytes under one hash of the chunk table.
pub const CHUNK_BYTES: u64 = 1 << 20;

/// Volumes of a bundle: three digits number them.
pub const VOLUMES: usize = 999;

/// An index larger than this is refused unread.
pub const INDEX_BYTES: u64 = 8 << 20;

/// A key file or a signature file larger than this is refused unread.
pub const KEY_TEXT_BYTES: usize = 4096;

/// A header larger than this is refused.
pub const HEADER_BYTES: u64 = 64 << 10;

/// A stub larger than this is refused: it is hashed in memory.
pub const STUB_BYTES: u64 = 64 << 20;

/// log2 of the largest zstd window: `zstd -d --long=27` opens every frame.
pub const WINDOW_LOG: u32 = 27;

/// Members of the payload.
pub const MEMBERS: usize = 20_000;

/// Characters of a member's path: what fits in a plain ustar header.
pub const PATH_BYTES: usize = 100;

/// Bytes of the name of the program that packed.
pub const PACKER_BYTES: usize = 128;

/// What one part was compared with, and digests by which one image is named.
pub const VERIFICATIONS: usize = 16;

/// Bytes of the name of what a part was compared with: a host, an addon.
pub const SUBJECT_BYTES: usize = 256;

/// Attestations of one part: it is signed again when it is promoted, and nobody does that
/// more often.
pub const ATTESTATIONS: usize = 8;

/// Documents, and certificates, of one attestation.
pub const ATTESTATION_FILES: usize = 8;

/// Bytes of a URL.
pub const URL_BYTES: usize = 2048;

/// A file of a publisher's signature larger than this is refused.
pub const ATTESTATION_BYTES: u64 = 4 << 20;

/// All of them together: who checks them has them in memory.
pub const ALL_ATTESTATION_BYTES: u64 = 64 << 20;

/// The list of software packages is refused when it is larger than this.
pub const PACKAGES_BYTES: u64 = 16 << 20;

/// An image config larger than this is refused.
pub const IMAGE_CONFIG_BYTES: u64 = 4 << 20;
