//! Where an image is: a repository in a registry.

use super::{Upstream, UpstreamError};
use crate::bundle::ImageReference;
use crate::fetch::upstream::mirrors::{Server, Verdict};
use crate::http::HttpError;
use crate::progress::Progress;

/// Where an image is looked for: in its mirrors, and at last in its own registry.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) upstream: &'a Upstream,
    pub(super) reference: &'a ImageReference,
    /// The first one first; the last is always asked.
    pub(super) places: &'a [Place],
    pub(super) progress: &'a dyn Progress,
}

/// A repository, and the registry that has it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Place {
    /// The registry's host, with its port where it has one.
    pub(super) host: String,
    /// The repository's name there.
    pub(super) repository: String,
}

impl Server for Place {
    type Error = UpstreamError;
    const NEXT: &'static str = "the next place";

    fn key(&self) -> &str {
        &self.host
    }

    fn shown(&self) -> String {
        format!("`{}`", self.host)
    }

    fn verdict(error: &UpstreamError) -> Verdict {
        let is_busy = |error: &HttpError| {
            error
                .status()
                .is_some_and(|status| status >= 500 || status == 429)
        };
        match error {
            error if error.ends_the_run() => Verdict::Ends,
            UpstreamError::Http(HttpError::Connection { .. } | HttpError::CutOff { .. }) => Verdict::Silent,
            UpstreamError::Http(error) if is_busy(error) => Verdict::Silent,
            _ => Verdict::Lacks,
        }
    }
}
