//! The documents of images: OCI's manifests, indexes and layouts, and Docker's
//! `manifest.json`. What is written follows byte for byte from what it is made of, since
//! digests depend on it: members stand in the order of the alphabet.
//!
//! Sources: OCI image spec 1.1; Docker's image manifest v2, schema 2; Docker's image spec 1.2
//! ("Combined Image JSON").

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// The media type of an image index.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// The media type of an image manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The media type of an image's config.
pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// The media type of a layer that is not compressed.
pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// The media types of image indexes; Docker calls them manifest lists.
pub const INDEXES: [&str; 2] = [INDEX, "application/vnd.docker.distribution.manifest.list.v2+json"];
/// The media types of image manifests.
pub const MANIFESTS: [&str; 2] = [MANIFEST, "application/vnd.docker.distribution.manifest.v2+json"];
/// The media types of configs.
pub const CONFIGS: [&str; 2] = [CONFIG, "application/vnd.docker.container.image.v1+json"];
/// The media types of layers; the last one is containerd's (`core/images/mediatypes.go`).
pub const LAYERS: [&str; 6] = [
    LAYER,
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd",
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
    "application/vnd.docker.image.rootfs.diff.tar.zstd",
];

/// The annotation with an image's tag or name. Source: OCI image spec, "Annotations".
pub const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// containerd's annotation with an image's name in full.
pub const CONTAINERD_NAME: &str = "io.containerd.image.name";

/// A blob by type, digest and size.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What is said of it.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub annotations: BTreeMap<String, String>,
    /// Its digest, as `sha256:…`.
    pub digest: String,
    /// Its media type.
    #[serde(default, deserialize_with = "null_as_default")]
    pub media_type: String,
    /// The platform that it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<DescribedPlatform>,
    /// Its size in bytes.
    pub size: u64,
}

/// A platform, as a descriptor names it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct DescribedPlatform {
    /// Such as `amd64`.
    pub architecture: String,
    /// Such as `linux`.
    pub os: String,
}

impl fmt::Display for DescribedPlatform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)
    }
}

impl Descriptor {
    /// A blob of the type `media_type`.
    #[must_use]
    pub fn new(media_type: &str, digest: impl fmt::Display, size: u64) -> Self {
        Self {
            annotations: BTreeMap::new(),
            digest: digest.to_string(),
            media_type: media_type.to_owned(),
            platform: None,
            size,
        }
    }

    /// The same for Linux on `architecture`.
    #[must_use]
    pub fn for_linux(mut self, architecture: &str) -> Self {
        self.platform = Some(DescribedPlatform {
            architecture: architecture.to_owned(),
            os: "linux".to_owned(),
        });
        self
    }

    /// The same with the name by which containerd finds it, and the one for other tools.
    #[must_use]
    pub fn named(mut self, containerds: String, others: String) -> Self {
        self.annotations.insert(CONTAINERD_NAME.to_owned(), containerds);
        self.annotations.insert(REF_NAME.to_owned(), others);
        self
    }

    /// The names that it has.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        [CONTAINERD_NAME, REF_NAME]
            .into_iter()
            .filter_map(|key| self.annotations.get(key))
            .map(String::as_str)
    }

    /// Whether it is for `platform`, as `linux/amd64`; `None` where it does not say.
    #[must_use]
    pub fn is_for(&self, platform: impl Copy + fmt::Display) -> Option<bool> {
        let described = self.platform.as_ref()?;
        Some(described.to_string() == platform.to_string())
    }
}

/// An image manifest.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// The config.
    pub config: Descriptor,
    /// The layers, the lowest first.
    #[serde(deserialize_with = "null_as_default")]
    pub layers: Vec<Descriptor>,
    #[serde(skip_deserializing, default)]
    media_type: &'static str,
    #[serde(skip_deserializing, default)]
    schema_version: u32,
}

impl Manifest {
    /// That of an image.
    #[must_use]
    pub fn new(config: Descriptor, layers: Vec<Descriptor>) -> Self {
        Self {
            config,
            layers,
            media_type: MANIFEST,
            schema_version: 2,
        }
    }
}

/// An image index.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// What it lists: image manifests and other indexes.
    #[serde(deserialize_with = "null_as_default")]
    pub manifests: Vec<Descriptor>,
    #[serde(skip_deserializing, default)]
    media_type: &'static str,
    #[serde(skip_deserializing, default)]
    schema_version: u32,
}

impl Index {
    /// One that lists `manifests`.
    #[must_use]
    pub fn new(manifests: Vec<Descriptor>) -> Self {
        Self {
            manifests,
            media_type: INDEX,
            schema_version: 2,
        }
    }

    /// The entry for `platform`; the only one where that does not say for which it is.
    #[must_use]
    pub fn entry_for(&self, platform: impl Copy + fmt::Display) -> Option<&Descriptor> {
        let mut entries = self.manifests.iter();
        entries
            .find(|entry| entry.is_for(platform) == Some(true))
            .or(match self.manifests.as_slice() {
                [only] if only.platform.is_none() => Some(only),
                _ => None,
            })
    }

    /// The platforms that have the manifest `digest`.
    #[must_use]
    pub fn platforms_of(&self, digest: &str) -> Vec<String> {
        let entries = self.manifests.iter().filter(|entry| entry.digest == digest);
        let described = entries.filter_map(|entry| entry.platform.as_ref());
        described.map(ToString::to_string).collect()
    }

    /// The platforms that it names.
    #[must_use]
    pub fn platforms(&self) -> Vec<String> {
        let described = self.manifests.iter().filter_map(|d| d.platform.as_ref());
        described.map(ToString::to_string).collect()
    }
}

/// An image in Docker's `manifest.json`, with paths inside the archive. Source: moby,
/// `image/tarexport`; its layers are plain (`<id>/layer.tar`, `blobs/sha256/<hex>`) or
/// compressed (`<hex>.tar.gz`).
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ArchivedImage {
    /// The file of its config.
    pub config: String,
    /// The files of its layers, the lowest first.
    #[serde(default, deserialize_with = "null_as_default")]
    pub layers: Vec<String>,
    /// Its names.
    #[serde(default, deserialize_with = "null_as_default")]
    pub repo_tags: Vec<String>,
}

/// The file `oci-layout`.
pub const LAYOUT: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;

/// The text of a document.
#[must_use]
pub fn json(document: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(document).expect("documents are lists, texts and numbers")
}

/// `null` as nothing: programs in Go write a list, a map or a text so that nobody filled.
pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_has_its_members_in_order() {
        let named = Descriptor::new(MANIFEST, "sha256:00", 7)
            .for_linux("arm64")
            .named("docker.io/library/app:1".to_owned(), "1".to_owned());
        let text = String::from_utf8(json(&Index::new(vec![named]))).expect("text");
        assert_eq!(
            text,
            r#"{"manifests":[{"annotations":{"io.containerd.image.name":"docker.io/library/app:1","org.opencontainers.image.ref.name":"1"},"digest":"sha256:00","mediaType":"application/vnd.oci.image.manifest.v1+json","platform":{"architecture":"arm64","os":"linux"},"size":7}],"mediaType":"application/vnd.oci.image.index.v1+json","schemaVersion":2}"#
        );
        let read: Index = serde_json::from_str(&text).expect("an index");
        assert_eq!(read.platforms(), ["linux/arm64"]);
        assert_eq!(
            read.manifests[0].names().collect::<Vec<_>>(),
            ["docker.io/library/app:1", "1"]
        );
    }

    #[test]
    fn what_nobody_filled_is_null_or_absent() {
        let index: Index = serde_json::from_str(r#"{"manifests":null}"#).expect("an index");
        assert!(index.manifests.is_empty());
        let manifest = r#"{"config":{"digest":"sha256:00","size":1,"annotations":null},"layers":null}"#;
        let manifest: Manifest = serde_json::from_str(manifest).expect("a manifest");
        assert!(manifest.layers.is_empty() && manifest.config.media_type.is_empty());
        let image = r#"{"Config":"c.json","RepoTags":null}"#;
        let image: ArchivedImage = serde_json::from_str(image).expect("an image");
        assert!(image.repo_tags.is_empty() && image.layers.is_empty());
    }
}
