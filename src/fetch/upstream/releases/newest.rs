//! Which minikube is the newest that has a Kubernetes: by the table of what is known and, for
//! what came later, by the list of its releases that minikube publishes.

use std::path::PathBuf;

use super::known::{first_of_newest, known_with, newest_known, none_has, refuse_pair};
use super::list::{latest, list};
use super::page::Released;
use super::program::published;
use super::{Upstream, UpstreamError};
use crate::bundle::{BinaryRole, Platform, Version};
use crate::fetch::minikube::Minikube;
use crate::host::Ask;
use crate::progress::Progress;

/// The release of minikube for this Kubernetes: the one that is asked for, or the newest
/// that has it.
pub(in crate::fetch) fn minikube_for(
    upstream: &Upstream,
    kubernetes: &Version,
    ask: Ask<'_>,
    progress: &dyn Progress,
) -> Result<Version, UpstreamError> {
    if let Some(version) = &upstream.sources.minikube_version {
        return refuse_pair(version, kubernetes).map(|()| version.clone());
    }
    if let Some(found) = upstream.session.minikube.get() {
        return Ok(found.clone());
    }
    let found = newest_with(upstream, kubernetes, ask, progress)?;
    Ok(upstream.session.minikube.get_or_init(|| found).clone())
}

/// The newest known release that has it, of those that are listed where there is a list. Only
/// where there is none, the newest listed release, if it says that it has this Kubernetes:
/// nothing here was ever tried with it.
fn newest_with(
    upstream: &Upstream,
    kubernetes: &Version,
    ask: Ask<'_>,
    progress: &dyn Progress,
) -> Result<Version, UpstreamError> {
    let mut known = known_with(kubernetes);
    let list = list(upstream, progress);
    if let Some(first) = known
        .iter()
        .position(|version| list.is_none_or(|list| list.has(version)))
    {
        return Ok(known.swap_remove(first));
    }
    let known = known.into_iter().next();
    let Some(later) = later_with(upstream, kubernetes, progress) else {
        return known.ok_or_else(|| none_has(kubernetes));
    };
    let opened = lent(upstream, &later, progress).and_then(|path| Minikube::open(ask, path, kubernetes));
    let refusal = match opened {
        Ok(_) => {
            progress.note(&format!(
                "taking minikube {later}, which this program does not know: it says that it has Kubernetes {kubernetes}, \
                 and none is there that is known, up to {}",
                newest_known()
            ));
            return Ok(later);
        }
        Err(
            error @ (UpstreamError::NoRelease { .. }
            | UpstreamError::NotAsked { .. }
            | UpstreamError::Pair { .. }),
        ) => error,
        Err(error) => return Err(error),
    };
    if let Some(known) = known {
        progress.note(&format!("{refusal}: taking minikube {known}"));
        return Ok(known);
    }
    Err(match refusal {
        UpstreamError::Pair { .. } => refusal,
        _ => none_has(kubernetes),
    })
}

/// The newest listed release, if it is later than the known ones and may have this
/// Kubernetes: minikube only ever lets go of the oldest, so that one which a known release
/// is too new for is in no later one, and 130 MB need not come to hear that.
fn later_with(upstream: &Upstream, kubernetes: &Version, progress: &dyn Progress) -> Option<Version> {
    if kubernetes.major() == 1 && kubernetes.minor() < first_of_newest() {
        return None;
    }
    let newest = match list(upstream, progress) {
        Some(list) => list.newest().cloned(),
        None => latest(upstream, progress),
    };
    newest.filter(|newest| *newest > newest_known())
}

/// This minikube, for this machine.
fn lent(upstream: &Upstream, version: &Version, progress: &dyn Progress) -> Result<PathBuf, UpstreamError> {
    let platform = Platform::of_this_machine().ok_or_else(|| UpstreamError::NotAsked {
        what: "the Kubernetes releases that it has",
        reason: format!("{version} does not run on this machine"),
    })?;
    let wanted = Released {
        role: BinaryRole::Minikube,
        version,
        platform,
    };
    let published = published(upstream, wanted, progress)?;
    Ok(upstream.download(&published, progress)?.path)
}
