//! The documents that make the payload's directory `images` an OCI image layout, and
//! at once what `docker load` takes: they follow from the index, byte for byte. Sources:
//! OCI image spec 1.1 ("Image Layout", "Image Manifest"); Docker's image spec 1.2
//! ("Combined Image JSON").

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    BundleIndex, Digest, ImageIndex, ImagePart, ImageReference, Platform, blob_path, docker_manifest_path,
};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

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
        let mut listed: Vec<(&ImageReference, Listed)> = Vec::new();
        if let [platform] = platforms {
            let manifests = images.iter();
            listed.extend(
                manifests.map(|(image, blob)| (&image.reference, Listed::Manifest(*blob, *platform))),
            );
        } else {
            let mut by_name: BTreeMap<&ImageReference, Vec<(Blob, Platform)>> = BTreeMap::new();
            for (image, blob) in images {
                let manifests = by_name.entry(&image.reference).or_default();
                manifests.push((*blob, image.platform));
            }
            for (reference, manifests) in by_name {
                let json = list(manifests.into_iter());
                let blob = Blob::of(&json);
                listed.push((reference, Listed::List(blob)));
                image_indexes.push(ImageIndex {
                    reference: reference.clone(),
                    digest: blob.digest,
                });
                list_blobs.push((blob_path(blob.digest), json));
            }
        }
        let mut documents = vec![
            ("images/oci-layout".to_owned(), marker()),
            ("images/index.json".to_owned(), index(listed.into_iter())),
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
    let layers: Vec<Value> = layers.iter().map(|layer| descriptor(LAYER, *layer)).collect();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor(CONFIG, config),
        "layers": layers,
    });
    manifest.to_string().into_bytes()
}

/// The file `oci-layout`.
fn marker() -> Vec<u8> {
    json!({ "imageLayoutVersion": "1.0.0" }).to_string().into_bytes()
}

/// What stands in an index: the manifest of an image for a platform, or a list of them.
#[derive(Clone, Copy)]
enum Listed {
    Manifest(Blob, Platform),
    List(Blob),
}

impl Listed {
    fn descriptor(self) -> Value {
        match self {
            Self::Manifest(blob, platform) => {
                let mut entry = descriptor(MANIFEST, blob);
                entry["platform"] = json!({ "architecture": platform.arch.name(), "os": "linux" });
                entry
            }
            Self::List(blob) => descriptor(INDEX, blob),
        }
    }
}

/// The file `index.json`: each image under the name that containerd and skopeo find
/// it by.
fn index<'a>(images: impl Iterator<Item = (&'a ImageReference, Listed)>) -> Vec<u8> {
    let named = images.map(|(reference, listed)| {
        let mut entry = listed.descriptor();
        entry["annotations"] = json!({
            "io.containerd.image.name": reference.to_string(),
            "org.opencontainers.image.ref.name": reference.to_string(),
        });
        entry
    });
    index_of(&named.collect::<Vec<_>>())
}

/// The list of an image's manifests for each platform.
fn list(manifests: impl Iterator<Item = (Blob, Platform)>) -> Vec<u8> {
    let manifests = manifests.map(|(blob, platform)| Listed::Manifest(blob, platform).descriptor());
    index_of(&manifests.collect::<Vec<_>>())
}

fn index_of(manifests: &[Value]) -> Vec<u8> {
    json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests })
        .to_string()
        .into_bytes()
}

/// The file `manifest.json` of Docker's own archives, with paths inside the layout.
fn docker_manifest<'a>(images: impl Iterator<Item = &'a ImagePart>) -> Vec<u8> {
    let inside = |digest: &Digest| blob_path(*digest).trim_start_matches("images/").to_owned();
    let entries: Vec<Value> = images
        .map(|image| {
            let layers: Vec<String> = image.layers.iter().map(inside).collect();
            json!({
                "Config": inside(&image.config),
                "RepoTags": [image.reference.to_string()],
                "Layers": layers,
            })
        })
        .collect();
    Value::from(entries).to_string().into_bytes()
}

fn descriptor(media_type: &str, blob: Blob) -> Value {
    json!({ "mediaType": media_type, "digest": blob.digest.to_string(), "size": blob.size })
}
