//! What identifies a part, from the plan to the bundle: the lock has it as it is.

use serde::{Deserialize, Serialize};

use crate::bundle::{
    BinaryPart, BinaryRole, Digest, FileRole, ImagePart, ImageReference, ImageRole, NamedBy, Origin,
    Platform, Version,
};

/// A binary: what it is, and the digest that its content must have.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BinaryPin {
    /// What it is for.
    pub role: BinaryRole,
    /// The platform that it runs on.
    pub platform: Platform,
    /// Its release, where it is known.
    pub version: Option<Version>,
    /// Its size in bytes.
    pub size: u64,
    /// The SHA-256 of its content.
    pub sha256: Digest,
    /// How it came.
    pub origin: Origin,
}

/// An image: what it is, and the digests that its config and its layers must have.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ImagePin {
    /// What it is for.
    pub role: ImageRole,
    /// Its name.
    pub reference: ImageReference,
    /// The platform that it runs on.
    pub platform: Platform,
    /// The size of its layers, uncompressed, in bytes; not known before they are there.
    pub size: Option<u64>,
    /// The digest of its manifest in the registry, where it came from one.
    pub registry_manifest: Option<Digest>,
    /// The digest of its config.
    pub config: Digest,
    /// The digests of its uncompressed layers, lowest first.
    pub layers: Vec<Digest>,
    /// How it came.
    pub origin: Origin,
    /// Digests by which it is named.
    pub named_by: Vec<NamedBy>,
}

/// A Kubernetes manifest, or another file of the user, with the digest that it must have.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FilePin {
    /// What it is for.
    pub role: FileRole,
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// The SHA-256 of its content.
    pub sha256: Digest,
}

impl BinaryPin {
    /// The binary as the index of a bundle has it.
    #[must_use]
    pub fn part(&self) -> BinaryPart {
        BinaryPart {
            role: self.role,
            version: self.version.clone(),
            platform: self.platform,
            size: self.size,
            sha256: self.sha256,
            origin: self.origin.clone(),
        }
    }
}

impl ImagePin {
    /// Whether both have one name, for one platform.
    pub(crate) fn is_named_as(&self, other: &Self) -> bool {
        (self.platform, &self.reference) == (other.platform, &other.reference)
    }

    /// The order of images in a lock and in a bundle.
    pub(crate) fn order(&self) -> (Platform, ImageRole, ImageReference) {
        (self.platform, self.role, self.reference.clone())
    }

    /// The image as the index of a bundle has it, which carries it under `manifest`.
    #[must_use]
    pub fn part(&self, manifest: Digest) -> ImagePart {
        ImagePart {
            role: self.role,
            reference: self.reference.clone(),
            platform: self.platform,
            config: self.config,
            layers: self.layers.clone(),
            manifest,
            origin: self.origin.clone(),
            named_by: self.named_by.clone(),
        }
    }
}
