//! Takes flags and a TOML file, gives a `Spec`; fails when a key, a value or the
//! file itself is not usable, naming the place.
//!
//! Nothing here looks at the parts themselves: that is `fetch`'s work.

mod accepted;
mod chart;
mod cni;
mod error;
mod file;
mod keys;
mod level;
mod lint;
mod near;
mod partial;
mod platforms;
mod source;
mod sources;
mod split;
mod template;
mod word;

use std::path::PathBuf;

use crate::bundle::{ContainerRuntime, Platform, Version};

pub use accepted::check_accepted;
pub(crate) use accepted::is_accepted;
pub use chart::Chart;
pub use cni::{Cni, CniError};
pub use error::SpecError;
pub use file::{lint_file, load_spec, parse_spec};
#[cfg(test)]
pub(crate) use keys::all_keys;
pub use level::{Level, LevelError};
pub use lint::{Finding, lint};
pub(crate) use near::near;
pub use partial::{PartialSpec, default_output};
pub use platforms::{Platforms, PlatformsError};
pub(crate) use source::is_tag_alone;
pub use source::{ImageSource, ImageSourceError};
pub use sources::{
    ImageRepository, ImageRepositoryError, MirrorCountry, MirrorCountryError, RegistryMirror,
    RegistryMirrorError, Sources,
};
pub use split::{VolumeSize, VolumeSizeError};
pub use template::TEMPLATE;
pub use word::{VersionWord, VersionWordError};

/// What the user asks `pack` for, with every default filled in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Spec {
    /// The Kubernetes release.
    pub kubernetes_version: Version,
    /// The runtime in the node; the one that minikube takes by itself, where nothing is said.
    pub container_runtime: Option<ContainerRuntime>,
    /// The platforms of the sites' machines, sorted.
    pub platforms: Vec<Platform>,
    /// The program minikube, a file for each platform.
    pub minikube: Vec<PathBuf>,
    /// The node image; one that is for a single platform, for each.
    pub kicbase: Vec<ImageSource>,
    /// Directories with kubeadm, kubelet and kubectl, or files with these names.
    pub binaries: Vec<PathBuf>,
    /// minikube's home directories, or the caches in them.
    pub from_cache: Vec<PathBuf>,
    /// Images that go into the node.
    pub images: Vec<ImageSource>,
    /// minikube's addons whose images go into the node.
    pub addons: Vec<String>,
    /// The network whose images go into the node.
    pub cni: Cni,
    /// Whether what several control planes need goes into the node.
    pub ha: bool,
    /// Kubernetes manifests that a start gives to the cluster.
    pub manifests: Vec<PathBuf>,
    /// Helm charts that a start installs, in this order.
    pub charts: Vec<Chart>,
    /// Files that are put on the site's machine.
    pub carried: Vec<PathBuf>,
    /// Where parts come from that are not given.
    pub sources: Sources,
    /// The file to write.
    pub output: PathBuf,
    /// The most that a file of the bundle may hold of the payload; all, where nothing is said.
    pub split: Option<VolumeSize>,
    /// How much time goes into making it small.
    pub level: Level,
    /// The bundle's name, the same for all that replace one another.
    pub name: String,
    /// Grows with each bundle of one name; counted on from the bundle that is replaced, where
    /// nothing is said.
    pub serial: Option<u64>,
    /// The secret key to sign it with.
    pub sign_key: Option<PathBuf>,
}
