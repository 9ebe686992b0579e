//! The parts that were found, as the requirements see them.

use std::collections::BTreeSet;

use super::ResolveError;
use crate::bundle::{BinaryRole, ImageReference, Platform, Version};

/// What stands for the node image in a list of missing parts.
const NODE_IMAGE: &str = "the node image (kicbase)";

/// The parts that are there, each for its platform.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// The programs.
    pub binaries: Vec<(Platform, BinaryRole)>,
    /// The node images.
    pub node_images: Vec<Platform>,
    /// The images that go into the node.
    pub images: Vec<(Platform, ImageReference)>,
}

impl Inventory {
    /// What is not there for each platform, by name: programs, the node image, `images`,
    /// and what is there for another platform.
    pub(super) fn missing(
        &self,
        platforms: &[Platform],
        binaries: &[BinaryRole],
        images: &[ImageReference],
    ) -> Vec<String> {
        let there = self.images.iter().map(|(_, image)| image);
        let wanted: BTreeSet<&ImageReference> = images.iter().chain(there).collect();
        self.each_missing(platforms, binaries, |platform| {
            let absent = |image: &&&ImageReference| !self.images.contains(&(platform, (**image).clone()));
            wanted.iter().filter(absent).map(ToString::to_string).collect()
        })
    }

    /// The error for a version that nobody knows: without its kubeadm the images cannot
    /// be told, but what else is missing can, such as the `named` ones.
    pub(crate) fn missing_with_kubeadm(
        &self,
        version: &Version,
        platforms: &[Platform],
        named: &[ImageReference],
    ) -> ResolveError {
        let mut parts = self.each_missing(platforms, &BinaryRole::ALL, |platform| {
            let absent = |image: &&ImageReference| !self.images.contains(&(platform, (*image).clone()));
            named.iter().filter(absent).map(ToString::to_string).collect()
        });
        parts.push("the images that kubeadm will list".to_owned());
        ResolveError::Missing {
            version: version.clone(),
            platforms: platforms.to_vec(),
            parts,
            source_of_list: None,
        }
    }

    /// The missing programs and node images, and what `images` names, of each platform.
    fn each_missing(
        &self,
        platforms: &[Platform],
        binaries: &[BinaryRole],
        images: impl Fn(Platform) -> Vec<String>,
    ) -> Vec<String> {
        let of = |platform: Platform| {
            let programs = binaries
                .iter()
                .filter(move |role| !self.binaries.contains(&(platform, **role)))
                .map(|role| role.name().to_owned());
            let node = (!self.node_images.contains(&platform)).then(|| NODE_IMAGE.to_owned());
            programs.chain(node).chain(images(platform))
        };
        match platforms {
            [only] => of(*only).collect(),
            several => several
                .iter()
                .flat_map(|platform| of(*platform).map(move |part| format!("{part} for {platform}")))
                .collect(),
        }
    }
}
