//! What follows from minikube's source: its command line, events, hints, profile files, labels,
//! node names and environment. What changes for a new minikube is in this directory.

mod arguments;
pub(crate) mod boot;
mod cni;
mod command;
mod error;
pub(crate) mod events;
pub(crate) mod hints;
mod home;
mod kubeconfig;
mod labels;
mod leftovers;
mod nodes;
mod options;
mod profile;
pub(crate) mod request;
mod requirements;
mod running;
mod settings;
pub(crate) mod sidecar;
pub(crate) mod state;
mod status;
mod stock;
mod typed;
pub(crate) mod written;

pub(crate) use arguments::{restart_arguments, start_arguments};
pub(crate) use cni::{Network, carries, carries_kube_vip, takes_bridge};
pub use cni::{named_network, needs_more_than_the_cache};
pub(crate) use command::{Minikube, without_proxies};
pub use error::MinikubeError;
pub(crate) use error::read_end;
pub(crate) use events::{Complaint, MinikubeEvent, Story};
pub use home::{Cache, last_start_log};
pub(crate) use home::{binaries_in_node, dot_minikube};
pub use kubeconfig::kubeconfig;
pub(crate) use kubeconfig::named_kubeconfig;
pub(crate) use labels::{CREATED_BY, NAME};
pub(crate) use leftovers::{leftover_directories, leftover_files};
pub use nodes::may_be_node_of;
pub(crate) use nodes::{CONTROL_PLANES, MOST_NODES};
pub(crate) use options::{LABEL, is_cpus, is_memory, is_profile_name, memory_mib};
pub use options::{SiteOptions, Way, WayError};
pub use profile::{KubernetesConfig, NodeConfig, ProfileConfig};
pub use request::RequestError;
pub(crate) use requirements::{
    CANDIDATES, INSIDE, MINIMUM_CPUS, MINIMUM_MIB, OLDEST_ENGINE, PRELOAD_DRIVERS, RECOMMENDED_ENGINE,
    candidates,
};
pub use running::MinikubeNode;
pub(crate) use running::running_nodes;
pub use settings::MinikubeSettings;
pub(crate) use settings::Setting;
pub use status::NodeStatus;
pub(crate) use stock::stock_commands;
pub(crate) use typed::{move_away, quoted};
