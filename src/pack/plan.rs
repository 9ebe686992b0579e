//! What goes where: parts become members, members become frames.

use std::collections::HashSet;

use super::layout::{self, Blob};
use crate::bundle::{BinaryPart, Digest, ImagePart, ImageRole, Member, blob_path};
use crate::fetch::{LocalBinary, LocalImage, LocalLayer, Parts};

/// Members that share a frame share a window: what is alike is stored once. A frame
/// is also what one core compresses, and decodes, alone.
const FRAME_BYTES: u64 = 1 << 30;

/// The members in their order, and the parts that they make up.
pub(super) struct BundlePlan<'a> {
    pub(super) frames: Vec<Vec<PlannedMember<'a>>>,
    pub(super) binaries: Vec<BinaryPart>,
    pub(super) images: Vec<ImagePart>,
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
    Layer(&'a LocalLayer),
}

/// Plans a bundle: the same parts, in any order, give the same plan.
pub(super) fn plan(parts: &Parts) -> BundlePlan<'_> {
    let mut binaries: Vec<&LocalBinary> = parts.binaries.iter().collect();
    binaries.sort_by_key(|binary| binary.part.role);
    let mut images: Vec<(&LocalImage, Vec<u8>)> = parts
        .images
        .iter()
        .map(|image| (image, manifest_of(image)))
        .collect();
    images.sort_by_key(|(image, _)| (image.role, image.reference.clone()));

    let mut blobs = HashSet::new();
    let mut layers_of = |role: fn(ImageRole) -> bool| -> Vec<PlannedMember<'_>> {
        let layers = images
            .iter()
            .filter(|(image, _)| role(image.role))
            .flat_map(|(image, _)| &image.layers);
        layers
            .filter(|layer| blobs.insert(layer.diff_id))
            .map(layer_member)
            .collect()
    };
    let node_layers = layers_of(|role| role == ImageRole::Node);
    let cluster_layers = layers_of(|role| role != ImageRole::Node);
    let programs = binaries.iter().map(|binary| PlannedMember {
        member: Member {
            path: binary.part.role.member_path(),
            size: binary.part.size,
            sha256: binary.part.sha256,
        },
        content: Content::Binary(binary),
    });

    let mut documents = documents(&images);
    for (image, manifest) in &images {
        for json in [manifest, &image.config_json] {
            if blobs.insert(Digest::of(json)) {
                documents.push(bytes_member(blob_path(Digest::of(json)), json.clone()));
            }
        }
    }
    let mut frames = vec![documents];
    frames.extend(split(node_layers));
    frames.extend(split(programs.chain(cluster_layers).collect()));
    BundlePlan {
        frames,
        binaries: binaries.iter().map(|binary| binary.part.clone()).collect(),
        images: images
            .iter()
            .map(|(image, manifest)| image_part(image, Digest::of(manifest)))
            .collect(),
    }
}

fn manifest_of(image: &LocalImage) -> Vec<u8> {
    let config = Blob {
        digest: image.config,
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
    layout::manifest(config, &layers)
}

fn image_part(image: &LocalImage, manifest: Digest) -> ImagePart {
    ImagePart {
        role: image.role,
        reference: image.reference.clone(),
        platform: image.platform,
        config: image.config,
        layers: image.layers.iter().map(|layer| layer.diff_id).collect(),
        manifest,
        origin: image.origin.clone(),
    }
}

fn documents<'a>(images: &[(&LocalImage, Vec<u8>)]) -> Vec<PlannedMember<'a>> {
    let layers: Vec<Vec<Digest>> = images
        .iter()
        .map(|(image, _)| image.layers.iter().map(|layer| layer.diff_id).collect())
        .collect();
    let named = images.iter().map(|(image, manifest)| {
        (
            &image.reference,
            Blob {
                digest: Digest::of(manifest),
                size: manifest.len() as u64,
            },
        )
    });
    let archived = images
        .iter()
        .zip(&layers)
        .map(|((image, _), layers)| (&image.reference, image.config, layers.as_slice()));
    vec![
        bytes_member("images/oci-layout".to_owned(), layout::marker()),
        bytes_member("images/index.json".to_owned(), layout::index(named)),
        bytes_member(
            "images/manifest.json".to_owned(),
            layout::docker_manifest(archived),
        ),
    ]
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
