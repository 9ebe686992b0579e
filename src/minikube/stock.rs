//! What starts a cluster with a stock minikube, from a cache that was filled.

use std::path::Path;

use super::{Cache, SiteOptions, Way, quoted, takes_bridge};
use crate::bundle::{ContainerRuntime, PlatformView};

/// The node image is loaded first: minikube would load it from the cache, too, but
/// then asks a registry for it and waits.
pub(crate) fn stock_commands(
    view: PlatformView<'_>,
    cache: &Cache,
    home: &Path,
    runtime: ContainerRuntime,
    root: bool,
) -> Vec<String> {
    let node = view.node_image();
    let archive = cache.node_image(node.platform.arch, &node.reference);
    let mut start = format!(
        "MINIKUBE_HOME={} minikube start --driver=docker --container-runtime={runtime} --kubernetes-version={} --base-image={} --preload=false",
        quoted(home),
        view.kubernetes_version(),
        node.reference
    );
    let plain = SiteOptions {
        container_runtime: Some(runtime),
        way: Way::Cache,
        ..SiteOptions::default()
    };
    if takes_bridge(view, &plain) {
        start.push_str(" --cni=bridge");
    }
    if root {
        start.push_str(" --force");
    }
    vec![format!("docker load -i {}", quoted(&archive)), start]
}
