//! Back to the cluster from before the last upgrade, because someone asks for it.

use std::path::Path;

use super::UpgradeError;
use crate::cluster::ClusterError;
use crate::docker::Engine;
use crate::host::Environment;
use crate::install::{Journal, Layout, Session};
use crate::progress::Progress;

/// A cluster that is as it was.
#[derive(Clone, Debug)]
pub struct RolledBack {
    /// The Kubernetes release that it had.
    pub from: String,
    /// The one that it has again.
    pub to: String,
}

/// Gives the profile the state that was kept before its last upgrade.
pub fn rollback(
    minikube_home: Option<&Path>,
    profile: &str,
    progress: &dyn Progress,
) -> Result<RolledBack, ClusterError> {
    let nothing = || UpgradeError::NothingKept {
        profile: profile.to_owned(),
    };
    let layout = Layout::of(&Environment::of_this_process(), minikube_home)?;
    if !Journal::peek(&layout.journal())?.upgrades().contains_key(profile) {
        return Err(nothing().into());
    }
    let mut session = Session::open(minikube_home)?;
    let engine = Engine::connect(&session.environment)?;
    session.claim(&engine, profile)?;
    let upgrade = session.journal.receipt().upgrades().get(profile).cloned();
    let upgrade = upgrade.ok_or_else(nothing)?;
    super::go_back(&mut session, &engine, profile, &upgrade, progress)
        .map_err(|error| error.with_hint("the same command again goes on"))?;
    Ok(RolledBack {
        from: upgrade.to,
        to: upgrade.from,
    })
}
