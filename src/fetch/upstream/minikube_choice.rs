//! Which minikube is the newest that has a Kubernetes: by a table of what is known and, for
//! what came later, by the list of its releases that minikube publishes.

use super::minikube_releases::list;
use super::{Upstream, UpstreamError, check_pair, releases};
use crate::bundle::{BinaryRole, Platform, Version};
use crate::progress::Progress;
use crate::resolve::Ask;

/// minikube's release with the first Kubernetes release and the last minor one that it
/// has. Source: `pkg/minikube/constants/constants.go` of each.
const KNOWN: [(&str, u32, u32); 3] = [("v1.38.1", 28, 35), ("v1.33.1", 20, 30), ("v1.32.0", 16, 28)];

/// The release of minikube for this Kubernetes: the one that is asked for, or the newest
/// that has it.
pub(super) fn minikube_for(
    upstream: &Upstream,
    kubernetes: &Version,
    ask: Ask<'_>,
    progress: &dyn Progress,
) -> Result<Version, UpstreamError> {
    if let Some(version) = &upstream.sources.minikube_version {
        return refuse_pair(version, kubernetes).map(|()| version.clone());
    }
    if let Some(found) = upstream.minikube.get() {
        return Ok(found.clone());
    }
    let found = newest_with(upstream, kubernetes, ask, progress)?;
    Ok(upstream.minikube.get_or_init(|| found).clone())
}

/// The newest release that is listed and later than all known ones, if it says that it
/// has this Kubernetes; else the newest known one that has it.
fn newest_with(
    upstream: &Upstream,
    kubernetes: &Version,
    ask: Ask<'_>,
    progress: &dyn Progress,
) -> Result<Version, UpstreamError> {
    let known = known_with(kubernetes);
    let Some(later) = later_with(upstream, kubernetes, progress) else {
        return known.ok_or_else(|| none_has(kubernetes));
    };
    let refusal = match asked(upstream, &later, kubernetes, ask, progress) {
        Ok(()) => return Ok(later),
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
    let (_, first, _) = KNOWN[0];
    if kubernetes.major() == 1 && kubernetes.minor() < first {
        return None;
    }
    let newest_listed = list(upstream, progress)?.newest()?;
    (*newest_listed > newest_known()).then(|| newest_listed.clone())
}

/// Fetches this minikube and asks it whether it has this Kubernetes.
fn asked(
    upstream: &Upstream,
    minikube: &Version,
    kubernetes: &Version,
    ask: Ask<'_>,
    progress: &dyn Progress,
) -> Result<(), UpstreamError> {
    let role = BinaryRole::Minikube;
    let own = Platform::of_this_machine().ok_or_else(|| UpstreamError::NotAsked {
        what: "the Kubernetes releases that it has",
        reason: format!("{minikube} does not run on this machine"),
    })?;
    let published = releases::published(upstream, role, minikube, own, progress)?;
    let program = releases::download(upstream, role, own, published, progress)?;
    check_pair(ask, &program.path, kubernetes)
}

/// The newest known release that has it.
fn known_with(kubernetes: &Version) -> Option<Version> {
    let (version, ..) = KNOWN
        .iter()
        .find(|(_, first, last)| kubernetes.major() == 1 && (*first..=*last).contains(&kubernetes.minor()))?;
    Some(known_version(version))
}

/// The newest release in the table.
pub(super) fn newest_known() -> Version {
    known_version(KNOWN[0].0)
}

fn known_version(version: &str) -> Version {
    version.parse().expect("a version in this program is one")
}

fn none_has(kubernetes: &Version) -> UpstreamError {
    let (newest, first, last) = KNOWN[0];
    UpstreamError::NoMinikube {
        kubernetes: kubernetes.clone(),
        newest,
        oldest: format!("v1.{first}"),
        latest: format!("v1.{last}"),
    }
}

/// Fails at once where it is known that this minikube does not have this Kubernetes.
fn refuse_pair(minikube: &Version, kubernetes: &Version) -> Result<(), UpstreamError> {
    let known = KNOWN
        .iter()
        .find(|(version, ..)| *version == minikube.to_string());
    match known {
        Some((_, first, last)) if !(*first..=*last).contains(&kubernetes.minor()) => {
            Err(UpstreamError::Pair {
                minikube: minikube.to_string(),
                kubernetes: kubernetes.clone(),
                oldest: format!("v1.{first}"),
                newest: format!("v1.{last}"),
            })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kubernetes_has_the_newest_minikube_of_the_table() {
        let minikube = |text: &str| {
            let found = known_with(&text.parse().expect("version"));
            found.map(|version| version.to_string())
        };
        for (kubernetes, expected) in [
            ("v1.35.4", Some("v1.38.1")),
            ("v1.28.0", Some("v1.38.1")),
            ("v1.27.9", Some("v1.33.1")),
            ("v1.19.0", Some("v1.32.0")),
            ("v1.36.0", None),
            ("v2.30.0", None),
        ] {
            assert_eq!(minikube(kubernetes).as_deref(), expected, "{kubernetes}");
        }
    }
}
