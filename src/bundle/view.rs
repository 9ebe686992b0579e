//! What a bundle has for one platform: all that a site works with.

use super::{
    Application, Attestation, BinaryPart, BinaryRole, BundleIndex, ContainerRuntime, Digest, FilePart,
    ImagePart, ImageRole, Member, NamedBy, Platform, Version,
};

/// The parts of a bundle for one of its platforms.
#[derive(Clone, Copy, Debug)]
pub struct PlatformView<'a> {
    index: &'a BundleIndex,
    platform: Platform,
}

impl BundleIndex {
    /// What there is for `platform`; `None` when the bundle is not for it.
    #[must_use]
    pub fn on(&self, platform: Platform) -> Option<PlatformView<'_>> {
        let index = self;
        let is_for = self.cluster.platforms.contains(&platform);
        is_for.then_some(PlatformView { index, platform })
    }
}

impl<'a> PlatformView<'a> {
    /// The platform.
    #[must_use]
    pub fn platform(self) -> Platform {
        self.platform
    }

    /// The bundle's name.
    #[must_use]
    pub fn name(self) -> &'a str {
        &self.index.name
    }

    /// The bundle's number among those of its name.
    #[must_use]
    pub fn serial(self) -> u64 {
        self.index.serial
    }

    /// The Kubernetes release.
    #[must_use]
    pub fn kubernetes_version(self) -> &'a Version {
        &self.index.cluster.kubernetes_version
    }

    /// The runtime that the cluster gets unless the site asks for another.
    #[must_use]
    pub fn container_runtime(self) -> ContainerRuntime {
        self.index.cluster.container_runtime
    }

    /// The files in the payload, those of other platforms among them.
    #[must_use]
    pub fn members(self) -> &'a [Member] {
        &self.index.members
    }

    /// The images, by role and name.
    pub fn images(self) -> impl Iterator<Item = &'a ImagePart> {
        let images = self.index.images.iter();
        images.filter(move |image| image.platform == self.platform)
    }

    /// The image that the node is made from.
    #[must_use]
    pub fn node_image(self) -> &'a ImagePart {
        // The index was checked: there is one.
        self.images()
            .find(|image| image.role == ImageRole::Node)
            .expect("an index has a node image")
    }

    /// The images that go into the node.
    pub fn cluster_images(self) -> impl Iterator<Item = &'a ImagePart> {
        self.images().filter(|image| image.role != ImageRole::Node)
    }

    /// minikube's addons that were packed for the user, by name: images in it name them.
    #[must_use]
    pub fn packed_addons(self) -> Vec<&'a str> {
        let images = self
            .cluster_images()
            .filter(|image| image.role == ImageRole::Application);
        let named_by = images.flat_map(|image| &image.named_by);
        let mut names: Vec<&str> = named_by.filter_map(NamedBy::addon).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The programs, by role.
    pub fn binaries(self) -> impl Iterator<Item = &'a BinaryPart> {
        let binaries = self.index.binaries.iter();
        binaries.filter(move |binary| binary.platform == self.platform)
    }

    /// The manifests and other files of whoever packed it, by role and name: they are for
    /// every platform.
    #[must_use]
    pub fn files(self) -> &'a [FilePart] {
        &self.index.files
    }

    /// What a start installs with Helm, in this order.
    #[must_use]
    pub fn applications(self) -> &'a [Application] {
        &self.index.applications
    }

    /// The files of the signatures of every part.
    pub fn signature_files(self) -> impl Iterator<Item = Digest> {
        let binaries = self.binaries().map(|binary| &binary.origin);
        let origins = binaries.chain(self.images().map(|image| &image.origin));
        let signatures = origins.flat_map(|origin| &origin.attestations);
        signatures.flat_map(Attestation::files)
    }

    /// Helm, which a bundle with applications has.
    #[must_use]
    pub fn helm(self) -> Option<&'a BinaryPart> {
        self.binaries().find(|binary| binary.role == BinaryRole::Helm)
    }

    /// The program with `role`, one of those that every bundle has.
    #[must_use]
    pub fn binary(self, role: BinaryRole) -> &'a BinaryPart {
        // The index was checked: there is one.
        self.binaries()
            .find(|binary| binary.role == role)
            .expect("an index has a program for each role")
    }
}
