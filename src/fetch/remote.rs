//! The images that are wanted and not on this machine.

use std::path::PathBuf;

use super::found::FoundImage;
use super::upstream::{
    Pinned, UpstreamError, WantedImage, addon_images, locked_addon_images, locked_node_image, node_image,
};
use super::{FetchError, Upstream};
use crate::bundle::{ImageReference, ImageRole, Namer, Platform};
use crate::host::Ask;
use crate::progress::Progress;
use crate::resolve::Lock;
use crate::spec::{ImageSource, Spec};

/// What is not among `found` and has to come, for each platform: the images that the
/// spec names in registries, the node image, those in `needs`, the `others`, which may be
/// wanted by a digest and of which the network's are in `needs`, and the addons'.
/// `minikube` finds a program that can be asked, where that is needed: `lock` may have
/// what it said.
pub(super) fn wanted(
    spec: &Spec,
    found: &[FoundImage],
    needs: &[ImageReference],
    others: Vec<WantedImage>,
    minikube: &dyn Fn() -> Result<Option<PathBuf>, FetchError>,
    lock: Option<&Lock>,
    ask: Ask<'_>,
) -> Result<Vec<(Platform, Vec<WantedImage>)>, FetchError> {
    let named = named(spec, needs);
    let asked = |what| -> Result<PathBuf, FetchError> {
        let reason = "no minikube for this machine's platform is known".to_owned();
        minikube()?.ok_or_else(|| UpstreamError::NotAsked { what, reason }.into())
    };
    let has_node = |platform: &Platform| {
        let mut images = found.iter();
        images.any(|image| image.pin.role == ImageRole::Node && image.pin.platform == *platform)
    };
    let names_node = named.iter().any(|image| image.role == ImageRole::Node);
    let node = if names_node || spec.platforms.iter().all(has_node) {
        None
    } else if let Some(locked) = lock.and_then(locked_node_image) {
        Some(locked)
    } else {
        Some(node_image(ask, &asked("its node image")?)?)
    };
    let mut unnamed: Vec<WantedImage> = Vec::new();
    for addon in &spec.addons {
        let locked = lock.map_or_else(Vec::new, |lock| locked_addon_images(lock, addon));
        unnamed.extend(if locked.is_empty() {
            addon_images(ask, &asked("the images of an addon")?, addon)?
        } else {
            locked
        });
    }
    unnamed.extend(others);
    unnamed.extend(needs.iter().map(|reference| WantedImage {
        role: ImageRole::Kubernetes,
        reference: reference.clone(),
        pinned: None,
    }));
    let of = |platform: Platform| -> Result<_, FetchError> {
        let mut wanted = named.clone();
        wanted.extend(node.iter().filter(|_| !has_node(&platform)).cloned());
        for image in &unnamed {
            let is_it = |there: &FoundImage| {
                (there.pin.platform, &there.pin.reference) == (platform, &image.reference)
            };
            if found.iter().any(is_it) {
                continue;
            }
            let mut others = wanted.iter_mut();
            match others.find(|other| other.reference == image.reference) {
                Some(other) => other.join(image)?,
                None => wanted.push(image.clone()),
            }
        }
        Ok((platform, wanted))
    };
    let mut all = spec
        .platforms
        .iter()
        .copied()
        .map(of)
        .collect::<Result<Vec<_>, _>>()?;
    all.retain(|(_, wanted)| !wanted.is_empty());
    Ok(all)
}

/// Fails when a registry does not have an image that the spec names: before the programs
/// come, which are large. A lock names what it has of all parts together, later.
pub(super) fn check_named(
    spec: &Spec,
    upstream: &Upstream,
    progress: &dyn Progress,
) -> Result<(), FetchError> {
    let named = named(spec, &[]);
    if named.is_empty() || upstream.is_locked() {
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
fn named(spec: &Spec, needs: &[ImageReference]) -> Vec<WantedImage> {
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
