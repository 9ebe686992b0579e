//! What follows from minikube's source: its command line, events, hints, profile files, labels,
//! node names and environment. What changes for a new minikube is in this directory.

mod arguments;
pub(crate) mod boot;
mod cni;
pub(crate) mod events;
pub(crate) mod hints;
mod home;
mod kubeconfig;
mod labels;
mod nodes;
mod options;
mod profile;
mod settings;
pub(crate) mod sidecar;
mod typed;

pub(crate) use arguments::start_arguments;
pub(crate) use cni::{Network, carries, carries_kube_vip, takes_bridge};
pub use cni::{named_network, needs_more_than_the_cache};
pub(crate) use events::{Complaint, MinikubeEvent, Story};
pub(crate) use home::dot_minikube;
pub use home::{Cache, last_start_log};
pub use kubeconfig::kubeconfig;
pub(crate) use kubeconfig::named_kubeconfig;
pub(crate) use labels::{CREATED_BY, NAME};
pub use nodes::may_be_node_of;
pub(crate) use nodes::{CONTROL_PLANES, MOST_NODES};
pub(crate) use options::{LABEL, is_cpus, is_memory, is_profile_name, memory_mib};
pub use options::{SiteOptions, Way, WayError};
pub use profile::{KubernetesConfig, NodeConfig, ProfileConfig};
pub use settings::MinikubeSettings;
pub(crate) use settings::Setting;
pub(crate) use typed::{move_away, quoted};
