//! The parts, where they lie on this machine.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;

use super::FetchError;
use super::blob::Blob;
use super::packages::LayerPackages;
use crate::bundle::{
    BinaryPart, ContainerRuntime, Digest, FilePart, ImageReference, ImageRole, NamedBy, Origin, PartPackages,
    Platform, Verification,
};
use crate::resolve::{Difference, Lock, LockFile, LockedBinary, LockedFile, LockedImage, Requirements};
use crate::spec::{Cni, Spec};

/// Everything that goes into a bundle, in an order that depends on nothing but the
/// parts. Files that had to be written on the way are removed when this is dropped.
#[derive(Debug)]
pub struct Parts {
    /// The programs, by platform and role.
    pub binaries: Vec<LocalBinary>,
    /// The images, by platform, role and name.
    pub images: Vec<LocalImage>,
    /// The files of the packer, by role and name.
    pub files: Vec<LocalFile>,
    /// The files of the signatures that the parts' origins name.
    pub signature_files: BTreeMap<Digest, Vec<u8>>,
    /// The software packages inside binaries and images, by their digests: of the parts that
    /// have any.
    pub packages: Vec<PartPackages>,
    /// The container runtime in the node: the one that was asked for, or minikube's default.
    pub container_runtime: ContainerRuntime,
    /// What was asked for, all of which is here.
    pub requirements: Requirements,
    /// Archives that the engine wrote; the layers lie in them.
    pub(super) _scratch: Option<TempDir>,
}

/// A program in a file.
#[derive(Clone, Debug)]
pub struct LocalBinary {
    /// What it is.
    pub part: BinaryPart,
    /// The file.
    pub path: PathBuf,
}

/// A file of the packer.
#[derive(Clone, Debug)]
pub struct LocalFile {
    /// What it is.
    pub part: FilePart,
    /// The file.
    pub path: PathBuf,
}

/// An image in an archive or a layout.
#[derive(Clone, Debug)]
pub struct LocalImage {
    /// What it is for.
    pub role: ImageRole,
    /// Its name.
    pub reference: ImageReference,
    /// The platform that it runs on.
    pub platform: Platform,
    /// The digest of its manifest in the registry, where it came from one.
    pub manifest: Option<Digest>,
    /// The digest of its config.
    pub config: Digest,
    /// Its config, byte for byte.
    pub config_json: Vec<u8>,
    /// Its layers, lowest first.
    pub layers: Vec<LocalLayer>,
    /// How it came here.
    pub origin: Origin,
    /// Digests by which it is named.
    pub named_by: Vec<NamedBy>,
    /// Where it lies.
    pub place: String,
}

/// A layer in a file, maybe compressed there.
#[derive(Clone, Debug)]
pub struct LocalLayer {
    /// The digest of the uncompressed layer; it was compared.
    pub diff_id: Digest,
    /// The size of the uncompressed layer in bytes.
    pub size: u64,
    pub(super) blob: Blob,
    pub(super) packages: Arc<LayerPackages>,
}

impl Parts {
    /// The lock of these parts, which `spec` asked for.
    #[must_use]
    pub fn lock(&self, spec: &Spec) -> Lock {
        let programs = self.binaries.iter().map(lock_binary);
        let images = self.images.iter().map(lock_image);
        lock_of(
            spec,
            self.container_runtime,
            programs.collect(),
            images.collect(),
            &self.files,
        )
    }
}

impl Parts {
    /// The parts that `lock` says, with what it says of where they came from, and of what
    /// was compared before: the same lock gives the same bundle. Fails when a part is
    /// another one.
    pub fn as_locked(mut self, file: &LockFile, spec: &Spec) -> Result<Self, FetchError> {
        file.check(&self.lock(spec))?;
        let lock = &file.lock;
        for binary in &mut self.binaries {
            if let Some(locked) = lock.binary(binary.part.platform, binary.part.role) {
                binary.part.origin = continued(&locked.origin, &binary.part.origin);
                binary.part.version.clone_from(&locked.version);
            }
        }
        for image in &mut self.images {
            if let Some(locked) = lock.image(image.platform, &image.reference) {
                image.origin = continued(&locked.origin, &image.origin);
                image.manifest = locked.registry_manifest;
                image.named_by.clone_from(&locked.named_by);
            }
        }
        let gone = lock
            .attestations()
            .filter(|signature| {
                signature
                    .files()
                    .any(|file| !self.signature_files.contains_key(&file))
            })
            .map(|signature| Difference {
                what: format!("the signature {}", signature.url),
                said: "the lock has it, and there is another one now, or none".to_owned(),
            });
        file.refuse(gone.collect())?;
        Ok(self)
    }
}

/// The lock of these parts, with what `spec` asked for.
pub(super) fn lock_of(
    spec: &Spec,
    container_runtime: ContainerRuntime,
    programs: Vec<LockedBinary>,
    images: Vec<LockedImage>,
    files: &[LocalFile],
) -> Lock {
    let mut lock = Lock::new(
        spec.kubernetes_version.clone(),
        container_runtime,
        spec.platforms.clone(),
        programs,
        images,
        files.iter().map(lock_file).collect(),
    );
    lock.addons.clone_from(&spec.addons);
    lock.addons.sort();
    lock.addons.dedup();
    lock.cni = (spec.cni != Cni::Auto).then(|| spec.cni.to_string());
    lock.ha = spec.ha;
    lock
}

/// The program as it stands in a lock.
pub(super) fn lock_binary(binary: &LocalBinary) -> LockedBinary {
    LockedBinary {
        role: binary.part.role,
        platform: binary.part.platform,
        version: binary.part.version.clone(),
        size: binary.part.size,
        sha256: binary.part.sha256,
        origin: binary.part.origin.clone(),
    }
}

/// The file as it stands in a lock.
pub(super) fn lock_file(file: &LocalFile) -> LockedFile {
    LockedFile {
        role: file.part.role,
        name: file.part.name.clone(),
        size: file.part.size,
        sha256: file.part.sha256,
    }
}

/// The image as it stands in a lock.
pub(super) fn lock_image(image: &LocalImage) -> LockedImage {
    LockedImage {
        role: image.role,
        reference: image.reference.clone(),
        platform: image.platform,
        size: Some(image.layers.iter().map(|layer| layer.size).sum()),
        registry_manifest: image.manifest,
        config: image.config,
        layers: image.layers.iter().map(|layer| layer.diff_id).collect(),
        origin: image.origin.clone(),
        named_by: image.named_by.clone(),
    }
}

/// What the lock has of a part's origin, and what was compared since. The digest in the lock
/// counts where the lock has no other.
fn continued(locked: &Origin, now: &Origin) -> Origin {
    let has_digest = locked.unverified || locked.verified_by.iter().any(|it| it.digest().is_some());
    let is_new = |it: &&Verification| {
        let is_surplus = has_digest && matches!(it, Verification::Lock { .. });
        !is_surplus && !locked.verified_by.contains(it)
    };
    let mut origin = locked.clone();
    origin
        .verified_by
        .extend(now.verified_by.iter().filter(is_new).cloned());
    origin
}

impl LocalLayer {
    /// The uncompressed bytes, from the start. The file may have changed since it was
    /// hashed: who stores the bytes hashes them again.
    pub fn open(&self) -> Result<Box<dyn Read + Send>, FetchError> {
        self.blob.open()
    }
}
