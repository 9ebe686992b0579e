//! The files of a bundle, which hold its payload as if they were one.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::error::{ExpectedVolume, MisplacedVolume};
use super::{Damage, Misread, VerifyError};
use crate::bundle::{Blake3, BundleIndex, Checksum, Digest, surplus_volumes, volume_path};
use crate::host::open_regular;

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
        Ok(Self::of(path, file))
    }

    /// The open `file`, which has, or will have, the name `path`.
    pub(super) fn of(path: &Path, file: File) -> Self {
        Self {
            path: path.to_owned(),
            file,
        }
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
            expected: Checksum::Sha256(expected),
            found: Checksum::Sha256(found),
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

    /// Refuses files that have a volume's name and are none of those that `index` names:
    /// who puts the volumes together by hand would take them, too.
    pub(super) fn refuse_surplus(&self, index: &BundleIndex) -> Result<(), VerifyError> {
        let bundle = &self.first.path;
        let count = index.volumes.len();
        let surplus = surplus_volumes(bundle, count);
        if count == 0 || surplus.is_empty() {
            return Ok(());
        }
        Err(VerifyError::SurplusVolumes {
            path: bundle.clone(),
            count,
            surplus,
        })
    }

    /// Opens the volumes that `index` names: all are there, with their lengths, and no file
    /// besides has a volume's name.
    pub(super) fn open_volumes(&mut self, index: &BundleIndex) -> Result<(), VerifyError> {
        self.refuse_surplus(index)?;
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
                spelled: spelled_otherwise(&missing[0].path),
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

    /// Whether a volume lies under the name of another, which its length and the first chunk
    /// in it tell.
    pub(super) fn check_order(&self, index: &BundleIndex) -> Result<(), VerifyError> {
        let count = index.volumes.len();
        let are = (1..=count)
            .map(|number| self.number_of(number, index))
            .collect::<Result<Vec<_>, _>>()?;
        let misplaced: Vec<MisplacedVolume> = (1..)
            .zip(&are)
            .filter_map(|(number, is)| {
                let other = is.filter(|other| *other != number)?;
                Some(MisplacedVolume {
                    path: self.get(number).path.clone(),
                    number: other,
                    twice: are[other - 1] == Some(other),
                })
            })
            .collect();
        if misplaced.is_empty() {
            return Ok(());
        }
        Err(VerifyError::Misplaced { volumes: misplaced })
    }

    /// The number that the file of volume `number` should have, where it begins as one of
    /// this bundle's does: its own, where that is so.
    fn number_of(&self, number: usize, index: &BundleIndex) -> Result<Option<usize>, VerifyError> {
        let volume = self.get(number);
        let found = Self::first_digest(volume, index)?;
        let begins = |candidate: &usize| {
            let chunk = usize::try_from(index.first_chunk(*candidate)).ok();
            chunk.and_then(|chunk| index.chunks.get(chunk)) == Some(&found)
        };
        if begins(&number) {
            return Ok(Some(number));
        }
        let length = volume.size()?;
        let others = (1..).zip(&index.volumes);
        let others = others.filter(|(_, extent)| extent.size == length);
        Ok(others.map(|(other, _)| other).find(begins))
    }

    fn first_digest(volume: &NamedFile, index: &BundleIndex) -> Result<Blake3, VerifyError> {
        let chunk = index.chunk_place(0).map_or(0, |place| place.size);
        let size = volume.size()?.min(chunk);
        let mut bytes = vec![0; usize::try_from(size).expect("at most a chunk")];
        volume.read_exact_at(&mut bytes, 0)?;
        Ok(Blake3::of(&bytes))
    }
}

/// The file that has the name of `path` but for capital letters: FAT32 knows no difference,
/// and what is copied from it to another file system may be spelt either way.
fn spelled_otherwise(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?;
    let directory = path
        .parent()
        .filter(|directory| !directory.as_os_str().is_empty());
    let entries = fs::read_dir(directory.unwrap_or(Path::new("."))).ok()?;
    let mut names = entries.filter_map(|entry| Some(entry.ok()?.file_name()));
    let found = names.find(|found| found.eq_ignore_ascii_case(name))?;
    Some(path.with_file_name(found))
}
