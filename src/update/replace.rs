//! Puts a new program where this one is.
//!
//! At every moment the name leads to a whole program: the new one is written and run
//! beside it first, the old one gets a second name, and one rename changes which of
//! them is meant. What a killed run leaves is cleared away by the next one.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::UpdateError;
use crate::bundle::Version;
use crate::host::{
    AtomicFile, Command, FileError, Lock, LockError, ProcessError, interrupt, remove_if_there, sync_directory,
};

/// How long a program may take to say who it is.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often a program is tried that another process still seems to be writing: one that
/// was started while it was written holds it open until it is executed.
const BUSY_TRIES: u32 = 100;

/// A program that can be replaced. Others are kept from doing the same until it is
/// dropped.
#[derive(Debug)]
pub(super) struct Replacement {
    program: PathBuf,
    mode: u32,
    lock_file: PathBuf,
    _lock: Lock,
}

impl Replacement {
    /// Fails when nothing can be written where `program` is.
    pub(super) fn of(program: &Path) -> Result<Self, UpdateError> {
        // A symlink stays one: what it leads to is replaced.
        let program = fs::canonicalize(program).map_err(FileError::at("found", program))?;
        let facts = fs::metadata(&program).map_err(FileError::at("read", &program))?;
        let lock_file = beside(&program, "self-update.lock");
        let lock = Lock::take(&lock_file).map_err(|error| match error {
            LockError::Io { source, .. } => unwritable(&program, source),
            held @ LockError::Held { .. } => held.into(),
        })?;
        let replacement = Self {
            mode: facts.permissions().mode() & 0o777,
            program,
            lock_file,
            _lock: lock,
        };
        for left in [replacement.staged(), replacement.old()] {
            remove_if_there(&left)?;
        }
        Ok(replacement)
    }

    /// Puts the program with these bytes there. It runs beside the old one first, then in
    /// its place; when it does not, the old one is there again.
    pub(super) fn install(&self, bytes: &[u8], version: &Version) -> Result<(), UpdateError> {
        let (staged, old) = (self.staged(), self.old());
        let written = AtomicFile::write(&staged, bytes, self.mode);
        written.map_err(|error| unwritable_or(&self.program, error))?;
        let swapped = try_out(&staged, version)
            .and_then(|()| self.keep(&old))
            .and_then(|()| self.rename(&staged));
        if let Err(error) = swapped {
            let _ = fs::remove_file(&staged);
            let _ = fs::remove_file(&old);
            return Err(error);
        }
        let directory = self.program.parent().unwrap_or(Path::new("/"));
        sync_directory(directory)?;
        if let Err(error) = try_out(&self.program, version) {
            self.rename(&old)?;
            sync_directory(directory)?;
            return Err(error);
        }
        // It has run: from now on the old one is only in the way.
        fs::remove_file(&old).map_err(FileError::at("removed", &old))?;
        Ok(())
    }

    /// Gives the program that is there its second name.
    fn keep(&self, old: &Path) -> Result<(), UpdateError> {
        interrupt::check()?;
        if fs::hard_link(&self.program, old).is_ok() {
            return Ok(());
        }
        // A file system without hard links.
        let bytes = fs::read(&self.program).map_err(FileError::at("read", &self.program))?;
        AtomicFile::write(old, &bytes, self.mode)?;
        Ok(())
    }

    /// Gives the program's name to `other`.
    fn rename(&self, other: &Path) -> Result<(), UpdateError> {
        Ok(fs::rename(other, &self.program).map_err(FileError::at("replaced", &self.program))?)
    }

    fn staged(&self) -> PathBuf {
        beside(&self.program, "new")
    }

    fn old(&self) -> PathBuf {
        beside(&self.program, "old")
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        // Before the lock goes; who waits for it takes a new file.
        let _ = fs::remove_file(&self.lock_file);
    }
}

/// `minikube-offline.old` for `minikube-offline`.
fn beside(program: &Path, suffix: &str) -> PathBuf {
    let mut name = program.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

/// Whether the program at `path` runs and is this version.
fn try_out(path: &Path, version: &Version) -> Result<(), UpdateError> {
    let expected = format!("minikube-offline {}", version.to_string().trim_start_matches('v'));
    let said = run(path, "--version").map_err(|error| unusable(version, error))?;
    if said.trim_end() != expected {
        return Err(UpdateError::OtherVersion {
            expected,
            found: said.trim_end().chars().take(80).collect(),
        });
    }
    // The whole command line is built for this.
    run(path, "help").map_err(|error| unusable(version, error))?;
    Ok(())
}

fn unusable(version: &Version, error: ProcessError) -> UpdateError {
    match error {
        ProcessError::Interrupted(interruption) => interruption.into(),
        source => UpdateError::Unusable {
            version: version.clone(),
            source,
        },
    }
}

fn run(path: &Path, argument: &str) -> Result<String, ProcessError> {
    let command = Command::new(path).arg(argument).timeout(PATIENCE);
    let mut tries = 0;
    loop {
        match command.run() {
            Err(ProcessError::Spawn { source, .. })
                if source.kind() == io::ErrorKind::ExecutableFileBusy && tries < BUSY_TRIES =>
            {
                tries += 1;
                thread::sleep(Duration::from_millis(20));
            }
            output => return Ok(output?.require_success()?.stdout),
        }
    }
}

fn unwritable(program: &Path, source: io::Error) -> UpdateError {
    match source.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => UpdateError::Unwritable {
            program: program.to_owned(),
            source,
        },
        _ => FileError::at("replaced", program)(source).into(),
    }
}

fn unwritable_or(program: &Path, error: FileError) -> UpdateError {
    match error.source.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            unwritable(program, error.source)
        }
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::explain::{Explain, Kind};

    const OLD: &str = "#!/bin/sh\necho old\n";

    fn program(directory: &TempDir) -> PathBuf {
        let path = directory.path().join("minikube-offline");
        fs::write(&path, OLD).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o750)).expect("ours");
        path
    }

    fn version() -> Version {
        "v9.8.7".parse().expect("a version")
    }

    fn names(directory: &TempDir) -> Vec<String> {
        let entries = fs::read_dir(directory.path()).expect("a directory");
        let mut names: Vec<String> = entries
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names
    }

    fn install(path: &Path, new: &str) -> Result<(), UpdateError> {
        Replacement::of(path)?.install(new.as_bytes(), &version())
    }

    #[test]
    fn a_program_that_runs_takes_the_place_and_the_mode() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = program(&directory);
        let link = directory.path().join("link");
        std::os::unix::fs::symlink("minikube-offline", &link).expect("a link");
        // What a killed run left.
        fs::write(directory.path().join("minikube-offline.new"), "half").expect("a file");
        fs::write(directory.path().join("minikube-offline.old"), "old").expect("a file");
        let new = "#!/bin/sh\necho minikube-offline 9.8.7\n";
        install(&link, new).expect("installed");
        assert_eq!(fs::read_to_string(&path).expect("a file"), new);
        assert_eq!(
            fs::metadata(&path).expect("a file").permissions().mode() & 0o777,
            0o750
        );
        assert_eq!(names(&directory), ["link", "minikube-offline"]);
        assert!(link.is_symlink());
    }

    #[test]
    fn a_program_that_does_not_run_leaves_the_old_one() {
        for (new, message) in [
            ("#!/bin/sh\nexit 3\n", "v9.8.7 does not run on this machine"),
            (
                "#!/bin/sh\necho minikube-offline 9.8.6\n",
                "it says that it is `minikube-offline 9.8.6`",
            ),
            (
                "#!/bin/sh\n[ \"$1\" = help ] && exit 1\necho minikube-offline 9.8.7\n",
                "v9.8.7 does not run on this machine",
            ),
            ("no program", "v9.8.7 does not run on this machine"),
            // It runs beside the old one, and not in its place.
            (
                "#!/bin/sh\ncase $0 in *.new) echo minikube-offline 9.8.7 ;; *) exit 1 ;; esac\n",
                "v9.8.7 does not run on this machine",
            ),
        ] {
            let directory = tempfile::tempdir().expect("a directory");
            let path = program(&directory);
            let error = install(&path, new).expect_err(new);
            assert!(error.to_string().contains(message), "{error}");
            assert_eq!(fs::read_to_string(&path).expect("a file"), OLD, "{new}");
            assert_eq!(
                fs::metadata(&path).expect("a file").permissions().mode() & 0o777,
                0o750
            );
            assert_eq!(names(&directory), ["minikube-offline"], "{new}");
        }
    }

    #[test]
    fn two_at_once_are_one_too_many() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = program(&directory);
        let first = Replacement::of(&path).expect("free");
        let held = Replacement::of(&path).expect_err("held");
        assert_eq!(held.explain().kind, Kind::Locked);
        drop(first);
        assert!(Replacement::of(&path).is_ok());
    }

    #[test]
    fn a_place_that_cannot_be_written_to_is_named_with_what_to_do() {
        // Not even root can make a file there.
        let error = Replacement::of(Path::new("/proc/version")).expect_err("/proc");
        assert!(error.to_string().contains("`/proc/version`"), "{error}");
    }
}
