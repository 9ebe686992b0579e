//! Images from registries: tag, manifest, config, layers, each by the digest that the
//! one before names.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::blob::blob;
use super::manifest::{Resolved, resolve};
use super::place::{Place, Source};
use super::{Upstream, UpstreamError, WantedImage};
use crate::bundle::{Digest, ImageReference, Platform};
use crate::fetch::FetchError;
use crate::fetch::blob::Blob;
use crate::fetch::found::FoundImage;
use crate::host::in_parallel_with;
use crate::progress::Progress;

/// So many downloads at a time: a server's limit for one client, not the processors'.
const WORKERS: usize = 4;

/// A blob that is to be in the store.
struct Job {
    digest: Digest,
    size: u64,
    /// Where it may be, the first one first.
    places: Vec<Place>,
    /// An image that has it.
    image: ImageReference,
}

/// Asks for the manifest and the config of each image.
pub(in crate::fetch::upstream) fn resolve_all(
    upstream: &Upstream,
    wanted: &[WantedImage],
    platform: Platform,
    progress: &dyn Progress,
) -> Vec<Result<Resolved, UpstreamError>> {
    progress.begin("asking the registries", None);
    let resolved = in_parallel_with(WORKERS, wanted, |wanted| {
        match upstream.foreseen(wanted, platform) {
            Some(mut resolved) => {
                // What it is for was not known then.
                resolved.pin.role = wanted.role;
                Ok(resolved)
            }
            None => resolve(upstream, wanted, platform, progress),
        }
    });
    upstream.registries.say_notes(progress);
    progress.end(&format!("{} images", resolved.len()));
    resolved
}

/// Downloads the images; each blob once, whatever number of images uses it.
pub(in crate::fetch::upstream) fn download(
    upstream: &Upstream,
    resolved: Vec<Resolved>,
    progress: &dyn Progress,
) -> Result<Vec<FoundImage>, FetchError> {
    let mut jobs: BTreeMap<Digest, Job> = BTreeMap::new();
    for image in &resolved {
        for layer in &image.layers {
            let job = jobs.entry(layer.0).or_insert(Job {
                digest: layer.0,
                size: layer.1,
                places: Vec::new(),
                image: image.pin.reference.clone(),
            });
            job.places.extend(image.places.iter().cloned());
        }
    }
    let mut jobs: Vec<Job> = jobs.into_values().collect();
    jobs.sort_by_key(|job| (std::cmp::Reverse(job.size), job.digest));
    progress.begin(
        "downloading the images",
        Some(jobs.iter().map(|job| job.size).sum()),
    );
    let files = in_parallel_with(WORKERS, &jobs, |job| {
        let source = Source {
            upstream,
            reference: &job.image,
            places: &job.places,
            progress,
        };
        let path = blob(source, (job.digest, job.size))?;
        let store = upstream.store()?;
        store.describe(job.digest, &format!("a layer of {}", job.image))?;
        Ok::<_, UpstreamError>((job.digest, path))
    });
    let files: BTreeMap<Digest, PathBuf> = files.into_iter().collect::<Result<_, _>>()?;
    progress.end(&format!("{} images, {} layers", resolved.len(), files.len()));
    resolved.into_iter().map(|image| found(image, &files)).collect()
}

fn found(image: Resolved, files: &BTreeMap<Digest, PathBuf>) -> Result<FoundImage, FetchError> {
    let open = |(digest, size): &(Digest, u64)| {
        let name = format!("{digest} of {}", image.pin.reference);
        Blob::at(&Arc::from(files[digest].as_path()), &name, 0, *size)
    };
    let layers: Vec<Blob> = image.layers.iter().map(open).collect::<Result<_, _>>()?;
    Ok(FoundImage {
        place: format!("docker://{}", image.pin.reference),
        layers: image.pin.layers.iter().copied().zip(layers).collect(),
        pin: image.pin,
        config_json: image.config_json,
    })
}
