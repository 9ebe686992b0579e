//! What an uninstall is about to take away, by the journal alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::ClusterError;
use crate::host::Environment;
use crate::install::{Journal, Layout, Receipt};
use crate::minikube::ProfileConfig;

/// What is ours on this machine and would go.
#[derive(Clone, Debug, Default)]
pub struct Doomed {
    /// The profiles with their nodes' names.
    pub profiles: BTreeMap<String, Vec<String>>,
    /// Volumes of nodes that no profile has.
    pub volumes: Vec<String>,
    /// How many files, links among them.
    pub files: usize,
    /// How many bytes these files hold.
    pub bytes: u64,
    /// Images in the engine.
    pub images: Vec<String>,
}

impl Doomed {
    /// Whether nothing would go.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.profiles.is_empty() && self.volumes.is_empty() && self.files == 0 && self.images.is_empty()
    }
}

/// Looks what an uninstall would take away, of `profile` alone or of everything; changes
/// nothing.
pub fn doomed(minikube_home: Option<&Path>, profile: Option<&str>) -> Result<Doomed, ClusterError> {
    let layout = Layout::of(&Environment::of_this_process(), minikube_home)?;
    let receipt = Journal::peek(&layout.journal())?;
    let mut doomed = Doomed::default();
    let mut of_profiles = BTreeSet::new();
    for (name, made) in receipt.profiles() {
        if profile.is_some_and(|profile| profile != name) {
            continue;
        }
        let config = ProfileConfig::load(&made.minikube_home, name)?.unwrap_or_default();
        let nodes = config.node_names(name);
        of_profiles.extend(nodes.iter().cloned());
        of_profiles.extend(receipt.volumes_of(name));
        doomed.profiles.insert(name.clone(), nodes);
    }
    doomed.volumes = receipt.volumes_of_those(profile);
    doomed.volumes.retain(|volume| !of_profiles.contains(volume));
    if profile.is_none() {
        (doomed.files, doomed.bytes) = count_files(&receipt);
        doomed.images = receipt.images().keys().cloned().collect();
    }
    Ok(doomed)
}

/// Those that are there; one with two names takes its space once.
fn count_files(receipt: &Receipt) -> (usize, u64) {
    let (mut count, mut bytes, mut seen) = (0, 0, BTreeSet::new());
    for path in receipt.files().keys().chain(receipt.links().keys()) {
        let Ok(facts) = fs::symlink_metadata(path) else {
            continue;
        };
        count += 1;
        if facts.is_file() && seen.insert((facts.dev(), facts.ino())) {
            bytes += facts.len();
        }
    }
    (count, bytes)
}
