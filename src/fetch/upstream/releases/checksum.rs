//! The checksum beside a program, on its publisher's own page.

use super::page::{Pages, Released};
use super::word::{does_not_answer, line_trying, release};
use super::{Upstream, UpstreamError, list};
use crate::bundle::{Arch, BinaryRole, Digest, DigestError, Platform};
use crate::http::{HttpError, Request};
use crate::progress::Progress;
use crate::spec::VersionWord;

/// What the checksum beside a program says of its content.
pub(super) enum Checksum {
    Beside {
        digest: Digest,
        url: String,
    },
    /// There is none, but the program is there.
    Missing(HttpError),
    /// The page did not answer, and there is a mirror.
    Silent(HttpError),
}

pub(super) fn checksum(
    upstream: &Upstream,
    wanted: Released<'_>,
    pages: &Pages,
    progress: &dyn Progress,
) -> Result<Checksum, UpstreamError> {
    let program = pages.own.program(wanted);
    let url = format!("{program}.sha256");
    let has_mirror = pages.mirror.is_some();
    let telling = (!has_mirror).then_some(progress);
    match line_trying(upstream, &url, upstream.attempts(has_mirror), telling) {
        Ok(text) => match digest_in(&text) {
            Ok(digest) => Ok(Checksum::Beside { digest, url }),
            Err(source) => Err(UpstreamError::Checksum { url, source }),
        },
        Err(error) if error.status() == Some(404) => {
            // Either is missing, and which one decides what it is.
            match upstream.http.size(&Request::of(program)) {
                Ok(_) => Ok(Checksum::Missing(error)),
                Err(source) => Err(missing(upstream, wanted, source, progress)),
            }
        }
        Err(error) if has_mirror && does_not_answer(&error) => {
            upstream.session.silent.add(&pages.own);
            Ok(Checksum::Silent(error))
        }
        Err(error) => Err(error.into()),
    }
}

/// What the checksum beside the program says now, if it says anything.
pub(in crate::fetch::upstream) fn checksum_now(upstream: &Upstream, wanted: Released<'_>) -> Option<Digest> {
    let program = Pages::of(&upstream.sources, wanted.role).own.program(wanted);
    let text = line_trying(upstream, &format!("{program}.sha256"), 1, None).ok()?;
    digest_in(&text).ok()
}

/// The digest in a checksum's file, as `sha256sum` writes it or alone.
pub(super) fn digest_in(text: &str) -> Result<Digest, DigestError> {
    let word = text.split_whitespace().next().unwrap_or_default();
    Digest::parse(&word.to_lowercase())
}

/// Why there is no such program: its release has it for other platforms only, or there is
/// no such release.
fn missing(
    upstream: &Upstream,
    wanted: Released<'_>,
    source: HttpError,
    progress: &dyn Progress,
) -> UpstreamError {
    if source.status() != Some(404) {
        return source.into();
    }
    let Released {
        role,
        version,
        platform,
    } = wanted;
    let pages = Pages::of(&upstream.sources, role);
    let others = Arch::ALL.map(|arch| Platform { arch });
    let others = others.into_iter().filter(|other| *other != platform);
    let is_there = |other: &Platform| {
        let platform = *other;
        let request = Request::of(pages.own.program(Released { platform, ..wanted }));
        upstream.http.size_trying(&request, 1).is_ok()
    };
    let there: Vec<Platform> = others.filter(is_there).collect();
    if !there.is_empty() {
        return UpstreamError::NoProgram {
            role,
            version: version.clone(),
            platform,
            there,
            source: Box::new(source),
        };
    }
    let newest = if role == BinaryRole::Minikube {
        list::nearest(upstream, version, progress)
    } else {
        let line = VersionWord::Line(version.line()[1..].to_owned());
        let mut words = [line, VersionWord::Stable].into_iter();
        words.find_map(|word| release(upstream, &word, progress).ok())
    };
    UpstreamError::NoRelease {
        role,
        version: version.clone(),
        newest,
        source: Box::new(source),
    }
}
