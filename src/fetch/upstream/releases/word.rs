//! Words for a release of Kubernetes, by the files that it publishes for them.

use super::page::Pages;
use super::{Upstream, UpstreamError};
use crate::bundle::{BinaryRole, Version};
use crate::http::{HttpError, Request};
use crate::progress::Progress;
use crate::spec::VersionWord;

/// A checksum, or a version: a line.
const LINE_BYTES: u64 = 4096;

/// The release that `word` means. A mirror is asked where Kubernetes' own page does not
/// answer: which release is the newest is no secret, and proves nothing.
pub(in crate::fetch::upstream) fn release(
    upstream: &Upstream,
    word: &VersionWord,
    progress: &dyn Progress,
) -> Result<Version, UpstreamError> {
    let file = match word {
        VersionWord::Release(version) => return Ok(version.clone()),
        VersionWord::Latest => "latest.txt".to_owned(),
        VersionWord::Stable => "stable.txt".to_owned(),
        VersionWord::Line(line) => format!("stable-{line}.txt"),
    };
    let pages = Pages::of(&upstream.sources, BinaryRole::Kubelet);
    let attempts = upstream.attempts(pages.mirror.is_some());
    let telling = pages.mirror.is_none().then_some(progress);
    let mut url = pages.own.file(&file);
    let said = match (line_trying(upstream, &url, attempts, telling), &pages.mirror) {
        (Err(error), Some(mirror)) if does_not_answer(&error) => {
            upstream.session.silent.add(&pages.own);
            progress.note(&format!("{error}: asking the mirror"));
            url = mirror.file(&file);
            line(upstream, &url)
        }
        (said, _) => said,
    };
    let said = said.map_err(|error| no_line(upstream, word, error, progress))?;
    said.parse().map_err(|_| UpstreamError::Word {
        url,
        said: said.chars().take(80).collect(),
    })
}

/// A line without releases is the person's mistake, a missing word the server's.
fn no_line(
    upstream: &Upstream,
    word: &VersionWord,
    source: HttpError,
    progress: &dyn Progress,
) -> UpstreamError {
    if source.status() != Some(404) || !matches!(word, VersionWord::Line(_)) {
        return source.into();
    }
    UpstreamError::NoLine {
        word: word.to_string(),
        newest: release(upstream, &VersionWord::Stable, progress).ok(),
        source: Box::new(source),
    }
}

/// Whether it is not known what the server has: it gave no answer, or one that says nothing
/// of the file.
pub(super) fn does_not_answer(error: &HttpError) -> bool {
    match error {
        HttpError::Connection { .. } | HttpError::CutOff { .. } => true,
        HttpError::Status { status, .. } => !matches!(status, 404 | 410),
        _ => false,
    }
}

/// The only line at `url`.
pub(super) fn line(upstream: &Upstream, url: &str) -> Result<String, HttpError> {
    line_trying(upstream, url, u32::MAX, None)
}

/// The same, tried so often at most. With `telling` a long pause is made where the server
/// asks for it.
pub(super) fn line_trying(
    upstream: &Upstream,
    url: &str,
    attempts: u32,
    telling: Option<&dyn Progress>,
) -> Result<String, HttpError> {
    let request = Request::of(url);
    let answer = upstream
        .http
        .get_trying(&request, LINE_BYTES, attempts, telling)?;
    Ok(String::from_utf8_lossy(&answer.body).trim().to_owned())
}
