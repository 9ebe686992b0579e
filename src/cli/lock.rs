//! The lock beside a bundle: written where it is another one, after saying what changed.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::console::Console;
use crate::bundle::Timestamp;
use crate::failure::Failure;
use crate::host::{AtomicFile, FileError};
use crate::progress::Progress as _;
use crate::resolve::{Change, Lock, LockFile, ResolveError};

/// A lock that is to lie beside a bundle, and what lies there.
pub(super) struct NewLock {
    path: PathBuf,
    lock: Lock,
    before: Before,
}

/// What lies there.
enum Before {
    Nothing,
    /// A file that is no lock, and why.
    NoLock(String),
    Lock {
        file: Box<LockFile>,
        changes: Vec<Change>,
    },
}

impl NewLock {
    /// For `lock`, resolved `now`, unless the one in `path` has the same parts: then it is
    /// of that one's time, so that the same parts, packed again, give the same bytes. What
    /// came from no server has no time.
    pub(super) fn of(path: PathBuf, mut lock: Lock, now: Timestamp) -> Result<Self, Failure> {
        let before = match LockFile::load(&path) {
            Ok(file) => Before::Lock {
                changes: file.lock.changes(&lock),
                file: Box::new(file),
            },
            Err(ResolveError::LockFile { source, .. }) if source.kind() == ErrorKind::NotFound => {
                Before::Nothing
            }
            Err(ResolveError::LockText { reason, .. }) => Before::NoLock(reason),
            Err(error) => return Err(error.into()),
        };
        let kept = match &before {
            Before::Lock { file, changes } if changes.is_empty() => file.lock.resolved,
            _ => None,
        };
        lock.resolved = lock.is_from_upstream().then(|| kept.unwrap_or(now));
        Ok(Self { path, lock, before })
    }

    pub(super) fn lock(&self) -> &Lock {
        &self.lock
    }

    /// It is of this time, as the lock says that was packed.
    pub(super) fn set_time(&mut self, time: Option<Timestamp>) {
        self.lock.resolved = time;
    }

    /// What changed since the lock that lies there.
    pub(super) fn changes(&self) -> &[Change] {
        match &self.before {
            Before::Lock { changes, .. } => changes,
            _ => &[],
        }
    }

    /// Writes it unless one of the same parts is there, which may say more of them.
    pub(super) fn write_if_changed(&self, console: &Console) -> Result<(), Failure> {
        match &self.before {
            Before::Lock { changes, .. } if changes.is_empty() => Ok(()),
            _ => self.write(console),
        }
    }

    /// Writes it, unless it is there. One with other parts, or what is no lock, is kept
    /// beside, and that is said with everything that changed.
    pub(super) fn write(&self, console: &Console) -> Result<(), Failure> {
        let text = self.lock.text();
        let shown = self.path.display();
        let old = self.path.with_extension("lock.old");
        match &self.before {
            Before::Lock { file, .. } if file.text() == text => return Ok(()),
            Before::Lock { file, changes } if !changes.is_empty() => {
                AtomicFile::write(&old, file.text().as_bytes(), 0o644)?;
                console.note(&format!(
                    "`{shown}` has other parts than before ({} differences); the lock of before is kept as `{}`:",
                    changes.len(),
                    old.display()
                ));
                for change in changes {
                    console.note(&format!("  {change}"));
                }
            }
            Before::NoLock(reason) => {
                fs::rename(&self.path, &old).map_err(FileError::at("renamed", &self.path))?;
                console.note(&format!(
                    "`{shown}` was no lock ({reason}): it is kept as `{}`",
                    old.display()
                ));
            }
            _ => {}
        }
        AtomicFile::write(&self.path, text.as_bytes(), 0o644)?;
        Ok(())
    }
}

/// The changes, for a program.
pub(super) fn changes_value(changes: &[Change]) -> Value {
    changes
        .iter()
        .map(|change| json!({ "what": change.what, "before": change.before, "now": change.now }))
        .collect()
}
