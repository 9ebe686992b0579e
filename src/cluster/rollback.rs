//! A start that failed leaves the machine as it was before it.

use std::fs;

use super::ClusterError;
use super::{uninstall, upgrade};
use crate::docker::Engine;
use crate::explain::{Explain, Kind, in_one_line};
use crate::host::AtomicFile;
use crate::install::{Session, Upgrade, remove_made_by_this_run};
use crate::minikube::SiteOptions;
use crate::minikube::last_start_log;
use crate::progress::Progress;
use crate::seed;

/// Removes what this run, or a killed one that it went on with, made of the profile, and
/// everything else that this run made. Gives the error, with what became of the rest.
pub(crate) fn roll_back(
    session: &mut Session,
    engine: &Engine,
    options: &SiteOptions,
    mut error: ClusterError,
    progress: &dyn Progress,
) -> ClusterError {
    let upgrade = session
        .journal
        .receipt()
        .upgrades()
        .get(&options.profile)
        .cloned();
    let upgrade = upgrade.filter(Upgrade::is_unfinished);
    if goes_on_later(error.explain().kind) {
        return match upgrade {
            Some(upgrade) => error.with_hint(broken_off(&upgrade)),
            None => error,
        };
    }
    if let Some(upgrade) = upgrade {
        return take_back(session, engine, (options, &upgrade), error, progress);
    }
    if options.keep_failed {
        let text = "what it made stays as it is, as `--keep-failed` asks: `uninstall` removes it";
        return error.with_hint(text);
    }
    progress.begin("roll back", None);
    match undo(session, engine, &options.profile) {
        Ok(log_kept) => {
            progress.end("what this start made is gone");
            let log = session.layout.failed_start_log();
            if log_kept && let ClusterError::Minikube(failed) = &mut error {
                // Where it was named, it is gone with the rest.
                failed.move_log(log.clone());
            }
            let text = if log_kept {
                format!(
                    "what this start made was removed again, but minikube's log, which is `{}` now; `--keep-failed` leaves all of it",
                    log.display()
                )
            } else {
                "what this start made was removed again".to_owned()
            };
            error.with_hint(text)
        }
        Err(problem) => {
            progress.note(&format!("not everything could be removed again: {problem}"));
            error.with_hint("`uninstall` removes what is left of this start")
        }
    }
}

/// The same for an upgrade: the cluster is again what it was.
fn take_back(
    session: &mut Session,
    engine: &Engine,
    (options, upgrade): (&SiteOptions, &Upgrade),
    error: ClusterError,
    progress: &dyn Progress,
) -> ClusterError {
    if options.keep_failed {
        return error.with_hint(broken_off(upgrade));
    }
    let back = upgrade::go_back(session, engine, &options.profile, upgrade, progress)
        .and_then(|()| Ok(remove_made_by_this_run(session, Some(engine))?));
    match back {
        Ok(_) => error.with_hint(format!(
            "the upgrade was taken back: Kubernetes {} runs again, with all that was in the cluster",
            upgrade.from
        )),
        Err(problem) => {
            progress.note(&format!(
                "the old cluster does not run again yet: {}",
                in_one_line(&problem)
            ));
            error.with_hint(broken_off(upgrade))
        }
    }
}

fn broken_off(upgrade: &Upgrade) -> String {
    format!(
        "the cluster is between Kubernetes {} and {}, and its old state is kept: `rollback` goes back to it, \
         the same command again does that and upgrades",
        upgrade.from, upgrade.to
    )
}

/// The same for a run that did not come to its first stage: it has made a journal.
pub(crate) fn nothing_begun(session: &mut Session, error: ClusterError) -> ClusterError {
    // The error is what matters; an empty journal is no harm.
    let _ = remove_made_by_this_run(session, None);
    error
}

/// Whether the same command goes on where this run ended: it was told to end, or a
/// medium went away, which says nothing against what was done.
fn goes_on_later(kind: Kind) -> bool {
    matches!(kind, Kind::Interrupted | Kind::Terminated | Kind::Io)
}

/// Says whether minikube's log was kept.
fn undo(session: &mut Session, engine: &Engine, profile: &str) -> Result<bool, ClusterError> {
    let mut log_kept = false;
    // Ready in this run or not: what follows takes away what the profile needs.
    let was_ready = session
        .before()
        .profiles()
        .get(profile)
        .is_some_and(|before| before.ready);
    let ours = session.journal.receipt().profiles().get(profile).cloned();
    if let Some(made) = ours.filter(|_| !was_ready) {
        log_kept = keep_log(session, &last_start_log(&made.minikube_home))?;
        uninstall::remove_profile(session, engine, profile, &made)?;
    } else {
        // The profile itself was not begun, or is an earlier run's.
        for node in session.journal.receipt().volumes_of(profile) {
            if !session.before().volumes().contains_key(&node) {
                seed::discard_after_kill(session, engine, &node)?;
            }
        }
    }
    remove_made_by_this_run(session, Some(engine))?;
    Ok(log_kept)
}

/// minikube's directory may go, and what it wrote says why the start failed.
fn keep_log(session: &Session, log: &std::path::Path) -> Result<bool, ClusterError> {
    let Ok(text) = fs::read(log) else {
        return Ok(false);
    };
    AtomicFile::write(&session.layout.failed_start_log(), &text, 0o600)?;
    Ok(true)
}
