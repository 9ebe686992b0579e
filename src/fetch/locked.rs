//! A plan that a lock has: nobody is asked again what the parts are.

use super::images::{self, Finder};
use super::parts::LocalFile;
use super::plan::{Plan, PlannedBinary, PlannedImage};
use super::resolve::caches;
use super::scratch::Scratch;
use super::upstream::{Pinned, Upstream};
use super::{FetchError, charts, own, programs, remote};
use crate::bundle::{BinaryRole, ImageRole, Platform, Transport};
use crate::host::ask;
use crate::progress::Progress;
use crate::resolve::{LockFile, Requirements};
use crate::spec::Spec;

impl Plan {
    /// The plan that is written down in `file`. What `spec` gives is taken from this machine;
    /// the rest is where it was, or at one of the mirrors of `upstream`. Fails when a file of
    /// the user is another one, or the lock does not have all that a cluster needs.
    pub fn load(
        file: LockFile,
        spec: &Spec,
        upstream: Option<&Upstream>,
        progress: &dyn Progress,
    ) -> Result<Self, FetchError> {
        let lock = file.lock.clone();
        let mut files = own::gather(spec)?;
        let caches = caches(spec)?;
        let here = programs::given(spec, &caches, &ask, progress)?;
        let needs = Requirements::of_lock(&lock);
        let scratch = Scratch::beside(&spec.output);
        let own = Platform::of_this_machine().map(|platform| (platform, BinaryRole::Helm));
        let helm = here.iter().find(|binary| Some(binary.key()) == own);
        let charts = charts::gather(spec, helm.map(|helm| helm.path.clone()), &scratch, progress)?;
        files.extend(charts.files);
        let applications = charts.applications;
        file.check_own(files.iter().map(LocalFile::pin).collect(), applications)?;
        let finder = Finder {
            spec,
            caches: &caches,
            scratch: &scratch,
            progress,
        };
        let found = finder.find(&needs.images)?;
        own::note_digests(&own::images(spec, progress)?, &found, progress);
        let mut binaries: Vec<PlannedBinary> = Vec::new();
        for pin in &lock.binaries {
            let is_here = here.iter().any(|binary| binary.key() == pin.key());
            // Without a release nobody can be asked for it: it is not there.
            if !is_here && pin.version.is_some() {
                binaries.push(PlannedBinary::Locked(pin.clone()));
            }
        }
        for mut binary in here {
            if let Some(locked) = lock.binary(binary.pin.platform, binary.pin.role) {
                binary.pin.take_from(locked);
            }
            binaries.push(PlannedBinary::Here(binary));
        }
        let mut images: Vec<PlannedImage> = Vec::new();
        let named = remote::named(spec, &needs.images);
        for pin in &lock.images {
            let is_here = found.iter().any(|image| image.pin.is_named_as(pin));
            // An application's image that was in a file is in none of the registries.
            let has_registry =
                pin.role != ImageRole::Application || pin.origin.transport == Transport::Docker;
            if !is_here && has_registry {
                let asked = named.iter().find(|image| image.reference == pin.reference);
                let asked = asked.and_then(|image| image.pinned.clone());
                let pinned = asked.or_else(|| Pinned::by_lock(pin));
                images.push(PlannedImage::Locked(pin.clone(), pinned));
            }
        }
        for mut image in images::read(found, progress)? {
            if let Some(locked) = lock.image(image.pin.platform, &image.pin.reference) {
                image.pin.take_from(locked);
            }
            images.push(PlannedImage::Here(image));
        }
        let roles: Vec<_> = binaries.iter().map(|binary| binary.pin().key()).collect();
        needs.check(&images::inventory(&roles, images.iter().map(PlannedImage::pin)))?;
        let plan = Self {
            lock,
            parts: Vec::new(),
            file: Some(file),
            binaries,
            images,
            files,
            scratch: scratch.into_directory(),
        };
        plan.finished(spec, upstream, progress)
    }
}
