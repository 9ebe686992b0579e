//! Lends a minikube, or a kubeadm, that runs on this machine.

use std::cell::OnceCell;
use std::path::PathBuf;

use super::minikube::Minikube;
use super::parts::LocalBinary;
use super::resolve::Resolver;
use super::upstream::{Published, Released};
use super::{Cache, FetchError};
use crate::bundle::{BinaryRole, Platform};

/// What can be asked: binaries that are packed or, where these are for other platforms, one
/// in a cache, or one that is downloaded for it.
pub(super) struct Toolbox<'a> {
    resolver: &'a Resolver<'a>,
    /// The binaries of the bundle that are on this machine.
    pub(super) here: &'a [LocalBinary],
    /// Those that are downloaded for it.
    pub(super) published: &'a [Published],
    minikube: OnceCell<Option<Minikube<'a>>>,
}

impl<'a> Toolbox<'a> {
    pub(super) fn new(
        resolver: &'a Resolver<'a>,
        here: &'a [LocalBinary],
        published: &'a [Published],
    ) -> Self {
        let minikube = OnceCell::new();
        Self {
            resolver,
            here,
            published,
            minikube,
        }
    }

    /// The minikube that is lent. Another one is not downloaded where one is given, if for
    /// another platform. There is none where nothing may be downloaded.
    pub(super) fn minikube_unless_given(&self) -> Result<Option<&Minikube<'a>>, FetchError> {
        let role = BinaryRole::Minikube;
        let is_given = self.here.iter().any(|binary| binary.pin.role == role);
        if is_given && self.minikube.get().is_none() && self.at_hand(role).is_none() {
            return Ok(None);
        }
        self.minikube()
    }

    /// The minikube that is lent; there is none where nothing may be downloaded.
    pub(super) fn minikube(&self) -> Result<Option<&Minikube<'a>>, FetchError> {
        if self.minikube.get().is_none() {
            let path = self.lend(BinaryRole::Minikube)?;
            let open = |path| Minikube::open(self.resolver.ask, path, &self.resolver.spec.kubernetes_version);
            let _ = self.minikube.set(path.map(open).transpose()?);
        }
        Ok(self.minikube.get().and_then(Option::as_ref))
    }

    /// A binary that can be asked without a download.
    pub(super) fn at_hand(&self, role: BinaryRole) -> Option<PathBuf> {
        let own = Platform::of_this_machine()?;
        let packed = |binary: &&LocalBinary| (binary.pin.platform, binary.pin.role) == (own, role);
        if let Some(packed) = self.here.iter().find(packed) {
            return Some(packed.path.clone());
        }
        let spec = self.resolver.spec;
        let mut caches = spec.from_cache.iter();
        caches.find_map(|directory| {
            Cache::open(directory, own.arch)
                .ok()?
                .binary(role, &spec.kubernetes_version)
        })
    }

    /// A binary that can be asked, downloaded where none is at hand.
    pub(super) fn lend(&self, role: BinaryRole) -> Result<Option<PathBuf>, FetchError> {
        let at_hand = self.at_hand(role);
        let (Some(upstream), Some(platform), None) =
            (self.resolver.upstream, Platform::of_this_machine(), &at_hand)
        else {
            return Ok(at_hand);
        };
        let progress = self.resolver.progress;
        let program = if let Some(packed) = self.packs(role) {
            upstream.download(packed, progress)?
        } else {
            let version = self.resolver.release_of(upstream, role)?;
            let version = &version;
            let wanted = Released {
                role,
                version,
                platform,
            };
            upstream.download(&upstream.published(wanted, progress)?, progress)?
        };
        Ok(Some(program.path))
    }

    /// Every binary that the bundle will have.
    pub(super) fn roles(&self) -> Vec<(Platform, BinaryRole)> {
        let here = self.here.iter().map(LocalBinary::key);
        let coming = self.published.iter().map(|binary| (binary.platform, binary.role));
        here.chain(coming).collect()
    }

    /// The one for this machine that is downloaded for the bundle.
    pub(super) fn packs(&self, role: BinaryRole) -> Option<&'a Published> {
        let own = Platform::of_this_machine()?;
        let mut published = self.published.iter();
        published.find(|binary| (binary.platform, binary.role) == (own, role))
    }
}
