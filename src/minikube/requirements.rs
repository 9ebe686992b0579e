//! What minikube needs of a host, and what it takes there.

use crate::host::Subnet;

/// The least memory of a node. Source: minikube v1.38.1, `start.go` (`minUsableMem`).
pub(crate) const MINIMUM_MIB: u64 = 1800;

/// The least processors of a node. Source: minikube v1.38.1, `start.go` (`minimumCPUS`).
pub(crate) const MINIMUM_CPUS: u64 = 2;

/// The oldest engine that it takes, and the oldest that it recommends. Source: minikube
/// v1.38.1, `registry/drvs/docker/docker.go:46-47`.
pub(crate) const OLDEST_ENGINE: (u32, u32) = (18, 9);
pub(crate) const RECOMMENDED_ENGINE: (u32, u32) = (20, 10);

/// The drivers with which minikube takes its own preload. Source: minikube v1.38.1,
/// `start.go:1949-1967`.
pub(crate) const PRELOAD_DRIVERS: [&str; 2] = ["overlay2", "overlayfs"];

/// How many ranges minikube tries, from 192.168.49.0/24 on in steps of nine. Source:
/// minikube v1.38.1, `drivers/kic/oci/network_create.go`, `firstSubnetAddr` and
/// `CreateNetwork`.
pub(crate) const CANDIDATES: u8 = 20;
const FIRST: u8 = 49;
const STEP: u8 = 9;

/// Where pods and services have their addresses inside the node. Source: minikube
/// v1.38.1, `constants.DefaultServiceCIDR` and `cni.DefaultPodCIDR`.
pub(crate) const INSIDE: [(&str, Subnet); 2] = [
    ("services", Subnet::new([10, 96, 0, 0], 12)),
    ("pods", Subnet::new([10, 244, 0, 0], 16)),
];

/// The ranges that it tries for the node's network, in its order.
pub(crate) fn candidates() -> impl Iterator<Item = Subnet> {
    (0..CANDIDATES).map(|number| Subnet::new([192, 168, FIRST + STEP * number, 0], 24))
}
