//! What a pack would take and what it would download, found out without downloading
//! more than has to be read for it.

use std::collections::BTreeMap;

use super::gather::{Found, caches, find, role_of};
use super::parts::{LocalBinary, LocalFile, LocalImage, lock_of};
use super::upstream::{Published, Resolved};
use super::{FetchError, Upstream, images, own, programs};
use crate::bundle::{BinaryRole, Digest, ImageRole, Origin, Platform, Transport};
use crate::host::{Ask, ask};
use crate::progress::Progress;
use crate::resolve::{BinaryPin, ImagePin, Lock};
use crate::spec::Spec;

/// What a pack would take.
#[derive(Debug)]
pub struct Plan {
    /// Every part by its digests: what `pack --locked` takes.
    pub lock: Lock,
    /// Where each part comes from: programs, images, then files, as in the lock.
    pub parts: Vec<PlannedPart>,
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

/// Finds out what `spec` would pack. Manifests, configs, checksums and the programs that
/// have to be asked are read, and stay in the store; layers are not.
pub fn plan(spec: &Spec, upstream: Option<&Upstream>, progress: &dyn Progress) -> Result<Plan, FetchError> {
    plan_by_asking(&ask, spec, upstream, progress)
}

fn plan_by_asking(
    ask: Ask<'_>,
    spec: &Spec,
    upstream: Option<&Upstream>,
    progress: &dyn Progress,
) -> Result<Plan, FetchError> {
    let files = own::gather(spec)?;
    let caches = caches(spec)?;
    let here = programs::gather(spec, &caches, None, ask, progress)?;
    let mut programs: Vec<(BinaryPin, PlannedPart)> = here.iter().map(given_program).collect();
    let mut roles: Vec<(Platform, BinaryRole)> = here.iter().map(role_of).collect();
    if let Some(upstream) = upstream {
        progress.begin("asking for the programs", None);
        for (platform, role, published) in programs::published(spec, &roles, upstream, ask, progress)? {
            programs.push(remote_program(upstream, platform, role, published, progress)?);
            roles.push((platform, role));
        }
        progress.end("");
    }
    let Found {
        requirements,
        container_runtime,
        images: found,
        wanted,
        scratch: _scratch,
    } = find(spec, &caches, &here, &roles, upstream, ask, progress)?;
    let mut there = images::inventory(&roles, found.iter().map(|image| &image.pin));
    let mut images: Vec<(ImagePin, PlannedPart)> = Vec::new();
    let resolved = upstream.map(|upstream| upstream.resolve(&wanted, progress));
    for image in resolved.transpose()?.unwrap_or_default().iter().flatten() {
        match image.pin.role {
            ImageRole::Node => there.node_images.push(image.pin.platform),
            _ => there
                .images
                .push((image.pin.platform, image.pin.reference.clone())),
        }
        images.push(remote_image(image));
    }
    requirements.check(&there)?;
    images.extend(images::read(found, progress)?.iter().map(given_image));
    programs.sort_by_key(|(program, _)| (program.platform, program.role));
    images.sort_by_key(|(image, _)| image.order());
    let (programs, mut parts): (Vec<_>, Vec<_>) = programs.into_iter().unzip();
    let (images, image_parts): (Vec<_>, Vec<_>) = images.into_iter().unzip();
    parts.extend(image_parts);
    if let Some(upstream) = upstream {
        let names: Vec<String> = parts.iter().map(|part| part.name.clone()).collect();
        upstream.note_unused(&names, progress);
        // Now, when all that had to be asked is there.
        for blob in parts.iter_mut().flat_map(|part| &mut part.blobs) {
            blob.is_stored = upstream.is_stored(blob.digest, blob.bytes)?;
        }
    }
    parts.extend(files.iter().map(given_file));
    Ok(Plan {
        lock: lock_of(spec, container_runtime, programs, images, &files),
        parts,
    })
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
}

fn given_program(binary: &LocalBinary) -> (BinaryPin, PlannedPart) {
    let part = PlannedPart {
        name: binary.pin.role.to_string(),
        platform: Some(binary.pin.platform),
        from: binary.path.display().to_string(),
        unverified: false,
        blobs: Vec::new(),
        given: vec![(binary.pin.sha256, binary.pin.size)],
    };
    (binary.pin.clone(), part)
}

fn given_file(file: &LocalFile) -> PlannedPart {
    PlannedPart {
        name: file.part.member_path(),
        platform: None,
        from: file.path.display().to_string(),
        unverified: false,
        blobs: Vec::new(),
        given: vec![(file.part.sha256, file.part.size)],
    }
}

fn given_image(image: &LocalImage) -> (ImagePin, PlannedPart) {
    let part = PlannedPart {
        name: image.pin.reference.to_string(),
        platform: Some(image.pin.platform),
        from: image.place.clone(),
        unverified: false,
        blobs: Vec::new(),
        given: image
            .layers
            .iter()
            .map(|layer| (layer.diff_id, layer.size))
            .collect(),
    };
    (image.pin.clone(), part)
}

/// A program by what is published of it. Where that is not enough to lock it, it is
/// downloaded: nothing else tells its digest.
fn remote_program(
    upstream: &Upstream,
    platform: Platform,
    role: BinaryRole,
    published: Published,
    progress: &dyn Progress,
) -> Result<(BinaryPin, PlannedPart), FetchError> {
    let (sha256, size) = if let (Some(digest), Some(size)) = (published.digest, published.size) {
        (digest, size)
    } else {
        let program = upstream.download(role, platform, &published, progress)?;
        programs::digest(&program.path)?
    };
    let signed = upstream.signed_program(role, &published.version, platform, progress)?;
    let locked = BinaryPin {
        role,
        platform,
        version: Some(published.version),
        size,
        sha256,
        origin: Origin {
            url: Some(published.url.clone()),
            verified_by: published.verified_by,
            unverified: published.unverified,
            attestations: signed.attestations,
            unattested: signed.unattested,
            ..Origin::by(Transport::Https)
        },
    };
    let blob = PlannedBlob {
        digest: sha256,
        bytes: size,
        is_layer: false,
        is_stored: false,
    };
    let part = PlannedPart {
        name: role.to_string(),
        platform: Some(platform),
        from: published.url,
        unverified: published.unverified,
        blobs: vec![blob],
        given: Vec::new(),
    };
    Ok((locked, part))
}

fn remote_image(image: &Resolved) -> (ImagePin, PlannedPart) {
    let blob = |(digest, bytes): &(Digest, u64)| PlannedBlob {
        digest: *digest,
        bytes: *bytes,
        is_layer: true,
        is_stored: false,
    };
    let pin = &image.pin;
    let part = PlannedPart {
        name: pin.reference.to_string(),
        platform: Some(pin.platform),
        from: format!("docker://{}", pin.reference),
        unverified: pin.origin.unverified,
        blobs: image.layers.iter().map(blob).collect(),
        given: Vec::new(),
    };
    (pin.clone(), part)
}
