//! The signature beside a program: two files with its name and an ending.
//!
//! Source: kubernetes.io, "Verify Signed Kubernetes Artifacts".

use super::page::{Page, Pages, Released};
use super::word::does_not_answer;
use super::{Upstream, UpstreamError};
use crate::http::{HttpError, Request};

/// A signature, a certificate: each is a few KiB.
const FILE_BYTES: u64 = 256 << 10;

/// A signature that lies beside a program.
pub(in crate::fetch::upstream) struct SignedBeside {
    /// The signature's URL.
    pub(in crate::fetch::upstream) url: String,
    pub(in crate::fetch::upstream) signature: Vec<u8>,
    pub(in crate::fetch::upstream) certificate: Vec<u8>,
}

/// The signature on the publisher's own page or, where that does not answer, on a mirror.
pub(in crate::fetch::upstream) fn signature_beside(
    upstream: &Upstream,
    wanted: Released<'_>,
) -> Result<Option<SignedBeside>, UpstreamError> {
    let pages = Pages::of(&upstream.sources, wanted.role);
    let on = |page: &Page, attempts| on(upstream, &page.program(wanted), attempts);
    let Some(mirror) = &pages.mirror else {
        return Ok(on(&pages.own, upstream.attempts(true))?);
    };
    if !upstream.session.silent.has(&pages.own) {
        match on(&pages.own, upstream.attempts(true)) {
            Err(error) if does_not_answer(&error) => upstream.session.silent.add(&pages.own),
            found => return Ok(found?),
        };
    }
    match on(mirror, upstream.attempts(true)) {
        // The part is there anyway.
        Err(error) if does_not_answer(&error) => Ok(None),
        found => Ok(found?),
    }
}

fn on(upstream: &Upstream, program: &str, attempts: u32) -> Result<Option<SignedBeside>, HttpError> {
    let beside = |ending: &str| {
        let request = Request::of(format!("{program}.{ending}"));
        match upstream.http.get_trying(&request, FILE_BYTES, attempts, None) {
            Ok(answer) => Ok(Some(answer.body)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    };
    let Some(signature) = beside("sig")? else {
        return Ok(None);
    };
    let Some(certificate) = beside("cert")? else {
        return Ok(None);
    };
    Ok(Some(SignedBeside {
        url: format!("{program}.sig"),
        signature,
        certificate,
    }))
}

/// Whether the server says that it has no such thing, or none for this user.
pub(in crate::fetch::upstream) fn is_absent(error: &HttpError) -> bool {
    error
        .status()
        .is_some_and(|status| (400..500).contains(&status) && status != 429)
}
