//! What the journal adds up to: everything on this machine that is ours.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::journal::Event;
use super::upgrade::Upgrade;
use crate::bundle::{Checksum, Digest};
use crate::host::ProcessIdentity;

/// What is ours on this machine, made by folding the journal's events.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Receipt {
    bundles: BTreeMap<String, InstalledBundle>,
    /// Each with its turn.
    directories: BTreeMap<PathBuf, u64>,
    /// How many directories were ever made.
    made: u64,
    files: BTreeMap<PathBuf, BTreeSet<Checksum>>,
    unfinished_files: BTreeSet<PathBuf>,
    links: BTreeMap<PathBuf, PathBuf>,
    images: BTreeMap<String, BTreeSet<Digest>>,
    profiles: BTreeMap<String, InstalledProfile>,
    volumes: BTreeMap<String, SeededVolume>,
    upgrades: BTreeMap<String, Upgrade>,
    stages: BTreeSet<(String, String)>,
    child: Option<ProcessIdentity>,
    load: Option<ProcessIdentity>,
}

/// A bundle that was installed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InstalledBundle {
    /// Its name.
    pub name: String,
    /// The highest serial that was installed.
    pub serial: u64,
    /// The Kubernetes release of that one.
    pub kubernetes_version: String,
}

/// A profile that we had minikube make.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InstalledProfile {
    /// minikube's directory.
    pub minikube_home: PathBuf,
    /// The kubeconfig, when the profile's start was to create it.
    pub kubeconfig: Option<PathBuf>,
    /// Whether its nodes were ready at least once.
    pub ready: bool,
    /// The id of each node's container, as it was then.
    pub containers: BTreeMap<String, String>,
}

/// A volume that we made for a node.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SeededVolume {
    /// The value of our label on it.
    pub nonce: String,
    /// What it holds, once it holds all of it.
    pub content: Option<Digest>,
}

impl Receipt {
    /// The installed bundles.
    pub fn bundles(&self) -> impl Iterator<Item = &InstalledBundle> {
        self.bundles.values()
    }

    /// The highest serial of a bundle that was installed under this name.
    #[must_use]
    pub fn serial(&self, bundle: &str) -> Option<u64> {
        self.bundles.get(bundle).map(|bundle| bundle.serial)
    }

    /// The directories that we made, deepest and latest first.
    #[must_use]
    pub fn directories(&self) -> Vec<&Path> {
        let mut directories: Vec<(&PathBuf, &u64)> = self.directories.iter().collect();
        directories.sort_by_key(|(_, turn)| std::cmp::Reverse(**turn));
        directories
            .into_iter()
            .map(|(directory, _)| directory.as_path())
            .collect()
    }

    /// The files that we wrote, with each hash that we gave them.
    #[must_use]
    pub fn files(&self) -> &BTreeMap<PathBuf, BTreeSet<Checksum>> {
        &self.files
    }

    /// The files that a killed run may have left under their temporary names.
    #[must_use]
    pub fn unfinished_files(&self) -> &BTreeSet<PathBuf> {
        &self.unfinished_files
    }

    /// The links that we made, with what they point to.
    #[must_use]
    pub fn links(&self) -> &BTreeMap<PathBuf, PathBuf> {
        &self.links
    }

    /// The images that we loaded, with the ids that they may have.
    #[must_use]
    pub fn images(&self) -> &BTreeMap<String, BTreeSet<Digest>> {
        &self.images
    }

    /// The profiles that we had minikube make, by name.
    #[must_use]
    pub fn profiles(&self) -> &BTreeMap<String, InstalledProfile> {
        &self.profiles
    }

    /// The volumes that we made, by name.
    #[must_use]
    pub fn volumes(&self) -> &BTreeMap<String, SeededVolume> {
        &self.volumes
    }

    /// The upgrades of profiles that are at work, or can be taken back, by profile.
    #[must_use]
    pub fn upgrades(&self) -> &BTreeMap<String, Upgrade> {
        &self.upgrades
    }

    /// The stages that were begun and not ended, each after its profile.
    #[must_use]
    pub fn unfinished_stages(&self) -> Vec<(String, String)> {
        self.stages.iter().cloned().collect()
    }

    /// The program that a killed run may have left running.
    #[must_use]
    pub fn child(&self) -> Option<&ProcessIdentity> {
        self.child.as_ref()
    }

    /// The client that was giving an image to the engine.
    #[must_use]
    pub fn load(&self) -> Option<&ProcessIdentity> {
        self.load.as_ref()
    }

    /// Whether nothing of ours is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.directories.is_empty()
            && self.files.is_empty()
            && self.unfinished_files.is_empty()
            && self.links.is_empty()
            && self.images.is_empty()
            && self.profiles.is_empty()
            && self.volumes.is_empty()
    }

    /// Whether `event` would change nothing.
    pub(crate) fn holds(&self, event: &Event) -> bool {
        let mut after = self.clone();
        after.apply(event.clone());
        after == *self
    }

    /// Adds what `event` says.
    pub(crate) fn apply(&mut self, event: Event) {
        match event {
            Event::Bundle {
                name,
                serial,
                kubernetes_version,
            } => {
                if self.serial(&name).is_none_or(|known| known < serial) {
                    let bundle = InstalledBundle {
                        name: name.clone(),
                        serial,
                        kubernetes_version,
                    };
                    self.bundles.insert(name, bundle);
                }
            }
            Event::BundleForgotten { name } => {
                self.bundles.remove(&name);
            }
            Event::StageBegun { profile, stage } => {
                self.stages.insert((profile, stage));
            }
            Event::StageDone { profile, stage } => {
                self.stages.remove(&(profile, stage));
            }
            Event::Directory { path } => {
                if let Entry::Vacant(place) = self.directories.entry(path) {
                    place.insert(self.made);
                    self.made += 1;
                }
            }
            Event::FileBegun { path } => {
                self.unfinished_files.insert(path);
            }
            Event::File { path, digest } => {
                self.unfinished_files.remove(&path);
                self.files.entry(path).or_default().insert(digest);
            }
            Event::Link { path, target } => {
                self.links.insert(path, target);
            }
            Event::Image { reference, ids } => self.images.entry(reference).or_default().extend(ids),
            Event::Profile {
                name,
                minikube_home,
                kubeconfig,
            } => {
                // Recorded again when someone deleted the profile in between.
                let before = self
                    .profiles
                    .get(&name)
                    .and_then(|known| known.kubeconfig.clone());
                let profile = InstalledProfile {
                    minikube_home,
                    kubeconfig: kubeconfig.or(before),
                    ready: false,
                    containers: BTreeMap::new(),
                };
                self.profiles.insert(name, profile);
            }
            Event::ProfileReady { name, containers } => {
                if let Some(profile) = self.profiles.get_mut(&name) {
                    profile.ready = true;
                    profile.containers = containers;
                }
            }
            Event::ProfileRemoved { name } => {
                self.profiles.remove(&name);
                self.volumes.remove(&name);
                self.upgrades.remove(&name);
                self.stages.retain(|(profile, _)| *profile != name);
            }
            Event::Volume { name, nonce } => {
                self.volumes.insert(name, SeededVolume { nonce, content: None });
            }
            Event::VolumeSeeded { name, nonce, content } => {
                let content = Some(content);
                self.volumes.insert(name, SeededVolume { nonce, content });
            }
            Event::VolumeRemoved { name } => {
                self.volumes.remove(&name);
            }
            Event::Child { process } => self.child = Some(process),
            Event::ChildEnded => self.child = None,
            Event::Load { process } => self.load = Some(process),
            Event::LoadEnded => self.load = None,
            Event::Upgrade { profile, upgrade } => {
                self.upgrades.insert(profile, upgrade);
            }
            Event::UpgradeForgotten { profile } => {
                self.upgrades.remove(&profile);
            }
            Event::Forgotten { what } => self.forget(&what),
        }
    }

    fn forget(&mut self, what: &str) {
        let path = Path::new(what);
        self.directories.remove(path);
        self.files.remove(path);
        self.unfinished_files.remove(path);
        self.links.remove(path);
        self.images.remove(what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt(events: Vec<Event>) -> Receipt {
        let mut receipt = Receipt::default();
        for event in events {
            receipt.apply(event);
        }
        receipt
    }

    #[test]
    fn a_file_is_ours_under_every_hash_that_it_may_have() {
        let [old, new] = [b"old", b"new"].map(|content| Checksum::Sha256(Digest::of(content)));
        let path = PathBuf::from("/bin/kubectl");
        let file = |digest| Event::File {
            path: path.clone(),
            digest,
        };
        let both = receipt(vec![file(old), file(new)]);
        assert!(both.files()[&path].contains(&old) && both.files()[&path].contains(&new));
        let what = "/bin/kubectl".to_owned();
        assert!(receipt(vec![file(old), Event::Forgotten { what }]).is_empty());
    }

    #[test]
    fn a_journal_of_a_hundred_thousand_directories_is_read_at_once() {
        let directory = |number: u32| Event::Directory {
            path: format!("/a/{number}").into(),
        };
        let count = 100_000;
        let begun = std::time::Instant::now();
        let many = receipt((0..count).map(directory).chain([directory(7)]).collect());
        let directories = many.directories();
        assert_eq!(directories.len(), count as usize);
        assert_eq!(directories[0], Path::new("/a/99999"));
        assert_eq!(directories[99_992], Path::new("/a/7"), "it was made before");
        // 100 s when each was compared with all the others.
        assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
    }

    #[test]
    fn a_volume_is_complete_only_when_the_seed_ended() {
        let volume = Event::Volume {
            name: "minikube".into(),
            nonce: "n".into(),
        };
        let seeded = Event::VolumeSeeded {
            name: "minikube".into(),
            nonce: "n".into(),
            content: Digest::of(b""),
        };
        assert_eq!(receipt(vec![volume.clone()]).volumes()["minikube"].content, None);
        let complete = receipt(vec![volume.clone(), seeded.clone()]);
        assert_eq!(complete.volumes()["minikube"].content, Some(Digest::of(b"")));
        assert!(complete.holds(&seeded) && !complete.holds(&volume));
        let name = "minikube".to_owned();
        assert!(receipt(vec![volume, seeded, Event::ProfileRemoved { name }]).is_empty());
    }

    #[test]
    fn the_highest_serial_stays() {
        let bundle = |serial| Event::Bundle {
            name: "b".into(),
            serial,
            kubernetes_version: format!("v1.{serial}.0"),
        };
        let receipt = receipt(vec![bundle(2), bundle(1)]);
        assert_eq!((receipt.serial("b"), receipt.serial("c")), (Some(2), None));
    }
}
