//! Large files: resumed where they stopped, hashed while they come.

use std::io::Read;
use std::path::PathBuf;

use reqwest::blocking::Response;
use reqwest::{Method, StatusCode};

use super::{Http, HttpError, Request};
use crate::bundle::Digest;
use crate::host::interrupt;
use crate::progress::Progress;
use crate::store::{Partial, Store};

/// What is read from the network at once.
const BUFFER_BYTES: usize = 256 << 10;

/// However much comes in between, nothing is tried more often.
const MOST_ATTEMPTS: u32 = 200;

/// A file that is to be in the store.
#[derive(Clone, Debug)]
pub struct Download {
    /// Where it is.
    pub request: Request,
    /// Its digest; without it whatever comes is stored.
    pub digest: Option<Digest>,
    /// Its size, where it is known.
    pub size: Option<u64>,
    /// What it has at most, where its size is not known.
    pub limit: Option<u64>,
}

impl Http {
    /// The file in the store: found there, or downloaded, or the rest of it downloaded.
    /// Nothing is stored before size and digest agree. Progress is told of the bytes
    /// that come, or are there.
    pub fn download(
        &self,
        store: &Store,
        download: &Download,
        progress: &dyn Progress,
    ) -> Result<PathBuf, HttpError> {
        let url = &download.request.url;
        let key = download.digest.unwrap_or_else(|| Digest::of(url.as_bytes()));
        let mut told = Told::new(progress);
        let (mut failures, mut attempts) = (0, 0);
        let (mut fresh, mut restarted) = (false, false);
        loop {
            interrupt::check()?;
            // Taken again each time: a refused one is gone.
            let mut partial = store.partial(key)?;
            if let Some(digest) = download.digest
                && let Some(path) = store.find(digest)?
            {
                partial.discard()?;
                told.stands_at(download.size.unwrap_or(0));
                return Ok(path);
            }
            if std::mem::take(&mut fresh) {
                partial.restart("")?;
            }
            let before = partial.len();
            let (resumed, result) = self.fetch_rest(&mut partial, download, &mut told);
            let error = match result {
                Ok(()) => match partial.publish(download.digest, download.size)? {
                    Ok(digest) => return Ok(store.path(digest)),
                    // The half from before may be to blame: once more, from the start.
                    Err(_) if resumed && !restarted => {
                        (fresh, restarted) = (true, true);
                        continue;
                    }
                    Err(found) => return Err(self.refused(download, found.digest, found.size)),
                },
                Err(error) => error,
            };
            if !error.is_transient() {
                if error.blames_the_content() {
                    partial.discard()?;
                }
                return Err(error);
            }
            fresh = matches!(error, HttpError::WrongRange { .. });
            failures = if partial.len() > before { 1 } else { failures + 1 };
            attempts += 1;
            drop(partial);
            if failures >= self.patience().attempts
                || attempts >= MOST_ATTEMPTS
                || !self.pause(failures, &error, Some(progress))
            {
                return Err(error);
            }
        }
    }

    /// Fetches what is missing of `partial`; says whether it went on with bytes that
    /// were there before.
    fn fetch_rest(
        &self,
        partial: &mut Partial,
        download: &Download,
        told: &mut Told<'_>,
    ) -> (bool, Result<(), HttpError>) {
        let offset = partial.len();
        // Nothing is missing where an earlier run ended between the last byte and storing.
        if offset > 0 && (Some(offset) == download.size || Some(partial.digest()) == download.digest) {
            return (true, Ok(()));
        }
        let validator = partial
            .note()
            .and_then(|note| validator_in(&note, &download.request.url));
        let mut headers = Vec::new();
        // What has a known digest is compared with that, whoever gave its first half.
        if offset > 0 && (validator.is_some() || download.digest.is_some()) {
            headers.push(("range", format!("bytes={offset}-")));
            headers.extend(validator.map(|validator| ("if-range", validator)));
        }
        let response = match self.send(&download.request, &Method::GET, &headers) {
            Ok(response) => response,
            // The file is shorter than what is there of it: it is another one.
            Err(error) if error.status() == Some(416) => {
                let result = partial.restart("").map_err(HttpError::from);
                return (false, result.and(Err(self.wrong_range(download, offset, "416"))));
            }
            Err(error) => return (false, Err(error)),
        };
        let resumed = response.status() == StatusCode::PARTIAL_CONTENT && offset > 0;
        (resumed, self.receive(response, partial, download, resumed, told))
    }

    fn receive(
        &self,
        mut response: Response,
        partial: &mut Partial,
        download: &Download,
        resumed: bool,
        told: &mut Told<'_>,
    ) -> Result<(), HttpError> {
        if response.status() == StatusCode::PARTIAL_CONTENT {
            let range = header(&response, "content-range").unwrap_or_default();
            if !range.starts_with(&format!("bytes {}-", partial.len())) || !resumed {
                return Err(self.wrong_range(download, partial.len(), &range));
            }
        } else {
            partial.restart(&note(&download.request.url, &response))?;
        }
        let total = response.content_length().map(|rest| partial.len() + rest);
        if let (Some(found), Some(expected)) = (total, download.size)
            && found != expected
        {
            return Err(self.wrong_size(download, expected, found));
        }
        let limit = download.size.or(download.limit);
        let too_long = |expected, found| HttpError::TooLong {
            url: download.request.url.clone(),
            proxy: self.proxy_shown(&download.request.url),
            expected,
            found,
        };
        if let Some(limit) = limit.filter(|limit| total.is_some_and(|total| total > *limit)) {
            return Err(too_long(limit, total));
        }
        told.stands_at(partial.len());
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            let length = response.read(&mut buffer).map_err(|source| HttpError::CutOff {
                url: download.request.url.clone(),
                proxy: self.proxy_shown(&download.request.url),
                bytes: partial.len(),
                source,
            })?;
            if length == 0 {
                return Ok(());
            }
            let found = partial.len() + length as u64;
            if let Some(limit) = limit.filter(|limit| found > *limit) {
                return Err(too_long(limit, None));
            }
            partial.append(&buffer[..length])?;
            interrupt::check()?;
            told.stands_at(partial.len());
        }
    }

    fn refused(&self, download: &Download, found: Digest, size: u64) -> HttpError {
        match (download.digest, download.size) {
            (_, Some(expected)) if expected != size => self.wrong_size(download, expected, size),
            (expected, _) => HttpError::WrongDigest {
                url: download.request.url.clone(),
                proxy: self.proxy_shown(&download.request.url),
                // Without one nothing but the size is refused.
                expected: expected.unwrap_or(found),
                found,
            },
        }
    }

    fn wrong_size(&self, download: &Download, expected: u64, found: u64) -> HttpError {
        HttpError::WrongSize {
            url: download.request.url.clone(),
            proxy: self.proxy_shown(&download.request.url),
            expected,
            found,
        }
    }

    fn wrong_range(&self, download: &Download, asked: u64, answered: &str) -> HttpError {
        HttpError::WrongRange {
            url: download.request.url.clone(),
            proxy: self.proxy_shown(&download.request.url),
            asked,
            answered: answered.to_owned(),
        }
    }
}

fn header(response: &Response, name: &str) -> Option<String> {
    Some(response.headers().get(name)?.to_str().ok()?.to_owned())
}

/// What is noted of the source: its URL, and what names this version of the file.
fn note(url: &str, response: &Response) -> String {
    let etag = header(response, "etag").filter(|etag| etag.starts_with('"'));
    let validator = etag.or_else(|| header(response, "last-modified"));
    format!("{url}\n{}", validator.unwrap_or_default())
}

/// The validator in a note, if the note is of `url`.
fn validator_in(note: &str, url: &str) -> Option<String> {
    let (noted, validator) = note.split_once('\n')?;
    (noted == url && !validator.is_empty()).then(|| validator.to_owned())
}

/// Tells each byte once, however often it comes.
struct Told<'a> {
    progress: &'a dyn Progress,
    bytes: u64,
}

impl<'a> Told<'a> {
    fn new(progress: &'a dyn Progress) -> Self {
        Self { progress, bytes: 0 }
    }

    fn stands_at(&mut self, bytes: u64) {
        if bytes > self.bytes {
            self.progress.advance(bytes - self.bytes);
            self.bytes = bytes;
        }
    }
}
