//! One run at a time: a file lock that dies with its process.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::own_file::open_own;
use super::{FileError, Holder};
use crate::explain::{Explain, Explanation, Kind};

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

/// A lock that was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another run has it.
    #[error("another run{} is at work and holds `{path}`", holder.as_ref().map(|holder| format!(" ({holder})")).unwrap_or_default())]
    Held {
        /// The lock file.
        path: PathBuf,
        /// The process that holds it, as far as the file says.
        holder: Option<Holder>,
    },
    /// The lock file cannot be used.
    #[error("the lock `{path}` cannot be taken")]
    Io {
        /// The lock file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Lock {
    /// Takes the lock `path`, whose directory is there.
    pub fn take(path: &Path) -> Result<Self, LockError> {
        let failed = |source| LockError::Io {
            path: path.to_owned(),
            source,
        };
        loop {
            let mut file = Self::open(path)?;
            // An uninstall that just ended takes the file with it.
            if names(path, &file).map_err(failed)? {
                file.set_len(0)
                    .and_then(|()| file.rewind())
                    .and_then(|()| writeln!(file, "{}", std::process::id()))
                    .map_err(failed)?;
                return Ok(Self { file });
            }
        }
    }

    fn open(path: &Path) -> Result<File, LockError> {
        let failed = |source| LockError::Io {
            path: path.to_owned(),
            source,
        };
        // It is emptied below: a link would empty what it points to.
        let mut file = open_own(path).map_err(failed)?;
        if try_hold(&file).map_err(failed)? {
            return Ok(file);
        }
        Err(LockError::Held {
            path: path.to_owned(),
            holder: read_holder(&mut file),
        })
    }
}

/// Locks `file` for this process alone until it is closed; `false` when another has it.
pub fn try_hold(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Locks `file` for this process alone until it is closed; waits for others.
#[cfg(feature = "packager")]
pub fn hold(file: &File) -> io::Result<()> {
    file.lock()
}

/// Locks `file` until it is closed together with others that share it; waits for one that
/// holds it alone.
#[cfg(feature = "packager")]
pub fn share(file: &File) -> io::Result<()> {
    file.lock_shared()
}

/// A program that is just being started shares the open file until it is executed;
/// closing ours alone would leave the lock with it for that long.
impl Drop for Lock {
    fn drop(&mut self) {
        // It goes with the process at the latest.
        let _ = self.file.unlock();
    }
}

/// Who holds the lock, which may just be about to say so.
fn read_holder(file: &mut File) -> Option<Holder> {
    for _ in 0..20 {
        let mut text = String::new();
        file.rewind().and_then(|()| file.read_to_string(&mut text)).ok()?;
        if let (true, Ok(pid)) = (text.ends_with('\n'), text.trim().parse()) {
            return Some(Holder::of(pid));
        }
        thread::sleep(Duration::from_millis(10));
    }
    None
}

/// Whether `path` still is the name of `file`.
pub(super) fn names(path: &Path, file: &File) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(there) => file
            .metadata()
            .map(|facts| (facts.dev(), facts.ino()) == (there.dev(), there.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

impl Explain for LockError {
    fn explain(&self) -> Explanation {
        match self {
            Self::Held { holder, .. } => {
                let hint = match holder {
                    Some(holder) => format!("wait until it ends, or end it with `kill {}`", holder.pid),
                    None => "wait until it ends; the lock goes with its process".to_owned(),
                };
                Kind::Locked.hint(hint)
            }
            Self::Io { path, source } => {
                let why = FileError::at("written", path)(source.kind().into());
                Explanation {
                    kind: Kind::of_io(source),
                    ..why.explain()
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_run_is_told_who_holds_the_lock() {
        let path = std::env::temp_dir().join(format!("minikube-offline-lock-{}", std::process::id()));
        let held = Lock::take(&path).expect("free");
        let Err(error) = Lock::take(&path) else {
            panic!("taken twice")
        };
        let who = format!("another run (process {}, begun ", std::process::id());
        assert!(error.to_string().starts_with(&who), "{error}");
        assert_eq!(error.explain().kind, Kind::Locked);
        drop(held);
        Lock::take(&path).expect("free again");
        std::fs::remove_file(path).expect("clean up");
    }
    #[test]
    fn what_a_link_in_its_place_points_to_stays() {
        let name = format!("minikube-offline-linked-lock-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let theirs = path.with_extension("txt");
        fs::write(&theirs, "theirs").expect("a file");
        std::os::unix::fs::symlink(&theirs, &path).expect("a link");
        drop(Lock::take(&path).expect("the link goes"));
        assert!(fs::symlink_metadata(&path).expect("the lock").is_file());
        assert_eq!(fs::read_to_string(&theirs).expect("a file"), "theirs");
        for file in [path, theirs] {
            fs::remove_file(file).expect("clean up");
        }
    }
}
