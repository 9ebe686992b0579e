//! What minikube itself says it needs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::upstream::{Because, UpstreamError, WantedImage};
use crate::bundle::{ImageRole, Namer, Version, is_addon_of_network};
use crate::host::Ask;
use crate::spec::near;

/// Why the node image is the right one.
const NODE_IMAGE: Because = (Namer::MinikubeNodeImage, None);

/// The addon that makes volumes.
const PROVISIONER: &str = "storage-provisioner";

fn addon_image(addon: &str) -> Because {
    (Namer::MinikubeAddon, Some(addon.to_owned()))
}

/// A minikube that runs on this machine.
pub(super) struct Minikube<'a> {
    ask: Ask<'a>,
    path: PathBuf,
}

impl<'a> Minikube<'a> {
    /// The program at `path`. Fails when it does not have the minor release of `kubernetes`:
    /// it starts none that is older, and knows nothing of a newer one. One that does not say
    /// which it has is believed.
    pub(super) fn open(ask: Ask<'a>, path: PathBuf, kubernetes: &Version) -> Result<Self, UpstreamError> {
        let minikube = Self { ask, path };
        let releases = minikube.answer(&["config", "defaults", "kubernetes-version", "-o", "json"]);
        let releases = releases.and_then(|answer| serde_json::from_str::<Vec<Version>>(answer.trim()).ok());
        let releases = releases.unwrap_or_default();
        let (Some(oldest), Some(newest)) = (releases.iter().min(), releases.iter().max()) else {
            return Ok(minikube);
        };
        let minor = |version: &Version| (version.major(), version.minor());
        if (minor(oldest)..=minor(newest)).contains(&minor(kubernetes)) {
            return Ok(minikube);
        }
        let version = minikube.answer(&["version", "--short"]).unwrap_or_default();
        Err(UpstreamError::Pair {
            minikube: version.trim().chars().take(80).collect(),
            kubernetes: kubernetes.clone(),
            oldest: oldest.line(),
            newest: newest.line(),
        })
    }

    /// The program.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What it answers, if it does.
    pub(super) fn answer(&self, arguments: &[&str]) -> Option<String> {
        (self.ask)(&self.path, arguments).ok()
    }

    /// The node image by the digest that it has built in.
    pub(super) fn node_image(&self) -> Result<WantedImage, UpstreamError> {
        let help =
            (self.ask)(&self.path, &["start", "--help"]).map_err(|source| UpstreamError::NotAsked {
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

    /// The images of `addon`, each by the digest that it has built in, if it has one.
    pub(super) fn addon_images(&self, addon: &str) -> Result<Vec<WantedImage>, UpstreamError> {
        if let Some(names) = self.addons()
            && !names.iter().any(|name| name == addon)
        {
            let known: Vec<&str> = names.iter().map(String::as_str).collect();
            return Err(UpstreamError::UnknownAddon {
                addon: addon.to_owned(),
                near: near(addon, &known).take(3).map(str::to_owned).collect(),
                there: names,
            });
        }
        let answer = (self.ask)(&self.path, &["addons", "images", addon, "-o", "json"]);
        let answer = answer.map_err(|source| UpstreamError::Addon {
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

    /// The image of the addon that every cluster has, where it says which that is.
    pub(super) fn storage_provisioner(&self) -> Vec<WantedImage> {
        let answer = self.answer(&["addons", "images", PROVISIONER, "-o", "json"]);
        let images = answer
            .and_then(|answer| parse_addon_images(&answer, ImageRole::Kubernetes, &addon_image(PROVISIONER)));
        images.unwrap_or_default()
    }

    /// The addons that it has, where it says so: to `addons images` it answers nothing at all
    /// for one that it does not have, and ends well.
    fn addons(&self) -> Option<Vec<String>> {
        let answer = self.answer(&["addons", "list", "-o", "json"])?;
        let addons: BTreeMap<String, serde_json::Value> = serde_json::from_str(answer.trim()).ok()?;
        Some(addons.into_keys().collect())
    }
}

/// `--base-image='gcr.io/k8s-minikube/kicbase:v0.0.50@sha256:…':` in the help.
fn parse_node_image(help: &str) -> Option<WantedImage> {
    let value = help.split("--base-image=").nth(1)?;
    let name = value
        .trim_start_matches(['\'', '"'])
        .split(['\'', '"', ' ', '\n'])
        .next()?
        .trim_end_matches(':');
    let wanted = WantedImage::parse(ImageRole::Node, name, &NODE_IMAGE)?;
    wanted.pinned.is_some().then_some(wanted)
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
        .map(|name| WantedImage::parse(role, name.trim_start_matches('/'), because))
        .collect()
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
