//! Takes a Kubernetes version and platforms, gives the `Requirements`: what a bundle for
//! them must carry; fails when nobody knows, or something is missing.

mod error;
mod inventory;
mod kubeadm;
mod lock;
mod pin;
mod table;
mod timestamp;

use std::fmt;
use std::path::Path;

use crate::bundle::{BinaryRole, ImageReference, ImageRole, Platform, Version};
use crate::host::{Ask, ask};

pub use error::ResolveError;
pub use inventory::Inventory;
pub use lock::{Change, Difference, Lock, LockFile};
pub use pin::{BinaryPin, FilePin, ImagePin};
pub use timestamp::timestamp;

/// What minikube's default addon runs, where no minikube can be asked. Source: minikube v1.38.1,
/// pkg/minikube/bootstrapper/images/images.go; the same since v1.20.
const STORAGE_PROVISIONER: &str = "gcr.io/k8s-minikube/storage-provisioner:v5";

/// Who said which images Kubernetes needs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ListSource {
    /// The given kubeadm, asked.
    Kubeadm,
    /// The lock, which has what kubeadm said when it was made.
    Lock,
    /// The table in this program.
    Table,
}

impl fmt::Display for ListSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kubeadm => "kubeadm",
            Self::Lock => "the lock",
            Self::Table => "the table in this program",
        })
    }
}

/// What a bundle must carry for each of its platforms, next to exactly one node image.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Requirements {
    /// The Kubernetes release that all this is for.
    pub kubernetes_version: Version,
    /// The platforms that all this is for.
    pub platforms: Vec<Platform>,
    /// The programs.
    pub binaries: Vec<BinaryRole>,
    /// The images that go into the node, sorted.
    pub images: Vec<ImageReference>,
    /// Who said so.
    pub source: ListSource,
}

/// What a single-node cluster needs.
///
/// `kubeadm` is asked when it is given, so it must run on this machine and have the
/// version; without it the table answers. A container runtime adds no image: a single node is
/// started with `--cni=bridge` where minikube would take kindnet (containerd), and
/// the bridge's plugins are in the node image. What several nodes need is added by who
/// asks for it.
pub fn requirements(
    kubernetes_version: &Version,
    platforms: &[Platform],
    kubeadm: Option<&Path>,
) -> Result<Requirements, ResolveError> {
    requirements_from(&ask, kubernetes_version, platforms, kubeadm)
}

/// [`requirements`], asking kubeadm by way of `ask`.
pub(crate) fn requirements_from(
    ask: Ask<'_>,
    kubernetes_version: &Version,
    platforms: &[Platform],
    kubeadm: Option<&Path>,
) -> Result<Requirements, ResolveError> {
    let (mut images, source) = match kubeadm {
        Some(kubeadm) => (
            kubeadm::list(ask, kubeadm, kubernetes_version)?,
            ListSource::Kubeadm,
        ),
        None => (table::list(kubernetes_version)?, ListSource::Table),
    };
    images.push(parse(STORAGE_PROVISIONER));
    images.sort();
    images.dedup();
    Ok(Requirements {
        kubernetes_version: kubernetes_version.clone(),
        platforms: platforms.to_vec(),
        binaries: BinaryRole::ALL.to_vec(),
        images,
        source,
    })
}

impl Requirements {
    /// What kubeadm listed when the lock was made.
    pub(crate) fn of_lock(lock: &Lock) -> Self {
        let listed = lock
            .images
            .iter()
            .filter(|image| image.role == ImageRole::Kubernetes);
        let mut images: Vec<ImageReference> = listed.map(|image| image.reference.clone()).collect();
        images.sort();
        images.dedup();
        Self {
            kubernetes_version: lock.kubernetes_version.clone(),
            platforms: lock.platforms.clone(),
            binaries: BinaryRole::of_bundle(!lock.applications.is_empty()).collect(),
            images,
            source: ListSource::Lock,
        }
    }

    /// Takes these, which minikube itself names, for its storage provisioner's images.
    pub(crate) fn name_storage_provisioner(&mut self, named: impl IntoIterator<Item = ImageReference>) {
        let known = parse(STORAGE_PROVISIONER);
        self.images.retain(|image| *image != known);
        self.add(named);
    }

    /// Adds images that nobody lists.
    pub(crate) fn add(&mut self, images: impl IntoIterator<Item = ImageReference>) {
        self.images.extend(images);
        self.images.sort();
        self.images.dedup();
    }

    /// Fails with every part that is not in `there` by name, if there is one.
    pub fn check(&self, there: &Inventory) -> Result<(), ResolveError> {
        let parts = there.missing(&self.platforms, &self.binaries, &self.images);
        if parts.is_empty() {
            return Ok(());
        }
        Err(ResolveError::Missing {
            version: self.kubernetes_version.clone(),
            platforms: self.platforms.clone(),
            parts,
            source_of_list: Some(self.source),
        })
    }
}

/// A name that this program brings along.
fn parse(name: &str) -> ImageReference {
    ImageReference::parse(name).expect("a name in this program is in the grammar")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::Arch;
    use crate::failure::{Failure, Kind};

    const AMD64: Platform = Platform { arch: Arch::Amd64 };
    const ARM64: Platform = Platform { arch: Arch::Arm64 };

    fn from_table(version: &str) -> Requirements {
        requirements(&version.parse().expect("version"), &[AMD64], None).expect(version)
    }

    #[test]
    fn every_missing_part_is_named() {
        let needs = from_table("v1.34.2");
        let given = [
            parse("registry.k8s.io/etcd:3.6.5-0"),
            parse("registry.k8s.io/pause:3.10.1"),
        ];
        let there = Inventory {
            binaries: [BinaryRole::Kubeadm, BinaryRole::Minikube]
                .map(|role| (AMD64, role))
                .into(),
            images: given.map(|image| (AMD64, image)).into(),
            ..Inventory::default()
        };
        let error = needs.check(&there).expect_err("missing");
        let failure = Failure::from(error);
        assert_eq!(failure.kind, Kind::Usage);
        assert_eq!(
            failure.error.to_string(),
            "9 parts are missing for Kubernetes v1.34.2 on linux/amd64 (the table in this program lists the images):
  kubelet
  kubectl
  the node image (kicbase)
  gcr.io/k8s-minikube/storage-provisioner:v5
  registry.k8s.io/coredns/coredns:v1.12.1
  registry.k8s.io/kube-apiserver:v1.34.2
  registry.k8s.io/kube-controller-manager:v1.34.2
  registry.k8s.io/kube-proxy:v1.34.2
  registry.k8s.io/kube-scheduler:v1.34.2"
        );
        let hint = failure.hints.concat();
        for flag in [
            "--binaries",
            "--kicbase docker-archive:",
            "--image docker-archive:",
            "--from-cache",
        ] {
            assert!(hint.contains(flag), "{hint}");
        }
    }

    #[test]
    fn nothing_is_missing_when_all_is_there_for_each_platform() {
        let mut needs = from_table("v1.34.2");
        let mut there = Inventory {
            binaries: BinaryRole::ALL.map(|role| (AMD64, role)).into(),
            node_images: vec![AMD64],
            images: needs.images.iter().map(|image| (AMD64, image.clone())).collect(),
        };
        needs.check(&there).expect("all there");
        needs.platforms.push(ARM64);
        there
            .images
            .extend(needs.images[1..].iter().map(|image| (ARM64, image.clone())));
        let error = needs.check(&there).expect_err("missing");
        assert_eq!(
            error.to_string(),
            "6 parts are missing for Kubernetes v1.34.2 on linux/amd64 and linux/arm64 (the table in this program \
             lists the images):
  minikube for linux/arm64
  kubeadm for linux/arm64
  kubelet for linux/arm64
  kubectl for linux/arm64
  the node image (kicbase) for linux/arm64
  gcr.io/k8s-minikube/storage-provisioner:v5 for linux/arm64"
        );
    }
}
