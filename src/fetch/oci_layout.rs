//! OCI image layouts: blobs with an index, in a directory or in an archive.

mod place;

use std::path::PathBuf;

use serde::Deserialize;

use super::FetchError;
use super::blob::Blob;
use super::found::FoundImage;
use crate::bundle::{Digest, ImageReference, Platform, limits};
use crate::oci::{CONFIGS, Descriptor, INDEXES, Index, LAYERS, MANIFESTS, Manifest};
use crate::progress::Progress;
use crate::spec::is_tag_alone;

use self::place::DOCUMENT_BYTES;
pub(super) use self::place::Place;

/// An index in an index in an index; nobody goes deeper.
pub(super) const DEPTH: usize = 3;

/// The name of `descriptor` in full, where an annotation has it.
fn full_name(descriptor: &Descriptor) -> Option<ImageReference> {
    let mut names = descriptor.names().filter(|name| !is_tag_alone(name));
    names.find_map(|name| ImageReference::parse(name).ok())
}

fn is_called(descriptor: &Descriptor, wanted: &str) -> bool {
    let has_name = |wanted: &str| descriptor.names().any(|name| name == wanted);
    if is_tag_alone(wanted) {
        return has_name(wanted) || full_name(descriptor).is_some_and(|name| name.tag() == wanted);
    }
    let Ok(wanted) = ImageReference::parse(wanted) else {
        return false;
    };
    match full_name(descriptor) {
        Some(name) => name == wanted,
        None => has_name(wanted.tag()),
    }
}

/// The image in the layout that is called `wanted` (a tag or a full name; the only one there
/// without it), for each of `platforms` that it is there for, which is one at least.
///
/// It keeps the full name that was asked for or is annotated. A layout of skopeo's has
/// the tag only: then its name is `docker.io/library/<directory>:<tag>`, so that a pod
/// finds it as `<directory>:<tag>`.
pub(super) fn read(
    place: Place<'_>,
    wanted: Option<&str>,
    platforms: &[Platform],
    progress: &dyn Progress,
) -> Result<Vec<FoundImage>, FetchError> {
    let layout = Layout::open(place)?;
    let (mut found, mut absent) = (Vec::<FoundImage>::new(), None);
    for platform in platforms {
        match layout.read(wanted, *platform) {
            // One that does not say its platform is found for each.
            Ok(image) if found.iter().any(|other| other.pin.config == image.pin.config) => {}
            Ok(image) => found.push(image),
            Err(error @ FetchError::NoSuchImage { .. }) => {
                absent.get_or_insert(error);
            }
            Err(error @ FetchError::WithoutBlob { .. }) => {
                progress.note(&error.to_string());
                absent.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
    }
    match absent {
        Some(error) if found.is_empty() => Err(error),
        _ => Ok(found),
    }
}

/// `oci-layout`, `index.json` and `blobs`.
struct Layout<'a> {
    place: Place<'a>,
    index: Index,
}

impl<'a> Layout<'a> {
    fn open(place: Place<'a>) -> Result<Self, FetchError> {
        let bytes = place.index()?;
        let index = serde_json::from_slice(&bytes).map_err(|error| FetchError::Damaged {
            path: place.path().to_owned(),
            entry: "index.json".to_owned(),
            reason: format!("is not an OCI image index: {error}"),
        })?;
        Ok(Self { place, index })
    }

    fn read(&self, wanted: Option<&str>, platform: Platform) -> Result<FoundImage, FetchError> {
        let chosen = self.choose(wanted, platform)?;
        let reference = self.name_of(&chosen, wanted)?;
        let manifest = self.manifest(chosen, platform)?;
        self.image(&manifest, reference, platform)
    }

    fn path(&self) -> PathBuf {
        self.place.path().to_owned()
    }

    fn choose(&self, wanted: Option<&str>, platform: Platform) -> Result<Descriptor, FetchError> {
        let mut called: Vec<&Descriptor> = self
            .index
            .manifests
            .iter()
            .filter(|descriptor| wanted.is_none_or(|wanted| is_called(descriptor, wanted)))
            .collect();
        if called.is_empty() && self.names().is_empty() && wanted.is_some_and(|name| !is_tag_alone(name)) {
            // Nothing has a name: a full one that is given becomes that of the image.
            called.extend(&self.index.manifests);
        }
        if called.len() > 1 {
            called.retain(|descriptor| descriptor.is_for(platform) != Some(false));
        }
        let Some((first, others)) = called.split_first() else {
            return Err(FetchError::NoSuchImage {
                path: self.path(),
                wanted: wanted.map_or_else(|| format!("any image for {platform}"), str::to_owned),
                there: self.names(),
            });
        };
        if others.iter().any(|other| other.digest != first.digest) {
            return Err(FetchError::SeveralImages {
                path: self.path(),
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
            let blob = self.blob(&descriptor, platform)?;
            let json = document(&descriptor, &blob, DOCUMENT_BYTES)?;
            if MANIFESTS.contains(&descriptor.media_type.as_str()) {
                return parse(&json, &blob);
            }
            self.check_type(&descriptor, &INDEXES)?;
            let index: Index = parse(&json, &blob)?;
            descriptor = index
                .entry_for(platform)
                .cloned()
                .ok_or_else(|| FetchError::NoSuchImage {
                    path: self.path(),
                    wanted: format!("an image for {platform}"),
                    there: index.platforms(),
                })?;
        }
        Err(FetchError::Damaged {
            path: self.path(),
            entry: descriptor.digest,
            reason: format!("lies in more than {DEPTH} indexes, one in the other"),
        })
    }

    fn image(
        &self,
        manifest: &Manifest,
        reference: ImageReference,
        platform: Platform,
    ) -> Result<FoundImage, FetchError> {
        self.check_type(&manifest.config, &CONFIGS)?;
        let config = self.blob(&manifest.config, platform)?;
        let json = document(&manifest.config, &config, limits::IMAGE_CONFIG_BYTES)?;
        let mut layers = Vec::new();
        for layer in &manifest.layers {
            self.check_type(layer, &LAYERS)?;
            layers.push(self.blob(layer, platform)?);
        }
        let mut image = FoundImage::new(reference, &config, json, layers, self.place.transport())?;
        image.place = self.place.path().display().to_string();
        Ok(image)
    }

    /// The blob of `descriptor`, with the size that it should have. A layer's content is
    /// compared later, with the digest that the image's config gives.
    fn blob(&self, descriptor: &Descriptor, platform: Platform) -> Result<Blob, FetchError> {
        let digest = Digest::parse_prefixed(&descriptor.digest).map_err(|_| FetchError::UnknownDigest {
            path: self.path(),
            digest: descriptor.digest.clone(),
        })?;
        let blob = self.place.blob(digest, &descriptor.digest)?;
        let blob = blob.ok_or_else(|| FetchError::WithoutBlob {
            path: self.path(),
            platform,
            digest,
        })?;
        if blob.stored_bytes != descriptor.size {
            let (found, expected) = (blob.stored_bytes, descriptor.size);
            return Err(blob.damaged(format!("has {found} bytes instead of {expected}")));
        }
        Ok(blob)
    }

    fn check_type(&self, descriptor: &Descriptor, known: &[&str]) -> Result<(), FetchError> {
        if known.contains(&descriptor.media_type.as_str()) {
            return Ok(());
        }
        Err(FetchError::MediaType {
            path: self.path(),
            digest: descriptor.digest.clone(),
            found: descriptor.media_type.clone(),
        })
    }

    fn name_of(&self, chosen: &Descriptor, wanted: Option<&str>) -> Result<ImageReference, FetchError> {
        let given = wanted
            .filter(|wanted| !is_tag_alone(wanted))
            .and_then(|wanted| ImageReference::parse(wanted).ok());
        if let Some(name) = given.or_else(|| full_name(chosen)) {
            return Ok(name);
        }
        let tag = wanted.or_else(|| chosen.names().next());
        self.place
            .base_name()
            .zip(tag)
            .and_then(|(base, tag)| ImageReference::parse(&format!("docker.io/library/{base}:{tag}")).ok())
            .ok_or_else(|| FetchError::WithoutName {
                path: self.path(),
                transport: self.place.transport().name(),
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

#[cfg(test)]
mod tests;
