//! Blobs from registries into the store.

use std::fs;
use std::path::PathBuf;

use super::place::Place;
use super::{Upstream, UpstreamError};
use crate::bundle::Digest;
use crate::host::FileError;
use crate::http::Download;
use crate::progress::{Progress, Silent};
use crate::store::StoreError;

/// A blob from the first place that has it as it should be.
pub(super) fn blob(
    upstream: &Upstream,
    digest: Digest,
    size: u64,
    places: &[Place],
    progress: &dyn Progress,
) -> Result<PathBuf, UpstreamError> {
    let store = upstream.store()?;
    upstream.session.silent.try_each(places, progress, |place| {
        let path = format!("blobs/{digest}");
        upstream
            .registries
            .let_in(&upstream.http, place, None, &path, |request| {
                let download = Download {
                    request,
                    digest: Some(digest),
                    size: Some(size),
                    limit: None,
                };
                upstream.http.download(store, &download, progress)
            })
    })
}

/// The same of one that fits into memory, with its content.
pub(super) fn small_blob(
    upstream: &Upstream,
    digest: Digest,
    size: u64,
    places: &[Place],
) -> Result<(PathBuf, Vec<u8>), UpstreamError> {
    let path = blob(upstream, digest, size, places, &Silent)?;
    let content = fs::read(&path)
        .map_err(FileError::at("read", &path))
        .map_err(StoreError::from)?;
    // What counts is what is used: these bytes.
    match Digest::of(&content) {
        found if found == digest => Ok((path, content)),
        found => Err(UpstreamError::Replaced {
            path,
            expected: digest,
            found,
        }),
    }
}
