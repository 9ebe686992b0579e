//! What upstream has now in the place of what a lock says.

use super::registry::tag_now;
use super::releases::checksum_now;
use super::{Upstream, UpstreamError, WantedImage};
use crate::bundle::{BinaryRole, Platform, Transport};
use crate::fetch::FetchError;
use crate::fetch::parts::{LocalFile, lock_file};
use crate::http::HttpError;
use crate::progress::Progress;
use crate::resolve::Difference;
use crate::spec::Spec;

impl Upstream {
    /// Fails with each file of the packer that is not the lock's, if there is a lock.
    pub(in crate::fetch) fn check_files(&self, files: &[LocalFile]) -> Result<(), FetchError> {
        let files = files.iter().map(lock_file).collect();
        Ok(self
            .lock
            .as_ref()
            .map_or(Ok(()), |lock| lock.check_files(files))?)
    }

    /// Fails with these differences from the lock, if there are any.
    pub(in crate::fetch) fn refuse(&self, differences: Vec<Difference>) -> Result<(), FetchError> {
        Ok(self
            .lock
            .as_ref()
            .map_or(Ok(()), |file| file.refuse(differences))?)
    }

    /// What a program that could not be had says of the lock; the error itself where it
    /// says nothing of that.
    pub(in crate::fetch) fn changed_program(
        &self,
        role: BinaryRole,
        platform: Platform,
        error: FetchError,
    ) -> Result<Difference, FetchError> {
        let Some((locked, http)) = self.locked_binary(platform, role).zip(changed(&error)) else {
            return Err(error);
        };
        let now = match http {
            HttpError::WrongDigest { url, found, .. } => format!("`{url}` has {found} now"),
            HttpError::Status { url, .. } => format!("`{url}` is no longer there"),
            HttpError::WrongSize { url, found, .. } => {
                let version = locked.version.as_ref();
                let digest = version.and_then(|version| checksum_now(self, role, version, platform));
                let digest = digest.map(|digest| format!("{digest}, ")).unwrap_or_default();
                format!("`{url}` has {digest}{found} bytes now")
            }
            _ => return Err(error),
        };
        Ok(Difference {
            what: format!("{role} for {platform}"),
            said: format!("the lock has {}, {} bytes, and {now}", locked.sha256, locked.size),
        })
    }

    /// The same of an image.
    pub(super) fn changed_image(
        &self,
        image: &WantedImage,
        platform: Platform,
        error: UpstreamError,
    ) -> Result<Difference, FetchError> {
        let reference = &image.reference;
        let locked = self.locked_image(platform, reference);
        let is_gone = match &error {
            UpstreamError::NoImage { .. } => true,
            UpstreamError::Http(error) => matches!(error.status(), Some(404 | 410)),
            _ => false,
        };
        let (Some(manifest), true) = (locked.and_then(|locked| locked.registry_manifest), is_gone) else {
            return Err(error.into());
        };
        let now = match tag_now(self, reference) {
            Some(digest) => format!("its tag is {digest} now"),
            None => "nothing has its tag now".to_owned(),
        };
        Ok(Difference {
            what: format!("{reference} for {platform}"),
            said: format!("the lock has the manifest {manifest}, which is no longer there, and {now}"),
        })
    }

    /// Every image of the lock that upstream does not have any more, where something else
    /// keeps a run from coming that far.
    pub(in crate::fetch) fn changed_images(
        &self,
        spec: &Spec,
        progress: &dyn Progress,
    ) -> Result<Vec<Difference>, FetchError> {
        let images = self.lock().into_iter().flat_map(|lock| &lock.images);
        let mut differences = Vec::new();
        for platform in &spec.platforms {
            let remote = images
                .clone()
                .filter(|image| image.platform == *platform && image.origin.transport == Transport::Docker);
            let wanted: Vec<WantedImage> = remote
                .map(|image| WantedImage {
                    role: image.role,
                    reference: image.reference.clone(),
                    pinned: None,
                })
                .collect();
            differences.extend(self.resolve_some(&wanted, *platform, progress)?.1);
        }
        Ok(differences)
    }
}

/// What the network said, where it speaks of another content than the lock does.
fn changed(error: &FetchError) -> Option<&HttpError> {
    let FetchError::Upstream(error) = error else {
        return None;
    };
    let UpstreamError::Http(error) = &**error else {
        return None;
    };
    let speaks_of_it = match error {
        HttpError::WrongDigest { .. } | HttpError::WrongSize { .. } => true,
        error => matches!(error.status(), Some(404 | 410)),
    };
    speaks_of_it.then_some(error)
}
