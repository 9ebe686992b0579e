//! A lock in its file, so that a message can name the place.

use std::fs;
use std::path::{Path, PathBuf};

use super::Lock;
use crate::bundle::Application;
use crate::resolve::{FilePin, ResolveError};

/// A lock that was read from a file.
#[derive(Clone, Debug)]
pub struct LockFile {
    /// The file.
    pub path: PathBuf,
    /// What is in it.
    pub lock: Lock,
    text: String,
}

/// A part that is not what the lock says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Difference {
    /// The part: `kubelet for linux/amd64`.
    pub what: String,
    /// What the lock has, and what there is: `the lock has …, and …`.
    pub said: String,
}

impl LockFile {
    /// Reads the file `path`.
    pub fn load(path: &Path) -> Result<Self, ResolveError> {
        let text = fs::read_to_string(path).map_err(|source| ResolveError::LockFile {
            path: path.to_owned(),
            source,
        })?;
        let lock = Lock::parse(&text).map_err(|reason| ResolveError::LockText {
            path: path.to_owned(),
            reason,
        })?;
        Ok(Self {
            path: path.to_owned(),
            lock,
            text,
        })
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Fails with every part in which `found` is not what this lock says.
    pub fn check(&self, found: &Lock) -> Result<(), ResolveError> {
        let differences = self.lock.changes(found).into_iter().map(|change| {
            let said = |text: Option<String>| text.unwrap_or_else(|| "nothing".to_owned());
            Difference {
                said: format!(
                    "the lock has {}, and there is {}",
                    said(change.before),
                    said(change.now)
                ),
                what: change.what,
            }
        });
        self.refuse(differences.collect())
    }

    /// Fails with every file of the packer, and every application, that is not what this lock
    /// says. They are on this machine, so that is known before anything is downloaded.
    pub fn check_own(&self, files: Vec<FilePin>, applications: Vec<Application>) -> Result<(), ResolveError> {
        let lock = self.lock.clone();
        self.check(&Lock {
            files,
            applications,
            ..lock
        })
    }

    /// Fails with these differences, each with its line in the file, if there are any.
    pub fn refuse(&self, differences: Vec<Difference>) -> Result<(), ResolveError> {
        if differences.is_empty() {
            return Ok(());
        }
        Err(ResolveError::NotLocked {
            lock: self.path.clone(),
            differences: differences
                .into_iter()
                .map(|Difference { what, said }| match self.line_of(&what) {
                    Some(line) => format!("{what} (line {line}): {said}"),
                    None => format!("{what}: {said}"),
                })
                .collect(),
        })
    }

    /// The line at which the part begins.
    fn line_of(&self, what: &str) -> Option<usize> {
        let parts = self.lock.digests();
        let number = parts.iter().position(|(name, _)| name == what)?;
        let (binaries, images) = (self.lock.binaries.len(), self.lock.images.len());
        let (table, before) = match number {
            number if number < binaries => ("[[binary]]", 0),
            number if number < binaries + images => ("[[image]]", binaries),
            _ => ("[[file]]", binaries + images),
        };
        let lines = self.text.lines().enumerate();
        let mut tables = lines.filter(|(_, line)| line.trim() == table);
        tables.nth(number - before).map(|(line, _)| line + 1)
    }
}
