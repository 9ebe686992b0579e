//! The images: found, told apart, their layers hashed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::path::Path;

use super::blob::Blob;
use super::found::FoundImage;
use super::hashing::{hash, in_parallel};
use super::parts::{LocalImage, LocalLayer};
use super::{Cache, FetchError, daemon, docker_archive, oci_layout};
use crate::bundle::{BinaryRole, Digest, ImageReference, ImageRole, Origin, Platform};
use crate::progress::Progress;
use crate::resolve::Requirements;
use crate::spec::{ImageSource, Spec, is_tag_alone};

/// The images that the spec names and those of the `needs` that the caches have.
/// `scratch` is a folder for the archives that the engine writes.
pub(super) fn find(
    spec: &Spec,
    caches: &[Cache],
    needs: &[ImageReference],
    scratch: &Path,
    progress: &dyn Progress,
) -> Result<Vec<(ImageRole, FoundImage)>, FetchError> {
    progress.begin("finding the images", None);
    let opener = Opener {
        platform: spec.platform,
        scratch,
        progress,
    };
    let mut found: Vec<(ImageRole, FoundImage)> = node_images(spec, caches, &opener)?
        .into_iter()
        .map(|image| (ImageRole::Node, image))
        .collect();
    let mut others = Vec::new();
    for source in &spec.images {
        others.extend(opener.open(source)?);
    }
    for (cache, name) in caches
        .iter()
        .flat_map(|cache| needs.iter().map(move |name| (cache, name)))
    {
        if let Some(path) = cache.image(name) {
            others.extend(docker_archive::read(&path, Some(name), "minikube-cache")?);
        }
    }
    found.extend(others.into_iter().map(|image| {
        let is_needed = needs.contains(&image.reference);
        let role = if is_needed {
            ImageRole::Kubernetes
        } else {
            ImageRole::Application
        };
        (role, image)
    }));
    let found = settle(found, spec.platform)?;
    progress.end(&format!("{} images", found.len()));
    Ok(found)
}

/// One image for each name, all of them for `platform`.
pub(super) fn settle(
    found: Vec<(ImageRole, FoundImage)>,
    platform: Platform,
) -> Result<Vec<(ImageRole, FoundImage)>, FetchError> {
    if let Some((_, image)) = found.iter().find(|(_, image)| image.platform != platform) {
        return Err(FetchError::WrongPlatform {
            place: image.place.clone(),
            reference: image.reference.clone(),
            expected: platform,
            found: image.platform,
        });
    }
    one_of_each(found)
}

/// The node image on this machine: the given one, else the caches'.
fn node_images(spec: &Spec, caches: &[Cache], opener: &Opener<'_>) -> Result<Vec<FoundImage>, FetchError> {
    if let Some(source) = &spec.kicbase {
        if matches!(source, ImageSource::Docker { .. }) {
            return Ok(Vec::new());
        }
        return only_one(opener.open(source)?, &source.to_string()).map(|image| vec![image]);
    }
    let mut paths = Vec::new();
    for cache in caches {
        paths.extend(cache.kicbases()?);
    }
    let names: BTreeSet<_> = paths.iter().map(|path| path.file_name()).collect();
    if names.len() > 1 {
        return Err(FetchError::SeveralNodeImages {
            there: paths.iter().map(|path| path.display().to_string()).collect(),
        });
    }
    paths
        .iter()
        .map(|path| {
            let images = docker_archive::read(path, None, "minikube-cache")?;
            only_one(images, &path.display().to_string())
        })
        .collect()
}

fn only_one(mut images: Vec<FoundImage>, place: &str) -> Result<FoundImage, FetchError> {
    match images.pop() {
        Some(image) if images.is_empty() => Ok(image),
        last => Err(FetchError::SeveralImages {
            path: place.into(),
            there: images
                .iter()
                .chain(&last)
                .map(|image| image.reference.to_string())
                .collect(),
        }),
    }
}

/// Opens what the user names.
struct Opener<'a> {
    platform: Platform,
    scratch: &'a Path,
    progress: &'a dyn Progress,
}

impl Opener<'_> {
    fn open(&self, source: &ImageSource) -> Result<Vec<FoundImage>, FetchError> {
        match source {
            ImageSource::DockerArchive { path, reference } => {
                docker_archive::read(path, reference.as_ref(), source.transport())
            }
            // It comes later, with all that is downloaded.
            ImageSource::Docker { .. } => Ok(Vec::new()),
            ImageSource::DockerDaemon { reference } => {
                self.progress
                    .note(&format!("saving `{reference}` from Docker Engine"));
                let name = Digest::of(reference.to_string().as_bytes()).hex();
                let archive = daemon::save(reference, &self.scratch.join(name))?;
                let mut images = docker_archive::read(&archive, Some(reference), source.transport())?;
                for image in &mut images {
                    image.place = source.to_string();
                }
                Ok(images)
            }
            ImageSource::Oci { folder, name } => {
                let image = oci_layout::read(folder, name.as_deref(), self.platform)?;
                if name.as_deref().is_none_or(is_tag_alone) {
                    let note = format!("the image in `{source}` is carried as `{}`", image.reference);
                    self.progress.note(&note);
                }
                Ok(vec![image])
            }
        }
    }
}

/// One image for each name, sorted by role and name. The same image from two places is
/// one image; two images with one name, or two for the node, are an error.
fn one_of_each(mut found: Vec<(ImageRole, FoundImage)>) -> Result<Vec<(ImageRole, FoundImage)>, FetchError> {
    let key = |(role, image): &(ImageRole, FoundImage)| {
        (
            image.reference.clone(),
            *role,
            image.transport,
            image.place.clone(),
        )
    };
    found.sort_by_key(key);
    let mut kept: Vec<(ImageRole, FoundImage)> = Vec::new();
    for (role, image) in found {
        match kept.last() {
            Some((_, first)) if first.reference == image.reference => {
                if first.config != image.config {
                    return Err(conflict(&image.reference.to_string(), first, &image));
                }
            }
            _ => kept.push((role, image)),
        }
    }
    kept.sort_by_key(|(role, image)| (*role, image.reference.clone()));
    if let [(ImageRole::Node, first), (ImageRole::Node, second), ..] = kept.as_slice() {
        return Err(conflict("the node image", first, second));
    }
    Ok(kept)
}

fn conflict(what: &str, first: &FoundImage, second: &FoundImage) -> FetchError {
    FetchError::Conflict {
        what: what.to_owned(),
        first: first.place.clone(),
        second: second.place.clone(),
    }
}

/// Reads every layer once and compares it with the digest that the images' configs
/// give, however many images use it and wherever else it lies.
pub(super) fn read(
    found: Vec<(ImageRole, FoundImage)>,
    progress: &dyn Progress,
) -> Result<Vec<LocalImage>, FetchError> {
    let mut blobs: BTreeMap<Digest, Blob> = BTreeMap::new();
    for (diff_id, blob) in found.iter().flat_map(|(_, image)| &image.layers) {
        blobs.entry(*diff_id).or_insert_with(|| blob.clone());
    }
    let mut jobs: Vec<(Digest, Blob)> = blobs.into_iter().collect();
    jobs.sort_by_key(|(diff_id, blob)| (std::cmp::Reverse(blob.stored_bytes), *diff_id));
    let total = jobs.iter().map(|(_, blob)| blob.stored_bytes).sum();
    progress.begin("reading the images", Some(total));
    let read = in_parallel(&jobs, |(diff_id, blob)| read_layer(*diff_id, blob, progress));
    let mut layers: BTreeMap<Digest, LocalLayer> = BTreeMap::new();
    for layer in read {
        let layer = layer?;
        layers.insert(layer.diff_id, layer);
    }
    progress.end(&format!("{} images, {} layers", found.len(), layers.len()));
    Ok(found
        .into_iter()
        .map(|(role, image)| LocalImage {
            role,
            reference: image.reference,
            platform: image.platform,
            manifest: image.manifest,
            config: image.config,
            config_json: image.config_json,
            layers: image
                .layers
                .iter()
                .map(|(diff_id, _)| layers[diff_id].clone())
                .collect(),
            origin: Origin {
                transport: image.transport.to_owned(),
                evidence: image
                    .evidence
                    .into_iter()
                    .chain(["its layers have the digests that its config lists".to_owned()])
                    .collect(),
            },
        })
        .collect())
}

fn read_layer(diff_id: Digest, blob: &Blob, progress: &dyn Progress) -> Result<LocalLayer, FetchError> {
    let stored = |file| Counted { file, progress };
    let most = blob.most_bytes();
    let reader = blob.open_counted(stored)?.take(most + 1);
    let (found, size) = hash(reader, |_| ()).map_err(|source| blob.decode_error(source))?;
    if size > most {
        return Err(blob.damaged(format!(
            "grows from {} bytes to more than {most}: no layer does that",
            blob.stored_bytes
        )));
    }
    if found != diff_id {
        return Err(FetchError::WrongLayer {
            path: blob.file.to_path_buf(),
            entry: blob.name.clone(),
            expected: diff_id,
            found,
        });
    }
    Ok(LocalLayer {
        diff_id,
        size,
        blob: blob.clone(),
    })
}

/// Tells of the stored bytes as they are read: a compressed layer has more than that.
struct Counted<'a, R> {
    file: R,
    progress: &'a dyn Progress,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read(buffer)?;
        self.progress.advance(length as u64);
        Ok(length)
    }
}

/// What the requirements are compared with.
pub(super) fn names(found: &[(ImageRole, FoundImage)]) -> (bool, Vec<ImageReference>) {
    let has_node = found.iter().any(|(role, _)| *role == ImageRole::Node);
    let in_node = found.iter().filter(|(role, _)| *role != ImageRole::Node);
    (
        has_node,
        in_node.map(|(_, image)| image.reference.clone()).collect(),
    )
}

/// Fails when a required part is not among those found.
pub(super) fn check(
    needs: &Requirements,
    binaries: &[BinaryRole],
    found: &[(ImageRole, FoundImage)],
) -> Result<(), FetchError> {
    let (has_node, images) = names(found);
    Ok(needs.check(binaries, has_node, &images)?)
}
