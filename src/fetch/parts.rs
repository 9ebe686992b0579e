//! The parts, where they lie on this machine.

use std::io::Read;
use std::path::PathBuf;

use tempfile::TempDir;

use super::FetchError;
use super::blob::Blob;
use crate::bundle::{BinaryPart, Digest, ImageReference, ImageRole, Origin, Platform};
use crate::resolve::Requirements;

/// Everything that goes into a bundle, in an order that depends on nothing but the
/// parts. Files that had to be written on the way are removed when this is dropped.
#[derive(Debug)]
pub struct Parts {
    /// The programs, by role.
    pub binaries: Vec<LocalBinary>,
    /// The images, by role and name.
    pub images: Vec<LocalImage>,
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

/// An image in an archive or a layout.
#[derive(Clone, Debug)]
pub struct LocalImage {
    /// What it is for.
    pub role: ImageRole,
    /// Its name.
    pub reference: ImageReference,
    /// The platform that it runs on.
    pub platform: Platform,
    /// The digest of its config.
    pub config: Digest,
    /// Its config, byte for byte.
    pub config_json: Vec<u8>,
    /// Its layers, lowest first.
    pub layers: Vec<LocalLayer>,
    /// How it came here.
    pub origin: Origin,
}

/// A layer in a file, maybe compressed there.
#[derive(Clone, Debug)]
pub struct LocalLayer {
    /// The digest of the uncompressed layer; it was compared.
    pub diff_id: Digest,
    /// The size of the uncompressed layer in bytes.
    pub size: u64,
    pub(super) blob: Blob,
}

impl LocalLayer {
    /// The uncompressed bytes, from the start. The file may have changed since it was
    /// hashed: who stores the bytes hashes them again.
    pub fn open(&self) -> Result<Box<dyn Read + Send>, FetchError> {
        self.blob.open()
    }
}
