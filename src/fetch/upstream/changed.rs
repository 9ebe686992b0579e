//! What upstream has now in the place of what a lock says.

use super::registry::tag_now;
use super::releases::checksum_now;
use super::{Upstream, UpstreamError, WantedImage};
use crate::fetch::FetchError;
use crate::http::HttpError;
use crate::resolve::{BinaryPin, Difference};

impl Upstream {
    /// What a binary that could not be had says of the lock, which has `locked`; the error
    /// itself where it says nothing of that.
    pub(in crate::fetch) fn changed_program(
        &self,
        locked: &BinaryPin,
        error: FetchError,
    ) -> Result<Difference, FetchError> {
        let Some(http) = changed(&error) else {
            return Err(error);
        };
        let now = match http {
            HttpError::WrongDigest { url, found, .. } => format!("`{url}` has {found} now"),
            HttpError::Status { url, .. } => format!("`{url}` is no longer there"),
            HttpError::WrongSize { url, found, .. } => {
                let digest = checksum_now(self, self.locked(locked).released());
                let digest = digest.map(|digest| format!("{digest}, ")).unwrap_or_default();
                format!("`{url}` has {digest}{found} bytes now")
            }
            _ => return Err(error),
        };
        Ok(Difference {
            what: format!("{} for {}", locked.role, locked.platform),
            said: format!("the lock has {}, {} bytes, and {now}", locked.sha256, locked.size),
        })
    }

    /// The same of an image.
    pub(super) fn changed_image(
        &self,
        image: &WantedImage,
        error: UpstreamError,
    ) -> Result<Difference, FetchError> {
        let reference = &image.reference;
        let locked = image.locked.as_ref();
        let is_gone = match &error {
            UpstreamError::NoImage { .. } => true,
            UpstreamError::Http(error) => matches!(error.status(), Some(404 | 410)),
            _ => false,
        };
        let manifest = locked.and_then(|locked| Some((locked.platform, locked.registry_manifest?)));
        let (Some((platform, manifest)), true) = (manifest, is_gone) else {
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
