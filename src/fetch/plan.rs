//! A plan: every part by its digests, which written down is the lock, and where its bytes are.

use std::collections::BTreeMap;

use tempfile::TempDir;

use super::parts::{LocalBinary, LocalFile, LocalImage};
use super::upstream::{Pinned, Published, Resolved};
use super::{FetchError, Upstream};
use crate::bundle::{BinaryRole, Digest, Platform};
use crate::progress::Progress;
use crate::resolve::{BinaryPin, ImagePin, Lock, LockFile};
use crate::spec::{Sources, Spec, is_accepted, near};

/// What a bundle is made of.
#[derive(Debug)]
pub struct Plan {
    /// Every part by its digests: what `pack --locked` takes.
    pub lock: Lock,
    /// Where each part comes from: binaries, images, then files, as in the lock.
    pub parts: Vec<PlannedPart>,
    /// The lock that was loaded, which the parts must agree with.
    pub(super) file: Option<LockFile>,
    pub(super) binaries: Vec<PlannedBinary>,
    pub(super) images: Vec<PlannedImage>,
    pub(super) files: Vec<LocalFile>,
    /// Archives that were written on the way.
    pub(super) scratch: Option<TempDir>,
}

/// A binary, and where it is.
#[derive(Debug)]
pub(super) enum PlannedBinary {
    /// On this machine.
    Here(LocalBinary),
    /// As a lock has it; its release page gives it.
    Locked(BinaryPin),
    /// On its release page.
    There(BinaryPin, Published),
}

/// An image, and where it is.
#[derive(Debug)]
pub(super) enum PlannedImage {
    /// On this machine.
    Here(LocalImage),
    /// As a lock has it; its registry gives it, by this digest where one is known.
    Locked(ImagePin, Option<Pinned>),
    /// In its registry.
    There(Resolved),
}

/// A part, and what has to come for it.
#[derive(Clone, Debug)]
pub struct PlannedPart {
    /// Its name: `kubelet`, `registry.k8s.io/pause:3.10.1`.
    pub name: String,
    /// The platform that it runs on; a file is for every one.
    pub platform: Option<Platform>,
    /// Where it is: a URL, an image in a registry, or a path.
    pub from: String,
    /// Whether nothing says what it should be.
    pub unverified: bool,
    /// What is downloaded for it, or would be if the store did not have it.
    pub blobs: Vec<PlannedBlob>,
    /// What it adds to the bundle before it is compressed, as far as that is not among
    /// the blobs.
    pub given: Vec<(Digest, u64)>,
}

/// Something that is downloaded once, whoever uses it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PlannedBlob {
    /// Its digest, as it is served.
    pub digest: Digest,
    /// Its size in bytes, as it is served.
    pub bytes: u64,
    /// Whether it is a layer, which registries serve compressed.
    pub is_layer: bool,
    /// Whether the store has it.
    pub is_stored: bool,
}

impl Plan {
    /// What is downloaded, or is in the store already: each blob once, by digest.
    #[must_use]
    pub fn blobs(&self) -> Vec<PlannedBlob> {
        let blobs = self.parts.iter().flat_map(|part| &part.blobs);
        let once: BTreeMap<Digest, PlannedBlob> = blobs.map(|blob| (blob.digest, *blob)).collect();
        once.into_values().collect()
    }

    /// What is on this machine and goes into the bundle: bytes that are not compressed,
    /// each layer once.
    #[must_use]
    pub fn given_bytes(&self) -> u64 {
        let given = self.parts.iter().flat_map(|part| &part.given);
        let once: BTreeMap<Digest, u64> = given.copied().collect();
        once.values().sum()
    }

    /// The plan with its parts in their order, in its lock and for a person. Names that
    /// `spec` accepts unverified, and that are none of the parts, are noted.
    pub(super) fn finished(
        mut self,
        spec: &Spec,
        upstream: Option<&Upstream>,
        progress: &dyn Progress,
    ) -> Result<Self, FetchError> {
        self.binaries.sort_by_key(|binary| binary.pin().key());
        self.images.sort_by_key(|image| image.pin().order());
        self.lock.binaries = self.binaries.iter().map(|binary| binary.pin().clone()).collect();
        self.lock.images = self.images.iter().map(|image| image.pin().clone()).collect();
        self.lock.files = self.files.iter().map(LocalFile::pin).collect();
        let binaries = self.binaries.iter().map(PlannedBinary::part);
        self.parts = binaries
            .chain(self.images.iter().map(PlannedImage::part))
            .collect();
        if let Some(upstream) = upstream {
            let names: Vec<&str> = self.parts.iter().map(|part| part.name.as_str()).collect();
            note_unused(&spec.sources, &names, progress);
            // Now, when all that had to be asked is there.
            for blob in self.parts.iter_mut().flat_map(|part| &mut part.blobs) {
                blob.is_stored = upstream.is_stored(blob.digest, blob.bytes)?;
            }
        }
        self.parts.extend(self.files.iter().map(LocalFile::part));
        Ok(self)
    }
}

/// Says which names that are accepted unverified are none of the `parts`, with the likest.
fn note_unused(sources: &Sources, parts: &[&str], progress: &dyn Progress) {
    for accepted in &sources.accept_unverified {
        let is_place = sources.images_place() == Some(accepted);
        if is_place || parts.iter().any(|part| is_accepted(accepted, part)) {
            continue;
        }
        let nearest = near(accepted, parts).next();
        let nearest = nearest.map(|near| format!("; the nearest is `{near}`"));
        progress.note(&format!(
            "`--accept-unverified {accepted}` names none of the parts{}",
            nearest.unwrap_or_default()
        ));
    }
}

impl PlannedBinary {
    pub(super) fn pin(&self) -> &BinaryPin {
        match self {
            Self::Here(binary) => &binary.pin,
            Self::Locked(pin) | Self::There(pin, _) => pin,
        }
    }

    fn part(&self) -> PlannedPart {
        let pin = self.pin();
        let blob = PlannedBlob {
            digest: pin.sha256,
            bytes: pin.size,
            is_layer: false,
            is_stored: false,
        };
        let (from, is_here) = match self {
            Self::Here(binary) => (binary.path.display().to_string(), true),
            Self::Locked(pin) | Self::There(pin, _) => (pin.origin.url.clone().unwrap_or_default(), false),
        };
        PlannedPart {
            name: pin.role.to_string(),
            platform: Some(pin.platform),
            from,
            unverified: pin.origin.unverified,
            blobs: Vec::from_iter((!is_here).then_some(blob)),
            given: Vec::from_iter(is_here.then_some((pin.sha256, pin.size))),
        }
    }
}

impl PlannedImage {
    pub(super) fn pin(&self) -> &ImagePin {
        match self {
            Self::Here(image) => &image.pin,
            Self::Locked(pin, _) => pin,
            Self::There(image) => &image.pin,
        }
    }

    /// Where it is, for a person.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Here(image) => image.place.clone(),
            _ => format!("docker://{}", self.pin().reference),
        }
    }

    fn part(&self) -> PlannedPart {
        let pin = self.pin();
        let blob = |(digest, bytes): &(Digest, u64)| PlannedBlob {
            digest: *digest,
            bytes: *bytes,
            is_layer: true,
            is_stored: false,
        };
        let (mut blobs, mut given) = (Vec::new(), Vec::new());
        match self {
            Self::Here(image) => {
                given.extend(image.layers.iter().map(|layer| (layer.diff_id, layer.size)));
            }
            // Which blobs it has its manifest says, which is still to come.
            Self::Locked(..) => {}
            Self::There(image) => blobs.extend(image.layers.iter().map(blob)),
        }
        PlannedPart {
            name: pin.reference.to_string(),
            platform: Some(pin.platform),
            from: self.place(),
            unverified: pin.origin.unverified,
            blobs,
            given,
        }
    }
}

impl LocalFile {
    fn part(&self) -> PlannedPart {
        PlannedPart {
            name: self.part.member_path(),
            platform: None,
            from: self.path.display().to_string(),
            unverified: false,
            blobs: Vec::new(),
            given: vec![(self.part.sha256, self.part.size)],
        }
    }
}

impl LocalBinary {
    /// Which of the bundle's binaries it is.
    pub(super) fn key(&self) -> (Platform, BinaryRole) {
        self.pin.key()
    }
}
