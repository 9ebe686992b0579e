//! What identifies a part, from the plan to the bundle: the lock has it as it is.

use serde::{Deserialize, Serialize};

use crate::bundle::{
    BinaryPart, BinaryRole, Digest, FileRole, ImagePart, ImageReference, ImageRole, NamedBy, Origin,
    Platform, Verification, Version,
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
    /// Which of a bundle's binaries it is; their order, in a lock and in a bundle.
    pub(crate) fn key(&self) -> (Platform, BinaryRole) {
        (self.platform, self.role)
    }

    /// What a lock has of this binary: how it came, and what it was compared with before.
    pub(crate) fn take_from(&mut self, locked: &Self) {
        self.version.clone_from(&locked.version);
        self.origin = continued(&locked.origin, &self.origin);
    }

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
    /// The digest by which its registry is asked for it: of what was signed, where anything
    /// was, so of the image index and not of the image manifest in it.
    pub(crate) fn pulled_by(&self) -> Option<Digest> {
        let signed = self.origin.attestations.first();
        let index = signed.and_then(|signature| signature.documents.get(1).copied());
        index.or(self.registry_manifest)
    }

    /// What a lock has of this image: how it came, and what it was compared with before.
    pub(crate) fn take_from(&mut self, locked: &Self) {
        self.registry_manifest = locked.registry_manifest;
        self.named_by.clone_from(&locked.named_by);
        self.origin = continued(&locked.origin, &self.origin);
    }

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

/// What a lock has of a part's origin, and what the part was compared with since. The digest
/// in the lock counts where the lock has no other.
fn continued(locked: &Origin, now: &Origin) -> Origin {
    let has_digest = locked.unverified || locked.verified_by.iter().any(|it| it.digest().is_some());
    let mut origin = locked.clone();
    for verification in &now.verified_by {
        if !has_digest || !matches!(verification, Verification::Lock { .. }) {
            origin.compared(verification.clone());
        }
    }
    origin
}
