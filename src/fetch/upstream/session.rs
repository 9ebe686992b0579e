//! What a run found out of the servers, and what it downloaded to ask.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Mutex, OnceLock};

use tempfile::TempDir;

use super::mirrors::SilentServers;
use super::registry::Resolved;
use super::releases::{Program, ReleaseList};
use crate::bundle::{BinaryRole, Digest, Platform, Version};

/// The memory of a run.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// Registries and release pages that did not answer.
    pub(super) silent: SilentServers,
    /// The releases that minikube lists, once they were asked for; nothing where there is
    /// no list.
    pub(super) minikubes: OnceLock<Option<ReleaseList>>,
    /// The newest minikube that has the Kubernetes of this run, once it was found out.
    pub(super) minikube: OnceLock<Version>,
    /// The files of the signatures that were found.
    pub(super) signed: Mutex<BTreeMap<Digest, Vec<u8>>>,
    /// Whose signatures are not to be had, where that was said.
    pub(super) unsigned: Mutex<BTreeSet<String>>,
    /// Images that were resolved before the programs came, until they are wanted.
    pub(super) foreseen: Mutex<BTreeMap<String, Resolved>>,
    /// What was downloaded.
    pub(super) downloaded: Mutex<Vec<(Platform, BinaryRole, Program)>>,
    /// The programs by their names, which some of them go by.
    programs: OnceLock<TempDir>,
    /// The programs, open: their names lead to these files, whatever is in the store by now.
    pub(super) program_files: Mutex<Vec<File>>,
}

impl Session {
    /// Where the programs have their names; made when there is one.
    pub(super) fn programs(&self) -> io::Result<&Path> {
        if self.programs.get().is_none() {
            let directory = tempfile::Builder::new().prefix("minikube-offline-").tempdir()?;
            // Another thread may have been quicker: then this one goes away.
            let _ = self.programs.set(directory);
        }
        Ok(self.programs.get().expect("just made").path())
    }
}
