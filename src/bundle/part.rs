//! The parts of a bundle: what a person would name when asked what is in it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Digest, ImageReference, NamedBy, Origin, Platform, Version};

/// What a program is for. The role, and nothing else, decides where it goes on the
/// machine at the site.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BinaryRole {
    /// Starts the cluster.
    Minikube,
    /// Sets the control plane up, inside the node.
    Kubeadm,
    /// Runs the pods, inside the node.
    Kubelet,
    /// The user's client, and the node's.
    Kubectl,
    /// Installs the bundle's charts: only a bundle with applications has it.
    Helm,
}

impl BinaryRole {
    /// The roles that every bundle has one program for.
    pub const ALL: [Self; 4] = [Self::Minikube, Self::Kubeadm, Self::Kubelet, Self::Kubectl];

    /// Those that Kubernetes releases, in one version.
    pub const KUBERNETES: [Self; 3] = [Self::Kubeadm, Self::Kubelet, Self::Kubectl];

    /// The roles that a bundle has, with applications or without.
    pub fn of_bundle(has_applications: bool) -> impl Iterator<Item = Self> + Clone {
        Self::ALL
            .into_iter()
            .chain(has_applications.then_some(Self::Helm))
    }

    /// The program's file name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Minikube => "minikube",
            Self::Kubeadm => "kubeadm",
            Self::Kubelet => "kubelet",
            Self::Kubectl => "kubectl",
            Self::Helm => "helm",
        }
    }
}

impl fmt::Display for BinaryRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What an image is for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ImageRole {
    /// The node itself (minikube's kicbase): loaded into the machine's engine.
    Node,
    /// Kubernetes needs it: loaded into the node.
    Kubernetes,
    /// The user's own: loaded into the node.
    Application,
}

impl ImageRole {
    /// The role as the index writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Kubernetes => "kubernetes",
            Self::Application => "application",
        }
    }
}

/// A program.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BinaryPart {
    /// What it is for.
    pub role: BinaryRole,
    /// Its release, where it is known.
    pub version: Option<Version>,
    /// The platform that it runs on.
    pub platform: Platform,
    /// Its size in bytes.
    pub size: u64,
    /// The SHA-256 of its content.
    pub sha256: Digest,
    /// Where it came from.
    pub origin: Origin,
}

impl BinaryPart {
    /// Where the program lies in the payload: `bin/linux/amd64/kubelet`, as on the
    /// server that Kubernetes publishes it on.
    #[must_use]
    pub fn member_path(&self) -> String {
        format!("bin/{}/{}", self.platform, self.role)
    }
}

/// A container image.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ImagePart {
    /// What it is for.
    pub role: ImageRole,
    /// Its name.
    pub reference: ImageReference,
    /// The platform that it runs on.
    pub platform: Platform,
    /// The digest of its config, which is its id in Docker Engine.
    pub config: Digest,
    /// The digests of its uncompressed layers, lowest first, as its config lists them.
    pub layers: Vec<Digest>,
    /// The digest of the OCI manifest under which this bundle carries it.
    pub manifest: Digest,
    /// Where it came from.
    pub origin: Origin,
    /// Digests by which it is named.
    pub named_by: Vec<NamedBy>,
}

impl ImagePart {
    /// The digest by which the image is named, such as by minikube's addons: of its image
    /// manifest or image index in its registry.
    #[must_use]
    pub fn named_digest(&self) -> Option<Digest> {
        self.named_by.first().map(|named| named.digest)
    }

    /// Every blob that makes up the image, a layer that is used twice named twice.
    pub fn blobs(&self) -> impl Iterator<Item = Digest> + '_ {
        [self.manifest, self.config]
            .into_iter()
            .chain(self.layers.iter().copied())
    }
}

/// Where a blob lies in the payload: an OCI image layout in the directory `images`.
#[must_use]
pub fn blob_path(digest: Digest) -> String {
    format!("images/blobs/sha256/{}", digest.hex())
}

/// The manifests of one image's name, one for each platform: an OCI image index.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ImageIndex {
    /// The name.
    pub reference: ImageReference,
    /// The digest of the index, which is a blob.
    pub digest: Digest,
}

/// The documents that make the directory `images` an OCI image layout, and those that make
/// it what `docker load` takes: one, or one for each of several platforms, because
/// Docker's form has no place for a platform and two images of one name would collide.
#[must_use]
pub fn layout_documents(platforms: &[Platform]) -> Vec<String> {
    let docker = platforms
        .iter()
        .map(|platform| docker_manifest_path(*platform, platforms));
    ["images/oci-layout", "images/index.json"]
        .map(str::to_owned)
        .into_iter()
        .chain(docker)
        .collect()
}

/// Where the document is that `docker load` reads: `images/manifest.json`, or, in a
/// bundle for several platforms, `images/linux/amd64/manifest.json`.
#[must_use]
pub fn docker_manifest_path(platform: Platform, platforms: &[Platform]) -> String {
    match platforms {
        [_] => "images/manifest.json".to_owned(),
        _ => format!("images/{platform}/manifest.json"),
    }
}
