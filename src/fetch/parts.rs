//! The parts, where they lie on this machine.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;

use super::FetchError;
use super::blob::Blob;
use super::packages::LayerPackages;
use crate::bundle::{ContainerRuntime, Digest, FilePart, Origin, PartPackages, Verification};
use crate::resolve::{BinaryPin, Difference, FilePin, ImagePin, Lock, LockFile, Requirements};
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
    pub pin: BinaryPin,
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
    /// What it is.
    pub pin: ImagePin,
    /// Its config, byte for byte.
    pub config_json: Vec<u8>,
    /// Its layers, lowest first.
    pub layers: Vec<LocalLayer>,
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
        let programs = self.binaries.iter().map(|binary| binary.pin.clone());
        let images = self.images.iter().map(|image| image.pin.clone());
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
            let pin = &mut binary.pin;
            if let Some(locked) = lock.binary(pin.platform, pin.role) {
                pin.origin = continued(&locked.origin, &pin.origin);
                pin.version.clone_from(&locked.version);
            }
        }
        for image in &mut self.images {
            let pin = &mut image.pin;
            if let Some(locked) = lock.image(pin.platform, &pin.reference) {
                pin.origin = continued(&locked.origin, &pin.origin);
                pin.registry_manifest = locked.registry_manifest;
                pin.named_by.clone_from(&locked.named_by);
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
    programs: Vec<BinaryPin>,
    images: Vec<ImagePin>,
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

/// The file as it stands in a lock.
pub(super) fn lock_file(file: &LocalFile) -> FilePin {
    FilePin {
        role: file.part.role,
        name: file.part.name.clone(),
        size: file.part.size,
        sha256: file.part.sha256,
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
