//! The parts, where they lie on this machine.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;

use super::FetchError;
use super::blob::Blob;
use super::packages::LayerPackages;
use crate::bundle::{Digest, FilePart, Package, PartPackages};
use crate::resolve::{BinaryPin, FilePin, ImagePin, Lock};

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
    /// Their lock: what was asked for, and each of them by its digests.
    pub lock: Lock,
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
    pub(super) packages: Vec<Package>,
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

impl LocalFile {
    /// The file as it stands in a lock.
    pub(super) fn pin(&self) -> FilePin {
        FilePin {
            role: self.part.role,
            name: self.part.name.clone(),
            size: self.part.size,
            sha256: self.part.sha256,
        }
    }
}

impl LocalLayer {
    /// The uncompressed bytes, from the start. The file may have changed since it was
    /// hashed: who stores the bytes hashes them again.
    pub fn open(&self) -> Result<Box<dyn Read + Send>, FetchError> {
        self.blob.open()
    }
}
