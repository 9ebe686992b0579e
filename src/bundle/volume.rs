//! Volumes: the payload in files of its own, for file systems that take none so large.

use std::path::{Path, PathBuf};

use super::limits::{CHUNK_BYTES, VOLUMES};
use super::{BundleIndex, Extent};

/// Where a run of the payload as stored lies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ChunkPlace {
    /// The file: 0 is the bundle itself, the others are its volumes by number.
    pub file: usize,
    /// Where in that file.
    pub offset: u64,
    /// Its length in bytes.
    pub size: u64,
}

/// The file with volume `number`, from 1, of the bundle at `bundle`.
#[must_use]
pub fn volume_path(bundle: &Path, number: usize) -> PathBuf {
    let mut name = bundle.as_os_str().to_owned();
    name.push(format!(".{number:03}"));
    name.into()
}

/// The files that have the name of a volume of the bundle at `bundle` and are none of its
/// first `count`: `x.run.000`, and numbers above. Each name is asked for by itself, because
/// a directory may be one that cannot be listed.
#[must_use]
pub fn surplus_volumes(bundle: &Path, count: usize) -> Vec<PathBuf> {
    let numbers = std::iter::once(0).chain(count + 1..=VOLUMES);
    let paths = numbers.map(|number| volume_path(bundle, number));
    paths.filter(|path| path.symlink_metadata().is_ok()).collect()
}

impl BundleIndex {
    /// Whether the payload lies in volumes.
    #[must_use]
    pub fn is_split(&self) -> bool {
        !self.volumes.is_empty()
    }

    /// Where what follows the payload starts in the bundle's first file.
    #[must_use]
    pub fn tail_offset(&self) -> u64 {
        let here = if self.is_split() { 0 } else { self.payload_size() };
        self.payload_offset() + here
    }

    /// Where chunk `number` lies; `None` beyond the payload.
    #[must_use]
    pub fn chunk_place(&self, number: u64) -> Option<ChunkPlace> {
        let start = number.checked_mul(CHUNK_BYTES)?;
        let left = self.payload_size().checked_sub(start).filter(|left| *left > 0)?;
        let size = left.min(CHUNK_BYTES);
        // `check_volumes` made all of them, but the last, as long as the first.
        let (file, offset) = match self.volumes.first() {
            None => (0, self.payload_offset() + start),
            Some(first) => (usize::try_from(start / first.size).ok()? + 1, start % first.size),
        };
        Some(ChunkPlace { file, offset, size })
    }

    /// The number of the first chunk in volume `number`, from 1.
    #[must_use]
    pub fn first_chunk(&self, number: usize) -> u64 {
        let size = self.volumes.first().map_or(0, |first| first.size);
        (number as u64).saturating_sub(1) * (size / CHUNK_BYTES)
    }

    /// Volumes hold whole chunks, all as many but the last, and together the payload.
    pub(super) fn check_volumes(&self) -> Result<(), String> {
        check(&self.volumes, self.payload_size())
    }
}

fn check(volumes: &[Extent], payload_bytes: u64) -> Result<(), String> {
    let Some((last, others)) = volumes.split_last() else {
        return Ok(());
    };
    if volumes.len() > VOLUMES {
        return Err(format!("there are {} volumes", volumes.len()));
    }
    let full = others.first().map_or(last.size, |first| first.size);
    let even = others
        .iter()
        .all(|volume| volume.size == full && volume.size.is_multiple_of(CHUNK_BYTES));
    let sum = (others.len() as u64)
        .checked_mul(full)
        .and_then(|sum| sum.checked_add(last.size));
    if !even || last.size == 0 || last.size > full || sum != Some(payload_bytes) {
        return Err("the volumes do not hold the payload".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::Digest;

    fn volumes(sizes: &[u64]) -> Vec<Extent> {
        let sha256 = Digest::of(b"");
        sizes.iter().map(|size| Extent { size: *size, sha256 }).collect()
    }

    #[test]
    fn a_volume_lies_beside_its_bundle_under_its_number() {
        for (number, name) in [(1, "a/x.run.001"), (42, "a/x.run.042"), (999, "a/x.run.999")] {
            assert_eq!(volume_path(Path::new("a/x.run"), number), Path::new(name));
        }
    }

    #[test]
    fn volumes_are_even_and_hold_the_payload() {
        let mib = CHUNK_BYTES;
        for (good, payload) in [
            (&[][..], 7),
            (&[1], 1),
            (&[mib + 1], mib + 1),
            (&[mib, mib], 2 * mib),
            (&[2 * mib, 2 * mib, 5], 4 * mib + 5),
        ] {
            assert_eq!(check(&volumes(good), payload), Ok(()), "{good:?}");
        }
        for (bad, payload) in [
            (&[0][..], 0),
            (&[mib, 0], mib),
            (&[mib, mib + 1], 2 * mib + 1),
            (&[mib + 1, mib], 2 * mib + 1),
            (&[2 * mib, mib, mib], 4 * mib),
            (&[mib, mib], 2 * mib + 1),
            (&[u64::MAX - mib + 1, 2 * mib], mib),
        ] {
            let error = check(&volumes(bad), payload).expect_err("uneven");
            assert_eq!(error, "the volumes do not hold the payload", "{bad:?}");
        }
        let most = volumes(&vec![mib; VOLUMES]);
        assert_eq!(check(&most, 999 * mib), Ok(()));
        let many = vec![mib; 1000];
        let error = check(&volumes(&many), 1000 * mib).expect_err("too many");
        assert_eq!(error, "there are 1000 volumes");
    }
}
