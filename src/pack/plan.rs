//! What goes where: parts become members, members become frames.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::bundle::{
    Attestation, BinaryPart, Blob, Digest, FilePart, ImageIndex, ImagePart, ImageRole, Layout, Member,
    PACKAGES_PATH, Platform, attestation_path, blob_path, image_manifest,
};
use crate::fetch::{LocalBinary, LocalFile, LocalImage, LocalLayer, Parts};

/// Members that share a frame share a window: what is alike is stored once. A frame
/// is also what one core compresses, and decodes, alone.
const FRAME_BYTES: u64 = 1 << 30;

/// The members in their order, and the parts that they make up.
pub(super) struct BundlePlan<'a> {
    pub(super) frames: Vec<Vec<PlannedMember<'a>>>,
    pub(super) binaries: Vec<BinaryPart>,
    pub(super) images: Vec<ImagePart>,
    pub(super) image_indexes: Vec<ImageIndex>,
    pub(super) files: Vec<FilePart>,
    pub(super) packages: Option<Digest>,
}

/// A member and where its bytes are.
pub(super) struct PlannedMember<'a> {
    pub(super) member: Member,
    pub(super) content: Content<'a>,
}

/// Where the bytes of a member come from.
pub(super) enum Content<'a> {
    Bytes(Vec<u8>),
    Binary(&'a LocalBinary),
    File(&'a LocalFile),
    Layer(&'a LocalLayer),
}

/// Plans a bundle: the same parts, in any order, give the same plan.
///
/// A frame holds what one platform needs, or what several do: a site decodes nothing of
/// another platform's.
pub(super) fn plan(parts: &Parts) -> BundlePlan<'_> {
    let platforms = &parts.lock.platforms;
    let mut binaries: Vec<&LocalBinary> = parts.binaries.iter().collect();
    binaries.sort_by_key(|binary| (binary.pin.platform, binary.pin.role));
    let mut images: Vec<(&LocalImage, Vec<u8>)> = parts
        .images
        .iter()
        .map(|image| (image, manifest_of(image)))
        .collect();
    images.sort_by_key(|(image, _)| image.pin.order());

    let shared = shared_layers(&images);
    let mut blobs = HashSet::new();
    let mut layers_of = |wanted: &dyn Fn(&LocalImage, Digest) -> bool| -> Vec<PlannedMember<'_>> {
        let layers = images
            .iter()
            .flat_map(|(image, _)| image.layers.iter().map(move |layer| (image, layer)));
        layers
            .filter(|(image, layer)| wanted(image, layer.diff_id) && blobs.insert(layer.diff_id))
            .map(|(_, layer)| layer_member(layer))
            .collect()
    };
    let own_files = parts.files.iter().map(file_member).collect();
    let mut groups = vec![own_files, layers_of(&|_, layer| shared.contains(&layer))];
    for platform in platforms {
        let is_of = |image: &LocalImage, node: bool| {
            image.pin.platform == *platform && (image.pin.role == ImageRole::Node) == node
        };
        groups.push(layers_of(&|image, _| is_of(image, true)));
        let programs = binaries.iter().filter(|binary| binary.pin.platform == *platform);
        let programs = programs.map(|binary| program_member(binary));
        let cluster_layers = layers_of(&|image, _| is_of(image, false));
        groups.push(programs.chain(cluster_layers).collect());
    }

    let image_parts: Vec<ImagePart> = images
        .iter()
        .map(|(image, manifest)| image.pin.part(Digest::of(manifest)))
        .collect();
    let manifests = images.iter().map(|(_, manifest)| Blob::of(manifest));
    let named: Vec<(&ImagePart, Blob)> = image_parts.iter().zip(manifests).collect();
    let Layout {
        documents,
        image_indexes,
    } = Layout::of(platforms, &named);
    let small = documents
        .into_iter()
        .chain(images.iter().flat_map(|(image, manifest)| {
            [manifest, &image.config_json].map(|json| (blob_path(Digest::of(json)), json.clone()))
        }));
    let origins = binaries.iter().map(|binary| &binary.pin.origin);
    let origins = origins.chain(images.iter().map(|(image, _)| &image.pin.origin));
    let signatures = origins.flat_map(|origin| &origin.attestations);
    // By digest: the same in any order of the parts.
    let files: BTreeSet<Digest> = signatures.flat_map(Attestation::files).collect();
    // `Parts` holds each file that an origin names.
    let files = files
        .iter()
        .map(|digest| (attestation_path(*digest), parts.signature_files[digest].clone()));
    let packages = (!parts.packages.is_empty())
        .then(|| serde_json::to_vec(&parts.packages).expect("packages can be written"));
    let digest = packages.as_deref().map(Digest::of);
    let small = small
        .chain(files)
        .chain(packages.map(|json| (PACKAGES_PATH.to_owned(), json)));
    let mut paths = HashSet::new();
    let small = small.filter(|(path, _)| paths.insert(path.clone()));
    let mut frames = vec![small.map(|(path, bytes)| bytes_member(path, bytes)).collect()];
    frames.extend(groups.into_iter().flat_map(split));
    BundlePlan {
        frames,
        binaries: binaries.iter().map(|binary| binary.pin.part()).collect(),
        images: image_parts,
        image_indexes,
        files: parts.files.iter().map(|file| file.part.clone()).collect(),
        packages: digest,
    }
}

/// The layers that images for several platforms have.
fn shared_layers(images: &[(&LocalImage, Vec<u8>)]) -> HashSet<Digest> {
    let mut first: HashMap<Digest, Platform> = HashMap::new();
    let layers = images.iter().flat_map(|(image, _)| {
        image
            .layers
            .iter()
            .map(|layer| (layer.diff_id, image.pin.platform))
    });
    layers
        .filter(|(layer, platform)| first.entry(*layer).or_insert(*platform) != platform)
        .map(|(layer, _)| layer)
        .collect()
}

fn program_member(binary: &LocalBinary) -> PlannedMember<'_> {
    PlannedMember {
        member: Member {
            path: binary.pin.part().member_path(),
            size: binary.pin.size,
            sha256: binary.pin.sha256,
        },
        content: Content::Binary(binary),
    }
}

fn file_member(file: &LocalFile) -> PlannedMember<'_> {
    PlannedMember {
        member: Member {
            path: file.part.member_path(),
            size: file.part.size,
            sha256: file.part.sha256,
        },
        content: Content::File(file),
    }
}

fn manifest_of(image: &LocalImage) -> Vec<u8> {
    let config = Blob {
        digest: image.pin.config,
        size: image.config_json.len() as u64,
    };
    let layers: Vec<Blob> = image
        .layers
        .iter()
        .map(|layer| Blob {
            digest: layer.diff_id,
            size: layer.size,
        })
        .collect();
    image_manifest(config, &layers)
}

fn bytes_member<'a>(path: String, bytes: Vec<u8>) -> PlannedMember<'a> {
    PlannedMember {
        member: Member {
            path,
            size: bytes.len() as u64,
            sha256: Digest::of(&bytes),
        },
        content: Content::Bytes(bytes),
    }
}

fn layer_member(layer: &LocalLayer) -> PlannedMember<'_> {
    PlannedMember {
        member: Member {
            path: blob_path(layer.diff_id),
            size: layer.size,
            sha256: layer.diff_id,
        },
        content: Content::Layer(layer),
    }
}

/// Runs of members, none longer than a frame should be unless one member is.
fn split(members: Vec<PlannedMember<'_>>) -> Vec<Vec<PlannedMember<'_>>> {
    let mut frames: Vec<Vec<PlannedMember<'_>>> = Vec::new();
    let mut bytes = 0;
    for member in members {
        if frames.is_empty() || bytes + member.member.size > FRAME_BYTES {
            frames.push(Vec::new());
            bytes = 0;
        }
        bytes += member.member.size;
        frames.last_mut().expect("one was just added").push(member);
    }
    frames
}
