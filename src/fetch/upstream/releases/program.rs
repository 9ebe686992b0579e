//! Programs from their release pages, each with the checksum that is published there.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::list;
use super::page::{kubernetes_base, url};
use super::{Upstream, UpstreamError};
use crate::bundle::{BinaryRole, Digest, Platform, Version};
use crate::http::{Download, HttpError, Request};
use crate::progress::Progress;
use crate::spec::VersionWord;

/// A checksum, or a version: a line.
const LINE_BYTES: u64 = 4096;

/// A program that was downloaded.
#[derive(Debug)]
pub(in crate::fetch) struct Program {
    pub(in crate::fetch) path: PathBuf,
    pub(in crate::fetch) url: String,
    pub(in crate::fetch) version: Version,
    /// What it was compared with, unless the lock was all that there was.
    pub(in crate::fetch) evidence: Option<String>,
}

/// A program as its publisher describes it; nothing of it is downloaded.
#[derive(Clone, Debug)]
pub(in crate::fetch) struct Published {
    pub(in crate::fetch) url: String,
    pub(in crate::fetch) version: Version,
    /// What is published of its content; nothing where the user does without.
    pub(in crate::fetch) digest: Option<Digest>,
    pub(in crate::fetch) size: Option<u64>,
    pub(in crate::fetch) evidence: Option<String>,
}

/// The release that `word` means, by the file that Kubernetes publishes for it.
pub(in crate::fetch::upstream) fn release(
    upstream: &Upstream,
    word: &VersionWord,
) -> Result<Version, UpstreamError> {
    let file = match word {
        VersionWord::Release(version) => return Ok(version.clone()),
        VersionWord::Latest => "latest.txt".to_owned(),
        VersionWord::Stable => "stable.txt".to_owned(),
        VersionWord::Line(line) => format!("stable-{line}.txt"),
    };
    let url = format!("{}/{file}", kubernetes_base(upstream));
    let said = line(upstream, &url).map_err(|error| no_line(upstream, word, error))?;
    said.parse().map_err(|_| UpstreamError::Word {
        url,
        said: said.chars().take(80).collect(),
    })
}

/// A line without releases is the person's mistake, a missing word the server's.
fn no_line(upstream: &Upstream, word: &VersionWord, source: HttpError) -> UpstreamError {
    if source.status() != Some(404) || !matches!(word, VersionWord::Line(_)) {
        return source.into();
    }
    UpstreamError::NoLine {
        word: word.to_string(),
        newest: release(upstream, &VersionWord::Stable).ok(),
        source: Box::new(source),
    }
}

/// What the publisher says of the program.
pub(in crate::fetch::upstream) fn published(
    upstream: &Upstream,
    role: BinaryRole,
    version: &Version,
    platform: Platform,
    progress: &dyn Progress,
) -> Result<Published, UpstreamError> {
    let url = url(upstream, role, version, platform);
    let request = Request::of(&url);
    if let Some(locked) = upstream.locked_program(platform, role) {
        return Ok(Published {
            url,
            version: version.clone(),
            digest: Some(locked.sha256),
            size: Some(locked.size),
            evidence: None,
        });
    }
    let listed = match role {
        BinaryRole::Minikube => list::listed(upstream, version, platform, progress),
        _ => None,
    };
    let checksum = checksum(upstream, role, version, &request)?;
    let (digest, evidence) = match (checksum, listed) {
        (Checksum::Beside { digest, url }, Some(listed)) if digest != listed.digest => {
            return Err(UpstreamError::Disagreement {
                what: format!("{role} {version} for {platform}"),
                first: Box::new((digest, url)),
                second: Box::new((listed.digest, listed.url)),
            });
        }
        (Checksum::Beside { digest, url }, Some(listed)) => {
            let said = format!("its SHA-256 is the one that {url} and {} say", listed.url);
            (Some(digest), said)
        }
        (Checksum::Beside { digest, url }, None) => (Some(digest), said_by(&url)),
        (Checksum::Missing(_), Some(listed)) => (Some(listed.digest), said_by(&listed.url)),
        (Checksum::Missing(_), None) if upstream.accepts(role.name()) => (
            None,
            format!("nothing was compared: accepted unverified from {url}"),
        ),
        (Checksum::Missing(error), None) => {
            return Err(UpstreamError::Unproven {
                what: role.name().to_owned(),
                source: Box::new(error),
            });
        }
    };
    Ok(Published {
        size: upstream.http.size(&request)?,
        url,
        version: version.clone(),
        digest,
        evidence: Some(evidence),
    })
}

fn said_by(url: &str) -> String {
    format!("its SHA-256 is the one that {url} says")
}

/// The program, downloaded and compared with its checksum.
pub(in crate::fetch::upstream) fn download(
    upstream: &Upstream,
    role: BinaryRole,
    platform: Platform,
    published: Published,
    progress: &dyn Progress,
) -> Result<Program, UpstreamError> {
    let Published { url, version, .. } = published;
    progress.begin(&format!("downloading {role} {version}"), published.size);
    let download = Download {
        request: Request::of(&url),
        digest: published.digest,
        size: None,
        limit: None,
    };
    let path = upstream.http.download(upstream.store()?, &download, progress)?;
    progress.end("");
    let path =
        by_name(upstream, role, platform, &path).map_err(|source| UpstreamError::Programs { source })?;
    Ok(Program {
        path,
        url,
        version,
        evidence: published.evidence,
    })
}

/// The program as a file that can be run and has its name: the store names files by
/// their digests.
fn by_name(upstream: &Upstream, role: BinaryRole, platform: Platform, stored: &Path) -> io::Result<PathBuf> {
    fs::set_permissions(stored, Permissions::from_mode(0o755))?;
    // One for each content: several minikubes may be asked.
    let digest = stored.file_name().unwrap_or_default();
    let folder = upstream.programs()?.join(platform.arch.name()).join(digest);
    fs::create_dir_all(&folder)?;
    let path = folder.join(role.name());
    match symlink(stored, &path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(path),
        linked => linked.map(|()| path),
    }
}

/// What the checksum beside a program says of its content.
enum Checksum {
    Beside {
        digest: Digest,
        url: String,
    },
    /// There is none, but the program is there.
    Missing(HttpError),
}

fn checksum(
    upstream: &Upstream,
    role: BinaryRole,
    version: &Version,
    request: &Request,
) -> Result<Checksum, UpstreamError> {
    let url = format!("{}.sha256", request.url);
    match line(upstream, &url) {
        Ok(text) => {
            let word = text.split_whitespace().next().unwrap_or_default().to_lowercase();
            match Digest::parse(&word) {
                Ok(digest) => Ok(Checksum::Beside { digest, url }),
                Err(source) => Err(UpstreamError::Checksum { url, source }),
            }
        }
        Err(error) if error.status() == Some(404) => {
            // Either is missing, and which one decides what it is.
            match upstream.http.size(request) {
                Ok(_) => Ok(Checksum::Missing(error)),
                Err(source) => Err(missing(upstream, role, version, source)),
            }
        }
        Err(error) => Err(error.into()),
    }
}

fn missing(upstream: &Upstream, role: BinaryRole, version: &Version, source: HttpError) -> UpstreamError {
    if source.status() != Some(404) {
        return source.into();
    }
    let line = VersionWord::Line(version.line()[1..].to_owned());
    let words = [line, VersionWord::Stable];
    let mut newest = words.iter().filter(|_| role != BinaryRole::Minikube);
    let newest = newest.find_map(|word| release(upstream, word).ok());
    UpstreamError::NoRelease {
        role,
        version: version.clone(),
        newest,
        source: Box::new(source),
    }
}

fn line(upstream: &Upstream, url: &str) -> Result<String, HttpError> {
    let answer = upstream.http.get(&Request::of(url), LINE_BYTES)?;
    Ok(String::from_utf8_lossy(&answer.body).trim().to_owned())
}
