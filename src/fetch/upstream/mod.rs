//! Parts that nobody gave: programs from their release pages, images from registries.
//!
//! Everything comes by [`http`](crate::http) into the [`store`](crate::store), and is
//! compared with what its publisher says of it before anything uses it.

mod changed;
mod error;
mod failure;
mod mirrors;
mod registry;
mod releases;
mod session;
mod unproven;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{OnceLock, PoisonError};

use crate::bundle::{BinaryRole, Digest, ImageReference, ImageRole, NamedBy, Namer, Platform, Version};
use crate::host::Environment;
use crate::http::{Http, HttpOptions, Patience};
use crate::progress::{Listener, Progress};
use crate::resolve::{BinaryPin, Difference, ImagePin};
use crate::spec::{Sources, VersionWord, is_accepted};
use crate::store::{Store, StoreError};

use super::FetchError;
use super::found::FoundImage;
use registry::Registries;
use session::Session;

pub(super) use registry::Resolved;
pub(super) use releases::{
    Program, Published, Released, minikube_for, newest_known_with, runtime_of_release,
};
pub(super) use unproven::Unproven;

pub use error::UpstreamError;
pub use releases::known_minikubes;

/// The publishers' servers: a client, the mirrors that stand for them, and what is known of
/// them in this run.
#[derive(Debug)]
pub struct Upstream {
    http: Http,
    /// Opened when the first thing is wanted.
    store: OnceLock<Store>,
    store_directory: Option<PathBuf>,
    sources: Sources,
    registries: Registries,
    session: Session,
}

/// The digest of an image's manifest, or of the list of its manifests, that is known
/// before a registry is asked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Pinned {
    pub(super) digest: Digest,
    /// Who says so; nobody but the lock when it is `None`.
    pub(super) because: Option<Because>,
}

/// Who names an image by a digest, with the name of the addon or the CNI.
pub(super) type Because = (Namer, Option<String>);

impl Pinned {
    /// The digest by which a lock has the image, where that is one of a registry's.
    pub(super) fn by_lock(pin: &ImagePin) -> Option<Self> {
        let digest = pin.pulled_by()?;
        let because = None;
        Some(Self { digest, because })
    }

    /// How the image is named by this digest, unless the lock alone names it.
    fn named_by(&self) -> Option<NamedBy> {
        let (by, name) = self.because.clone()?;
        let digest = self.digest;
        Some(NamedBy { digest, by, name })
    }
}

/// An image that is to be downloaded.
#[derive(Clone, Debug)]
pub(super) struct WantedImage {
    pub(super) role: ImageRole,
    pub(super) reference: ImageReference,
    pub(super) pinned: Option<Pinned>,
    /// What a lock has of it.
    pub(super) locked: Option<ImagePin>,
}

impl WantedImage {
    /// The image with this name, by its digest where the name has one: `because` says who
    /// named it so.
    pub(super) fn parse(role: ImageRole, name: &str, because: &Because) -> Option<Self> {
        let digest = match name.split_once('@') {
            Some((_, digest)) => Some(Digest::parse(digest).ok()?),
            None => None,
        };
        Some(Self {
            role,
            reference: ImageReference::parse(name).ok()?,
            pinned: digest.map(|digest| Pinned {
                digest,
                because: Some(because.clone()),
            }),
            locked: None,
        })
    }

    /// An image that Kubernetes needs, whatever its digest.
    pub(super) fn of_kubernetes(reference: ImageReference) -> Self {
        Self {
            role: ImageRole::Kubernetes,
            reference,
            pinned: None,
            locked: None,
        }
    }

    /// The image that a lock has, by this digest where one is known.
    pub(super) fn locked(pin: ImagePin, pinned: Option<Pinned>) -> Self {
        Self {
            role: pin.role,
            reference: pin.reference.clone(),
            pinned,
            locked: Some(pin),
        }
    }

    /// Takes the digest by which `other`, of the same name, is wanted; fails when there are
    /// two: one name in the bundle is one image.
    pub(super) fn join(&mut self, other: &Self) -> Result<(), FetchError> {
        match (&self.pinned, &other.pinned) {
            (Some(first), Some(second)) if first.digest != second.digest => Err(FetchError::Conflict {
                what: format!("the image `{}`", self.reference),
                first: first.digest.to_string(),
                second: second.digest.to_string(),
            }),
            (None, Some(_)) => {
                self.pinned.clone_from(&other.pinned);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl Upstream {
    /// The servers that `sources` name, with the store and the proxies of the user of
    /// `environment`. Nothing is asked yet.
    pub fn new(sources: &Sources, environment: &Environment, patience: Patience) -> Result<Self, FetchError> {
        let options = HttpOptions {
            proxy: sources.proxy.clone(),
            ca: sources.ca.clone(),
            insecure_hosts: sources.insecure_registries.clone(),
            patience,
            offline: sources.offline,
            ..HttpOptions::default()
        };
        Ok(Self {
            http: Http::new(options, environment).map_err(UpstreamError::from)?,
            store: OnceLock::new(),
            store_directory: Store::directory_of(environment).ok(),
            registries: Registries::new(sources, environment),
            sources: sources.clone(),
            session: Session::default(),
        })
    }

    /// The same, whose requests `listener` is told of.
    #[must_use]
    pub fn heard_by(mut self, listener: Listener) -> Self {
        self.http = self.http.heard_by(listener);
        self
    }

    fn store(&self) -> Result<&Store, UpstreamError> {
        if let Some(store) = self.store.get() {
            return Ok(store);
        }
        let directory = self.store_directory.as_ref().ok_or(StoreError::NoHome)?;
        let store = Store::open(directory)?;
        Ok(self.store.get_or_init(|| store))
    }

    /// The release that `word` stands for today.
    pub fn release(&self, word: &VersionWord, progress: &dyn Progress) -> Result<Version, FetchError> {
        Ok(releases::release(self, word, progress)?)
    }

    /// How often a place is tried that another can stand for.
    fn attempts(&self, is_replaceable: bool) -> u32 {
        let most = self.http.patience().attempts;
        if is_replaceable { most.min(2) } else { most }
    }

    /// How a message names the program `path`: by its URL where it was downloaded.
    pub(super) fn shown(&self, path: &Path) -> PathBuf {
        let downloaded = self
            .session
            .downloaded
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let program = downloaded.iter().find(|(.., program)| program.path == path);
        program.map_or_else(|| path.to_owned(), |(.., program)| PathBuf::from(&program.url))
    }

    /// The binary of this release, as its publisher describes it.
    pub(super) fn published(
        &self,
        wanted: Released<'_>,
        progress: &dyn Progress,
    ) -> Result<Published, UpstreamError> {
        releases::published(self, wanted, progress)
    }

    /// The binary as a lock has it; its publisher is not asked.
    pub(super) fn locked(&self, pin: &BinaryPin) -> Published {
        releases::locked(self, pin)
    }

    /// How much of these blobs the store does not have; each counts once.
    pub(super) fn missing_bytes(&self, blobs: &[(Digest, u64)]) -> Result<u64, FetchError> {
        let store = self.store().map_err(FetchError::from)?;
        let once: BTreeMap<Digest, u64> = blobs.iter().copied().collect();
        Ok(once
            .into_iter()
            .map(|(digest, size)| store.missing_bytes(digest, size))
            .sum())
    }

    /// The store's directory.
    pub(super) fn store_directory(&self) -> Result<&Path, FetchError> {
        Ok(self.store().map_err(FetchError::from)?.directory())
    }

    /// The binary that was published so, downloaded; once in a run.
    pub(super) fn download(
        &self,
        published: &Published,
        progress: &dyn Progress,
    ) -> Result<Program, UpstreamError> {
        let mut downloaded = self
            .session
            .downloaded
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let is_it = |(platform, role, program): &&(Platform, BinaryRole, Program)| {
            let digest = Some(program.digest);
            (*platform, *role, digest) == (published.platform, published.role, published.digest)
        };
        if let Some((.., program)) = downloaded.iter().find(is_it) {
            return Ok(program.clone());
        }
        let program = releases::download(self, published, progress)?;
        downloaded.push((published.platform, published.role, program.clone()));
        Ok(program)
    }

    /// Whether the store has the blob, by its size.
    pub(super) fn is_stored(&self, digest: Digest, size: u64) -> Result<bool, FetchError> {
        let path = self.store().map_err(FetchError::from)?.path(digest);
        Ok(std::fs::metadata(path).is_ok_and(|facts| facts.len() == size))
    }

    /// The images, downloaded; the same names in the same order.
    pub(super) fn images(
        &self,
        resolved: Vec<Resolved>,
        progress: &dyn Progress,
    ) -> Result<Vec<FoundImage>, FetchError> {
        registry::download(self, resolved, progress)
    }

    /// The images of each platform by manifest and config, and in what those of a lock are
    /// not what it says: upstream does not have them any more.
    pub(super) fn resolve(
        &self,
        wanted: &[(Platform, Vec<WantedImage>)],
        progress: &dyn Progress,
    ) -> Result<(Vec<Resolved>, Vec<Difference>), FetchError> {
        let (mut resolved, mut differences) = (Vec::new(), Vec::new());
        for (platform, wanted) in wanted {
            let mut unproven = Unproven::default();
            let results = registry::resolve_all(self, wanted, *platform, progress);
            for (image, result) in wanted.iter().zip(results) {
                match unproven.set_aside(result) {
                    None => {}
                    Some(Ok(image)) => resolved.push(image),
                    Some(Err(error)) => differences.push(self.changed_image(image, error)?),
                }
            }
            unproven.refuse()?;
        }
        Ok((resolved, differences))
    }

    /// Resolves these images now; [`Self::resolve`] asks nobody for them again.
    pub(super) fn foresee(
        &self,
        wanted: &[(Platform, Vec<WantedImage>)],
        progress: &dyn Progress,
    ) -> Result<(), FetchError> {
        let (resolved, _) = self.resolve(wanted, progress)?;
        let mut resolved = resolved.into_iter();
        let mut foreseen = self
            .session
            .foreseen
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for (platform, wanted) in wanted {
            let keys = wanted.iter().map(|image| foreseen_as(image, *platform));
            foreseen.extend(keys.zip(resolved.by_ref()));
        }
        Ok(())
    }

    fn foreseen(&self, wanted: &WantedImage, platform: Platform) -> Option<Resolved> {
        let mut foreseen = self
            .session
            .foreseen
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        foreseen.remove(&foreseen_as(wanted, platform))
    }

    /// Whether the user takes `name` although nothing proves it.
    fn accepts(&self, name: &str) -> bool {
        let mut accepted = self.sources.accept_unverified.iter();
        accepted.any(|accepted| is_accepted(accepted, name))
    }

    /// Whether the user takes the images that the place for all of them has.
    fn accepts_images_place(&self) -> bool {
        let mut accepted = self.sources.accept_unverified.iter();
        accepted.any(|accepted| self.sources.images_place() == Some(accepted))
    }
}

/// What makes two wishes one: wanted by another digest it is another image.
fn foreseen_as(wanted: &WantedImage, platform: Platform) -> String {
    let digest = wanted.pinned.as_ref().map(|pinned| pinned.digest.to_string());
    format!("{platform} {} {}", wanted.reference, digest.unwrap_or_default())
}
