//! Which images Kubernetes needs, where no kubeadm can be asked.

use super::{ResolveError, parse};
use crate::bundle::{ImageReference, Version};

/// A minor release, and the tags of pause, etcd and coredns that it needs from a patch release on.
type Row = (u64, u64, &'static str, &'static str, &'static str);

/// Source: minikube eb25dbc703, before v1.39.0, `pkg/minikube/constants/constants_kubeadm_images.go`,
/// which is generated from `kubeadm config images list`. Of v1.37 it has pre-releases alone.
const ROWS: [Row; 21] = [
    (28, 0, "3.9", "3.5.9-0", "v1.10.1"),
    (28, 6, "3.9", "3.5.10-0", "v1.10.1"),
    (28, 8, "3.9", "3.5.12-0", "v1.10.1"),
    (28, 14, "3.9", "3.5.15-0", "v1.10.1"),
    (29, 0, "3.9", "3.5.10-0", "v1.11.1"),
    (29, 3, "3.9", "3.5.12-0", "v1.11.1"),
    (29, 9, "3.9", "3.5.15-0", "v1.11.1"),
    (29, 11, "3.9", "3.5.16-0", "v1.11.1"),
    (30, 0, "3.9", "3.5.12-0", "v1.11.1"),
    (30, 5, "3.9", "3.5.15-0", "v1.11.3"),
    (31, 0, "3.10", "3.5.15-0", "v1.11.1"),
    (31, 1, "3.10", "3.5.15-0", "v1.11.3"),
    (31, 14, "3.10", "3.5.24-0", "v1.11.3"),
    (32, 0, "3.10", "3.5.16-0", "v1.11.3"),
    (32, 10, "3.10", "3.5.24-0", "v1.11.3"),
    (33, 0, "3.10", "3.5.21-0", "v1.12.0"),
    (33, 6, "3.10", "3.5.24-0", "v1.12.0"),
    (34, 0, "3.10.1", "3.6.4-0", "v1.12.1"),
    (34, 2, "3.10.1", "3.6.5-0", "v1.12.1"),
    (35, 0, "3.10.1", "3.6.6-0", "v1.13.1"),
    (36, 0, "3.10.2", "3.6.8-0", "v1.14.2"),
];

/// The newest patch release of each minor one in that source: what comes after it may
/// need other tags, and a guess would be found out at the site.
const LAST_PATCHES: [(u64, u64); 9] = [
    (28, 15),
    (29, 15),
    (30, 14),
    (31, 14),
    (32, 13),
    (33, 13),
    (34, 10),
    (35, 7),
    (36, 3),
];

/// The images that kubeadm `version` would list; an error for a version, or a
/// pre-release, that the table does not have.
pub(super) fn list(version: &Version) -> Result<Vec<ImageReference>, ResolveError> {
    let unknown = || ResolveError::UnknownVersion {
        version: version.clone(),
    };
    let is_release = !version.to_string().contains('-');
    let is_known = LAST_PATCHES
        .iter()
        .any(|&(minor, last)| version.minor() == minor && version.patch() <= last);
    if version.major() != 1 || !is_release || !is_known {
        return Err(unknown());
    }
    let (.., pause, etcd, coredns) = ROWS
        .iter()
        .rfind(|(minor, patch, ..)| *minor == version.minor() && *patch <= version.patch())
        .ok_or_else(unknown)?;
    let programs = ["apiserver", "controller-manager", "scheduler", "proxy"];
    let mut images: Vec<ImageReference> = programs
        .iter()
        .map(|program| parse(&format!("registry.k8s.io/kube-{program}:{version}")))
        .collect();
    images.push(parse(&format!("registry.k8s.io/coredns/coredns:{coredns}")));
    images.push(parse(&format!("registry.k8s.io/pause:{pause}")));
    images.push(parse(&format!("registry.k8s.io/etcd:{etcd}")));
    Ok(images)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(version: &str) -> Vec<String> {
        let version = version.parse().expect("version");
        list(&version)
            .expect("in the table")
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_patch_release_gets_the_tags_that_came_last_before_it() {
        assert_eq!(
            images("v1.30.6"),
            [
                "registry.k8s.io/kube-apiserver:v1.30.6",
                "registry.k8s.io/kube-controller-manager:v1.30.6",
                "registry.k8s.io/kube-scheduler:v1.30.6",
                "registry.k8s.io/kube-proxy:v1.30.6",
                "registry.k8s.io/coredns/coredns:v1.11.3",
                "registry.k8s.io/pause:3.9",
                "registry.k8s.io/etcd:3.5.15-0",
            ]
        );
        assert!(images("v1.33.5").contains(&"registry.k8s.io/etcd:3.5.21-0".to_owned()));
        assert!(images("v1.35.7").contains(&"registry.k8s.io/etcd:3.6.6-0".to_owned()));
        for image in ["etcd:3.6.8-0", "pause:3.10.2", "coredns/coredns:v1.14.2"] {
            assert!(
                images("v1.36.3").contains(&format!("registry.k8s.io/{image}")),
                "{image}"
            );
        }
    }

    #[test]
    fn a_version_beyond_the_table_is_not_guessed() {
        for version in [
            "v1.27.0",
            "v1.35.8",
            "v1.36.4",
            "v1.37.0",
            "v2.30.0",
            "v1.35.0-rc.1",
        ] {
            let error = list(&version.parse().expect("version")).expect_err(version);
            assert!(error.to_string().contains(version), "{error}");
        }
    }
}
