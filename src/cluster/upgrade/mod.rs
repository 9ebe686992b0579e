//! A cluster goes to another release of Kubernetes, or back.
//!
//! The journal says how far it is: until the nodes are ready, every way out leads back to the
//! old cluster. A failed upgrade goes back by itself, a killed one at the beginning of the
//! next run, and one that is done when `rollback` asks for it, as long as the kept state is
//! there.

mod error;
mod kept;
mod rollback;

pub(super) use error::UpgradeError;
pub use rollback::{RolledBack, rollback};

use super::ClusterError;
use super::{minikube, ready};
use crate::docker::Engine;
use crate::host::unix_seconds;
use crate::install::{Event, Session, Upgrade, UpgradeState};
use crate::minikube::{NodeStatus, ProfileConfig, restart_arguments};
use crate::progress::Progress;

/// Records how far the upgrade of a profile is.
pub(super) fn record(session: &mut Session, profile: &str, upgrade: &Upgrade) -> Result<(), ClusterError> {
    let (profile, upgrade) = (profile.to_owned(), upgrade.clone());
    Ok(session.journal.record(Event::Upgrade { profile, upgrade })?)
}

/// Keeps the state of a cluster that runs, which stops it: from here on it changes. Gives the
/// upgrade as it is to be recorded once the nodes are ready.
pub(super) fn keep(
    session: &mut Session,
    engine: &Engine,
    profile: &str,
    mut upgrade: Upgrade,
) -> Result<Upgrade, ClusterError> {
    upgrade.state = UpgradeState::Changing;
    record(session, profile, &upgrade)?;
    let at = unix_seconds();
    let bytes = kept::keep(session, engine, profile)?;
    upgrade.state = UpgradeState::Done { at, bytes };
    Ok(upgrade)
}

/// Removes the state that the last upgrade of the profile left, and the binaries of before:
/// there is no way back behind the next one.
pub(super) fn forget(session: &mut Session, engine: &Engine, profile: &str) -> Result<(), ClusterError> {
    kept::forget(engine, profile)?;
    session.placer().drop_earlier()?;
    let profile = profile.to_owned();
    Ok(session.journal.record(Event::UpgradeForgotten { profile })?)
}

/// Undoes what a killed run began to do to the profile; says whether there was something.
pub(super) fn settle(
    session: &mut Session,
    engine: &Engine,
    profile: &str,
    progress: &dyn Progress,
) -> Result<bool, ClusterError> {
    let upgrade = session.journal.receipt().upgrades().get(profile).cloned();
    let Some(upgrade) = upgrade.filter(Upgrade::is_unfinished) else {
        return Ok(false);
    };
    progress.warn(&format!(
        "the upgrade of `{profile}` to Kubernetes {} was broken off: the cluster goes back to {} first",
        upgrade.to, upgrade.from
    ));
    go_back(session, engine, profile, &upgrade, progress)?;
    session.begin_again();
    Ok(true)
}

/// Gives the profile, with binaries and bundles, the state from before `upgrade`, and starts
/// it. It can be broken off anywhere and done again.
pub(super) fn go_back(
    session: &mut Session,
    engine: &Engine,
    profile: &str,
    upgrade: &Upgrade,
    progress: &dyn Progress,
) -> Result<(), ClusterError> {
    progress.begin("back to the old cluster", None);
    let is_changed = upgrade.state != UpgradeState::Loading;
    if is_changed {
        let state = UpgradeState::Changing;
        record(
            session,
            profile,
            &Upgrade {
                state,
                ..upgrade.clone()
            },
        )?;
    }
    session.placer().put_back()?;
    put_back_bundle(session, upgrade)?;
    if is_changed {
        start_container(engine, profile)?;
        kept::restore(session, engine, profile)?;
        start_as_it_is(session, engine, profile, progress)?;
        ready::wait(session, profile)?;
        kept::forget(engine, profile)?;
    }
    for (of, stage) in session.journal.receipt().unfinished_stages() {
        session.end(&of, &stage)?;
    }
    let name = profile.to_owned();
    session
        .journal
        .record(Event::UpgradeForgotten { profile: name })?;
    progress.end(&format!("Kubernetes {}", upgrade.from));
    Ok(())
}

fn put_back_bundle(session: &mut Session, upgrade: &Upgrade) -> Result<(), ClusterError> {
    let name = upgrade.to_bundle.clone();
    session.journal.record(Event::BundleForgotten { name })?;
    Ok(session.journal.record(Event::Bundle {
        name: upgrade.bundle.clone(),
        serial: upgrade.serial,
        kubernetes_version: upgrade.from.clone(),
    })?)
}

/// After a power cut the node's container is there and does not run.
fn start_container(engine: &Engine, node: &str) -> Result<(), ClusterError> {
    if engine
        .container(node)?
        .is_some_and(|container| !container.running())
    {
        engine.start_container(node)?;
    }
    Ok(())
}

/// Has minikube start the profile as minikube's own file says.
pub(super) fn start_as_it_is(
    session: &mut Session,
    engine: &Engine,
    profile: &str,
    progress: &dyn Progress,
) -> Result<(), ClusterError> {
    let home = session.layout.minikube_home.clone();
    let program = minikube::of_session(session, Some(engine), &home, false)?;
    let nodes = program.nodes(profile)?;
    if !nodes.is_empty() && nodes.iter().all(NodeStatus::runs) {
        return Ok(());
    }
    let version = ProfileConfig::load(&home, profile)?.unwrap_or_default();
    let version = version.kubernetes_config.kubernetes_version;
    // What minikube cannot read it does not look for in its list.
    let is_known = match version.parse() {
        Ok(version) => program.knows(&version)?,
        Err(_) => true,
    };
    let arguments = restart_arguments(profile, session.environment.is_root() || !is_known);
    minikube::start(&program, &arguments, session, progress)
}
