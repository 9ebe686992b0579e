//! What a verb reads, runs, writes and removes beside what its arguments name for reading: of
//! root's run all of that must be root's, before anything is touched.

#[cfg(feature = "packager")]
use std::fs::DirBuilder;
#[cfg(feature = "packager")]
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::catch_signals;
use crate::failure::Failure;
#[cfg(feature = "packager")]
use crate::host::Reason;
use crate::host::{Environment, Trusted, keep_to_owner};
use crate::install::Layout;
#[cfg(feature = "packager")]
use crate::store::Store;

/// The directories that a verb uses.
#[derive(Debug, Default)]
pub(super) struct Ground {
    variables: bool,
    machine: bool,
    minikube_home: Option<PathBuf>,
    #[cfg(feature = "packager")]
    store: bool,
    written: Vec<PathBuf>,
}

impl Ground {
    /// Nothing but what is named for reading, and the keys, which are looked at where they are read.
    pub(super) fn arguments() -> Self {
        Self::default()
    }

    /// What was installed on this machine, and minikube's directory.
    pub(super) fn machine(minikube_home: Option<&Path>) -> Self {
        Self {
            variables: true,
            machine: true,
            minikube_home: minikube_home.map(Path::to_owned),
            ..Self::default()
        }
    }

    /// What was downloaded.
    #[cfg(feature = "packager")]
    pub(super) fn store() -> Self {
        Self {
            variables: true,
            store: true,
            ..Self::default()
        }
    }

    /// The file `path` is written, or replaced.
    pub(super) fn writing(mut self, path: &Path) -> Self {
        self.written.push(directory_of(path).to_owned());
        self
    }

    /// The log is written, where there is one.
    pub(super) fn logging(self, log: Option<&Path>) -> Self {
        match log {
            Some(log) => self.writing(log),
            None => self,
        }
    }

    /// Files are written into `directory`.
    pub(super) fn filling(mut self, directory: &Path) -> Self {
        self.written.push(directory.to_owned());
        self
    }

    /// Catches signals, and refuses what root would use and another user can change.
    pub(super) fn prepare(&self) -> Result<(), Failure> {
        catch_signals()?;
        let environment = Environment::of_this_process();
        if !environment.is_root() {
            return Ok(());
        }
        keep_to_owner();
        if self.variables {
            environment.require_own_paths()?;
        }
        // Without a home the verb says so itself, in its turn.
        if self.machine
            && let Ok(layout) = Layout::of(&environment, self.minikube_home.as_deref())
        {
            layout.require_own(&environment)?;
        }
        #[cfg(feature = "packager")]
        if self.store
            && let Ok(directory) = Store::directory_of(&environment)
        {
            require_store(&Trusted::by(environment.uid()), &directory)?;
        }
        self.written
            .iter()
            .try_for_each(|directory| require(&environment, directory))
    }
}

/// The same of the file `path`, for what only a file of settings names.
#[cfg(feature = "packager")]
pub(super) fn require_writable_for_root(path: &Path) -> Result<(), Failure> {
    let environment = Environment::of_this_process();
    if environment.is_root() {
        require(&environment, directory_of(path))?;
    }
    Ok(())
}

/// A file system that is mounted for downloads is everybody's at its top, as `/tmp` is: what is not
/// there yet is made, which another user can do no more then.
#[cfg(feature = "packager")]
fn require_store(trusted: &Trusted, directory: &Path) -> Result<(), Failure> {
    let checked = trusted.require_tree("the store", directory);
    if let Err(Reason::Missing { path }) = checked.as_ref().map_err(|error| &error.why) {
        let made = DirBuilder::new().mode(0o755).create(path);
        if made.is_ok() {
            return Ok(trusted.require_tree("the store", directory)?);
        }
    }
    Ok(checked?)
}

fn require(environment: &Environment, directory: &Path) -> Result<(), Failure> {
    Ok(Trusted::by(environment.uid()).require("the directory to write to,", directory)?)
}

fn directory_of(path: &Path) -> &Path {
    let directory = path
        .parent()
        .filter(|directory| !directory.as_os_str().is_empty());
    directory.unwrap_or(Path::new("."))
}
