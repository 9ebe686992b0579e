//! What minikube writes on this machine. What is not synced may be there and empty after
//! the power was gone, and whether minikube syncs it is its own affair.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::{ProfileConfig, may_be_node_of};
use crate::host::{self, Environment, FileError, sync_directory};

/// The file that minikube adds a cluster to, where there is none yet.
pub(crate) fn new_kubeconfig(environment: &Environment) -> Option<PathBuf> {
    crate::minikube::kubeconfig(environment).filter(|path| fs::symlink_metadata(path).is_err())
}

/// Makes durable what minikube and kubectl need of a profile.
pub(crate) fn sync(minikube_home: &Path, profile: &str, kubeconfig: Option<&Path>) -> Result<(), FileError> {
    let directory = ProfileConfig::directory(minikube_home, profile);
    for inside in [&directory, &minikube_home.join("certs")] {
        sync_tree(inside)?;
    }
    let is_of_profile = |machine: &PathBuf| {
        let name = machine.file_name().and_then(OsStr::to_str);
        name.is_some_and(|name| may_be_node_of(profile, name))
    };
    let machines = entries(&minikube_home.join("machines"))?;
    for machine in machines.iter().filter(|machine| is_of_profile(machine)) {
        sync_tree(machine)?;
    }
    for with_its_files in [minikube_home, &minikube_home.join("config")] {
        for path in entries(with_its_files)? {
            sync_one(&path)?;
        }
        sync_one(with_its_files)?;
    }
    if let Some(path) = kubeconfig {
        sync_one(path)?;
        sync_one(path.parent().unwrap_or(path))?;
    }
    Ok(())
}

/// Makes durable that a profile is gone.
pub(crate) fn sync_removed(
    minikube_home: &Path,
    profile: &str,
    kubeconfig: Option<&Path>,
) -> Result<(), FileError> {
    let directory = ProfileConfig::directory(minikube_home, profile);
    let machine = minikube_home.join("machines").join(profile);
    let kubeconfig = kubeconfig.and_then(Path::parent);
    host::sync_removed([&*directory, &*machine].into_iter().chain(kubeconfig))
}

/// The file or directory, with all that is in it.
fn sync_tree(path: &Path) -> Result<(), FileError> {
    for inside in entries(path)? {
        sync_tree(&inside)?;
    }
    sync_one(path)
}

/// What is in a directory; nothing where there is none.
fn entries(directory: &Path) -> Result<Vec<PathBuf>, FileError> {
    match fs::symlink_metadata(directory) {
        Ok(facts) if facts.is_dir() => {}
        _ => return Ok(Vec::new()),
    }
    fs::read_dir(directory)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
        .map_err(FileError::at("listed", directory))
}

fn sync_one(path: &Path) -> Result<(), FileError> {
    let Ok(facts) = fs::metadata(path) else {
        return Ok(());
    };
    if facts.is_dir() {
        return sync_directory(path);
    }
    if !facts.is_file() {
        return Ok(());
    }
    match File::open(path).and_then(|file| file.sync_all()) {
        // A lock, such as minikube takes and gives back all the time.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.map_err(FileError::at("synced", path)),
    }
}
