//! OCI image layouts: a folder of blobs with an index.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use super::blob::Blob;
use super::found::FoundImage;
use super::{FetchError, sniff};
use crate::bundle::{Digest, ImageReference, Platform, limits};
use crate::spec::is_tag_alone;

/// Larger than any index or manifest; the distribution spec wants registries to take 4 MiB.
const DOCUMENT_BYTES: u64 = 16 << 20;

/// An index in an index in an index; nobody goes deeper.
const DEPTH: usize = 3;

/// Source: OCI image spec, "Annotations"; containerd writes the second one.
const REF_NAME: &str = "org.opencontainers.image.ref.name";
const CONTAINERD_NAME: &str = "io.containerd.image.name";

/// Source: OCI image spec, "Media Types"; Docker's image manifest v2, schema 2; the last
/// one is containerd's (`core/images/mediatypes.go`).
pub(super) const INDEXES: [&str; 2] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];
pub(super) const MANIFESTS: [&str; 2] = [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];
pub(super) const CONFIGS: [&str; 2] = [
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
];
pub(super) const LAYERS: [&str; 6] = [
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd",
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
    "application/vnd.docker.image.rootfs.diff.tar.zstd",
];

#[derive(Deserialize)]
pub(super) struct Index {
    pub(super) manifests: Vec<Descriptor>,
}

impl Index {
    /// The platforms that it names.
    pub(super) fn platforms(&self) -> Vec<String> {
        let described = self.manifests.iter().filter_map(|d| d.platform.as_ref());
        described
            .map(|p| format!("{}/{}", p.os, p.architecture))
            .collect()
    }
}

#[derive(Deserialize)]
pub(super) struct Manifest {
    pub(super) config: Descriptor,
    pub(super) layers: Vec<Descriptor>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    #[serde(default)]
    pub(super) media_type: String,
    pub(super) digest: String,
    pub(super) size: u64,
    #[serde(default)]
    pub(super) annotations: HashMap<String, String>,
    platform: Option<DescribedPlatform>,
}

#[derive(Clone, Deserialize)]
struct DescribedPlatform {
    architecture: String,
    os: String,
}

impl Descriptor {
    fn names(&self) -> impl Iterator<Item = &str> {
        [CONTAINERD_NAME, REF_NAME]
            .into_iter()
            .filter_map(|key| self.annotations.get(key))
            .map(String::as_str)
    }

    /// The name in full, where an annotation has it.
    fn full_name(&self) -> Option<ImageReference> {
        self.names()
            .filter(|name| !is_tag_alone(name))
            .find_map(|name| ImageReference::parse(name).ok())
    }

    fn is_called(&self, wanted: &str) -> bool {
        if is_tag_alone(wanted) {
            return self.names().any(|name| name == wanted)
                || self.full_name().is_some_and(|name| name.tag() == wanted);
        }
        let Ok(wanted) = ImageReference::parse(wanted) else {
            return false;
        };
        match self.full_name() {
            Some(name) => name == wanted,
            None => self.names().any(|name| name == wanted.tag()),
        }
    }

    /// Whether it is for `platform`; `None` where it does not say.
    pub(super) fn is_for(&self, platform: Platform) -> Option<bool> {
        let described = self.platform.as_ref()?;
        Some(format!("{}/{}", described.os, described.architecture) == platform.to_string())
    }
}

/// The image in the layout `folder` that is called `wanted` (a tag or a full name; the
/// only one there without it), for `platform`.
///
/// It keeps the full name that was asked for or is annotated. A layout of skopeo's has
/// the tag only: then its name is `docker.io/library/<folder>:<tag>`, so that a pod
/// finds it as `<folder>:<tag>`.
pub(super) fn read(
    folder: &Path,
    wanted: Option<&str>,
    platform: Platform,
) -> Result<FoundImage, FetchError> {
    let layout = Layout::open(folder)?;
    let chosen = layout.choose(wanted, platform)?;
    let reference = name_of(&chosen, wanted, folder)?;
    let manifest = layout.manifest(chosen, platform)?;
    layout.image(&manifest, reference)
}

/// A folder with `oci-layout`, `index.json` and `blobs`.
struct Layout {
    folder: PathBuf,
    index: Index,
}

impl Layout {
    fn open(folder: &Path) -> Result<Self, FetchError> {
        let marker = folder.join("oci-layout");
        if !marker.is_file() {
            return Err(FetchError::NotALayout {
                path: folder.to_owned(),
            });
        }
        let path = folder.join("index.json");
        let bytes = sniff::head(&path, DOCUMENT_BYTES)?;
        let index = serde_json::from_slice(&bytes).map_err(|error| FetchError::Damaged {
            path: path.clone(),
            entry: "index.json".to_owned(),
            reason: format!("is not an OCI image index: {error}"),
        })?;
        Ok(Self {
            folder: folder.to_owned(),
            index,
        })
    }

    fn choose(&self, wanted: Option<&str>, platform: Platform) -> Result<Descriptor, FetchError> {
        let mut called: Vec<&Descriptor> = self
            .index
            .manifests
            .iter()
            .filter(|descriptor| wanted.is_none_or(|wanted| descriptor.is_called(wanted)))
            .collect();
        if called.is_empty() && self.index.manifests.len() == 1 {
            // One image without any name: a full name that is given becomes its name.
            let only = &self.index.manifests[0];
            let names_it = wanted.is_some_and(|wanted| !is_tag_alone(wanted));
            called.extend((names_it && only.names().next().is_none()).then_some(only));
        }
        if called.len() > 1 {
            called.retain(|descriptor| descriptor.is_for(platform) != Some(false));
        }
        let Some((first, others)) = called.split_first() else {
            return Err(FetchError::NoSuchImage {
                path: self.folder.clone(),
                wanted: wanted.map_or_else(|| format!("any image for {platform}"), str::to_owned),
                there: self.names(),
            });
        };
        if others.iter().any(|other| other.digest != first.digest) {
            return Err(FetchError::SeveralImages {
                path: self.folder.clone(),
                there: self.names(),
            });
        }
        Ok((*first).clone())
    }

    fn names(&self) -> Vec<String> {
        let manifests = self.index.manifests.iter();
        manifests
            .filter_map(|descriptor| descriptor.names().next().map(str::to_owned))
            .collect()
    }

    /// The manifest that `descriptor` stands for: itself, or the one for `platform` in
    /// the index that it is.
    fn manifest(&self, mut descriptor: Descriptor, platform: Platform) -> Result<Manifest, FetchError> {
        for _ in 0..=DEPTH {
            let blob = self.blob(&descriptor)?;
            let json = document(&descriptor, &blob, DOCUMENT_BYTES)?;
            if MANIFESTS.contains(&descriptor.media_type.as_str()) {
                return parse(&json, &blob);
            }
            self.check_type(&descriptor, &INDEXES)?;
            let index: Index = parse(&json, &blob)?;
            descriptor = index
                .manifests
                .iter()
                .find(|descriptor| descriptor.is_for(platform) == Some(true))
                .or(match index.manifests.as_slice() {
                    [only] if only.platform.is_none() => Some(only),
                    _ => None,
                })
                .cloned()
                .ok_or_else(|| FetchError::NoSuchImage {
                    path: self.folder.clone(),
                    wanted: format!("an image for {platform}"),
                    there: index.platforms(),
                })?;
        }
        Err(FetchError::Damaged {
            path: self.folder.clone(),
            entry: descriptor.digest,
            reason: format!("lies in more than {DEPTH} indexes, one in the other"),
        })
    }

    fn image(&self, manifest: &Manifest, reference: ImageReference) -> Result<FoundImage, FetchError> {
        self.check_type(&manifest.config, &CONFIGS)?;
        let config = self.blob(&manifest.config)?;
        let json = document(&manifest.config, &config, limits::IMAGE_CONFIG_BYTES)?;
        let mut layers = Vec::new();
        for layer in &manifest.layers {
            self.check_type(layer, &LAYERS)?;
            layers.push(self.blob(layer)?);
        }
        let mut image = FoundImage::new(reference, &config, json, layers, "oci")?;
        image.place = self.folder.display().to_string();
        Ok(image)
    }

    /// The blob of `descriptor`, with the size that it should have. A layer's content is
    /// compared later, with the digest that the image's config gives.
    fn blob(&self, descriptor: &Descriptor) -> Result<Blob, FetchError> {
        let digest = Digest::parse_prefixed(&descriptor.digest).map_err(|_| FetchError::UnknownDigest {
            path: self.folder.clone(),
            digest: descriptor.digest.clone(),
        })?;
        let path = self.folder.join("blobs/sha256").join(digest.hex());
        // Looked at first: opening a pipe would wait.
        sniff::head(&path, 0)?;
        let bytes = fs::metadata(&path)
            .map_err(|source| FetchError::read(&path, source))?
            .len();
        let blob = Blob::at(&Arc::from(path), &descriptor.digest, 0, bytes)?;
        if bytes != descriptor.size {
            return Err(blob.damaged(format!("has {bytes} bytes instead of {}", descriptor.size)));
        }
        Ok(blob)
    }

    fn check_type(&self, descriptor: &Descriptor, known: &[&str]) -> Result<(), FetchError> {
        if known.contains(&descriptor.media_type.as_str()) {
            return Ok(());
        }
        Err(FetchError::MediaType {
            path: self.folder.clone(),
            digest: descriptor.digest.clone(),
            found: descriptor.media_type.clone(),
        })
    }
}

/// The content of a small blob, with the digest that it should have.
fn document(descriptor: &Descriptor, blob: &Blob, limit: u64) -> Result<Vec<u8>, FetchError> {
    let bytes = blob.read_small(limit)?;
    let found = Digest::of(&bytes).to_string();
    if found == descriptor.digest {
        Ok(bytes)
    } else {
        Err(blob.damaged(format!("has {found}")))
    }
}

fn parse<T: for<'a> Deserialize<'a>>(json: &[u8], blob: &Blob) -> Result<T, FetchError> {
    serde_json::from_slice(json).map_err(|error| blob.damaged(format!("is not what its type says: {error}")))
}

fn name_of(chosen: &Descriptor, wanted: Option<&str>, folder: &Path) -> Result<ImageReference, FetchError> {
    let given = wanted
        .filter(|wanted| !is_tag_alone(wanted))
        .and_then(|wanted| ImageReference::parse(wanted).ok());
    if let Some(name) = given.or_else(|| chosen.full_name()) {
        return Ok(name);
    }
    let tag = wanted.or_else(|| chosen.names().next());
    // `.` has no name, its full path has.
    let full = fs::canonicalize(folder).ok();
    let base = full
        .as_deref()
        .and_then(Path::file_name)
        .and_then(|name| name.to_str());
    base.zip(tag)
        .and_then(|(base, tag)| ImageReference::parse(&format!("docker.io/library/{base}:{tag}")).ok())
        .ok_or_else(|| FetchError::LayoutWithoutName {
            path: folder.to_owned(),
        })
}

#[cfg(test)]
mod tests;
