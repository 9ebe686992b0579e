//! What joins the pods of a cluster, as minikube chooses it, and whether the bundle has
//! the images for it. Source: minikube v1.38.1, `pkg/minikube/cni/cni.go:125-163`;
//! the repositories are those in its program.

use super::options::{SiteOptions, Way};
use crate::bundle::{ContainerRuntime, ImageRole, PlatformView};

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
pub(crate) enum Network {
    /// minikube's bridge, whose plugins are in the node image.
    Bridge,
    /// One of minikube's that runs from images, by minikube's name for it.
    FromImages(&'static str),
    /// None, or one of the person's own.
    Other,
}

impl SiteOptions {
    /// The network that minikube takes with these options.
    pub(crate) fn network(&self, view: PlatformView<'_>) -> Network {
        let packed = packed(view).filter(|_| !self.names_network());
        if let Some(name) = packed {
            return Network::FromImages(name);
        }
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

    fn names_network(&self) -> bool {
        self.passes("--cni") || self.passes("--enable-default-cni")
    }
}

/// Whether the nodes get ready only with images that minikube's cache does not bring, as
/// those of their network and kube-vip's: they are in none of its lists. Seen with minikube
/// v1.38.1 and `--nodes 2`: kindnet stays in `ImagePullBackOff`, and no node gets ready;
/// minikube waits six minutes.
#[must_use]
pub fn needs_more_than_the_cache(view: PlatformView<'_>, options: &SiteOptions) -> bool {
    options.asks_high_availability() || matches!(options.network(view), Network::FromImages(_))
}

/// The network that a start of a new profile names for the person, who named none: the one
/// that the bundle was packed for, or the bridge that needs no image. minikube keeps what a
/// profile has.
#[must_use]
pub fn named_network(view: PlatformView<'_>, options: &SiteOptions, is_new: bool) -> Option<&'static str> {
    match packed(view) {
        Some(name) => (is_new && !options.names_network()).then_some(name),
        None => takes_bridge(view, options).then_some("bridge"),
    }
}

/// The network that the bundle was packed for: its images are among those that the cluster
/// needs, and none that a person added. kindnet is none of these: minikube takes it by
/// itself where it is needed.
fn packed(view: PlatformView<'_>) -> Option<&'static str> {
    let has = |word: &str| {
        let mut images = view.cluster_images();
        images.any(|image| image.role == ImageRole::Kubernetes && image.reference.repository().contains(word))
    };
    let mut networks = WITH_IMAGES.iter().filter(|(name, _)| *name != "kindnet");
    networks.find(|(_, word)| has(word)).map(|(name, _)| *name)
}

/// Whether a start adds `--cni=bridge`: where minikube would take kindnet for a single
/// node, and the node would not have it.
#[must_use]
pub(crate) fn takes_bridge(view: PlatformView<'_>, options: &SiteOptions) -> bool {
    options.runtime(view.container_runtime()) == ContainerRuntime::Containerd
        && !options.asks_several_nodes()
        && !options.passes("--cni")
        && (options.way == Way::Cache || !carries(view, "kindnet"))
}

/// Whether the bundle has an image of the network with this name.
pub(crate) fn carries(view: PlatformView<'_>, network: &str) -> bool {
    let known = WITH_IMAGES.iter().find(|(known, _)| *known == network);
    known.is_some_and(|(_, word)| has(view, word))
}

/// Whether the bundle has the image that `--ha` needs besides.
pub(crate) fn carries_kube_vip(view: PlatformView<'_>) -> bool {
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
        assert_eq!(named_network(view(&carrying), &containerd(""), true), None);
        assert!(carries(view(&carrying), "kindnet") && !carries(view(&index()), "kindnet"));
        assert!(!carries(view(&carrying), "calico") && !carries_kube_vip(view(&carrying)));
        for (arguments, more) in [
            ("", false),
            ("--nodes=2 --cni=bridge", false),
            ("--nodes=2", true),
        ] {
            let options = with(arguments);
            assert_eq!(
                needs_more_than_the_cache(view(&index()), &options),
                more,
                "{arguments}"
            );
        }
        assert!(needs_more_than_the_cache(
            view(&index()),
            &with("--ha --cni=bridge")
        ));
    }

    #[test]
    fn a_bundle_that_was_packed_for_a_network_is_started_with_it() {
        let mut index = index();
        assert_eq!(named_network(view(&index), &with(""), true), None);
        index.images[2].reference = "quay.io/calico/node:v3.31.3".parse().expect("reference");
        assert_eq!(index.images[2].role, ImageRole::Kubernetes);
        let calico = Network::FromImages("calico");
        for (arguments, named, network) in [
            ("", Some("calico"), calico),
            ("--nodes 2", Some("calico"), calico),
            ("--cni=bridge", None, Network::Bridge),
            ("--cni=calico", None, calico),
            ("--enable-default-cni", None, Network::Bridge),
        ] {
            let options = with(arguments);
            assert_eq!(named_network(view(&index), &options, true), named, "{arguments}");
            assert_eq!(
                named_network(view(&index), &options, false),
                None,
                "the profile is there"
            );
            assert_eq!(options.network(view(&index)), network, "{arguments}");
        }
        // An image of the person's own says nothing of the network.
        index.images[2].role = ImageRole::Application;
        assert_eq!(named_network(view(&index), &with(""), true), None);
        assert_eq!(with("").network(view(&index)), Network::Bridge);
    }
}
