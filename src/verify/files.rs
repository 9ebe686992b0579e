//! The files of a bundle, which hold its payload as if they were one.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::error::{ExpectedVolume, MisplacedVolume};
use super::{Damage, Misread, VerifyError};
use crate::bundle::{BundleIndex, Digest, volume_path};
use crate::regular_file::open_regular;

/// A file and the name that it was opened by.
#[derive(Debug)]
pub(super) struct NamedFile {
    pub(super) path: PathBuf,
    pub(super) file: File,
}

/// The bundle itself, and its volumes once they were opened.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) first: NamedFile,
    volumes: Vec<NamedFile>,
    pub(super) misread: Misread,
}

impl NamedFile {
    pub(super) fn open(path: &Path) -> Result<Self, VerifyError> {
        let failed = |source| VerifyError::Read {
            path: path.to_owned(),
            source,
        };
        let (file, _) = open_regular(path).map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            file,
        })
    }

    pub(super) fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> Result<(), VerifyError> {
        self.file
            .read_exact_at(bytes, offset)
            .map_err(|source| VerifyError::Read {
                path: self.path.clone(),
                source,
            })
    }

    pub(super) fn size(&self) -> Result<u64, VerifyError> {
        let facts = self.file.metadata().map_err(|source| VerifyError::Read {
            path: self.path.clone(),
            source,
        })?;
        Ok(facts.len())
    }

    /// Refuses `bytes`, which were read at `offset` and are `what`, if their digest is not
    /// the one that is expected.
    pub(super) fn compare(
        &self,
        what: &str,
        offset: u64,
        bytes: &[u8],
        expected: Digest,
    ) -> Result<(), VerifyError> {
        let found = Digest::of(bytes);
        if found == expected {
            return Ok(());
        }
        Err(Damage {
            path: self.path.clone(),
            what: what.to_owned(),
            offset,
            size: bytes.len() as u64,
            expected,
            found,
            others: None,
        }
        .into())
    }
}

impl Files {
    /// The bundle alone.
    pub(super) fn of(first: NamedFile) -> Self {
        Self {
            first,
            volumes: Vec::new(),
            misread: Misread::default(),
        }
    }

    /// The file with this number: 0 is the bundle itself.
    pub(super) fn get(&self, number: usize) -> &NamedFile {
        number
            .checked_sub(1)
            .map_or(&self.first, |volume| &self.volumes[volume])
    }

    /// Opens the volumes that `index` names: all are there, with their lengths. What else
    /// lies beside them does not matter.
    pub(super) fn open_volumes(&mut self, index: &BundleIndex) -> Result<(), VerifyError> {
        let bundle = &self.first.path;
        let (mut volumes, mut missing) = (Vec::new(), Vec::new());
        for (at, extent) in index.volumes.iter().enumerate() {
            let path = volume_path(bundle, at + 1);
            match NamedFile::open(&path) {
                Ok(volume) => volumes.push(volume),
                Err(VerifyError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                    missing.push(ExpectedVolume {
                        path,
                        size: extent.size,
                        sha256: extent.sha256,
                    });
                }
                Err(error) => return Err(error),
            }
        }
        if !missing.is_empty() {
            return Err(VerifyError::MissingVolumes {
                path: bundle.clone(),
                count: index.volumes.len(),
                missing,
            });
        }
        self.volumes = volumes;
        for (number, extent) in (1..).zip(&index.volumes) {
            let volume = self.get(number);
            let found = volume.size()?;
            if found != extent.size {
                self.check_order(index)?;
                return Err(VerifyError::VolumeLength {
                    path: volume.path.clone(),
                    number,
                    count: index.volumes.len(),
                    expected: extent.size,
                    found,
                });
            }
        }
        Ok(())
    }

    /// Whether a volume lies under the name of another, which the first chunk in it tells.
    pub(super) fn check_order(&self, index: &BundleIndex) -> Result<(), VerifyError> {
        let count = index.volumes.len();
        let mut misplaced = Vec::new();
        for number in 1..=count {
            let volume = self.get(number);
            let found = Self::first_digest(volume, index)?;
            let is = |candidate: &usize| {
                let chunk = usize::try_from(index.first_chunk(*candidate)).ok();
                chunk.and_then(|chunk| index.chunks.get(chunk)) == Some(&found)
            };
            if !is(&number)
                && let Some(other) = (1..=count).find(is)
            {
                misplaced.push(MisplacedVolume {
                    path: volume.path.clone(),
                    number: other,
                });
            }
        }
        if misplaced.is_empty() {
            return Ok(());
        }
        Err(VerifyError::Misplaced { volumes: misplaced })
    }

    fn first_digest(volume: &NamedFile, index: &BundleIndex) -> Result<Digest, VerifyError> {
        let chunk = index.chunk_place(0).map_or(0, |place| place.size);
        let size = volume.size()?.min(chunk);
        let mut bytes = vec![0; usize::try_from(size).expect("at most a chunk")];
        volume.read_exact_at(&mut bytes, 0)?;
        Ok(Digest::of(&bytes))
    }
}
