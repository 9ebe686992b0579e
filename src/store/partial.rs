//! A blob on its way into the store.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::PathBuf;

use super::{Store, StoreError, hash, open_for_lock};
use crate::bundle::{Digest, Hasher};
use crate::host::{FileError, hold, open_own, sync_directory, write_own};

/// A download that goes into the store when it is whole, and stays for the next run
/// when it is not.
#[derive(Debug)]
pub struct Partial {
    file: File,
    path: PathBuf,
    hasher: Hasher,
    target: PathBuf,
    /// Held until the end: one process a blob.
    _lock: File,
}

/// Bytes that are not those that were promised. They are gone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Refused {
    /// The digest of what was there.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

impl Partial {
    pub(super) fn open(store: &Store, key: Digest) -> Result<Self, StoreError> {
        let path = store.directory.join("partial").join(key.hex());
        let lock_path = path.with_extension("lock");
        let lock = open_for_lock(&lock_path)?;
        hold(&lock).map_err(FileError::at("locked", &lock_path))?;
        let mut file = open_own(&path).map_err(FileError::at("opened", &path))?;
        let hasher = hash(&file).map_err(FileError::at("read", &path))?;
        file.seek(SeekFrom::End(0))
            .map_err(FileError::at("read", &path))?;
        Ok(Self {
            file,
            path,
            hasher,
            target: store.directory.join("sha256"),
            _lock: lock,
        })
    }

    /// How many bytes are there.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.hasher.bytes()
    }

    /// Whether there is nothing yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The digest of what is there.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.hasher.clone().finish()
    }

    /// What was noted of the source when the first bytes came.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        fs::read_to_string(self.path.with_extension("note")).ok()
    }

    /// Drops what is there, and notes where the next bytes come from.
    pub fn restart(&mut self, note: &str) -> Result<(), StoreError> {
        let failed = || FileError::at("written", &self.path);
        // The note first: bytes never stand under another source's note.
        self.file.set_len(0).map_err(failed())?;
        self.file.rewind().map_err(failed())?;
        let note_path = self.path.with_extension("note");
        write_own(&note_path, note.as_bytes())?;
        self.hasher = Hasher::new();
        Ok(())
    }

    /// Adds `bytes`.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        match self.file.write_all(bytes) {
            Ok(()) => {
                self.hasher.update(bytes);
                Ok(())
            }
            Err(error) => {
                // What was written of them is not hashed: back to where it agrees.
                let _ = self.file.set_len(self.hasher.bytes());
                Err(FileError::at("written", &self.path)(error).into())
            }
        }
    }

    /// Publishes the bytes under their digest, durably, if they are those `expected`
    /// and so many; else removes them.
    pub fn publish(
        self,
        expected: Option<Digest>,
        size: Option<u64>,
    ) -> Result<Result<Digest, Refused>, StoreError> {
        let found = Refused {
            size: self.hasher.bytes(),
            digest: self.digest(),
        };
        if expected.is_some_and(|expected| expected != found.digest)
            || size.is_some_and(|size| size != found.size)
        {
            self.discard()?;
            return Ok(Err(found));
        }
        let target = self.target.join(found.digest.hex());
        self.file
            .sync_all()
            .and_then(|()| fs::rename(&self.path, &target))
            .map_err(FileError::at("written", &target))?;
        sync_directory(&self.target)?;
        let _ = fs::remove_file(self.path.with_extension("note"));
        Ok(Ok(found.digest))
    }

    /// Removes what is there.
    pub fn discard(self) -> Result<(), StoreError> {
        let _ = fs::remove_file(self.path.with_extension("note"));
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(FileError::at("removed", &self.path)(error).into())
            }
            _ => Ok(()),
        }
    }
}
