//! The digests of whole volumes, with which a person compares them by hand.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::chunks::Chunks;
use super::{VerifiedBundle, VerifyError};
use crate::bundle::{Extent, Hasher, limits::CHUNK_BYTES, volume_path};
use crate::progress::Progress;

impl VerifiedBundle {
    /// Hashes every volume from its start to its end, as many at once as there are cores:
    /// each has the SHA-256 that the index names for it. The chunks vouch for the bytes,
    /// this for what `sha256sum` is compared with.
    pub fn verify_volumes(&self, progress: &dyn Progress) -> Result<(), VerifyError> {
        let volumes = &self.index().volumes;
        progress.begin("verify volumes", Some(self.index().payload_size()));
        let next = AtomicUsize::new(0);
        let work = || -> Result<(), VerifyError> {
            let mut chunks = Chunks::new(&self.opened.files, self.index());
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(volume) = volumes.get(at) else {
                    return Ok(());
                };
                self.verify_volume(at + 1, volume, &mut chunks, progress)?;
            }
        };
        let workers = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| {
            let workers: Vec<_> = (0..workers.min(volumes.len()))
                .map(|_| scope.spawn(work))
                .collect();
            workers
                .into_iter()
                .try_for_each(|worker| worker.join().expect("a worker does not panic"))
        })?;
        progress.end("every volume has its digest");
        Ok(())
    }

    fn verify_volume(
        &self,
        number: usize,
        volume: &Extent,
        chunks: &mut Chunks<'_>,
        progress: &dyn Progress,
    ) -> Result<(), VerifyError> {
        let first = self.index().first_chunk(number);
        let mut hasher = Hasher::new();
        for chunk in first..first + volume.size.div_ceil(CHUNK_BYTES) {
            let bytes = chunks.load(chunk)?;
            hasher.update(bytes);
            progress.advance(bytes.len() as u64);
        }
        if hasher.finish() == volume.sha256 {
            return Ok(());
        }
        Err(VerifyError::Payload {
            path: self.path().to_owned(),
            member: volume_path(self.path(), number).display().to_string(),
            reason: "has another SHA-256 than the index says".to_owned(),
        })
    }
}
