//! From the plan to the parts: what is not on this machine is downloaded, and everything is
//! compared with the digest that the plan has for it.

use super::parts::{LocalBinary, LocalImage, Parts};
use super::plan::{Plan, PlannedBinary, PlannedImage};
use super::programs::{self, Candidate, Recognised};
use super::upstream::{Published, Resolved, WantedImage};
use super::{FetchError, Upstream, images, packages};
use crate::bundle::Platform;
use crate::host::{Ask, ask};
use crate::progress::Progress;
use crate::resolve::{BinaryPin, Difference};

/// Brings the parts of `plan`, which was made with the same `upstream`. Where the plan is a
/// lock it fails with every part that is another one now, before a layer is downloaded.
pub fn fetch(plan: Plan, upstream: Option<&Upstream>, progress: &dyn Progress) -> Result<Parts, FetchError> {
    fetch_by_asking(&ask, plan, upstream, progress)
}

/// [`fetch`], asking binaries for their versions by way of `ask`.
pub(super) fn fetch_by_asking(
    ask: Ask<'_>,
    plan: Plan,
    upstream: Option<&Upstream>,
    progress: &dyn Progress,
) -> Result<Parts, FetchError> {
    let Plan { mut lock, file, .. } = plan;
    // Whatever is not here, one of the servers has it: with none the plan has no such part.
    let servers = || upstream.expect("the servers of the plan");
    let mut changed: Vec<Difference> = Vec::new();
    let (mut binaries, mut coming): (Vec<LocalBinary>, Vec<Recognised>) = (Vec::new(), Vec::new());
    for binary in plan.binaries {
        let (pin, published) = match binary {
            PlannedBinary::Here(binary) => {
                binaries.push(binary);
                continue;
            }
            PlannedBinary::Locked(pin) => (pin, None),
            PlannedBinary::There(pin, published) => (pin, Some(published)),
        };
        match download(servers(), &pin, published, progress) {
            Ok(candidate) => coming.push(programs::recognise(candidate, &[pin.platform])?),
            // All that is another one now is to be named.
            Err(error) if file.is_some() => changed.push(servers().changed_program(&pin, error)?),
            Err(error) => return Err(error),
        }
    }
    let (mut images, mut remote): (Vec<LocalImage>, Vec<Resolved>) = (Vec::new(), Vec::new());
    let mut locked: Vec<(Platform, Vec<WantedImage>)> = lock
        .platforms
        .iter()
        .map(|platform| (*platform, Vec::new()))
        .collect();
    for image in plan.images {
        match image {
            PlannedImage::Here(image) => images.push(image),
            PlannedImage::There(image) => remote.push(image),
            PlannedImage::Locked(pin, pinned) => {
                let of = locked
                    .iter_mut()
                    .filter(|(platform, _)| *platform == pin.platform);
                of.for_each(|(_, wanted)| wanted.push(WantedImage::locked(pin.clone(), pinned.clone())));
            }
        }
    }
    locked.retain(|(_, wanted)| !wanted.is_empty());
    if !locked.is_empty() {
        let (resolved, differences) = servers().resolve(&locked, progress)?;
        remote.extend(resolved);
        changed.extend(differences);
    }
    binaries.extend(programs::read(coming, &lock.kubernetes_version, ask, progress)?);
    binaries.sort_by_key(LocalBinary::key);
    lock.binaries = binaries.iter().map(|binary| binary.pin.clone()).collect();
    let signature_files = upstream
        .map(|upstream| upstream.signature_files(&lock))
        .transpose()?;
    let signature_files = signature_files.unwrap_or_default();
    if let Some(file) = &file {
        let here = images.iter().map(|image| &image.pin);
        let pins = here.chain(remote.iter().map(|image| &image.pin));
        file.refuse(changed)?;
        lock.images = pins.cloned().collect();
        file.check(&lock)?;
        let files = |digest| signature_files.contains_key(&digest);
        let lost = file.lock.attestations().filter(|it| !it.files().all(files));
        let lost = lost.map(|signature| Difference {
            what: format!("the signature {}", signature.url),
            said: "the lock has it, and there is another one now, or none".to_owned(),
        });
        file.refuse(lost.collect())?;
    }
    if !remote.is_empty() {
        images.extend(images::read(servers().images(remote, progress)?, progress)?);
    }
    images.sort_by_key(|image| image.pin.order());
    lock.images = images.iter().map(|image| image.pin.clone()).collect();
    Ok(Parts {
        packages: packages::of_parts(&binaries, &images),
        lock,
        binaries,
        images,
        files: plan.files,
        signature_files,
        _scratch: plan.scratch,
    })
}

/// The binary from its release page or the store, and what its publisher signed of it.
fn download(
    upstream: &Upstream,
    pin: &BinaryPin,
    published: Option<Published>,
    progress: &dyn Progress,
) -> Result<Candidate, FetchError> {
    let mut pin = pin.clone();
    let program = if let Some(published) = published {
        let program = upstream.download(&published, progress)?;
        pin.origin.url = Some(program.url);
        (program.path, program.digest)
    } else {
        let published = upstream.locked(&pin);
        let program = upstream.download(&published, progress)?;
        upstream.signed_program(&published, Some(&pin.origin), progress)?;
        let locked = pin.clone();
        pin.origin = published.origin();
        pin.take_from(&locked);
        (program.path, program.digest)
    };
    let (path, digest) = program;
    Ok(Candidate {
        role: pin.role,
        path,
        version: pin.version,
        origin: pin.origin,
        expected: Some(digest),
    })
}
