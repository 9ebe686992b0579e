//! The digests of whole volumes, with which a person compares them by hand.

use super::chunks::Chunks;
use super::{VerifiedBundle, VerifyError};
use crate::bundle::{Extent, Hasher, limits::CHUNK_BYTES, volume_path};
use crate::host::{cpu_count, try_in_parallel};
use crate::progress::Progress;

impl VerifiedBundle {
    /// Hashes every volume from its start to its end, as many at once as there are cores:
    /// each has the SHA-256 that the index names for it. The chunks vouch for the bytes,
    /// this for what `sha256sum` is compared with.
    pub fn verify_volumes(&self, progress: &dyn Progress) -> Result<(), VerifyError> {
        let volumes = &self.index().volumes;
        progress.begin("verify volumes", Some(self.index().payload_size()));
        let numbered: Vec<_> = volumes.iter().zip(1..).collect();
        try_in_parallel(cpu_count(), &numbered, |(volume, number)| {
            let mut chunks = Chunks::new(&self.opened.files, self.index());
            self.verify_volume(*number, volume, &mut chunks, progress)
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
