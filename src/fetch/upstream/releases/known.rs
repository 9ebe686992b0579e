//! The releases of minikube that this program knows, with the Kubernetes releases that each has.

use super::UpstreamError;
use crate::bundle::{ContainerRuntime, Version};

/// minikube's release with the first Kubernetes release and the last minor one that it
/// has. Source: `pkg/minikube/constants/constants.go` of each; for v1.39.0 the one of
/// eb25dbc703, nine days before it, and its release notes for the last.
const KNOWN: [(&str, u64, u64); 4] = [
    ("v1.39.0", 28, 37),
    ("v1.38.1", 28, 35),
    ("v1.33.1", 20, 30),
    ("v1.32.0", 16, 28),
];

/// The known releases, the newest first.
pub fn known_minikubes() -> impl Iterator<Item = &'static str> {
    KNOWN.iter().map(|(version, ..)| *version)
}

/// The known releases that have it, the newest first.
pub(super) fn known_with(kubernetes: &Version) -> Vec<Version> {
    let has_it = |(_, first, last): &&(&str, u64, u64)| {
        kubernetes.major() == 1 && (*first..=*last).contains(&kubernetes.minor())
    };
    let known = KNOWN.iter().filter(has_it);
    known.map(|(version, ..)| known_version(version)).collect()
}

/// From this release on minikube takes containerd where it is not told which container runtime,
/// and docker before. Source: its pull request 23562, and `defaultRuntime` of v1.38.1,
/// `cmd/minikube/cmd/start.go:1541`.
const TAKES_CONTAINERD: &str = "v1.39.0";

/// The container runtime that this release takes by itself.
pub(in crate::fetch) fn runtime_of_release(minikube: &Version) -> ContainerRuntime {
    if *minikube < known_version(TAKES_CONTAINERD) {
        ContainerRuntime::Docker
    } else {
        ContainerRuntime::Containerd
    }
}

/// The newest known release that has it or, where none has, the newest.
pub(in crate::fetch) fn newest_known_with(kubernetes: &Version) -> Version {
    let first = known_with(kubernetes).into_iter().next();
    first.unwrap_or_else(newest_known)
}

/// The newest release in the table.
pub(super) fn newest_known() -> Version {
    known_version(KNOWN[0].0)
}

/// The oldest minor release of Kubernetes that the newest minikube of the table has.
pub(super) fn first_of_newest() -> u64 {
    KNOWN[0].1
}

fn known_version(version: &str) -> Version {
    version.parse().expect("a version in this program is one")
}

/// No known minikube has it.
pub(super) fn none_has(kubernetes: &Version) -> UpstreamError {
    let (newest, first, last) = KNOWN[0];
    UpstreamError::NoMinikube {
        kubernetes: kubernetes.clone(),
        newest,
        oldest: format!("v1.{first}"),
        latest: format!("v1.{last}"),
    }
}

/// Fails at once where it is known that this minikube does not have this Kubernetes.
pub(super) fn refuse_pair(minikube: &Version, kubernetes: &Version) -> Result<(), UpstreamError> {
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
            found
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" ")
        };
        for (kubernetes, expected) in [
            ("v1.37.2", "v1.39.0"),
            ("v1.36.0", "v1.39.0"),
            ("v1.35.4", "v1.39.0 v1.38.1"),
            ("v1.28.0", "v1.39.0 v1.38.1 v1.33.1 v1.32.0"),
            ("v1.27.9", "v1.33.1 v1.32.0"),
            ("v1.19.0", "v1.32.0"),
            ("v1.38.0", ""),
            ("v2.30.0", ""),
        ] {
            assert_eq!(minikube(kubernetes), expected, "{kubernetes}");
        }
    }

    #[test]
    fn a_minikube_before_1_39_is_refused_with_kubernetes_1_36() {
        let pair = |minikube: &str, kubernetes: &str| {
            let (minikube, kubernetes) = (
                minikube.parse().expect("version"),
                kubernetes.parse().expect("version"),
            );
            refuse_pair(&minikube, &kubernetes).map_err(|error| error.to_string())
        };
        let refused = "minikube v1.38.1 has Kubernetes v1.28 to v1.35, and not v1.36.0";
        assert_eq!(pair("v1.38.1", "v1.36.0"), Err(refused.to_owned()));
        assert_eq!(pair("v1.39.0", "v1.37.2"), Ok(()));
    }
}
