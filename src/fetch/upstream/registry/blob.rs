//! Blobs from registries into the store.

use std::fs;
use std::path::PathBuf;

use super::UpstreamError;
use super::place::Source;
use crate::bundle::Digest;
use crate::host::FileError;
use crate::http::Download;
use crate::progress::Silent;
use crate::store::StoreError;

/// A blob from the first place that has it as it should be.
pub(super) fn blob(source: Source<'_>, (digest, size): (Digest, u64)) -> Result<PathBuf, UpstreamError> {
    let Source {
        upstream,
        places,
        progress,
        ..
    } = source;
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

/// The content of one that fits into memory.
pub(super) fn small_blob(
    source: Source<'_>,
    (digest, size): (Digest, u64),
) -> Result<Vec<u8>, UpstreamError> {
    let progress = &Silent;
    let path = blob(Source { progress, ..source }, (digest, size))?;
    let content = fs::read(&path)
        .map_err(FileError::at("read", &path))
        .map_err(StoreError::from)?;
    // What counts is what is used: these bytes.
    match Digest::of(&content) {
        found if found == digest => Ok(content),
        found => Err(UpstreamError::Replaced {
            path,
            expected: digest,
            found,
        }),
    }
}
