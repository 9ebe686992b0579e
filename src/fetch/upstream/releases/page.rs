//! Where the release pages are, and what lies where on them.

use super::Upstream;
use crate::bundle::{BinaryRole, Platform, Version};

/// Kubernetes' release page, with a folder for each release.
const KUBERNETES: &str = "https://dl.k8s.io/release";

/// minikube's release page, with a folder for each release.
pub(super) const MINIKUBE: &str = "https://github.com/kubernetes/minikube/releases/download";

/// Where the program is.
pub(super) fn url(upstream: &Upstream, role: BinaryRole, version: &Version, platform: Platform) -> String {
    let arch = platform.arch.name();
    if role == BinaryRole::Minikube {
        let base = minikube_base(upstream);
        return format!("{base}/{version}/minikube-linux-{arch}");
    }
    let base = kubernetes_base(upstream);
    format!("{base}/{version}/bin/linux/{arch}/{}", role.name())
}

/// The release page of minikube, or the mirror that stands for it.
pub(super) fn minikube_base(upstream: &Upstream) -> &str {
    let base = upstream.sources.release_mirror.as_deref().unwrap_or(MINIKUBE);
    base.trim_end_matches('/')
}

/// The release page of Kubernetes, or the mirror that stands for it.
pub(super) fn kubernetes_base(upstream: &Upstream) -> &str {
    let base = upstream.sources.binary_mirror.as_deref().unwrap_or(KUBERNETES);
    base.trim_end_matches('/')
}
