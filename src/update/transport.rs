//! Reads the files of a release: over the one way to the network, or from a directory.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use self_update::http_client::{HeaderMap, HttpClient, HttpResponse, header};

use super::{Origin, UpdateError};
use crate::bundle::Digest;
use crate::host::{held, open_regular};
use crate::http::{Download, Http, HttpError, Request};
use crate::progress::Progress;
use crate::store::{Store, StoreError};

/// A list of releases larger than this is refused; the limit of `self_update`, too.
const LISTING_BYTES: u64 = 4 << 20;

/// GitHub's API gives a description of a file otherwise.
const FILE: &str = "application/octet-stream";

/// The way to a release's files, given to `self_update` in place of its own client.
pub(super) struct Transport {
    http: Http,
    /// Where a program is kept until it is whole; without it it comes at one stretch.
    store: Option<Store>,
    /// Whether the releases are on this machine: only then may one be named as a file of it.
    is_local: bool,
    /// What went wrong last: the errors of `self_update` have no room for the whole of it.
    failed: Mutex<Option<UpdateError>>,
}

impl Transport {
    pub(super) fn new(http: Http, store: Option<Store>, origin: &Origin) -> Self {
        Self {
            http,
            store,
            is_local: origin.is_local(),
            failed: Mutex::default(),
        }
    }

    /// The file at `url`, which has `limit` bytes at most.
    pub(super) fn read(&self, url: &str, limit: u64) -> Result<Vec<u8>, UpdateError> {
        self.get(url, FILE, limit).map(|(_, body)| body)
    }

    /// The file at `url` that should have this digest: what was there of it when another
    /// run ended is not downloaded again. It is in memory then, and compared there.
    pub(super) fn resume(
        &self,
        url: &str,
        digest: Digest,
        limit: u64,
        progress: &dyn Progress,
    ) -> Result<Vec<u8>, UpdateError> {
        let Some(store) = self.store.as_ref().filter(|_| !url.starts_with("file://")) else {
            return self.read(url, limit);
        };
        let download = Download {
            request: request(url, FILE),
            digest: Some(digest),
            size: None,
            limit: Some(limit),
        };
        let path = match self.http.download(store, &download, progress) {
            Err(HttpError::WrongDigest { expected, found, .. }) => {
                return Err(UpdateError::WrongDigest {
                    url: url.to_owned(),
                    expected,
                    found,
                });
            }
            path => path?,
        };
        read_file(&path, limit).map_err(|source| UpdateError::Read {
            url: path.display().to_string(),
            source,
        })
    }

    /// Removes what was kept of the file with this digest.
    pub(super) fn forget(&self, digest: Digest) -> Result<(), StoreError> {
        self.store.as_ref().map_or(Ok(()), |store| store.remove(digest))
    }

    /// What `self_update` met, as far as this transport knows it better.
    pub(super) fn take_failure(&self) -> Option<UpdateError> {
        held(&self.failed).take()
    }

    fn get(&self, url: &str, accept: &str, limit: u64) -> Result<(HeaderMap, Vec<u8>), UpdateError> {
        if let Some(path) = url.strip_prefix("file://") {
            if !self.is_local {
                return Err(UpdateError::LocalFile { url: url.to_owned() });
            }
            let body = read_file(Path::new(path), limit).map_err(|source| UpdateError::Read {
                url: url.to_owned(),
                source,
            })?;
            return Ok((HeaderMap::new(), body));
        }
        let answer = self.http.get(&request(url, accept), limit)?;
        Ok((answer.headers, answer.body))
    }
}

fn request(url: &str, accept: &str) -> Request {
    Request {
        accept: Some(accept.to_owned()),
        ..Request::of(url)
    }
}

fn read_file(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    let (file, _) = open_regular(path)?;
    file.take(limit + 1).read_to_end(&mut body)?;
    if body.len() as u64 > limit {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it has more than {limit} bytes"),
        ));
    }
    Ok(body)
}

impl HttpClient for Transport {
    fn get(
        &self,
        url: &str,
        headers: &HeaderMap,
        _: Option<Duration>,
    ) -> self_update::Result<Box<dyn HttpResponse>> {
        let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
        match self.get(url, accept.unwrap_or("*/*"), LISTING_BYTES) {
            Ok((headers, body)) => Ok(Box::new(Listing { headers, body })),
            Err(error) => {
                let said = error.to_string();
                *held(&self.failed) = Some(error);
                Err(self_update::Error::transport(said))
            }
        }
    }
}

/// An answer in memory.
struct Listing {
    headers: HeaderMap,
    body: Vec<u8>,
}

impl HttpResponse for Listing {
    fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    fn body(self: Box<Self>) -> Box<dyn Read> {
        Box::new(io::Cursor::new(self.body))
    }
}
