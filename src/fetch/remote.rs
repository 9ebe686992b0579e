//! The images that are wanted and not on this machine.

use super::found::FoundImage;
use super::upstream::{Pinned, UpstreamError, WantedImage};
use super::{FetchError, Upstream};
use crate::bundle::{ImageReference, ImageRole, Namer, Platform};
use crate::progress::Progress;
use crate::spec::{ImageSource, Spec};

/// What is not among `found` and has to come, for each platform: the images that are `named`
/// by the spec, and of the `others`, which may be wanted by a digest, those that are not
/// named, and a node image where there is none.
pub(super) fn wanted(
    platforms: &[Platform],
    found: &[FoundImage],
    named: &[WantedImage],
    others: &[WantedImage],
) -> Result<Vec<(Platform, Vec<WantedImage>)>, FetchError> {
    let mut all = Vec::new();
    for platform in platforms {
        let mut wanted = named.to_vec();
        for image in others {
            let is_it = |there: &FoundImage| {
                (there.pin.platform, &there.pin.reference) == (*platform, &image.reference)
            };
            let is_there = match image.role {
                ImageRole::Node => has_node(found, *platform),
                _ => found.iter().any(is_it),
            };
            if is_there {
                continue;
            }
            let mut others = wanted.iter_mut();
            match others.find(|other| other.reference == image.reference) {
                Some(other) if image.role != ImageRole::Node => other.join(image)?,
                _ => wanted.push(image.clone()),
            }
        }
        if !wanted.is_empty() {
            all.push((*platform, wanted));
        }
    }
    Ok(all)
}

/// Whether the platform's node image is among `found`.
pub(super) fn has_node(found: &[FoundImage], platform: Platform) -> bool {
    let mut pins = found.iter().map(|image| &image.pin);
    pins.any(|pin| (pin.role, pin.platform) == (ImageRole::Node, platform))
}

/// Fails when a registry does not have an image that the spec names: before the binaries
/// come, which are large.
pub(super) fn check_named(
    spec: &Spec,
    upstream: &Upstream,
    progress: &dyn Progress,
) -> Result<(), FetchError> {
    let named = named(spec, &[]);
    if named.is_empty() {
        return Ok(());
    }
    let platforms = spec.platforms.iter();
    let wanted: Vec<_> = platforms.map(|platform| (*platform, named.clone())).collect();
    upstream.foresee(&wanted, progress)
}

/// Fails when the spec names an image in a registry, and nothing may be downloaded.
pub(super) fn refuse_named(spec: &Spec) -> Result<(), FetchError> {
    named(spec, &[]).into_iter().next().map_or(Ok(()), |image| {
        let reference = image.reference;
        Err(UpstreamError::Offline { reference }.into())
    })
}

/// The images that the spec names in registries.
pub(super) fn named(spec: &Spec, needs: &[ImageReference]) -> Vec<WantedImage> {
    let wanted = |source: &ImageSource, is_node: bool| match source {
        ImageSource::Docker { reference, digest } => Some(WantedImage {
            role: match (is_node, needs.contains(reference)) {
                (true, _) => ImageRole::Node,
                (false, true) => ImageRole::Kubernetes,
                (false, false) => ImageRole::Application,
            },
            reference: reference.clone(),
            pinned: digest.map(|digest| Pinned {
                digest,
                because: Some((Namer::UserDigest, None)),
            }),
            locked: None,
        }),
        _ => None,
    };
    let node = spec.kicbase.iter().filter_map(|source| wanted(source, true));
    let mut named: Vec<WantedImage> = node
        .chain(spec.images.iter().filter_map(|source| wanted(source, false)))
        .collect();
    named.dedup_by(|a, b| a.reference == b.reference && a.pinned == b.pinned);
    named
}
