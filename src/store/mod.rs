//! Takes bytes from outside, gives files named by their digests; fails when size or
//! digest is another one, and then nothing is stored.
//!
//! The only way in is a `Partial`, which hashes what is written to it. Downloads that
//! were cut off stay under `partial` and go on with the next run. Every user holds a
//! shared lock on the store; who removes from it holds it alone.

mod error;
mod partial;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::bundle::{Digest, Hasher};
use crate::host::{Environment, FileError, open_own, remove_if_there, share, try_hold, write_own};

pub use error::StoreError;
pub use partial::{Partial, Refused};

/// What is read from a file at once.
const BUFFER_BYTES: usize = 1 << 20;

/// The directory with a line about each blob.
const ABOUT: &str = "about";

/// A directory of blobs, shared by all runs of one user.
#[derive(Debug)]
pub struct Store {
    directory: PathBuf,
    /// Locked as long as the store is open.
    _lock: File,
}

/// A blob in the store.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredBlob {
    /// Its digest, which is its name.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// When it was written or last used.
    pub used: SystemTime,
    /// What it is, where that was noted.
    pub about: Option<String>,
}

/// What [`Store::prune`] removed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Pruned {
    /// How many blobs and unfinished downloads.
    pub files: usize,
    /// How many bytes they had.
    pub bytes: u64,
}

impl Store {
    /// The store's directory for the user of `environment`:
    /// `${XDG_CACHE_HOME:-~/.cache}/minikube-offline/store`.
    pub fn directory_of(environment: &Environment) -> Result<PathBuf, StoreError> {
        environment
            .absolute_path("XDG_CACHE_HOME")
            .or_else(|| environment.home().map(|home| home.join(".cache")))
            .map(|cache| cache.join("minikube-offline/store"))
            .ok_or(StoreError::NoHome)
    }

    /// Opens the store in `directory`, which is made when it is not there.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        let (path, lock) = lock_file(directory)?;
        share(&lock).map_err(FileError::at("locked", &path))?;
        Ok(Self {
            directory: directory.to_owned(),
            _lock: lock,
        })
    }

    /// Its directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// How many bytes of the blob are still to be downloaded, by the sizes of what is there.
    #[must_use]
    pub fn missing_bytes(&self, digest: Digest, size: u64) -> u64 {
        let is_there = |path: &Path| fs::metadata(path).map_or(0, |facts| facts.len());
        let partial = self.directory.join("partial").join(digest.hex());
        match is_there(&self.path(digest)) {
            whole if whole == size => 0,
            _ => size.saturating_sub(is_there(&partial)),
        }
    }

    /// Notes for people what the blob is.
    pub fn describe(&self, digest: Digest, what: &str) -> Result<(), StoreError> {
        let path = self.directory.join(ABOUT).join(digest.hex());
        if !path.exists() {
            write_own(&path, what.as_bytes())?;
        }
        Ok(())
    }

    /// Where the blob `digest` is, or will be.
    #[must_use]
    pub fn path(&self, digest: Digest) -> PathBuf {
        self.directory.join("sha256").join(digest.hex())
    }

    /// The blob's file, when the store has it. It is read once more: a file that was
    /// damaged since is removed and counts as absent.
    pub fn find(&self, digest: Digest) -> Result<Option<PathBuf>, StoreError> {
        let path = self.path(digest);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(FileError::at("read", &path)(error).into()),
        };
        let found = hash(&file).map_err(FileError::at("read", &path))?.finish();
        if found != digest {
            fs::remove_file(&path).map_err(FileError::at("removed", &path))?;
            return Ok(None);
        }
        note_use(&path);
        Ok(Some(path))
    }

    /// Keeps `bytes`, which are few; gives their digest.
    pub fn keep(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        let digest = Digest::of(bytes);
        if self.bytes(digest, bytes.len() as u64)?.is_none() {
            let mut partial = self.partial(digest)?;
            partial.restart("")?;
            partial.append(bytes)?;
            // Hashed while written, they are what they were.
            let _ = partial.publish(Some(digest), None)?;
        }
        Ok(digest)
    }

    /// The blob in memory, when the store has it and it has `limit` bytes at most. One that
    /// was damaged since is removed and counts as absent.
    pub fn bytes(&self, digest: Digest, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.path(digest);
        if fs::metadata(&path).is_ok_and(|facts| facts.len() > limit) {
            return Ok(None);
        }
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(FileError::at("read", &path)(error).into()),
        };
        if Digest::of(&bytes) == digest {
            note_use(&path);
            return Ok(Some(bytes));
        }
        fs::remove_file(&path).map_err(FileError::at("removed", &path))?;
        Ok(None)
    }

    /// Removes the blob, which is not wanted any more.
    pub fn remove(&self, digest: Digest) -> Result<(), StoreError> {
        Ok(remove_if_there(&self.path(digest))?)
    }

    /// Starts, or goes on with, the download that is known as `key`; waits while
    /// another process is at the same one.
    pub fn partial(&self, key: Digest) -> Result<Partial, StoreError> {
        Partial::open(self, key)
    }

    /// Every blob, by digest.
    pub fn list(&self) -> Result<Vec<StoredBlob>, StoreError> {
        let mut blobs = Vec::new();
        for (path, size, used) in files(&self.directory.join("sha256"))? {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            if let Some(digest) = name.and_then(|name| Digest::parse(&name).ok()) {
                let about = fs::read_to_string(self.directory.join(ABOUT).join(digest.hex())).ok();
                blobs.push(StoredBlob {
                    digest,
                    size,
                    used,
                    about,
                });
            }
        }
        blobs.sort_by_key(|blob| blob.digest);
        Ok(blobs)
    }

    /// Removes what nobody used for `unused`, unfinished downloads too. Fails when
    /// another run uses the store.
    pub fn prune(directory: &Path, unused: Duration) -> Result<Pruned, StoreError> {
        let (path, lock) = lock_file(directory)?;
        if !try_hold(&lock).map_err(FileError::at("locked", &path))? {
            return Err(StoreError::InUse { path });
        }
        let mut pruned = Pruned::default();
        let now = SystemTime::now();
        for inside in ["sha256", "partial"] {
            for (path, size, used) in files(&directory.join(inside))? {
                // A clock that was set back makes nothing old.
                if now.duration_since(used).unwrap_or_default() >= unused {
                    fs::remove_file(&path).map_err(FileError::at("removed", &path))?;
                    pruned.files += usize::from(path.extension().is_none());
                    pruned.bytes += size;
                }
            }
        }
        // What nobody has any more needs no line.
        for (path, ..) in files(&directory.join(ABOUT))? {
            let blob = directory
                .join("sha256")
                .join(path.file_name().unwrap_or_default());
            if !blob.exists() {
                remove_if_there(&path)?;
            }
        }
        Ok(pruned)
    }
}

/// Only `prune` looks at the time; a store on read-only media has none to keep.
fn note_use(path: &Path) {
    let _ = File::open(path).and_then(|file| file.set_modified(SystemTime::now()));
}

/// The file that everybody who uses the store locks.
fn lock_file(directory: &Path) -> Result<(PathBuf, File), StoreError> {
    for inside in ["sha256", "partial", ABOUT] {
        let path = directory.join(inside);
        fs::create_dir_all(&path).map_err(FileError::at("made", &path))?;
    }
    let path = directory.join("lock");
    let file = open_for_lock(&path)?;
    Ok((path, file))
}

fn open_for_lock(path: &Path) -> Result<File, StoreError> {
    Ok(open_own(path).map_err(FileError::at("opened", path))?)
}

/// The files in `directory` with size and time.
fn files(directory: &Path) -> Result<Vec<(PathBuf, u64, SystemTime)>, StoreError> {
    let failed = || FileError::at("read", directory);
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed())? {
        let entry = entry.map_err(failed())?;
        let facts = entry.metadata().map_err(failed())?;
        if facts.is_file() {
            let used = facts.modified().map_err(failed())?;
            files.push((entry.path(), facts.len(), used));
        }
    }
    Ok(files)
}

/// A hasher that has seen all of `file` from where it stands.
fn hash(mut file: &File) -> io::Result<Hasher> {
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hasher),
            Ok(length) => hasher.update(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests;
