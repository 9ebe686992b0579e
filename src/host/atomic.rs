//! Files that are there whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::remains::Remains;
use super::unnamed::Unnamed;
use crate::explain::{Explain, Explanation, Kind};

/// A file or directory that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("`{path}` cannot be {done}")]
pub struct FileError {
    /// What was to be done to it, as a participle: `written`.
    pub done: &'static str,
    /// Which file.
    pub path: PathBuf,
    /// Why not.
    #[source]
    pub source: io::Error,
}

impl FileError {
    /// An error for `map_err`: `path` cannot be `done`.
    pub fn at(done: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self { done, path, source }
    }
}

impl Explain for FileError {
    fn explain(&self) -> Explanation {
        let kind = Kind::of_io(&self.source);
        let directory = self.path.parent().unwrap_or(&self.path).display().to_string();
        let hint = match self.source.kind() {
            _ if kind == Kind::NoSpace => Some(format!(
                "free space on the file system of `{directory}` (`df -h` shows it), then run the same command again; unfinished files were removed"
            )),
            io::ErrorKind::PermissionDenied => Some(format!(
                "make `{directory}` writable for this user, or choose another place"
            )),
            io::ErrorKind::ReadOnlyFilesystem => Some(format!(
                "`{directory}` is on a read-only file system: choose another place"
            )),
            _ => None,
        };
        hint.map_or_else(|| kind.into(), |hint| kind.hint(hint))
    }
}

/// A file in the making: it takes its name when it is committed, and leaves nothing
/// behind when it is dropped before.
#[derive(Debug)]
pub struct AtomicFile {
    unnamed: Unnamed,
    remains: Remains,
}

impl AtomicFile {
    /// Starts to write `target`, whose directory is there. What a killed run left of the
    /// same file goes away: the caller holds the lock.
    pub fn create(target: &Path) -> Result<Self, FileError> {
        let temporary = Self::temporary(target);
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(FileError::at("written", &temporary)(error));
            }
            _ => {}
        }
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)
            .map_err(FileError::at("written", target))?;
        Ok(Self::of(target, file, Remains::default()))
    }

    /// The same, but what a killed run left of it is taken up: what is written and is there
    /// already is not written again.
    pub fn resume(target: &Path) -> Result<Self, FileError> {
        match Remains::open(&Self::temporary(target)) {
            Some((file, remains)) => Ok(Self::of(target, file, remains)),
            None => Self::create(target),
        }
    }

    fn of(target: &Path, file: File, remains: Remains) -> Self {
        Self {
            unnamed: Unnamed::new(target, file),
            remains,
        }
    }

    /// The name that `target` has while it is written.
    #[must_use]
    pub fn temporary(target: &Path) -> PathBuf {
        Unnamed::path_for(target)
    }

    /// Waits until the medium has what was written so far.
    pub fn sync(&mut self) -> io::Result<()> {
        self.unnamed.file.sync_data()
    }

    /// Gives the file its name and `mode`, durably. What had the name is replaced.
    pub fn commit(mut self, mode: u32) -> Result<(), FileError> {
        let cut = self.remains.drop_rest(&mut self.unnamed.file);
        cut.map_err(FileError::at("written", &self.unnamed.target))?;
        self.unnamed.commit(mode)
    }

    /// Writes `bytes` as `target`.
    pub fn write(target: &Path, bytes: &[u8], mode: u32) -> Result<(), FileError> {
        let mut file = Self::create(target)?;
        file.write_all(bytes).map_err(FileError::at("written", target))?;
        file.commit(mode)
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.remains.write(&mut self.unnamed.file, bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.unnamed.file.flush()
    }
}

/// Removes the file `path`, if it is there.
pub fn remove_if_there(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FileError::at("removed", path)(error)),
        _ => Ok(()),
    }
}

/// Removes the directory `path` with all that is in it, if it is there.
pub fn remove_tree_if_there(path: &Path) -> Result<(), FileError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FileError::at("removed", path)(error)),
        _ => Ok(()),
    }
}

/// Makes the names in `directory` durable.
pub fn sync_directory(directory: &Path) -> Result<(), FileError> {
    // The parent of a name alone.
    let directory = if directory.as_os_str().is_empty() {
        Path::new(".")
    } else {
        directory
    };
    match File::open(directory).and_then(|directory| directory.sync_all()) {
        // Some file systems (FUSE, old NFS) know no fsync of directories.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        other => other.map_err(FileError::at("synced", directory)),
    }
}

/// Makes durable what was removed in these directories, which may be gone themselves.
pub fn sync_removed<'a>(directories: impl Iterator<Item = &'a Path>) -> Result<(), FileError> {
    let there: std::collections::BTreeSet<PathBuf> = directories.map(super::existing_ancestor).collect();
    there.iter().try_for_each(|directory| sync_directory(directory))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_dropped_file_leaves_nothing_and_a_committed_one_its_content() {
        let directory = std::env::temp_dir().join(format!("minikube-offline-atomic-{}", std::process::id()));
        fs::create_dir_all(&directory).expect("directory");
        let target = directory.join("kubectl");
        let mut file = AtomicFile::create(&target).expect("create");
        file.write_all(b"half").expect("write");
        drop(file);
        assert_eq!(fs::read_dir(&directory).expect("list").count(), 0);
        AtomicFile::write(&target, b"abc", 0o755).expect("write");
        assert_eq!(fs::read(&target).expect("there"), b"abc");
        assert_eq!(
            fs::metadata(&target).expect("there").permissions().mode() & 0o7777,
            0o755
        );
        fs::remove_dir_all(directory).expect("clean up");
    }

    #[test]
    fn a_full_disk_has_its_own_exit_code() {
        let error = FileError::at("written", Path::new("/x/y"))(io::Error::from_raw_os_error(28));
        let Explanation { kind, hints } = error.explain();
        assert_eq!(kind, Kind::NoSpace);
        assert!(hints[0].contains("`/x`"), "{hints:?}");
    }
}
