//! Which network's images a bundle carries.

use crate::bundle::text::{named_values, serde_as_text};

/// The network between the pods that a bundle has what it needs for, by minikube's
/// name for it. In text: `auto`, `bridge`, `calico`, `cilium`, `flannel`, `kindnet`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Cni {
    /// What the nodes need: one the bridge, several control planes kindnet.
    #[default]
    Auto,
    /// minikube's bridge, whose plugins are in the node image.
    Bridge,
    /// Calico, with network policies, from images.
    Calico,
    /// Cilium, the same.
    Cilium,
    /// Flannel, from images.
    Flannel,
    /// kindnet, which joins several nodes, from an image.
    Kindnet,
}

impl Cni {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Auto,
        Self::Bridge,
        Self::Calico,
        Self::Cilium,
        Self::Flannel,
        Self::Kindnet,
    ];

    /// The value of `--cni`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Bridge => "bridge",
            Self::Calico => "calico",
            Self::Cilium => "cilium",
            Self::Flannel => "flannel",
            Self::Kindnet => "kindnet",
        }
    }
}

named_values!(Cni, CniError: "`{0}` is not a network that `--cni` brings (auto, bridge, calico, cilium, flannel or kindnet); the images of another go in with \
     `--image docker://NAME`, and its name to the start, after `--`");

serde_as_text!(read_only Cni);
