//! The images: found, told apart, their layers hashed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use super::blob::Blob;
use super::found::FoundImage;
use super::hashing::{Counted, Hashing};
use super::oci_layout::{self, Place};
use super::packages::LayerPackages;
use super::parts::{LocalImage, LocalLayer};
use super::scratch::Scratch;
use super::tar_index::TarIndex;
use super::upstream::WantedImage;
use super::{Cache, FetchError, daemon, docker_archive};
use crate::bundle::{BinaryRole, Digest, ImageReference, ImageRole, Platform, Transport, Verification};
use crate::host::in_parallel;
use crate::progress::Progress;
use crate::resolve::{ImagePin, Inventory};
use crate::spec::{ImageSource, Spec, is_tag_alone};

/// Finds images on this machine.
pub(super) struct Finder<'a> {
    pub(super) spec: &'a Spec,
    pub(super) caches: &'a [Cache],
    /// For archives that are written on the way.
    pub(super) scratch: &'a Scratch,
    pub(super) progress: &'a dyn Progress,
}

impl Finder<'_> {
    /// The images that the spec names and those of the `needs` that the caches have.
    pub(super) fn find(&self, needs: &[ImageReference]) -> Result<Vec<FoundImage>, FetchError> {
        let &Self {
            spec,
            caches,
            scratch,
            progress,
        } = self;
        progress.begin("finding the images", None);
        let opener = Opener {
            platforms: &spec.platforms,
            scratch,
            progress,
        };
        let mut found = node_images(spec, caches, &opener)?;
        for image in &mut found {
            image.pin.role = ImageRole::Node;
        }
        let mut others = Vec::new();
        for source in &spec.images {
            others.extend(opener.open(source)?);
        }
        for (cache, name) in caches
            .iter()
            .flat_map(|cache| needs.iter().map(move |name| (cache, name)))
        {
            if let Some(path) = cache.image(name) {
                others.extend(opener.archive(&path, Some(name), Transport::MinikubeCache)?);
            }
        }
        for mut image in others {
            if needs.contains(&image.pin.reference) {
                image.pin.role = ImageRole::Kubernetes;
            }
            found.push(image);
        }
        let found = settle(found, &spec.platforms)?;
        progress.end(&format!("{} images", found.len()));
        Ok(found)
    }
}

/// Fails when an application's image that is here is for some of `platforms` only, and the
/// others' are not among the `wanted`: it is told before anything is downloaded.
pub(super) fn refuse_partial(
    found: &[FoundImage],
    wanted: &[(Platform, Vec<WantedImage>)],
    platforms: &[Platform],
) -> Result<(), FetchError> {
    let is_there = |reference: &ImageReference, platform: Platform| {
        let mut found = found
            .iter()
            .map(|image| (&image.pin.reference, image.pin.platform));
        let mut wanted = wanted
            .iter()
            .filter(|(of, _)| *of == platform)
            .flat_map(|(_, images)| images);
        found.any(|there| there == (reference, platform)) || wanted.any(|image| &image.reference == reference)
    };
    for image in found {
        let pin = &image.pin;
        let mut platforms = platforms.iter();
        let lacking = platforms.find(|platform| !is_there(&pin.reference, **platform));
        if let (ImageRole::Application, Some(platform)) = (pin.role, lacking) {
            return Err(FetchError::Partial {
                reference: pin.reference.clone(),
                place: image.place.clone(),
                platform: *platform,
            });
        }
    }
    Ok(())
}

/// One image for each platform and name, all of them for one of `platforms`.
fn settle(found: Vec<FoundImage>, platforms: &[Platform]) -> Result<Vec<FoundImage>, FetchError> {
    let is_other = |image: &&FoundImage| !platforms.contains(&image.pin.platform);
    if let Some(image) = found.iter().find(is_other) {
        return Err(FetchError::WrongPlatform {
            place: image.place.clone(),
            reference: image.pin.reference.clone(),
            expected: platforms.into(),
            found: image.pin.platform,
        });
    }
    one_of_each(found, |image| (&image.pin, image.place.clone()))
}

/// The node images on this machine: the given ones, else the caches'.
fn node_images(spec: &Spec, caches: &[Cache], opener: &Opener<'_>) -> Result<Vec<FoundImage>, FetchError> {
    let mut found = Vec::new();
    for source in &spec.kicbase {
        found.extend(one_name(opener.open(source)?, &source.to_string())?);
    }
    if !spec.kicbase.is_empty() {
        return Ok(found);
    }
    for platform in &spec.platforms {
        let mut paths = Vec::new();
        for cache in caches.iter().filter(|cache| cache.arch() == platform.arch) {
            paths.extend(cache.kicbases()?);
        }
        let names: BTreeSet<_> = paths.iter().map(|path| path.file_name()).collect();
        if names.len() > 1 {
            return Err(FetchError::SeveralNodeImages {
                there: paths.iter().map(|path| path.display().to_string()).collect(),
            });
        }
        for path in paths {
            let images = opener.archive(&path, None, Transport::MinikubeCache)?;
            found.extend(one_name(images, &path.display().to_string())?);
        }
    }
    Ok(found)
}

/// The images, which must be one by their name.
fn one_name(images: Vec<FoundImage>, place: &str) -> Result<Vec<FoundImage>, FetchError> {
    let names: BTreeSet<String> = images
        .iter()
        .map(|image| image.pin.reference.to_string())
        .collect();
    if names.len() > 1 {
        return Err(FetchError::SeveralImages {
            path: place.into(),
            there: names.into_iter().collect(),
        });
    }
    Ok(images)
}

/// Opens what the user names.
struct Opener<'a> {
    platforms: &'a [Platform],
    scratch: &'a Scratch,
    progress: &'a dyn Progress,
}

impl Opener<'_> {
    fn open(&self, source: &ImageSource) -> Result<Vec<FoundImage>, FetchError> {
        match source {
            ImageSource::DockerArchive { path, reference } => {
                self.archive(path, reference.as_ref(), source.transport())
            }
            // It comes later, with all that is downloaded.
            ImageSource::Docker { .. } => Ok(Vec::new()),
            ImageSource::DockerDaemon { reference } => {
                self.progress
                    .note(&format!("saving `{reference}` from Docker Engine"));
                let mut images = Vec::new();
                for (archive, platforms) in daemon::save(reference, self.platforms, self.scratch)? {
                    let tar = TarIndex::open(&archive, self.scratch)?;
                    let (name, transport) = (Some(reference), source.transport());
                    let found = docker_archive::read(&tar, name, &platforms, transport, self.progress)?;
                    images.extend(found);
                }
                for image in &mut images {
                    image.place = source.to_string();
                }
                Ok(images)
            }
            ImageSource::Oci { directory, name } => {
                self.layout(Place::Directory(directory), name.as_deref(), source)
            }
            ImageSource::OciArchive { path, name } => {
                let tar = TarIndex::open(path, self.scratch)?;
                self.layout(Place::Archive(&tar), name.as_deref(), source)
            }
        }
    }

    fn archive(
        &self,
        path: &Path,
        wanted: Option<&ImageReference>,
        transport: Transport,
    ) -> Result<Vec<FoundImage>, FetchError> {
        if path.join("oci-layout").is_file() {
            return Err(FetchError::OtherTransport {
                path: path.to_owned(),
                found: "the directory of an OCI layout, not an archive",
                transport: "oci",
            });
        }
        let tar = TarIndex::open(path, self.scratch)?;
        docker_archive::read(&tar, wanted, self.platforms, transport, self.progress)
    }

    fn layout(
        &self,
        place: Place<'_>,
        name: Option<&str>,
        source: &ImageSource,
    ) -> Result<Vec<FoundImage>, FetchError> {
        let images = oci_layout::read(place, name, self.platforms, self.progress)?;
        if let ([image, ..], true) = (&images[..], name.is_none_or(is_tag_alone)) {
            let note = format!("the image in `{source}` is carried as `{}`", image.pin.reference);
            self.progress.note(&note);
        }
        Ok(images)
    }
}

/// One image for each platform and name, sorted by platform, role and name. The same
/// image from two places is one image; two images with one name, or two for the node of
/// a platform, are an error.
pub(super) fn one_of_each<T>(
    mut found: Vec<T>,
    of: impl Fn(&T) -> (&ImagePin, String),
) -> Result<Vec<T>, FetchError> {
    found.sort_by_key(|image| {
        let (pin, place) = of(image);
        let name = pin.reference.clone();
        (pin.platform, name, pin.role, pin.origin.transport, place)
    });
    let mut kept: Vec<T> = Vec::new();
    for image in found {
        match kept.last() {
            Some(first) if of(first).0.is_named_as(of(&image).0) => {
                if of(first).0.config != of(&image).0.config {
                    let what = of(&image).0.reference.to_string();
                    return Err(conflict(what, of(first).1, of(&image).1));
                }
            }
            _ => kept.push(image),
        }
    }
    kept.sort_by_key(|image| of(image).0.order());
    let second = kept.windows(2).find(|pair| {
        let of = |image| (of(image).0.role, of(image).0.platform);
        of(&pair[0]).0 == ImageRole::Node && of(&pair[0]) == of(&pair[1])
    });
    match second {
        Some(pair) => Err(conflict(
            "the node image".to_owned(),
            of(&pair[0]).1,
            of(&pair[1]).1,
        )),
        None => Ok(kept),
    }
}

fn conflict(what: String, first: String, second: String) -> FetchError {
    FetchError::Conflict { what, first, second }
}

/// Reads every layer once and compares it with the digest that the images' configs
/// give, however many images use it and wherever else it lies.
pub(super) fn read(found: Vec<FoundImage>, progress: &dyn Progress) -> Result<Vec<LocalImage>, FetchError> {
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let mut blobs: BTreeMap<Digest, Blob> = BTreeMap::new();
    for (diff_id, blob) in found.iter().flat_map(|image| &image.layers) {
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
    let local = found.into_iter().map(
        |FoundImage {
             mut pin,
             place,
             config_json,
             ..
         }| {
            let layers: Vec<LocalLayer> = pin.layers.iter().map(|diff_id| layers[diff_id].clone()).collect();
            pin.size = Some(layers.iter().map(|layer| layer.size).sum());
            pin.origin.compared(Verification::LayerDigests {});
            LocalImage {
                pin,
                config_json,
                layers,
                place,
            }
        },
    );
    Ok(local.collect())
}

fn read_layer(diff_id: Digest, blob: &Blob, progress: &dyn Progress) -> Result<LocalLayer, FetchError> {
    let stored = |file| Counted { file, progress };
    let most = blob.most_bytes();
    let mut reader = Hashing::new(blob.open_counted(stored)?.take(most + 1));
    let packages = LayerPackages::read(&mut reader);
    let (found, size) = reader.finish().map_err(|source| blob.decode_error(source))?;
    if size > most {
        return Err(blob.damaged(format!(
            "grows from {} bytes to more than {most}: no layer does that",
            blob.stored_bytes
        )));
    }
    if found != diff_id {
        return Err(FetchError::WrongLayer {
            path: blob.shown.to_path_buf(),
            entry: blob.name.clone(),
            expected: diff_id,
            found,
        });
    }
    Ok(LocalLayer {
        diff_id,
        size,
        blob: blob.clone(),
        packages: Arc::new(packages),
    })
}

/// What the requirements are compared with.
pub(super) fn inventory<'a>(
    binaries: &[(Platform, BinaryRole)],
    images: impl Iterator<Item = &'a ImagePin>,
) -> Inventory {
    let mut there = Inventory {
        binaries: binaries.to_vec(),
        ..Inventory::default()
    };
    for image in images {
        match image.role {
            ImageRole::Node => there.node_images.push(image.platform),
            _ => there.images.push((image.platform, image.reference.clone())),
        }
    }
    there
}
