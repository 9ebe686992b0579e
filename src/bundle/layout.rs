//! The documents that make the payload's directory `images` an OCI image layout, and
//! at once what `docker load` takes: they follow from the index, byte for byte.

use std::collections::BTreeMap;

use super::{
    BundleIndex, Digest, ImageIndex, ImagePart, ImageReference, Platform, blob_path, docker_manifest_path,
};
use crate::oci::{self, ArchivedImage, CONFIG, Descriptor, INDEX, Index, LAYER, MANIFEST, Manifest};

/// A blob by digest and size.
#[derive(Clone, Copy, Debug)]
pub struct Blob {
    /// Its SHA-256.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

impl Blob {
    /// The blob with these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self {
            digest: Digest::of(bytes),
            size: bytes.len() as u64,
        }
    }

    fn descriptor(self, media_type: &str) -> Descriptor {
        Descriptor::new(media_type, self.digest, self.size)
    }
}

impl BundleIndex {
    /// What each document of the images must be, by its path: their manifests, the lists, and
    /// what names them to stock tools. `None` where a blob that one names is no member.
    #[must_use]
    pub fn documents(&self) -> Option<BTreeMap<String, Vec<u8>>> {
        let blob = |digest: Digest| {
            let size = self.blob_size(digest)?;
            Some(Blob { digest, size })
        };
        let mut documents = BTreeMap::new();
        for image in &self.images {
            let layers: Option<Vec<Blob>> = image.layers.iter().map(|layer| blob(*layer)).collect();
            documents.insert(
                blob_path(image.manifest),
                image_manifest(blob(image.config)?, &layers?),
            );
        }
        let images: Option<Vec<(&ImagePart, Blob)>> = self
            .images
            .iter()
            .map(|image| Some((image, blob(image.manifest)?)))
            .collect();
        let layout = Layout::of(&self.cluster.platforms, &images?);
        documents.extend(layout.documents);
        for (named, right) in self.image_indexes.iter().zip(&layout.image_indexes) {
            // Under the digest that the index has, whatever it should be.
            let json = documents.get(&blob_path(right.digest)).cloned();
            documents.extend(json.map(|json| (blob_path(named.digest), json)));
        }
        Some(documents)
    }
}

/// What names images to stock tools.
pub struct Layout {
    /// The documents with their paths, and the blobs of the lists.
    pub documents: Vec<(String, Vec<u8>)>,
    /// The lists of manifests.
    pub image_indexes: Vec<ImageIndex>,
}

impl Layout {
    /// That of `images`, which come in the index's order with the blobs of their manifests.
    ///
    /// With one platform `index.json` names each image's manifest. With several it names
    /// lists of them, from which a tool takes its machine's; Docker's own form cannot do
    /// that, so it is there once for each platform.
    #[must_use]
    pub fn of(platforms: &[Platform], images: &[(&ImagePart, Blob)]) -> Self {
        let (mut image_indexes, mut list_blobs) = (Vec::new(), Vec::new());
        let mut listed: Vec<(&ImageReference, Descriptor)> = Vec::new();
        if let [platform] = platforms {
            let manifests = images.iter();
            listed.extend(manifests.map(|(image, blob)| (&image.reference, manifest_for(*blob, *platform))));
        } else {
            let mut by_name: BTreeMap<&ImageReference, Vec<(Blob, Platform)>> = BTreeMap::new();
            for (image, blob) in images {
                let manifests = by_name.entry(&image.reference).or_default();
                manifests.push((*blob, image.platform));
            }
            for (reference, manifests) in by_name {
                let manifests = manifests.into_iter();
                let manifests = manifests.map(|(blob, platform)| manifest_for(blob, platform));
                let json = oci::json(&Index::new(manifests.collect()));
                let blob = Blob::of(&json);
                listed.push((reference, blob.descriptor(INDEX)));
                image_indexes.push(ImageIndex {
                    reference: reference.clone(),
                    digest: blob.digest,
                });
                list_blobs.push((blob_path(blob.digest), json));
            }
        }
        let mut documents = vec![
            ("images/oci-layout".to_owned(), oci::LAYOUT.into()),
            ("images/index.json".to_owned(), index(listed)),
        ];
        documents.extend(platforms.iter().map(|platform| {
            let path = docker_manifest_path(*platform, platforms);
            let here = images.iter().map(|(image, _)| *image);
            (
                path,
                docker_manifest(here.filter(|image| image.platform == *platform)),
            )
        }));
        documents.extend(list_blobs);
        Self {
            documents,
            image_indexes,
        }
    }
}

/// The OCI manifest of an image whose layers are stored uncompressed.
#[must_use]
pub fn image_manifest(config: Blob, layers: &[Blob]) -> Vec<u8> {
    let layers = layers.iter().map(|layer| layer.descriptor(LAYER)).collect();
    oci::json(&Manifest::new(config.descriptor(CONFIG), layers))
}

fn manifest_for(blob: Blob, platform: Platform) -> Descriptor {
    blob.descriptor(MANIFEST).for_linux(platform.arch.name())
}

/// The file `index.json`: each image under the name that containerd and skopeo find
/// it by.
fn index(images: Vec<(&ImageReference, Descriptor)>) -> Vec<u8> {
    let named = images
        .into_iter()
        .map(|(reference, listed)| listed.named(reference.to_string(), reference.to_string()));
    oci::json(&Index::new(named.collect()))
}

/// The file `manifest.json` of Docker's own archives, with paths inside the layout.
fn docker_manifest<'a>(images: impl Iterator<Item = &'a ImagePart>) -> Vec<u8> {
    oci::json(&images.map(archived).collect::<Vec<_>>())
}

/// The image in `manifest.json` of a layout.
pub(crate) fn archived(image: &ImagePart) -> ArchivedImage {
    ArchivedImage {
        config: blob_in_layout(image.config),
        layers: image.layers.iter().copied().map(blob_in_layout).collect(),
        repo_tags: vec![image.reference.to_string()],
    }
}

/// A blob's path inside a layout.
pub(crate) fn blob_in_layout(digest: Digest) -> String {
    blob_path(digest).trim_start_matches("images/").to_owned()
}
