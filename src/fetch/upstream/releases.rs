//! Programs from their release pages, each with the checksum that is published there.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::{Program, Published, Upstream, UpstreamError};
use crate::bundle::{BinaryRole, Digest, Platform, Version};
use crate::http::{Download, HttpError, Request};
use crate::progress::Progress;
use crate::spec::VersionWord;

const KUBERNETES: &str = "https://dl.k8s.io/release";
const MINIKUBE: &str = "https://github.com/kubernetes/minikube/releases/download";

/// A checksum, or a version: a line.
const LINE_BYTES: u64 = 4096;

/// minikube's release with the first Kubernetes release and the last minor one that it
/// has. Source: `pkg/minikube/constants/constants.go` of each.
const MINIKUBES: [(&str, u32, u32); 3] = [("v1.38.1", 28, 35), ("v1.33.1", 20, 30), ("v1.32.0", 16, 28)];

/// The release that `word` means, by the file that Kubernetes publishes for it.
pub(super) fn release(upstream: &Upstream, word: &VersionWord) -> Result<Version, UpstreamError> {
    let file = match word {
        VersionWord::Release(version) => return Ok(version.clone()),
        VersionWord::Latest => "latest.txt".to_owned(),
        VersionWord::Stable => "stable.txt".to_owned(),
        VersionWord::Line(line) => format!("stable-{line}.txt"),
    };
    let url = format!("{}/{file}", kubernetes_base(upstream));
    let said = line(upstream, &url)?;
    said.parse().map_err(|_| UpstreamError::Word {
        url,
        said: said.chars().take(80).collect(),
    })
}

/// The release of minikube for this Kubernetes: the one that is asked for, or the
/// newest that has it.
pub(super) fn minikube_for(upstream: &Upstream, kubernetes: &Version) -> Result<Version, UpstreamError> {
    if let Some(version) = &upstream.sources.minikube_version {
        return refuse_pair(version, kubernetes).map(|()| version.clone());
    }
    let found = MINIKUBES
        .iter()
        .find(|(_, first, last)| kubernetes.major() == 1 && (*first..=*last).contains(&kubernetes.minor()));
    let (version, ..) = found.ok_or_else(|| UpstreamError::NoMinikube {
        kubernetes: kubernetes.clone(),
        newest: MINIKUBES[0].0,
    })?;
    Ok(version.parse().expect("a version in this program is one"))
}

/// Fails at once where it is known that this minikube does not have this Kubernetes.
fn refuse_pair(minikube: &Version, kubernetes: &Version) -> Result<(), UpstreamError> {
    let known = MINIKUBES
        .iter()
        .find(|(version, ..)| *version == minikube.to_string());
    match known {
        Some((_, first, last)) if !(*first..=*last).contains(&kubernetes.minor()) => {
            Err(UpstreamError::Pair {
                minikube: minikube.to_string(),
                kubernetes: kubernetes.clone(),
                oldest: format!("v1.{first}"),
                newest: format!("v1.{last}"),
            })
        }
        _ => Ok(()),
    }
}

/// What the publisher says of the program.
pub(super) fn published(
    upstream: &Upstream,
    role: BinaryRole,
    version: &Version,
    platform: Platform,
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
    let (digest, evidence) =
        checksum(upstream, role, version, &request).map(|(digest, text)| (digest, Some(text)))?;
    Ok(Published {
        size: upstream.http.size(&request)?,
        url,
        version: version.clone(),
        digest,
        evidence,
    })
}

/// The program, downloaded and compared with its checksum.
pub(super) fn download(
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
    let folder = upstream.programs()?.join(platform.arch.name());
    fs::create_dir_all(&folder)?;
    let path = folder.join(role.name());
    match symlink(stored, &path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(path),
        linked => linked.map(|()| path),
    }
}

/// What is published of the program's content, and a sentence about it.
fn checksum(
    upstream: &Upstream,
    role: BinaryRole,
    version: &Version,
    request: &Request,
) -> Result<(Option<Digest>, String), UpstreamError> {
    let url = &request.url;
    let checksum_url = format!("{url}.sha256");
    match line(upstream, &checksum_url) {
        Ok(text) => {
            let word = text.split_whitespace().next().unwrap_or_default().to_lowercase();
            let digest = Digest::parse(&word).map_err(|source| UpstreamError::Checksum {
                url: checksum_url.clone(),
                source,
            })?;
            Ok((
                Some(digest),
                format!("its SHA-256 is the one that {checksum_url} says"),
            ))
        }
        Err(error) if error.status() == Some(404) => {
            // Either is missing, and which one decides what it is.
            if let Err(source) = upstream.http.size(request) {
                return Err(missing(upstream, role, version, source));
            }
            if !upstream.accepts(role.name()) {
                return Err(UpstreamError::Unproven {
                    what: role.name().to_owned(),
                    source: Box::new(error),
                });
            }
            Ok((
                None,
                format!("nothing was compared: accepted unverified from {url}"),
            ))
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

fn url(upstream: &Upstream, role: BinaryRole, version: &Version, platform: Platform) -> String {
    let arch = platform.arch.name();
    if role == BinaryRole::Minikube {
        let base = upstream.sources.release_mirror.as_deref().unwrap_or(MINIKUBE);
        return format!("{}/{version}/minikube-linux-{arch}", base.trim_end_matches('/'));
    }
    let base = kubernetes_base(upstream);
    format!("{base}/{version}/bin/linux/{arch}/{}", role.name())
}

fn kubernetes_base(upstream: &Upstream) -> &str {
    let base = upstream.sources.binary_mirror.as_deref().unwrap_or(KUBERNETES);
    base.trim_end_matches('/')
}

fn line(upstream: &Upstream, url: &str) -> Result<String, HttpError> {
    let answer = upstream.http.get(&Request::of(url), LINE_BYTES)?;
    Ok(String::from_utf8_lossy(&answer.body).trim().to_owned())
}
