//! The releases of minikube that this program knows, with the Kubernetes releases that each has.

use super::UpstreamError;
use crate::bundle::Version;

/// minikube's release with the first Kubernetes release and the last minor one that it
/// has. Source: `pkg/minikube/constants/constants.go` of each.
const KNOWN: [(&str, u32, u32); 3] = [("v1.38.1", 28, 35), ("v1.33.1", 20, 30), ("v1.32.0", 16, 28)];

/// The newest known release that has it.
pub(super) fn known_with(kubernetes: &Version) -> Option<Version> {
    let (version, ..) = KNOWN
        .iter()
        .find(|(_, first, last)| kubernetes.major() == 1 && (*first..=*last).contains(&kubernetes.minor()))?;
    Some(known_version(version))
}

/// The newest release in the table.
pub(super) fn newest_known() -> Version {
    known_version(KNOWN[0].0)
}

/// The oldest minor release of Kubernetes that the newest minikube of the table has.
pub(super) fn first_of_newest() -> u32 {
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
