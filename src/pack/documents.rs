//! The documents that a bundle has besides its parts: they name the images to stock
//! tools.

use std::collections::BTreeMap;

use super::layout::{self, Blob, Listed};
use crate::bundle::{Digest, ImageList, ImageReference, Platform, blob_path, docker_manifest_path};
use crate::fetch::LocalImage;

/// The documents with their paths, and the lists among them. `images` come with their
/// manifests.
///
/// With one platform `index.json` names each image's manifest. With several it names
/// lists of them, from which a tool takes its machine's; Docker's own form cannot do
/// that, so it is there once for each platform.
pub(super) fn documents(
    platforms: &[Platform],
    images: &[(&LocalImage, Vec<u8>)],
) -> (Vec<(String, Vec<u8>)>, Vec<ImageList>) {
    let mut lists = Vec::new();
    let mut listed: Vec<(&ImageReference, Listed)> = Vec::new();
    let mut list_blobs = Vec::new();
    if let [platform] = platforms {
        let manifests = images.iter().map(|(image, manifest)| {
            let listed = Listed::Manifest(Blob::of(manifest), *platform);
            (&image.reference, listed)
        });
        listed.extend(manifests);
    } else {
        let mut by_name: BTreeMap<&ImageReference, Vec<(Blob, Platform)>> = BTreeMap::new();
        for (image, manifest) in images {
            let manifests = by_name.entry(&image.reference).or_default();
            manifests.push((Blob::of(manifest), image.platform));
        }
        for (reference, manifests) in by_name {
            let json = layout::list(manifests.into_iter());
            let blob = Blob::of(&json);
            listed.push((reference, Listed::List(blob)));
            lists.push(ImageList {
                reference: reference.clone(),
                digest: blob.digest,
            });
            list_blobs.push((blob_path(blob.digest), json));
        }
    }
    let mut documents = vec![
        ("images/oci-layout".to_owned(), layout::marker()),
        ("images/index.json".to_owned(), layout::index(listed.into_iter())),
    ];
    documents.extend(platforms.iter().map(|platform| {
        let path = docker_manifest_path(*platform, platforms);
        (path, docker_manifest(images, *platform))
    }));
    documents.extend(list_blobs);
    (documents, lists)
}

fn docker_manifest(images: &[(&LocalImage, Vec<u8>)], platform: Platform) -> Vec<u8> {
    let images: Vec<&LocalImage> = images
        .iter()
        .map(|(image, _)| *image)
        .filter(|image| image.platform == platform)
        .collect();
    let layers: Vec<Vec<Digest>> = images
        .iter()
        .map(|image| image.layers.iter().map(|layer| layer.diff_id).collect())
        .collect();
    let entries = images
        .iter()
        .zip(&layers)
        .map(|(image, layers)| (&image.reference, image.config, layers.as_slice()));
    layout::docker_manifest(entries)
}
