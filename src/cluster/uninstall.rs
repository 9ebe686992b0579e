//! Takes everything off the machine that a start put there, and nothing else. Needs
//! neither the bundle nor a start that ended well.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use super::ClusterError;
use super::{minikube, proof};
use crate::docker::Engine;
use crate::explain::{Explain, Explanation, Kind};
use crate::host::{Environment, FileError};
use crate::install::{
    Event, InstalledProfile, Journal, Layout, Receipt, Removal, Removed, Session, remove_installed,
};
use crate::minikube::NAME;
use crate::minikube::ProfileConfig;
use crate::minikube::{sidecar, written};
use crate::progress::Progress;
use crate::seed;

/// A profile that is not there to be removed.
#[derive(Debug, thiserror::Error)]
#[error("no bundle made a profile `{profile}` here{}", made(profiles))]
pub struct UninstallError {
    /// What was asked for.
    pub profile: String,
    /// Those that bundles made.
    pub profiles: Vec<String>,
}

fn made(profiles: &[String]) -> String {
    match profiles {
        [] => String::new(),
        profiles => format!(", but `{}`", profiles.join("`, `")),
    }
}

impl Explain for UninstallError {
    fn explain(&self) -> Explanation {
        Kind::Usage
            .hint("`status` shows what there is; without `--profile` everything goes; nothing was changed")
    }
}

/// Removes the profiles that we made, with their volumes, then programs, links, cached
/// files, images and directories. Of one `profile` alone, only what is its own.
pub fn uninstall(
    minikube_home: Option<&Path>,
    profile: Option<&str>,
    progress: &dyn Progress,
) -> Result<Removal, ClusterError> {
    if let Some(profile) = profile {
        let layout = Layout::of(&Environment::of_this_process(), minikube_home)?;
        require_profile(&Journal::peek(&layout.journal())?, profile)?;
    }
    let mut session = Session::open(minikube_home)?;
    let receipt = session.journal.receipt().clone();
    let engine = if needs_engine(&receipt) {
        Some(Engine::connect(&session.environment)?)
    } else {
        None
    };
    let mut of_profiles = Removal::default();
    if let Some(engine) = &engine {
        of_profiles = remove_profiles(&mut session, engine, &receipt, profile, progress)?;
    }
    if profile.is_some() {
        let kept = "programs, caches and images: `uninstall` without `--profile` removes them".to_owned();
        of_profiles.kept.push(kept);
        return Ok(of_profiles);
    }
    progress.begin("files and images", None);
    let mut removal = remove_installed(&mut session, engine.as_ref())?;
    progress.end(&format!("{} removed", removal.removed.len()));
    of_profiles.removed.append(&mut removal.removed);
    of_profiles.kept.append(&mut removal.kept);
    Ok(of_profiles)
}

fn require_profile(receipt: &Receipt, profile: &str) -> Result<(), UninstallError> {
    if receipt.profiles().contains_key(profile) || !receipt.volumes_of(profile).is_empty() {
        return Ok(());
    }
    Err(UninstallError {
        profile: profile.to_owned(),
        profiles: receipt.profiles().keys().cloned().collect(),
    })
}

/// Removes these profiles, or `only` one, and the volumes of those that were not begun;
/// names what is gone, and what is another's by now.
fn remove_profiles(
    session: &mut Session,
    engine: &Engine,
    receipt: &Receipt,
    only: Option<&str>,
    progress: &dyn Progress,
) -> Result<Removal, ClusterError> {
    let mut profiles = receipt.profiles().clone();
    profiles.retain(|name, _| only.is_none_or(|only| only == name));
    let names: BTreeSet<String> = profiles
        .keys()
        .cloned()
        .chain(receipt.volumes_of_those(only))
        .collect();
    for name in names {
        session.claim(engine, &name)?;
    }
    let (mut removed, mut kept) = (Vec::new(), Vec::new());
    for (name, profile) in &profiles {
        progress.begin(&format!("profile {name}"), None);
        match remove_profile(session, engine, name, profile)? {
            None => {
                progress.end("removed");
                removed.push(Removed::Profile(name.clone()));
            }
            Some(why) => {
                progress.end("kept");
                kept.push(format!("profile {name}: {why}"));
            }
        }
    }
    for name in session.journal.receipt().volumes_of_those(only) {
        seed::discard_after_kill(session, engine, &name)?;
        removed.push(Removed::Volume(name));
    }
    Ok(Removal { removed, kept })
}

fn needs_engine(receipt: &Receipt) -> bool {
    !(receipt.profiles().is_empty() && receipt.volumes().is_empty() && receipt.images().is_empty())
}

/// Removes the profile; says why it stays where it is another's by now, and is no longer ours.
pub(crate) fn remove_profile(
    session: &mut Session,
    engine: &Engine,
    name: &str,
    profile: &InstalledProfile,
) -> Result<Option<String>, ClusterError> {
    let config = ProfileConfig::load(&profile.minikube_home, name)?.unwrap_or_default();
    let nodes = config.node_names(name);
    if let Some(why) = proof::of_another(engine, session.journal.receipt(), profile, &nodes)? {
        let name = name.to_owned();
        session.journal.record(Event::ProfileRemoved { name })?;
        return Ok(Some(why));
    }
    let program = minikube::of_session(session, Some(engine), &profile.minikube_home, false)?;
    sidecar::discard_all(engine, &profile.minikube_home, name)?;
    if program.is_installed() {
        minikube::delete(&program, name, session)?;
    } else {
        for node in nodes {
            remove_by_hand(engine, &node)?;
        }
    }
    remove_network(engine, name)?;
    seed::discard_all_after_kill(session, engine, name)?;
    if let Some(kubeconfig) = &profile.kubeconfig {
        remove_empty_kubeconfig(kubeconfig)?;
    }
    written::sync_removed(&profile.minikube_home, name, profile.kubeconfig.as_deref())?;
    let name = name.to_owned();
    session.journal.record(Event::ProfileRemoved { name })?;
    Ok(None)
}

/// minikube asks for its network to be removed while the second node is still in it, and
/// goes on when it is refused.
fn remove_network(engine: &Engine, profile: &str) -> Result<(), ClusterError> {
    let labels = engine.network(profile)?.map(|network| network.labels);
    if labels.is_none_or(|labels| labels.get(NAME).is_none_or(|name| name != profile)) {
        return Ok(());
    }
    match engine.remove_network(profile) {
        // A container of somebody's is in it.
        Err(error) if error.is_refusal() => Ok(()),
        removed => Ok(removed?),
    }
}

/// What `minikube delete` does with a node, as far as it is in the engine, for a machine
/// that lost its minikube. Only what carries minikube's label for this node goes.
fn remove_by_hand(engine: &Engine, name: &str) -> Result<(), ClusterError> {
    if let Some(container) = engine.container(name)?
        && container.labels().get(NAME).is_some_and(|value| value == name)
    {
        engine.remove_container(name)?;
    }
    if let Some(volume) = engine.volume(name)?
        && volume.labels.get(NAME).is_some_and(|value| value == name)
    {
        engine.remove_volume(name)?;
    }
    Ok(())
}

/// minikube leaves the file that it made, without its cluster. It goes when no other
/// cluster came into it. Of a run that was killed after that, the directories are left.
fn remove_empty_kubeconfig(path: &Path) -> Result<(), ClusterError> {
    let is_there = match fs::read(path) {
        Ok(text) => {
            if !is_empty_kubeconfig(&String::from_utf8_lossy(&text)) {
                return Ok(());
            }
            true
        }
        Err(error) if is_absence(&error) => false,
        Err(error) => return Err(FileError::at("read", path)(error).into()),
    };
    let directory = path.parent().filter(|directory| directory.ends_with(".kube"));
    if let Some(directory) = directory {
        if is_there {
            // What kubectl caches of the clusters that it talked to.
            for cache in ["cache/discovery", "cache/http"] {
                let _ = fs::remove_dir_all(directory.join(cache));
            }
        }
        remove_if_empty(&directory.join("cache"))?;
    }
    if is_there {
        fs::remove_file(path).map_err(FileError::at("removed", path))?;
    }
    directory.map_or(Ok(()), remove_if_empty)
}

/// Whether there is no such file: it may also be a directory, or below a file.
fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::IsADirectory | io::ErrorKind::NotADirectory | io::ErrorKind::NotFound
    )
}

/// A directory that somebody mounted, or that lies in another's, is not ours.
fn remove_if_empty(directory: &Path) -> Result<(), ClusterError> {
    use io::ErrorKind::{DirectoryNotEmpty, PermissionDenied, ResourceBusy};
    match fs::remove_dir(directory) {
        Err(error)
            if !is_absence(&error)
                && ![DirectoryNotEmpty, PermissionDenied, ResourceBusy].contains(&error.kind()) =>
        {
            Err(FileError::at("removed", directory)(error).into())
        }
        _ => Ok(()),
    }
}

/// The lists in a kubeconfig are of objects, which start with `- `.
fn is_empty_kubeconfig(text: &str) -> bool {
    text.contains("kind: Config") && !text.lines().any(|line| line.trim_start().starts_with("- "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kubeconfig_with_another_cluster_stays() {
        let empty = "apiVersion: v1\nclusters: null\ncontexts: null\ncurrent-context: \"\"\nkind: Config\nusers: null\n";
        assert!(is_empty_kubeconfig(empty));
        let other = "apiVersion: v1\nclusters:\n- cluster:\n    server: x\n  name: prod\nkind: Config\n";
        assert!(!is_empty_kubeconfig(other));
        assert!(!is_empty_kubeconfig(""));
    }
}
