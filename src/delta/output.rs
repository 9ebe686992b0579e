//! The files of a bundle that is joined: they have no names of their own yet.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use super::DeltaError;
use crate::bundle::{BundleIndex, surplus_volumes, volume_path};
use crate::host::ClaimedFile;
use crate::pack::{check_names, publish};

/// The first file and the volumes, in the making.
pub(super) struct Output {
    path: PathBuf,
    first: ClaimedFile,
    volumes: Vec<(TempPath, File, u64)>,
}

impl Output {
    /// Reserves the name `path`; removes what a killed run left.
    pub(super) fn create(path: &Path) -> Result<Self, DeltaError> {
        let first = ClaimedFile::create(path)?;
        for left in surplus_volumes(first.path(), 0) {
            fs::remove_file(&left).map_err(|source| DeltaError::Write { path: left, source })?;
        }
        Ok(Self {
            path: path.to_owned(),
            first,
            volumes: Vec::new(),
        })
    }

    /// Makes the volumes that `index` names.
    pub(super) fn split_as(&mut self, index: &BundleIndex) -> Result<(), DeltaError> {
        if index.is_split() {
            check_names(&self.path, index.volumes.len() as u64)?;
        }
        for (number, extent) in (1..).zip(&index.volumes) {
            let path = volume_path(self.first.path(), number);
            let mut options = OpenOptions::new();
            let file = options.write(true).create_new(true).mode(0o644).open(&path);
            let file = file.map_err(|source| DeltaError::Write {
                path: path.clone(),
                source,
            })?;
            let temporary = TempPath::try_from_path(path).map_err(|source| self.failed(source))?;
            self.volumes.push((temporary, file, extent.size));
        }
        Ok(())
    }

    /// The name that the bundle has until it is published: volumes have theirs beside it.
    pub(super) fn temporary(&self) -> &Path {
        self.first.path()
    }

    /// Where header, stubs and what follows the payload go.
    pub(super) fn first(&mut self) -> &mut File {
        self.first.file()
    }

    /// All is on the medium: gives the files their names, the bundle's own last.
    pub(super) fn publish(self) -> Result<(), DeltaError> {
        let path = self.path.clone();
        let failed = |source| DeltaError::Write { path, source };
        if self.volumes.is_empty() {
            return Ok(self.first.commit(0o755)?);
        }
        let mut paths = Vec::new();
        for (path, file, _) in self.volumes {
            if let Err(source) = file.sync_all() {
                return Err(failed(source));
            }
            paths.push(path);
        }
        publish(paths, self.first, &self.path).map_err(failed)
    }

    pub(super) fn failed(&self, source: io::Error) -> DeltaError {
        DeltaError::Write {
            path: self.path.clone(),
            source,
        }
    }
}

/// The payload: in the volumes where there are any.
impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.volumes.is_empty() {
            return self.first.file().write(bytes);
        }
        let Some((_, file, room)) = self.volumes.iter_mut().find(|(_, _, room)| *room > 0) else {
            return Err(io::Error::other("the payload is longer than its volumes"));
        };
        let most = usize::try_from(*room).unwrap_or(usize::MAX).min(bytes.len());
        let count = file.write(&bytes[..most])?;
        *room -= count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
