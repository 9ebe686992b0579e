//! From the spec to the parts, in the order in which one thing tells the next.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tempfile::TempDir;

use super::estimate::Sizes;
use super::found::FoundImage;
use super::parts::{LocalBinary, LocalFile, Parts};
use super::scratch::Scratch;
use super::upstream::{
    Resolved, UpstreamError, WantedImage, addon_images, check_pair, locked_provisioner, storage_provisioner,
};
use super::{Cache, FetchError, Upstream, images, network, own, packages, programs, remote, room, runtime};
use crate::bundle::{BinaryRole, ContainerRuntime, Digest, ImageReference, Platform, Transport};
use crate::host::{Ask, ask};
use crate::progress::Progress;
use crate::resolve::{Requirements, ResolveError, requirements_from};
use crate::spec::Spec;

/// Finds every part that `spec` names, looks at each, and makes sure that all which is
/// needed is there: programs first, because kubeadm says which images are needed.
///
/// What is not given comes from `upstream`, if there is one.
///
/// The result is the same for the same parts, in whatever order directories and flags name
/// them. Nothing is written but archives of the engine's images, and unpacked ones, beside
/// the output, which are removed with the [`Parts`], and what upstream gives, in its store.
pub fn gather(
    spec: &Spec,
    upstream: Option<&Upstream>,
    progress: &dyn Progress,
) -> Result<Parts, FetchError> {
    gather_by_asking(&ask, spec, upstream, progress)
}

/// [`gather`], asking programs by way of `ask`.
pub(super) fn gather_by_asking(
    ask: Ask<'_>,
    spec: &Spec,
    upstream: Option<&Upstream>,
    progress: &dyn Progress,
) -> Result<Parts, FetchError> {
    let files = own::gather(spec)?;
    if let Some(upstream) = upstream {
        upstream.check_files(&files)?;
    }
    if let Some(upstream) = upstream {
        remote::check_named(spec, upstream, progress)?;
    }
    let caches = caches(spec)?;
    let binaries = programs::gather(spec, &caches, upstream, ask, progress)?;
    let roles: Vec<(Platform, BinaryRole)> = binaries.iter().map(role_of).collect();
    let found = find(spec, &caches, &binaries, &roles, upstream, ask, progress)?;
    let Found {
        requirements,
        container_runtime,
        mut images,
        wanted,
        scratch,
    } = found;
    if let Some(upstream) = upstream {
        let resolved = upstream.resolve(&wanted, progress)?;
        check_room(spec, upstream, &binaries, &files, &images, &resolved)?;
        for resolved in resolved {
            images.extend(upstream.images(resolved, progress)?);
        }
        images = images::settle(images, &spec.platforms)?;
    }
    requirements.check(&images::inventory(&roles, images.iter().map(|image| &image.pin)))?;
    if let Some(upstream) = upstream {
        let programs = roles.iter().map(|(_, role)| role.to_string());
        let names = images.iter().map(|image| image.pin.reference.to_string());
        upstream.note_unused(&programs.chain(names).collect::<Vec<_>>(), progress);
    }
    let images = images::read(images, progress)?;
    Ok(Parts {
        packages: packages::of_parts(&binaries, &images)?,
        binaries,
        images,
        files,
        signature_files: upstream
            .map(Upstream::signature_files)
            .transpose()?
            .unwrap_or_default(),
        container_runtime,
        requirements,
        _scratch: scratch,
    })
}

/// Fails unless there is room for the layers that are to be downloaded, and for the bundle.
fn check_room(
    spec: &Spec,
    upstream: &Upstream,
    binaries: &[LocalBinary],
    files: &[LocalFile],
    found: &[FoundImage],
    resolved: &[Vec<Resolved>],
) -> Result<(), FetchError> {
    let remote = resolved.iter().flatten().flat_map(|image| &image.layers);
    let remote: BTreeMap<Digest, u64> = remote.copied().collect();
    if remote.is_empty() {
        return Ok(()); // no store is needed
    }
    let local = found.iter().flat_map(|image| &image.layers);
    let local: BTreeMap<Digest, u64> = local.map(|(digest, blob)| (*digest, blob.stored_bytes)).collect();
    let programs = binaries.iter().map(|binary| binary.pin.size);
    let files = files.iter().map(|file| file.part.size);
    let sizes = Sizes {
        layers: remote.values().sum(),
        plain: programs.chain(files).chain(local.into_values()).sum(),
    };
    let download = upstream.missing_bytes(&remote.into_iter().collect::<Vec<_>>())?;
    room::check(spec, upstream.store_directory()?, download, &sizes)
}

/// The platform and the role of a program.
pub(super) fn role_of(binary: &LocalBinary) -> (Platform, BinaryRole) {
    (binary.pin.platform, binary.pin.role)
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

/// The images that are here, and those that have to come.
pub(super) struct Found {
    pub(super) requirements: Requirements,
    pub(super) container_runtime: ContainerRuntime,
    pub(super) images: Vec<FoundImage>,
    pub(super) wanted: Vec<(Platform, Vec<WantedImage>)>,
    /// Archives that were written on the way.
    pub(super) scratch: Option<TempDir>,
}

/// Finds out which images are needed and which of them are on this machine. `binaries`
/// are the programs that are here, `roles` all that there will be.
pub(super) fn find(
    spec: &Spec,
    caches: &[Cache],
    binaries: &[LocalBinary],
    roles: &[(Platform, BinaryRole)],
    upstream: Option<&Upstream>,
    ask: Ask<'_>,
    progress: &dyn Progress,
) -> Result<Found, FetchError> {
    let scratch = Scratch::beside(&spec.output);
    let mut requirements = match needs(spec, binaries, upstream, ask, progress)? {
        Err(ResolveError::UnknownVersion { .. })
            if !roles.iter().any(|(_, role)| *role == BinaryRole::Kubeadm) =>
        {
            let found = images::find(spec, caches, &[], &scratch, progress)?;
            let there = images::inventory(roles, found.iter().map(|image| &image.pin));
            let named = of_addons(spec, binaries, ask, progress)?;
            let error = there.missing_with_kubeadm(&spec.kubernetes_version, &spec.platforms, &named);
            return Err(error.into());
        }
        needs => needs?,
    };
    let mut of_network = of_network(spec, binaries, upstream, ask, progress)?;
    let provisioner = provisioner(spec, binaries, upstream, ask, progress)?;
    if !provisioner.is_empty() {
        requirements.name_storage_provisioner(provisioner.iter().map(|image| image.reference.clone()));
        of_network.extend(provisioner);
    }
    requirements.add(of_network.iter().map(|image| image.reference.clone()));
    if upstream.is_none() {
        requirements.add(of_addons(spec, binaries, ask, progress)?);
    }
    let of_manifests = own::images(spec, progress)?;
    let images = images::find(spec, caches, &requirements.images, &scratch, progress)?;
    own::note_digests(&of_manifests, &images, progress);
    let minikube = || -> Result<Option<PathBuf>, FetchError> {
        let found = for_this_machine(BinaryRole::Minikube, spec, binaries, upstream, ask, progress)?;
        if let Some(path) = &found {
            check_pair(ask, path, &spec.kubernetes_version)?;
        }
        Ok(found)
    };
    let own = Platform::of_this_machine().map(|own| (own, BinaryRole::Minikube));
    if binaries.iter().any(|binary| Some(role_of(binary)) == own) {
        minikube()?;
    }
    let container_runtime = container_runtime(spec, binaries, upstream, ask, progress)?;
    let wanted = if let Some(upstream) = upstream {
        let lock = upstream.lock_of_others();
        let wanted = remote::wanted(
            spec,
            &images,
            &requirements.images,
            of_network
                .into_iter()
                .chain(of_manifests.into_iter().map(|(_, image)| image))
                .collect(),
            &minikube,
            lock,
            ask,
        )?;
        images::refuse_partial(&images, &wanted, &spec.platforms)?;
        wanted
    } else {
        remote::refuse_named(spec)?;
        own::refuse_missing(&of_manifests, &images, &spec.platforms)?;
        Vec::new()
    };
    Ok(Found {
        requirements,
        container_runtime,
        images,
        wanted,
        scratch: scratch.into_directory(),
    })
}

/// The one that the spec names, or minikube's. To ask for it nothing is downloaded but the
/// minikube that will be packed.
fn container_runtime(
    spec: &Spec,
    binaries: &[LocalBinary],
    upstream: Option<&Upstream>,
    ask: Ask<'_>,
    progress: &dyn Progress,
) -> Result<ContainerRuntime, FetchError> {
    if let Some(runtime) = spec.container_runtime {
        return Ok(runtime);
    }
    let mut minikubes = binaries.iter();
    let is_here = minikubes.any(|binary| binary.pin.role == BinaryRole::Minikube);
    let upstream = upstream.filter(|_| !is_here);
    let path = for_this_machine(BinaryRole::Minikube, spec, binaries, upstream, ask, progress)?;
    runtime::default(spec, path.as_deref(), binaries, ask, progress)
}

fn needs(
    spec: &Spec,
    binaries: &[LocalBinary],
    upstream: Option<&Upstream>,
    ask: Ask<'_>,
    progress: &dyn Progress,
) -> Result<Result<Requirements, ResolveError>, FetchError> {
    let answer = |kubeadm: Option<PathBuf>| {
        requirements_from(ask, &spec.kubernetes_version, &spec.platforms, kubeadm.as_deref())
    };
    // A kubeadm that nobody has is fetched only for what the table does not know.
    let here = for_this_machine(BinaryRole::Kubeadm, spec, binaries, None, ask, progress)?;
    let answered = answer(here.clone());
    let lock = upstream.and_then(Upstream::lock_of_others);
    if let (Err(ResolveError::UnknownVersion { .. }), Some(lock)) = (&answered, lock) {
        return Ok(Ok(Requirements::of_lock(lock)));
    }
    match (answered, upstream) {
        (Err(ResolveError::UnknownVersion { .. }), Some(_)) if here.is_none() => Ok(answer(
            for_this_machine(BinaryRole::Kubeadm, spec, binaries, upstream, ask, progress)?,
        )),
        (answer, _) => Ok(answer),
    }
}

/// The images that the network of the spec needs, and those of several control planes.
fn of_network(
    spec: &Spec,
    binaries: &[LocalBinary],
    upstream: Option<&Upstream>,
    ask: Ask<'_>,
    progress: &dyn Progress,
) -> Result<Vec<WantedImage>, FetchError> {
    if !network::has_images(spec) {
        return Ok(Vec::new());
    }
    // It is read and not run, so it may be for any platform.
    let packed = binaries
        .iter()
        .find(|binary| binary.pin.role == BinaryRole::Minikube);
    let minikube = match packed {
        Some(packed) => Some(packed.path.clone()),
        None => for_this_machine(BinaryRole::Minikube, spec, binaries, upstream, ask, progress)?,
    };
    // Without any, it is named among what is missing.
    let Some(minikube) = minikube else {
        return Ok(Vec::new());
    };
    let shown = upstream.map_or_else(|| minikube.clone(), |upstream| upstream.shown(&minikube));
    network::images(spec, &minikube, &shown)
}

/// The images of minikube's storage provisioner, as the lock or a minikube that can be asked
/// names them; none where neither does.
fn provisioner(
    spec: &Spec,
    binaries: &[LocalBinary],
    upstream: Option<&Upstream>,
    ask: Ask<'_>,
    progress: &dyn Progress,
) -> Result<Vec<WantedImage>, FetchError> {
    if let Some(lock) = upstream.and_then(Upstream::lock_of_others) {
        return Ok(locked_provisioner(lock));
    }
    // For one that is given another need not be downloaded.
    let is_given = |binary: &&LocalBinary| {
        binary.pin.role == BinaryRole::Minikube && binary.pin.origin.transport != Transport::Https
    };
    let upstream = upstream.filter(|_| binaries.iter().find(is_given).is_none());
    let minikube = match for_this_machine(BinaryRole::Minikube, spec, binaries, upstream, ask, progress) {
        Err(FetchError::Upstream(error)) if error.is_offline() => None,
        minikube => minikube?,
    };
    Ok(minikube.map_or_else(Vec::new, |minikube| storage_provisioner(ask, &minikube)))
}

/// The images of the addons, where nothing is downloaded: then they must be here. Without a
/// minikube that can be asked nobody knows them.
fn of_addons(
    spec: &Spec,
    binaries: &[LocalBinary],
    ask: Ask<'_>,
    progress: &dyn Progress,
) -> Result<Vec<ImageReference>, FetchError> {
    if spec.addons.is_empty() {
        return Ok(Vec::new());
    }
    let minikube = for_this_machine(BinaryRole::Minikube, spec, binaries, None, ask, progress)?;
    let Some(minikube) = minikube else {
        let what = "the images of an addon";
        let reason = "none for this machine's platform is given, and nothing may be downloaded".to_owned();
        return Err(UpstreamError::NotAsked { what, reason }.into());
    };
    let mut images = Vec::new();
    for addon in &spec.addons {
        let wanted = addon_images(ask, &minikube, addon)?;
        images.extend(wanted.into_iter().map(|image| image.reference));
    }
    Ok(images)
}

/// A program that can be asked: the one that is packed or, when that is for another
/// platform, one for this machine's in a cache, or from upstream.
fn for_this_machine(
    role: BinaryRole,
    spec: &Spec,
    binaries: &[LocalBinary],
    upstream: Option<&Upstream>,
    ask: Ask<'_>,
    progress: &dyn Progress,
) -> Result<Option<PathBuf>, FetchError> {
    let Some(here) = Platform::of_this_machine() else {
        return Ok(None);
    };
    let packed = binaries.iter().find(|binary| role_of(binary) == (here, role));
    if let Some(packed) = packed {
        return Ok(Some(packed.path.clone()));
    }
    let caches = spec.from_cache.iter();
    let in_cache = caches
        .filter_map(|directory| Cache::open(directory, here.arch).ok())
        .find_map(|cache| cache.binary(role, &spec.kubernetes_version));
    match (in_cache, upstream) {
        (Some(path), _) => Ok(Some(path)),
        (None, Some(upstream)) => {
            let program = upstream.program(role, &spec.kubernetes_version, here, ask, progress)?;
            Ok(Some(program.path))
        }
        (None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests;
