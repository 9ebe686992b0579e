//! The variables and the user that this run has.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// A snapshot of the environment, so that what depends on it can be tested.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    variables: BTreeMap<OsString, OsString>,
    uid: u32,
}

impl Environment {
    /// The environment of this process.
    #[must_use]
    pub fn of_this_process() -> Self {
        Self {
            variables: std::env::vars_os().collect(),
            uid: rustix::process::geteuid().as_raw(),
        }
    }

    /// An environment of these variables, for user `uid`.
    #[must_use]
    pub fn of(variables: &[(&str, &str)], uid: u32) -> Self {
        Self {
            variables: variables
                .iter()
                .map(|(name, value)| (OsString::from(name), OsString::from(value)))
                .collect(),
            uid,
        }
    }

    /// A variable that is set and not empty.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&OsStr> {
        self.variables
            .get(OsStr::new(name))
            .map(OsString::as_os_str)
            .filter(|value| !value.is_empty())
    }

    /// A variable that holds an absolute path; the XDG base directory spec wants
    /// others ignored.
    #[must_use]
    pub fn absolute_path(&self, name: &str) -> Option<PathBuf> {
        self.variable(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    }

    /// The user's home.
    #[must_use]
    pub fn home(&self) -> Option<PathBuf> {
        self.absolute_path("HOME")
    }

    /// The folders in which programs are looked for.
    #[must_use]
    pub fn path_folders(&self) -> Vec<PathBuf> {
        self.variable("PATH")
            .map(|path| std::env::split_paths(path).collect())
            .unwrap_or_default()
    }

    /// The effective user id.
    #[must_use]
    pub fn uid(&self) -> u32 {
        self.uid
    }

    /// Whether this run is root's.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.uid == 0
    }
}
