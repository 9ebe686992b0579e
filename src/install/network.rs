//! What joins the pods of a cluster, as minikube chooses it, and whether the bundle has
//! the images for it. Source: minikube v1.38.1, `pkg/minikube/cni/cni.go:125-163`;
//! the repositories are those in its program.

use super::{SiteOptions, Way};
use crate::bundle::{ContainerRuntime, PlatformView};

/// Networks that minikube brings manifests for: its name for each, and a word that is
/// in the repository of each of its images.
const WITH_IMAGES: [(&str, &str); 4] = [
    ("calico", "calico"),
    ("cilium", "cilium"),
    ("flannel", "flannel"),
    ("kindnet", "kindest/kindnetd"),
];

/// The same of what `--ha` runs on each control plane.
const KUBE_VIP: &str = "kube-vip";

/// Which network a start takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Network {
    /// minikube's bridge, whose plugins are in the node image.
    Bridge,
    /// One of minikube's that runs from images, by minikube's name for it.
    FromImages(&'static str),
    /// None, or one of the person's own.
    Other,
}

impl SiteOptions {
    /// The network that minikube takes with these options.
    pub(super) fn network(&self, view: PlatformView<'_>) -> Network {
        match self.values_of("--cni").last().map(String::as_str) {
            None if self.passes("--enable-default-cni") => Network::Bridge,
            None if takes_bridge(view, self) => Network::Bridge,
            None | Some("" | "auto") => {
                let docker = self.runtime(view.container_runtime()) == ContainerRuntime::Docker;
                if docker && !self.asks_several_nodes() {
                    Network::Bridge
                } else {
                    Network::FromImages("kindnet")
                }
            }
            Some("bridge" | "true") => Network::Bridge,
            Some(name) => WITH_IMAGES
                .iter()
                .find(|(known, _)| *known == name)
                .map_or(Network::Other, |(known, _)| Network::FromImages(known)),
        }
    }
}

/// Whether the nodes get ready only with the images of their network. minikube's cache does
/// not bring them: they are in none of its lists. Seen with minikube v1.38.1 and `--nodes 2`:
/// kindnet stays in `ImagePullBackOff`, and no node gets ready; minikube waits six minutes.
#[must_use]
pub fn needs_images_of_a_network(view: PlatformView<'_>, options: &SiteOptions) -> bool {
    matches!(options.network(view), Network::FromImages(_))
}

/// Whether a start adds `--cni=bridge`: where minikube would take kindnet for a single
/// node, and the node would not have it.
#[must_use]
pub fn takes_bridge(view: PlatformView<'_>, options: &SiteOptions) -> bool {
    options.runtime(view.container_runtime()) == ContainerRuntime::Containerd
        && !options.asks_several_nodes()
        && !options.passes("--cni")
        && (options.way == Way::Cache || !carries(view, "kindnet"))
}

/// Whether the bundle has an image of the network with this name.
pub(super) fn carries(view: PlatformView<'_>, network: &str) -> bool {
    let known = WITH_IMAGES.iter().find(|(known, _)| *known == network);
    known.is_some_and(|(_, word)| has(view, word))
}

/// Whether the bundle has the image that `--ha` needs besides.
pub(super) fn carries_kube_vip(view: PlatformView<'_>) -> bool {
    has(view, KUBE_VIP)
}

fn has(view: PlatformView<'_>, word: &str) -> bool {
    view.cluster_images()
        .any(|image| image.reference.repository().contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::testing::{index, view, with};

    #[test]
    fn the_network_is_the_one_that_minikube_takes() {
        let containerd = |arguments: &str| SiteOptions {
            container_runtime: Some(ContainerRuntime::Containerd),
            ..with(arguments)
        };
        let kindnet = Network::FromImages("kindnet");
        for (options, network) in [
            (with(""), Network::Bridge),
            (with("--nodes 2"), kindnet),
            (with("--ha"), kindnet),
            (with("--cni auto -n 2"), kindnet),
            (with("--cni=kindnet"), kindnet),
            (with("--cni kindnet --cni bridge"), Network::Bridge),
            (with("--cni calico"), Network::FromImages("calico")),
            (with("--nodes 2 --cni=bridge"), Network::Bridge),
            (with("--nodes 2 --cni=false"), Network::Other),
            (with("--nodes 2 --cni=./own.yaml"), Network::Other),
            (with("--nodes 2 --enable-default-cni"), Network::Bridge),
            (containerd(""), Network::Bridge),
            (containerd("--cni=auto"), kindnet),
            (containerd("--nodes=2"), kindnet),
        ] {
            let taken = options.network(view(&index()));
            assert_eq!(taken, network, "{:?}", options.extra_args);
        }
        let mut carrying = index();
        carrying.images[3].reference = "docker.io/kindest/kindnetd:v1".parse().expect("reference");
        assert_eq!(containerd("").network(view(&carrying)), kindnet);
        let cached = SiteOptions {
            way: Way::Cache,
            ..containerd("")
        };
        assert_eq!(cached.network(view(&carrying)), Network::Bridge);
        assert!(carries(view(&carrying), "kindnet") && !carries(view(&index()), "kindnet"));
        assert!(!carries(view(&carrying), "calico") && !carries_kube_vip(view(&carrying)));
    }
}
