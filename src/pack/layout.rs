//! The documents that make the payload's folder `images` an OCI image layout, and
//! at once what `docker load` takes. Sources: OCI image spec 1.1 ("Image Layout",
//! "Image Manifest"); Docker's image spec 1.2 ("Combined Image JSON").

use serde_json::{Value, json};

use crate::bundle::{Digest, ImageReference, Platform, blob_path};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// A blob by digest and size.
#[derive(Clone, Copy)]
pub(super) struct Blob {
    pub(super) digest: Digest,
    pub(super) size: u64,
}

impl Blob {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self {
            digest: Digest::of(bytes),
            size: bytes.len() as u64,
        }
    }
}

/// The OCI manifest of an image whose layers are stored uncompressed.
pub(super) fn manifest(config: Blob, layers: &[Blob]) -> Vec<u8> {
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
pub(super) fn marker() -> Vec<u8> {
    json!({ "imageLayoutVersion": "1.0.0" }).to_string().into_bytes()
}

/// What stands in an index: the manifest of an image for a platform, or a list of them.
#[derive(Clone, Copy)]
pub(super) enum Listed {
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
pub(super) fn index<'a>(images: impl Iterator<Item = (&'a ImageReference, Listed)>) -> Vec<u8> {
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
pub(super) fn list(manifests: impl Iterator<Item = (Blob, Platform)>) -> Vec<u8> {
    let manifests = manifests.map(|(blob, platform)| Listed::Manifest(blob, platform).descriptor());
    index_of(&manifests.collect::<Vec<_>>())
}

fn index_of(manifests: &[Value]) -> Vec<u8> {
    json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests })
        .to_string()
        .into_bytes()
}

/// The file `manifest.json` of Docker's own archives, with paths inside the layout.
pub(super) fn docker_manifest<'a>(
    images: impl Iterator<Item = (&'a ImageReference, Digest, &'a [Digest])>,
) -> Vec<u8> {
    let inside = |digest: Digest| blob_path(digest).trim_start_matches("images/").to_owned();
    let entries: Vec<Value> = images
        .map(|(reference, config, layers)| {
            let layers: Vec<String> = layers.iter().map(|layer| inside(*layer)).collect();
            json!({ "Config": inside(config), "RepoTags": [reference.to_string()], "Layers": layers })
        })
        .collect();
    Value::from(entries).to_string().into_bytes()
}

fn descriptor(media_type: &str, blob: Blob) -> Value {
    json!({ "mediaType": media_type, "digest": blob.digest.to_string(), "size": blob.size })
}
