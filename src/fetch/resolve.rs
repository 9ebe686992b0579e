//! From the spec to the plan: which parts the bundle has, by which digests, and where their
//! bytes are. Only here minikube, kubeadm, registries and release pages are asked.

use std::collections::BTreeMap;
use std::path::Path;

use super::estimate::Sizes;
use super::found::FoundImage;
use super::images::{self, Finder};
use super::minikube::Minikube;
use super::parts::LocalBinary;
use super::plan::{Plan, PlannedBinary, PlannedImage};
use super::scratch::Scratch;
use super::toolbox::Toolbox;
use super::upstream::{Published, Released, Unproven, UpstreamError, WantedImage, minikube_for};
use super::{Cache, FetchError, Upstream, charts, own, programs, remote, room};
use crate::bundle::{BinaryRole, ContainerRuntime, Digest, ImageReference, ImageRole, Platform, Version};
use crate::host::{Ask, ask};
use crate::progress::Progress;
use crate::resolve::{BinaryPin, Lock, Requirements, ResolveError, requirements_from};
use crate::spec::{Cni, Spec};

/// What is done with a plan.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Then {
    /// It is written down, and nothing is downloaded but what has to be read for it.
    Stop,
    /// The parts are fetched: there must be room for them, and a kubeadm that is packed
    /// anyway is asked.
    Fetch,
}

/// Finds every part that `spec` names, looks at each, and makes sure that all which is
/// needed is there, here or at one of `upstream`'s servers, if these may be asked.
///
/// The result is the same for the same parts, in whatever order directories and flags name
/// them. Nothing is written but archives of the engine's images, and unpacked ones, beside
/// the output, which are removed with the plan or its parts, and what upstream gives, in its
/// store: manifests, configs, checksums and the binaries that have to be asked.
pub fn resolve(
    spec: &Spec,
    upstream: Option<&Upstream>,
    then: Then,
    progress: &dyn Progress,
) -> Result<Plan, FetchError> {
    let ask = &ask;
    let resolver = Resolver {
        spec,
        upstream,
        then,
        ask,
        progress,
    };
    resolver.plan()
}

/// What a plan is made from, and by.
pub(super) struct Resolver<'a> {
    pub(super) spec: &'a Spec,
    pub(super) upstream: Option<&'a Upstream>,
    pub(super) then: Then,
    pub(super) ask: Ask<'a>,
    pub(super) progress: &'a dyn Progress,
}

impl Resolver<'_> {
    /// One thing tells the next: binaries first, because kubeadm and minikube say which images
    /// are needed, and what is small before what is large.
    pub(super) fn plan(&self) -> Result<Plan, FetchError> {
        let (spec, progress) = (self.spec, self.progress);
        let mut files = own::gather(spec)?;
        if let Some(upstream) = self.upstream {
            remote::check_named(spec, upstream, progress)?;
        }
        let caches = caches(spec)?;
        let here = programs::given(spec, &caches, self.ask, progress)?;
        let published = self.published(&here)?;
        self.check_room(&room::binary_blobs(&published), Sizes::of_binaries(&published))?;
        let toolbox = Toolbox::new(self, &here, &published);
        let scratch = Scratch::beside(&spec.output);
        let charts = charts::gather(spec, toolbox.at_hand(BinaryRole::Helm), &scratch, progress)?;
        files.extend(charts.files);
        let addons = self.addons(&toolbox)?;
        let finder = Finder {
            spec,
            caches: &caches,
            scratch: &scratch,
            progress,
        };
        let mut requirements = self.requirements(&toolbox, &finder, &addons)?;
        if !charts.applications.is_empty() {
            requirements.binaries.push(BinaryRole::Helm);
        }
        let mut others = self.of_network(&toolbox)?;
        let provisioner = toolbox.minikube_unless_given()?;
        let provisioner = provisioner.map_or_else(Vec::new, Minikube::storage_provisioner);
        if !provisioner.is_empty() {
            requirements.name_storage_provisioner(names(&provisioner));
            others.extend(provisioner);
        }
        requirements.add(names(&others));
        if self.upstream.is_none() {
            requirements.add(names(&addons));
        }
        let mut of_manifests = own::images(spec, progress)?;
        of_manifests.extend(charts.images);
        let found = finder.find(&requirements.images)?;
        own::note_digests(&of_manifests, &found, progress);
        let container_runtime = self.container_runtime(&toolbox)?;
        let mut images: Vec<PlannedImage> = Vec::new();
        if let Some(upstream) = self.upstream {
            let named = remote::named(spec, &requirements.images);
            others.splice(0..0, addons);
            others.splice(0..0, self.node_image(&toolbox, &named, &found)?);
            others.extend(of_manifests.into_iter().map(|(_, image)| image));
            others.extend(
                requirements
                    .images
                    .iter()
                    .cloned()
                    .map(WantedImage::of_kubernetes),
            );
            let wanted = remote::wanted(&spec.platforms, &found, &named, &others)?;
            images::refuse_partial(&found, &wanted, &spec.platforms)?;
            let (resolved, _) = upstream.resolve(&wanted, progress)?;
            images.extend(resolved.into_iter().map(PlannedImage::There));
        } else {
            remote::refuse_named(spec)?;
            own::refuse_missing(&of_manifests, &found, &spec.platforms)?;
        }
        let pins = found.iter().map(|image| &image.pin);
        let pins = pins.chain(images.iter().map(PlannedImage::pin));
        requirements.check(&images::inventory(&toolbox.roles(), pins))?;
        let given = found.iter().flat_map(|image| &image.layers);
        let mut given: BTreeMap<Digest, u64> =
            given.map(|(digest, blob)| (*digest, blob.stored_bytes)).collect();
        given.extend(here.iter().map(|binary| (binary.pin.sha256, binary.pin.size)));
        given.extend(files.iter().map(|file| (file.part.sha256, file.part.size)));
        self.check_all_room(&published, &room::layer_blobs(&images), given.into_values().sum())?;
        let read = images::read(found, progress)?;
        images.extend(read.into_iter().map(PlannedImage::Here));
        let mut binaries: Vec<PlannedBinary> = Vec::new();
        for published in published {
            binaries.push(self.binary(published)?);
        }
        binaries.extend(here.into_iter().map(PlannedBinary::Here));
        let mut lock = self.lock(container_runtime);
        lock.applications = charts.applications;
        let plan = Plan {
            lock,
            parts: Vec::new(),
            file: None,
            binaries,
            images: images::one_of_each(images, |image| (image.pin(), image.place()))?,
            files,
            scratch: scratch.into_directory(),
        };
        plan.finished(spec, self.upstream, progress)
    }

    /// What was asked for, as the lock says it.
    fn lock(&self, container_runtime: ContainerRuntime) -> Lock {
        let spec = self.spec;
        let mut lock = Lock::new(
            spec.kubernetes_version.clone(),
            container_runtime,
            spec.platforms.clone(),
        );
        lock.addons.clone_from(&spec.addons);
        lock.addons.sort();
        lock.addons.dedup();
        lock.cni = (spec.cni != Cni::Auto).then(|| spec.cni.to_string());
        lock.ha = spec.ha;
        lock
    }

    /// The release of a binary for the Kubernetes of the spec.
    pub(super) fn release_of(&self, upstream: &Upstream, role: BinaryRole) -> Result<Version, UpstreamError> {
        let kubernetes = &self.spec.kubernetes_version;
        match role {
            BinaryRole::Minikube => minikube_for(upstream, kubernetes, self.ask, self.progress),
            _ => Ok(kubernetes.clone()),
        }
    }

    /// A binary by what is published of it. Where that is not enough to lock it, it is
    /// downloaded: nothing else tells its digest.
    fn binary(&self, mut published: Published) -> Result<PlannedBinary, FetchError> {
        let upstream = self.upstream.expect("a release page told of it");
        let (sha256, size) = if let (Some(digest), Some(size)) = (published.digest, published.size) {
            (digest, size)
        } else {
            let program = upstream.download(&published, self.progress)?;
            programs::digest(&program.path)?
        };
        (published.digest, published.size) = (Some(sha256), Some(size));
        let signed = upstream.signed_program(&published, None, self.progress)?;
        let pin = BinaryPin {
            role: published.role,
            platform: published.platform,
            version: Some(published.version.clone()),
            size,
            sha256,
            origin: signed.beside(published.origin()),
        };
        Ok(PlannedBinary::There(pin, published))
    }

    /// The images of the addons. Where nothing is downloaded they must be here; without a
    /// minikube that can be asked nobody knows them.
    fn addons(&self, toolbox: &Toolbox<'_>) -> Result<Vec<WantedImage>, FetchError> {
        let mut images = Vec::new();
        for addon in &self.spec.addons {
            images.extend(
                self.asked(toolbox, "the images of an addon")?
                    .addon_images(addon)?,
            );
        }
        Ok(images)
    }

    /// The minikube that has to be asked `what`.
    fn asked<'t>(
        &self,
        toolbox: &'t Toolbox<'_>,
        what: &'static str,
    ) -> Result<&'t Minikube<'t>, FetchError> {
        let reason = match self.upstream {
            Some(_) => "no minikube for this machine's platform is known",
            None => "none for this machine's platform is given, and nothing may be downloaded",
        };
        let reason = reason.to_owned();
        Ok(toolbox
            .minikube()?
            .ok_or(UpstreamError::NotAsked { what, reason })?)
    }

    /// The node image that minikube names, unless each platform has one.
    fn node_image(
        &self,
        toolbox: &Toolbox<'_>,
        named: &[WantedImage],
        found: &[FoundImage],
    ) -> Result<Option<WantedImage>, FetchError> {
        let is_named = named.iter().any(|image| image.role == ImageRole::Node);
        let has_one = |platform: &Platform| remote::has_node(found, *platform);
        if is_named || self.spec.platforms.iter().all(has_one) {
            return Ok(None);
        }
        Ok(Some(self.asked(toolbox, "its node image")?.node_image()?))
    }

    /// What Kubernetes needs. Where nobody knows it, and no kubeadm is to come that would, all
    /// that is missing is named.
    fn requirements(
        &self,
        toolbox: &Toolbox<'_>,
        finder: &Finder<'_>,
        addons: &[WantedImage],
    ) -> Result<Requirements, FetchError> {
        let (spec, role) = (self.spec, BinaryRole::Kubeadm);
        let answer = |kubeadm: Option<&Path>| {
            requirements_from(self.ask, &spec.kubernetes_version, &spec.platforms, kubeadm)
        };
        // A kubeadm that nobody has is fetched only for what the table does not know.
        let kubeadm = match (self.then, toolbox.packs(role)) {
            (Then::Fetch, Some(_)) => toolbox.lend(role)?,
            _ => toolbox.at_hand(role),
        };
        let mut answered = answer(kubeadm.as_deref());
        let is_unknown = matches!(answered, Err(ResolveError::UnknownVersion { .. }));
        if is_unknown && kubeadm.is_none() && self.upstream.is_some() {
            answered = answer(toolbox.lend(role)?.as_deref());
        }
        let roles = toolbox.roles();
        match answered {
            Err(ResolveError::UnknownVersion { .. }) if !roles.iter().any(|(_, it)| *it == role) => {
                let found = finder.find(&[])?;
                let there = images::inventory(&roles, found.iter().map(|image| &image.pin));
                let named: Vec<_> = names(addons).collect();
                let error = there.missing_with_kubeadm(&spec.kubernetes_version, &spec.platforms, &named);
                Err(error.into())
            }
            answered => Ok(answered?),
        }
    }

    /// The binaries that the bundle needs besides those that are `here`, as their publishers
    /// describe them. Fails with all of which nothing says what they should be.
    fn published(&self, here: &[LocalBinary]) -> Result<Vec<Published>, FetchError> {
        let Some(upstream) = self.upstream else {
            return Ok(Vec::new());
        };
        let (mut all, mut unproven) = (Vec::new(), Unproven::default());
        let platforms = self.spec.platforms.iter();
        let every = platforms.flat_map(|platform| BinaryRole::ALL.map(|role| (*platform, role)));
        for (platform, role) in every.filter(|key| !here.iter().any(|binary| binary.key() == *key)) {
            let version = &self.release_of(upstream, role)?;
            let wanted = Released {
                role,
                version,
                platform,
            };
            if let Some(published) = unproven.set_aside(upstream.published(wanted, self.progress)) {
                all.push(published?);
            }
        }
        unproven.refuse()?;
        Ok(all)
    }
}

/// The names of these images.
fn names(images: &[WantedImage]) -> impl Iterator<Item = ImageReference> {
    images.iter().map(|image| image.reference.clone())
}

/// The caches that the spec names, each for each platform.
pub(super) fn caches(spec: &Spec) -> Result<Vec<Cache>, FetchError> {
    let mut caches = Vec::new();
    for platform in &spec.platforms {
        for directory in &spec.from_cache {
            caches.push(Cache::open(directory, platform.arch)?);
        }
    }
    Ok(caches)
}

#[cfg(test)]
mod tests;
