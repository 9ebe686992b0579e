//! A file that one run at a time makes, beside the one that it becomes.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

use super::FileError;
use super::lock::{LockError, names};
use super::own_file::open_own;
use super::unnamed::Unnamed;

/// A file in the making, under a name that follows from its target's: what a killed run
/// left of it goes away, and a second run that makes the same is refused.
#[derive(Debug)]
pub struct ClaimedFile(Unnamed);

impl ClaimedFile {
    /// Starts to write `target`, whose directory is there.
    pub fn create(target: &Path) -> Result<Self, LockError> {
        let path = Unnamed::path_for(target);
        let failed = |source| LockError::Io {
            path: path.clone(),
            source,
        };
        loop {
            let file = open_own(&path).map_err(failed)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(LockError::Held { path, holder: None }),
                // Some network file systems have no locks: there nobody is told.
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
                Err(TryLockError::Error(source)) => return Err(failed(source)),
            }
            // The run before may have given it its name just now.
            if names(&path, &file).map_err(failed)? {
                // Ours from here on: until then another run's is left alone.
                let unnamed = Unnamed::new(target, file);
                unnamed.file.set_len(0).map_err(failed)?;
                remove_parts(target).map_err(failed)?;
                return Ok(Self(unnamed));
            }
        }
    }

    /// The file, to be written.
    pub fn file(&mut self) -> &mut File {
        &mut self.0.file
    }

    /// The name that it has until it is committed.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Gives the file its name and `mode`, durably. What had the name is replaced.
    pub fn commit(self, mode: u32) -> Result<(), FileError> {
        self.0.commit(mode)
    }
}

/// How the names begin of what else is needed while `target` is made.
#[must_use]
pub fn part_prefix(target: &Path) -> OsString {
    let temporary = Unnamed::path_for(target);
    let mut name = temporary.file_name().unwrap_or_default().to_owned();
    name.push("-");
    name
}

/// Removes what a killed run left of the parts of `target`.
fn remove_parts(target: &Path) -> io::Result<()> {
    let prefix = part_prefix(target);
    let directory = target
        .parent()
        .filter(|directory| !directory.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry
            .file_name()
            .as_encoded_bytes()
            .starts_with(prefix.as_encoded_bytes())
        {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_second_run_is_refused_and_what_a_killed_one_left_is_taken_over() {
        let directory = std::env::temp_dir().join(format!("minikube-offline-claim-{}", std::process::id()));
        fs::create_dir_all(&directory).expect("a directory");
        let target = directory.join("x.run");
        fs::write(Unnamed::path_for(&target), "what a killed run left").expect("a file");
        let mut part = part_prefix(&target);
        part.push("1");
        fs::write(directory.join(part), "and what it needed").expect("a file");
        let mut claimed = ClaimedFile::create(&target).expect("free");
        assert!(matches!(
            ClaimedFile::create(&target),
            Err(LockError::Held { .. })
        ));
        claimed.file().write_all(b"new").expect("written");
        claimed.commit(0o755).expect("named");
        assert_eq!(fs::read(&target).expect("there"), b"new");
        drop(ClaimedFile::create(&target).expect("free again"));
        assert_eq!(fs::read_dir(&directory).expect("listed").count(), 1);
        fs::remove_dir_all(directory).expect("clean up");
    }
}
