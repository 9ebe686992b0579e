//! What is on this machine, and how it does.

use std::path::{Path, PathBuf};

use super::ClusterError;
use super::applications::{Release, releases};
use super::minikube;
use crate::bundle::BinaryRole;
use crate::docker::Engine;
use crate::explain::{Explain, Explanation, Kind};
use crate::host::Environment;
use crate::install::{InstalledBundle, Journal, Layout, Session, UpgradeState};
use crate::minikube::{NodeStatus, ProfileConfig};

/// What was installed, and what runs.
#[derive(Clone, Debug)]
pub struct Status {
    /// The bundles.
    pub bundles: Vec<InstalledBundle>,
    /// The profiles in minikube's directory.
    pub profiles: Vec<ProfileStatus>,
    /// Whether another run is at work, or a killed one left this machine unfinished:
    /// the stage that was begun.
    pub unfinished: Vec<(String, String)>,
    /// The states from before upgrades, to which `rollback` returns.
    pub kept: Vec<KeptState>,
    /// Where all of that was looked for: our records, and minikube's directory.
    pub looked: [PathBuf; 2],
}

/// The state of a profile from before an upgrade.
#[derive(Clone, Debug)]
pub struct KeptState {
    /// The profile.
    pub profile: String,
    /// The Kubernetes release in it.
    pub from: String,
    /// The one that the profile was to get.
    pub to: String,
    /// How far it came.
    pub state: UpgradeState,
}

/// How a profile does.
#[derive(Clone, Debug)]
pub struct ProfileStatus {
    /// Its name.
    pub name: String,
    /// Whether a bundle made it.
    pub ours: bool,
    /// The Kubernetes release in it.
    pub kubernetes_version: String,
    /// The runtime in it.
    pub container_runtime: String,
    /// Its nodes, as minikube sees them; empty where minikube does not answer.
    pub nodes: Vec<NodeStatus>,
    /// The releases of Helm in it.
    pub applications: Vec<Release>,
}

impl Status {
    /// `running`, when all of the clusters run; `stopped`, when one does not; `absent` without
    /// any. Of `profile` alone, else of those that a bundle made.
    #[must_use]
    pub fn state(&self, profile: Option<&str>) -> State {
        let counts = |found: &&ProfileStatus| profile.is_some() || found.ours;
        let mut counted = self.profiles.iter().filter(counts).peekable();
        if counted.peek().is_none() {
            State::Absent
        } else if counted.all(ProfileStatus::runs) {
            State::Running
        } else {
            State::Stopped
        }
    }
}

/// How the clusters are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// All of them run.
    Running,
    /// One is there and does not run, or not all of it.
    Stopped,
    /// There is none.
    Absent,
}

impl State {
    /// The name in `--output json`; stable API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Absent => "absent",
        }
    }
}

impl ProfileStatus {
    /// Whether all of it runs.
    #[must_use]
    pub fn runs(&self) -> bool {
        !self.nodes.is_empty() && self.nodes.iter().all(NodeStatus::runs)
    }
}

/// Looks; changes nothing and needs no bundle.
pub fn status(minikube_home: Option<&Path>, profile: Option<&str>) -> Result<Status, ClusterError> {
    let environment = Environment::of_this_process();
    let layout = Layout::of(&environment, minikube_home)?;
    let receipt = Journal::peek(&layout.journal())?;
    let engine = Engine::connect(&environment).ok();
    let program = minikube::of(&layout, engine.as_ref());
    let mut names = ProfileConfig::names(&layout.minikube_home);
    names.retain(|name| profile.is_none_or(|profile| profile == name));
    let mut profiles = Vec::new();
    for name in names {
        let config = ProfileConfig::load(&layout.minikube_home, &name)?.unwrap_or_default();
        let nodes = if program.is_installed() {
            program.nodes(&name)?
        } else {
            Vec::new()
        };
        let runs = !nodes.is_empty() && nodes.iter().all(NodeStatus::runs);
        let applications = if runs {
            releases(&layout, &name)
        } else {
            Vec::new()
        };
        profiles.push(ProfileStatus {
            applications,
            ours: receipt.profiles().contains_key(&name),
            kubernetes_version: config.kubernetes_config.kubernetes_version,
            container_runtime: config.kubernetes_config.container_runtime,
            name,
            nodes,
        });
    }
    let upgrades = receipt.upgrades().iter();
    let kept = upgrades.filter(|(name, _)| profile.is_none_or(|profile| profile == *name));
    let kept = kept.map(|(name, upgrade)| KeptState {
        profile: name.clone(),
        from: upgrade.from.clone(),
        to: upgrade.to.clone(),
        state: upgrade.state,
    });
    Ok(Status {
        kept: kept.collect(),
        bundles: receipt.bundles().cloned().collect(),
        profiles,
        unfinished: receipt.unfinished_stages(),
        looked: [layout.journal(), layout.minikube_home],
    })
}

/// A cluster that cannot be stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StopError {
    /// The profile is not of a bundle that this user started.
    #[error("cannot stop profile `{profile}`: no bundle is installed here, there is no `{}`", minikube.display())]
    NothingInstalled {
        /// What was asked for.
        profile: String,
        /// Where minikube would be.
        minikube: PathBuf,
    },
    /// minikube has no such profile.
    #[error("minikube has no profile `{profile}` in `{}`{}", home.display(), others(known))]
    NoProfile {
        /// What was asked for.
        profile: String,
        /// minikube's directory.
        home: PathBuf,
        /// Those that it has.
        known: Vec<String>,
    },
}

fn others(known: &[String]) -> String {
    match known {
        [] => String::new(),
        known => format!(": those that it has are `{}`", known.join("`, `")),
    }
}

impl Explain for StopError {
    fn explain(&self) -> Explanation {
        let hint = match self {
            Self::NothingInstalled { .. } => {
                "run it as the user who started the bundle, with the same `HOME` and `XDG_DATA_HOME`; \
                 nothing was changed"
            }
            Self::NoProfile { .. } => {
                "name another with `--profile`, or its directory with `--minikube-home`; nothing was changed"
            }
        };
        Kind::Usage.hint(hint)
    }
}

/// What was stopped.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Stopped {
    /// The cluster; whether any of it ran.
    Cluster(bool),
    /// Nothing: neither a bundle nor a profile is here. Where they were looked for.
    NothingHere([PathBuf; 2]),
}

/// Stops a profile's cluster; a start resumes it. Where there is nothing to stop, it changes nothing.
pub fn stop(minikube_home: Option<&Path>, profile: &str) -> Result<Stopped, ClusterError> {
    let layout = Layout::of(&Environment::of_this_process(), minikube_home)?;
    let is_there = ProfileConfig::load(&layout.minikube_home, profile)?.is_some();
    let known = ProfileConfig::names(&layout.minikube_home);
    let minikube = layout.program(BinaryRole::Minikube);
    let is_installed = minikube::of(&layout, None).is_installed();
    if !is_there && (known.is_empty() || !is_installed) {
        return Ok(Stopped::NothingHere([minikube, layout.minikube_home]));
    }
    if !is_installed {
        let profile = profile.to_owned();
        return Err(StopError::NothingInstalled { profile, minikube }.into());
    }
    if !is_there {
        let (profile, home) = (profile.to_owned(), layout.minikube_home);
        return Err(StopError::NoProfile { profile, home, known }.into());
    }
    let mut session = Session::open(minikube_home)?;
    let engine = Engine::connect(&session.environment)?;
    session.claim(&engine, profile)?;
    let home = session.layout.minikube_home.clone();
    let program = minikube::of_session(&session, Some(&engine), &home, false)?;
    let stopped = |node: &NodeStatus| node.host == "Stopped";
    let before = program.nodes(profile)?;
    minikube::stop(&program, profile, &mut session)?;
    Ok(Stopped::Cluster(before.is_empty() || !before.iter().all(stopped)))
}
