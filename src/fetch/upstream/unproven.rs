//! Parts that nothing proves: all that are known are named together.

use super::UpstreamError;
use crate::http::HttpError;

/// The parts of which nothing says what they should be.
#[derive(Default)]
pub(in crate::fetch) struct Unproven {
    what: Vec<String>,
    source: Option<Box<HttpError>>,
}

impl Unproven {
    /// The result, unless it is that nothing proves a part: then that is kept for later.
    pub(in crate::fetch) fn set_aside<T>(
        &mut self,
        result: Result<T, UpstreamError>,
    ) -> Option<Result<T, UpstreamError>> {
        match result {
            Err(UpstreamError::Unproven { what, source }) => {
                self.what.extend(what);
                self.source = self.source.take().or(source);
                None
            }
            result => Some(result),
        }
    }

    /// Fails with all that were set aside, if there are any.
    pub(in crate::fetch) fn refuse(mut self) -> Result<(), UpstreamError> {
        if self.what.is_empty() {
            return Ok(());
        }
        self.what.sort();
        self.what.dedup();
        Err(UpstreamError::Unproven {
            what: self.what,
            source: self.source,
        })
    }
}
