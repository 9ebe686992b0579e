//! The chunk table: what each MiB of the stored payload hashes to.

use super::limits::CHUNK_BYTES;
use super::{Blake3, Blake3Hasher};

/// How many chunks `payload_bytes` make; the last may be short.
#[must_use]
pub fn chunk_count(payload_bytes: u64) -> u64 {
    payload_bytes.div_ceil(CHUNK_BYTES)
}

/// Collects the hashes of chunks while the payload is written.
#[derive(Debug, Default)]
pub struct ChunkTable {
    pending: Blake3Hasher,
    digests: Vec<Blake3>,
}

impl ChunkTable {
    /// A table of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next stored bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = usize::try_from(CHUNK_BYTES - self.pending.bytes()).unwrap_or(usize::MAX);
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.pending.update(now);
            if self.pending.bytes() == CHUNK_BYTES {
                self.digests.push(std::mem::take(&mut self.pending).finish());
            }
            bytes = later;
        }
    }

    /// The digest of each chunk, in order.
    #[must_use]
    pub fn finish(mut self) -> Vec<Blake3> {
        if self.pending.bytes() > 0 {
            self.digests.push(self.pending.finish());
        }
        self.digests
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_do_not_depend_on_how_the_bytes_arrive() {
        let bytes: Vec<u8> = (0..(CHUNK_BYTES * 2 + 7)).map(|i| (i % 251) as u8).collect();
        let whole: Vec<Blake3> = bytes.chunks(1 << 20).map(Blake3::of).collect();
        for step in [1 << 20, (1 << 20) - 1, 65_537] {
            let mut table = ChunkTable::new();
            bytes.chunks(step).for_each(|part| table.update(part));
            assert_eq!(table.finish(), whole);
        }
        let mut even = ChunkTable::new();
        even.update(&bytes[..1 << 20]);
        assert_eq!(even.finish(), whole[..1]);
        assert!(ChunkTable::new().finish().is_empty());
        assert_eq!(chunk_count(bytes.len() as u64), 3);
        assert_eq!(chunk_count(0), 0);
    }
}
