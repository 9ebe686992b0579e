//! The archives that `docker save`, go-containerregistry and minikube write.

use super::FetchError;
use super::found::FoundImage;
use super::oci_layout::{self, Place};
use super::tar_index::TarIndex;
use crate::bundle::{Digest, ImageReference, Platform, Transport, limits};
use crate::oci::ArchivedImage;
use crate::progress::Progress;

/// Large enough for thousands of images.
const MANIFEST_BYTES: u64 = 16 << 20;

/// The names by which an image can be carried.
fn references(entry: &ArchivedImage) -> impl Iterator<Item = ImageReference> {
    let tags = entry.repo_tags.iter();
    tags.filter_map(|tag| ImageReference::parse(tag).ok())
}

/// The images in the archive: the one named `wanted`, or every one with all its names.
/// An image without a name gets the wanted one. Layers are found, not read.
///
/// containerd writes one platform's image into `manifest.json`, and the others' into
/// `index.json` alone: those of `platforms` are looked for there. Source: containerd v2.0,
/// `core/images/archive/exporter.go`.
pub(super) fn read(
    tar: &TarIndex,
    wanted: Option<&ImageReference>,
    platforms: &[Platform],
    transport: Transport,
    progress: &dyn Progress,
) -> Result<Vec<FoundImage>, FetchError> {
    let entries = entries(tar)?;
    let mut images = named(tar, &entries, wanted, transport)?;
    let mut names: Vec<ImageReference> = images.iter().map(|image| image.pin.reference.clone()).collect();
    names.extend(wanted.cloned());
    names.sort();
    names.dedup();
    if tar.has("index.json") {
        for name in &names {
            let is_there = |platform: &Platform| {
                let mut images = images.iter();
                images.any(|image| (&image.pin.reference, image.pin.platform) == (name, *platform))
            };
            let lacking: Vec<Platform> = platforms.iter().copied().filter(|it| !is_there(it)).collect();
            match oci_layout::read(Place::Archive(tar), Some(&name.to_string()), &lacking, progress) {
                Ok(more) => images.extend(more.into_iter().map(|image| image.by(transport))),
                // What is nowhere is told of all images at once.
                Err(FetchError::NoSuchImage { .. } | FetchError::WithoutBlob { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }
    for name in &names {
        let is_for_us = |image: &FoundImage| platforms.contains(&image.pin.platform);
        if images
            .iter()
            .any(|image| &image.pin.reference == name && is_for_us(image))
        {
            images.retain(|image| &image.pin.reference != name || is_for_us(image));
        }
    }
    if images.is_empty() {
        let there = entries.iter().flat_map(references);
        return Err(FetchError::NoSuchImage {
            path: tar.path().to_owned(),
            wanted: wanted.map_or_else(|| "any image".to_owned(), ToString::to_string),
            there: there.map(|name| name.to_string()).collect(),
        });
    }
    Ok(images)
}

fn named(
    tar: &TarIndex,
    entries: &[ArchivedImage],
    wanted: Option<&ImageReference>,
    transport: Transport,
) -> Result<Vec<FoundImage>, FetchError> {
    let all_nameless = entries.iter().all(|entry| references(entry).next().is_none());
    let mut images: Vec<FoundImage> = Vec::new();
    for entry in entries {
        let mut names: Vec<ImageReference> = references(entry).collect();
        match wanted {
            Some(wanted) if all_nameless => names.push(wanted.clone()),
            Some(wanted) => names.retain(|name| name == wanted),
            None if names.is_empty() => {
                return Err(FetchError::WithoutName {
                    path: tar.path().to_owned(),
                    transport: "docker-archive",
                });
            }
            None => {}
        }
        for name in names {
            images.push(found(tar, entry, name, transport)?);
        }
    }
    let is_second = |(at, image): (usize, &FoundImage)| {
        let mut others = images[..at].iter();
        others.any(|other| other.pin.platform == image.pin.platform && other.pin.config != image.pin.config)
    };
    if all_nameless && images.iter().enumerate().any(is_second) {
        return Err(FetchError::SeveralImages {
            path: tar.path().to_owned(),
            there: images.iter().map(|image| image.pin.config.to_string()).collect(),
        });
    }
    Ok(images)
}

/// `manifest.json`; an error that names what this is instead of docker's archive.
fn entries(tar: &TarIndex) -> Result<Vec<ArchivedImage>, FetchError> {
    let other = |found, transport| FetchError::OtherTransport {
        path: tar.path().to_owned(),
        found,
        transport,
    };
    let Some(blob) = tar.find("manifest.json")? else {
        return Err(if tar.has("index.json") && tar.has("oci-layout") {
            other(
                "an archive of an OCI layout, without docker's `manifest.json`",
                "oci-archive",
            )
        } else {
            tar.without("manifest.json")
        });
    };
    let json = blob.read_small(MANIFEST_BYTES)?;
    let entries: Option<Vec<ArchivedImage>> = serde_json::from_slice(&json)
        .map_err(|error| blob.damaged(format!("is not a list of images: {error}")))?;
    Ok(entries.unwrap_or_default())
}

fn found(
    tar: &TarIndex,
    entry: &ArchivedImage,
    name: ImageReference,
    transport: Transport,
) -> Result<FoundImage, FetchError> {
    let config = tar.need(&entry.config)?;
    let json = config.read_small(limits::IMAGE_CONFIG_BYTES)?;
    if let Some(expected) = digest_in(&entry.config) {
        let found = Digest::of(&json);
        if found != expected {
            return Err(config.damaged(format!("has {found}")));
        }
    }
    let layers = entry
        .layers
        .iter()
        .map(|layer| tar.need(layer))
        .collect::<Result<_, _>>()?;
    FoundImage::new(name, &config, json, layers, transport)
}

/// The digest in the name of a config: `<hex>.json`, `sha256:<hex>`,
/// `blobs/sha256/<hex>`; `None` for other names, such as skopeo never writes but
/// others may.
fn digest_in(name: &str) -> Option<Digest> {
    let base = name.rsplit('/').next()?;
    Digest::parse(base.strip_suffix(".json").unwrap_or(base)).ok()
}

#[cfg(test)]
mod tests;
