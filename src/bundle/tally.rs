//! How many bytes this process has hashed: the measure of what a verb costs where a processor
//! has no instructions for a digest.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

/// A count that every hasher of one algorithm adds to.
pub(super) struct Tally(AtomicU64);

pub(super) static BLAKE3: Tally = Tally(AtomicU64::new(0));
pub(super) static SHA256: Tally = Tally(AtomicU64::new(0));

impl Tally {
    pub(super) fn add(&self, bytes: &[u8]) {
        self.0.fetch_add(bytes.len() as u64, Ordering::Relaxed);
    }

    fn total(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Bytes by algorithm.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct HashedBytes {
    /// By BLAKE3-256.
    pub blake3: u64,
    /// By SHA-256.
    pub sha256: u64,
}

/// What this process has hashed so far.
#[must_use]
pub fn hashed_bytes() -> HashedBytes {
    HashedBytes {
        blake3: BLAKE3.total(),
        sha256: SHA256.total(),
    }
}
