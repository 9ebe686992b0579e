//! What minikube itself says it needs.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Because, Pinned, UpstreamError, WantedImage};
use crate::bundle::{Digest, ImageReference, ImageRole, Namer, Version, is_addon_of_network};
use crate::host::Ask;
use crate::resolve::{ImagePin, Lock};
use crate::spec::near;

/// Why the node image is the right one.
const NODE_IMAGE: Because = (Namer::MinikubeNodeImage, None);

/// The addon that makes volumes.
const PROVISIONER: &str = "storage-provisioner";

fn addon_image(addon: &str) -> Because {
    (Namer::MinikubeAddon, Some(addon.to_owned()))
}

/// The node image as minikube named it when the lock was made.
pub(in crate::fetch) fn locked_node_image(lock: &Lock) -> Option<WantedImage> {
    named_then(lock, ImageRole::Node, &NODE_IMAGE).into_iter().next()
}

/// The images of `addon` as minikube named them when the lock was made.
pub(in crate::fetch) fn locked_addon_images(lock: &Lock, addon: &str) -> Vec<WantedImage> {
    named_then(lock, ImageRole::Application, &addon_image(addon))
}

/// Whether the lock has images that are there for `addon`.
pub(crate) fn has_addon(lock: &Lock, addon: &str) -> bool {
    !locked_addon_images(lock, addon).is_empty()
}

/// The images in the lock that are named so.
fn named_then(lock: &Lock, role: ImageRole, because: &Because) -> Vec<WantedImage> {
    let digest = |image: &ImagePin| {
        let mut named_by = image.named_by.iter();
        let named = named_by.find(|named| (named.by, &named.name) == (because.0, &because.1))?;
        Some(named.digest)
    };
    let mut images: Vec<WantedImage> = Vec::new();
    for image in &lock.images {
        let is_new = images.iter().all(|other| other.reference != image.reference);
        if let (Some(digest), true) = (digest(image), is_new) {
            images.push(WantedImage {
                role,
                reference: image.reference.clone(),
                pinned: Some(Pinned {
                    digest,
                    because: Some(because.clone()),
                }),
            });
        }
    }
    images
}

/// The node image by the digest that this minikube has built in.
pub(in crate::fetch) fn node_image(ask: Ask<'_>, minikube: &Path) -> Result<WantedImage, UpstreamError> {
    let help = ask(minikube, &["start", "--help"]).map_err(|source| UpstreamError::NotAsked {
        what: "its node image",
        reason: source.to_string(),
    })?;
    parse_node_image(&help).ok_or_else(|| {
        let line = help.lines().find(|line| line.contains("base-image"));
        UpstreamError::NodeImage {
            said: line.unwrap_or_default().trim().chars().take(200).collect(),
        }
    })
}

/// `--base-image='gcr.io/k8s-minikube/kicbase:v0.0.50@sha256:…':` in the help.
fn parse_node_image(help: &str) -> Option<WantedImage> {
    let value = help.split("--base-image=").nth(1)?;
    let name = value
        .trim_start_matches(['\'', '"'])
        .split(['\'', '"', ' ', '\n'])
        .next()?
        .trim_end_matches(':');
    let wanted = pinned(ImageRole::Node, name, &NODE_IMAGE)?;
    wanted.pinned.is_some().then_some(wanted)
}

/// The images of `addon`, each by the digest that minikube has built in, if it has one.
pub(in crate::fetch) fn addon_images(
    ask: Ask<'_>,
    minikube: &Path,
    addon: &str,
) -> Result<Vec<WantedImage>, UpstreamError> {
    if let Some(names) = addons(ask, minikube)
        && !names.iter().any(|name| name == addon)
    {
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        return Err(UpstreamError::UnknownAddon {
            addon: addon.to_owned(),
            near: near(addon, &known).take(3).map(str::to_owned).collect(),
            there: names,
        });
    }
    let answer =
        ask(minikube, &["addons", "images", addon, "-o", "json"]).map_err(|source| UpstreamError::Addon {
            addon: addon.to_owned(),
            source,
        })?;
    let images = parse_addon_images(&answer, ImageRole::Application, &addon_image(addon));
    let images = images.ok_or_else(|| UpstreamError::NotAsked {
        what: "the images of an addon",
        reason: format!(
            "to `addons images {addon}` it says `{}`",
            answer.chars().take(200).collect::<String>()
        ),
    })?;
    if images.is_empty() && is_addon_of_network(addon) {
        return Err(UpstreamError::AddonOfNetwork {
            addon: addon.to_owned(),
        });
    }
    Ok(images)
}

/// The storage provisioner's images in the lock; there, nothing but their name tells them.
pub(in crate::fetch) fn locked_provisioner(lock: &Lock) -> Vec<WantedImage> {
    let is_its = |image: &&ImagePin| {
        let name = image.reference.repository().rsplit('/').next();
        image.role == ImageRole::Kubernetes && name == Some(PROVISIONER)
    };
    let mut images: Vec<WantedImage> = Vec::new();
    for image in lock.images.iter().filter(is_its) {
        if images.iter().all(|other| other.reference != image.reference) {
            images.push(WantedImage {
                role: ImageRole::Kubernetes,
                reference: image.reference.clone(),
                pinned: None,
            });
        }
    }
    images
}

/// The image of the addon that every cluster has, where this minikube says which it is.
pub(in crate::fetch) fn storage_provisioner(ask: Ask<'_>, minikube: &Path) -> Vec<WantedImage> {
    let answer = ask(minikube, &["addons", "images", PROVISIONER, "-o", "json"]).ok();
    let images = answer
        .and_then(|answer| parse_addon_images(&answer, ImageRole::Kubernetes, &addon_image(PROVISIONER)));
    images.unwrap_or_default()
}

/// The addons that this minikube has, where it says so: to `addons images` it answers
/// nothing at all for one that it does not have, and ends well.
fn addons(ask: Ask<'_>, minikube: &Path) -> Option<Vec<String>> {
    let answer = ask(minikube, &["addons", "list", "-o", "json"]).ok()?;
    let addons: BTreeMap<String, serde_json::Value> = serde_json::from_str(answer.trim()).ok()?;
    Some(addons.into_keys().collect())
}

/// Fails when this minikube does not have the minor release of `kubernetes`: it starts
/// none that is older, and knows nothing of a newer one. One that does not say which it
/// has is believed.
pub(in crate::fetch) fn check_pair(
    ask: Ask<'_>,
    minikube: &Path,
    kubernetes: &Version,
) -> Result<(), UpstreamError> {
    let releases = ask(
        minikube,
        &["config", "defaults", "kubernetes-version", "-o", "json"],
    )
    .ok();
    let releases = releases.and_then(|answer| serde_json::from_str::<Vec<Version>>(answer.trim()).ok());
    let releases = releases.unwrap_or_default();
    let (Some(oldest), Some(newest)) = (releases.iter().min(), releases.iter().max()) else {
        return Ok(());
    };
    let minor = |version: &Version| (version.major(), version.minor());
    if (minor(oldest)..=minor(newest)).contains(&minor(kubernetes)) {
        return Ok(());
    }
    let version = ask(minikube, &["version", "--short"]).unwrap_or_default();
    Err(UpstreamError::Pair {
        minikube: version.trim().chars().take(80).collect(),
        kubernetes: kubernetes.clone(),
        oldest: oldest.line(),
        newest: newest.line(),
    })
}

/// A JSON list of names, in any order, some of them twice; `null` is one without any.
fn parse_addon_images(answer: &str, role: ImageRole, because: &Because) -> Option<Vec<WantedImage>> {
    let names: Option<Vec<String>> = serde_json::from_str(answer.trim()).ok()?;
    let mut names = names.unwrap_or_default();
    names.sort();
    names.dedup();
    names
        .iter()
        // Where minikube names no registry the name begins with a slash.
        .map(|name| pinned(role, name.trim_start_matches('/'), because))
        .collect()
}

/// The image with this name, by its digest where the name has one: `because` says who
/// named it so.
pub(in crate::fetch) fn pinned(role: ImageRole, name: &str, because: &Because) -> Option<WantedImage> {
    let digest = match name.split_once('@') {
        Some((_, digest)) => Some(Digest::parse(digest).ok()?),
        None => None,
    };
    Some(WantedImage {
        role,
        reference: ImageReference::parse(name).ok()?,
        pinned: digest.map(|digest| Pinned {
            digest,
            because: Some(because.clone()),
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // What minikube v1.38.1 prints; later ones name another image.
    const HELP: &str = "    --auto-update-drivers=true:
\tIf set, automatically updates drivers to the latest version. Defaults to true.

    --base-image='gcr.io/k8s-minikube/kicbase:v0.0.50@sha256:eb4fec00e8ad70adf8e6436f195cc429825ffb85f95afcdb5d8d9deb576f3e93':
\tThe base image to use for docker/podman drivers. Intended for local development.
";

    #[test]
    fn the_node_image_stands_in_the_help() {
        let image = parse_node_image(HELP).expect("an image");
        assert_eq!(image.reference.to_string(), "gcr.io/k8s-minikube/kicbase:v0.0.50");
        let digest = image.pinned.expect("a digest").digest;
        assert!(digest.hex().starts_with("eb4fec00"), "{digest}");
        assert!(parse_node_image("--base-image='gcr.io/k8s-minikube/kicbase:v0.0.50':").is_none());
        assert!(parse_node_image("no help").is_none());
    }

    #[test]
    fn an_addons_images_are_taken_once_each_with_their_digests() {
        let twice = "registry.k8s.io/metrics-server/metrics-server:v0.9.0@sha256:\
                     ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let answer = format!("[\"{twice}\",\"{twice}\",\"docker.io/registry:3.0.0\"]");
        let images = parse_addon_images(&answer, ImageRole::Application, &NODE_IMAGE).expect("images");
        assert_eq!(images.len(), 2);
        assert_eq!(
            images[0].reference.to_string(),
            "docker.io/library/registry:3.0.0"
        );
        assert!(images[0].pinned.is_none() && images[1].pinned.is_some());
        let parse = |answer| parse_addon_images(answer, ImageRole::Application, &NODE_IMAGE);
        assert!(parse("error").is_none());
        // What Go makes of a list that nobody filled.
        assert_eq!(parse("null").map(|images| images.len()), Some(0));
    }
}
