//! Programs from their release pages: what their publishers say of them, and the files.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use super::checksum::{Checksum, checksum, digest_in};
use super::page::{Page, Pages, Released};
use super::word::line;
use super::{Upstream, UpstreamError, list};
use crate::bundle::{BinaryRole, Digest, Origin, Platform, Transport, Verification, Version};
use crate::fetch::hashing::hash;
use crate::fetch::upstream::mirrors::SilentServers;
use crate::host::FileError;
use crate::http::{Download, HttpError, Request};
use crate::progress::Progress;
use crate::resolve::BinaryPin;
use crate::store::StoreError;

/// A program larger than this is refused, whatever its page announces. Kubernetes' largest
/// had 120 MB in 2026.
const PROGRAM_BYTES: u64 = 1 << 30;

/// A program that was downloaded.
#[derive(Clone, Debug)]
pub(in crate::fetch) struct Program {
    pub(in crate::fetch) path: PathBuf,
    /// What its content had when it came, and must have when it is used.
    pub(in crate::fetch) digest: Digest,
    pub(in crate::fetch) url: String,
}

/// A program as its publisher describes it; nothing of it is downloaded.
#[derive(Clone, Debug)]
pub(in crate::fetch) struct Published {
    pub(in crate::fetch) role: BinaryRole,
    pub(in crate::fetch) platform: Platform,
    pub(in crate::fetch) version: Version,
    /// Where it is, or may be: a mirror first.
    pages: Vec<Page>,
    /// What is published of its content; nothing where the user does without.
    pub(in crate::fetch) digest: Option<Digest>,
    /// What a lock says, or what the first of the pages announces.
    pub(in crate::fetch) size: Option<u64>,
    /// Whether a lock says it: it was counted then.
    is_counted: bool,
    verified_by: Vec<Verification>,
    /// Whether the user takes it although nothing says what it should be.
    unverified: bool,
}

impl Published {
    /// Which program it is.
    pub(in crate::fetch) fn released(&self) -> Released<'_> {
        Released {
            role: self.role,
            version: &self.version,
            platform: self.platform,
        }
    }

    /// Where it comes from, by the first of its pages, and what it was compared with.
    pub(in crate::fetch) fn origin(&self) -> Origin {
        Origin {
            url: self.pages.first().map(|page| page.program(self.released())),
            verified_by: self.verified_by.clone(),
            unverified: self.unverified,
            ..Origin::by(Transport::Https)
        }
    }
}

/// What is known of a program's content, and from whom.
struct Known {
    digest: Option<Digest>,
    verified_by: Vec<Verification>,
    unverified: bool,
}

/// What the publisher says of the program. A mirror has no say in that.
pub(in crate::fetch::upstream) fn published(
    upstream: &Upstream,
    wanted: Released<'_>,
    progress: &dyn Progress,
) -> Result<Published, UpstreamError> {
    let pages = Pages::of(&upstream.sources, wanted.role);
    let known = known(upstream, wanted, &pages, progress)?;
    let (pages, size) = there(upstream, wanted, &pages, progress)?;
    Ok(Published {
        role: wanted.role,
        platform: wanted.platform,
        version: wanted.version.clone(),
        pages,
        digest: known.digest,
        size,
        is_counted: false,
        verified_by: known.verified_by,
        unverified: known.unverified,
    })
}

/// The program as a lock has it, on the same pages.
pub(in crate::fetch::upstream) fn locked(upstream: &Upstream, pin: &BinaryPin) -> Published {
    let pages = Pages::of(&upstream.sources, pin.role);
    Published {
        role: pin.role,
        platform: pin.platform,
        version: pin.version.clone().expect("a lock of a release has it"),
        pages: pages.in_order().cloned().collect(),
        digest: Some(pin.sha256),
        size: Some(pin.size),
        is_counted: true,
        verified_by: vec![Verification::Lock { digest: pin.sha256 }],
        unverified: false,
    }
}

/// By what the program's own page says, and minikube's list of releases.
fn known(
    upstream: &Upstream,
    wanted: Released<'_>,
    pages: &Pages,
    progress: &dyn Progress,
) -> Result<Known, UpstreamError> {
    let proven = |digest, verified_by| {
        Ok(Known {
            digest: Some(digest),
            verified_by,
            unverified: false,
        })
    };
    let published = |digest, url| Verification::PublisherChecksum { digest, url };
    let in_list = |digest, url| Verification::ReleaseList { digest, url };
    let role = wanted.role;
    if pages.mirror.is_some() && upstream.session.silent.has(&pages.own) && upstream.accepts(role.name()) {
        return Ok(accepted(upstream, wanted, pages));
    }
    let listed = match role {
        BinaryRole::Minikube => list::listed(upstream, wanted.version, wanted.platform, progress),
        _ => None,
    };
    let said = checksum(upstream, wanted, pages, progress)?;
    let error = match (said, listed) {
        (Checksum::Beside { digest, url }, Some(listed)) if digest != listed.digest => {
            return Err(UpstreamError::Disagreement {
                what: wanted.to_string(),
                first: Box::new((digest, url)),
                second: Box::new((listed.digest, listed.url)),
            });
        }
        (Checksum::Beside { digest, url }, Some(listed)) => {
            return proven(digest, vec![published(digest, url), in_list(digest, listed.url)]);
        }
        (Checksum::Beside { digest, url }, None) => return proven(digest, vec![published(digest, url)]),
        (Checksum::Missing(_) | Checksum::Silent(_), Some(listed)) => {
            return proven(listed.digest, vec![in_list(listed.digest, listed.url)]);
        }
        (Checksum::Missing(error) | Checksum::Silent(error), None) => error,
    };
    if !upstream.accepts(role.name()) {
        return Err(UpstreamError::Unproven {
            what: vec![role.name().to_owned()],
            source: Some(Box::new(error)),
        });
    }
    Ok(accepted(upstream, wanted, pages))
}

/// What the user takes anyway. It is compared with what the mirror says, which shows
/// that nothing was damaged on the way from there.
fn accepted(upstream: &Upstream, wanted: Released<'_>, pages: &Pages) -> Known {
    let page = pages.mirror.as_ref().unwrap_or(&pages.own);
    let url = page.program(wanted);
    let beside = format!("{url}.sha256");
    let said = if page.is_mirror {
        line(upstream, &beside).ok()
    } else {
        None
    };
    let digest = said.and_then(|said| digest_in(&said).ok());
    let checksum = digest.map(|digest| Verification::MirrorChecksum { digest, url: beside });
    Known {
        digest,
        verified_by: checksum.into_iter().collect(),
        unverified: true,
    }
}

/// The pages that may have the program, and its size; one that says that it does not have it
/// is omitted, and so is one that does not answer.
fn there(
    upstream: &Upstream,
    wanted: Released<'_>,
    pages: &Pages,
    progress: &dyn Progress,
) -> Result<(Vec<Page>, Option<u64>), UpstreamError> {
    let mut pages: Vec<Page> = pages.in_order().cloned().collect();
    let (from, size) = upstream.session.silent.try_each(&pages, progress, |page| {
        let request = Request::of(page.program(wanted));
        let attempts = upstream.attempts(page.is_mirror);
        let size = match upstream.http.size_trying(&request, attempts) {
            // Only the size is not known: the program itself may come.
            Err(HttpError::Status { status, .. })
                if !matches!(status, 404 | 410) && pages.last() == Some(page) =>
            {
                None
            }
            size => size?,
        };
        let at = pages.iter().position(|other| other == page);
        Ok((at.unwrap_or_default(), size))
    })?;
    pages.drain(..from);
    Ok((pages, size))
}

/// The program, downloaded and compared with what is known of it. A mirror that does not
/// give that is left.
pub(in crate::fetch::upstream) fn download(
    upstream: &Upstream,
    published: &Published,
    progress: &dyn Progress,
) -> Result<Program, UpstreamError> {
    let wanted = published.released();
    let Released { role, version, .. } = wanted;
    let store = upstream.store()?;
    let is_stored = published.digest.is_some_and(|digest| store.path(digest).exists());
    let what = if is_stored { "reading" } else { "downloading" };
    progress.begin(&format!("{what} {role} {version}"), published.size);
    // The store needs no page.
    let unheard = SilentServers::default();
    let silent = if is_stored {
        &unheard
    } else {
        &upstream.session.silent
    };
    let (path, url) = silent.try_each(&published.pages, progress, |page| {
        let url = page.program(wanted);
        let download = Download {
            request: Request::of(&url),
            digest: published.digest,
            // A server may announce nonsense.
            size: published.size.filter(|_| published.is_counted),
            // A mirror that goes on after what it announced is left. The publisher is the last
            // to ask, and what a proxy announces for it may be another size than comes.
            limit: match published.size {
                Some(announced) if page.is_mirror => Some(announced.min(PROGRAM_BYTES)),
                _ => Some(PROGRAM_BYTES),
            },
        };
        let path = upstream.http.download(store, &download, progress)?;
        Ok((path, url))
    })?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let digest = Digest::parse(&name).expect("the store names files by their digests");
    store.describe(digest, &wanted.to_string())?;
    progress.end(if is_stored { "from the store" } else { "" });
    let path = by_name(upstream, wanted, &path, digest)?;
    Ok(Program { path, digest, url })
}

/// The program as a file that can be run and has its name: the store names files by their
/// digests. It is opened once and hashed, and its name leads to what is open: what takes its
/// place in the store is neither read nor run.
fn by_name(
    upstream: &Upstream,
    wanted: Released<'_>,
    stored: &Path,
    expected: Digest,
) -> Result<PathBuf, UpstreamError> {
    let unreadable = |error| StoreError::from(FileError::at("read", stored)(error));
    let file = File::open(stored).map_err(unreadable)?;
    let (found, _) = hash(&file, |_| ()).map_err(unreadable)?;
    if found != expected {
        return Err(UpstreamError::Replaced {
            path: stored.to_owned(),
            expected,
            found,
        });
    }
    let path = link(upstream, wanted, expected, &file);
    let path = path.map_err(|source| UpstreamError::Programs { source })?;
    let mut files = upstream
        .session
        .program_files
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    files.push(file);
    Ok(path)
}

/// A link with the program's name to the open `file`.
fn link(upstream: &Upstream, wanted: Released<'_>, digest: Digest, file: &File) -> io::Result<PathBuf> {
    file.set_permissions(Permissions::from_mode(0o755))?;
    // One for each content: several minikubes may be asked.
    let directory = upstream
        .session
        .programs()?
        .join(wanted.platform.arch.name())
        .join(digest.hex());
    fs::create_dir_all(&directory)?;
    let path = directory.join(wanted.role.name());
    // Not `self`: what is run looks there, too.
    let open = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
    match symlink(open, &path) {
        // To the same content, which is open since then.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(path),
        linked => linked.map(|()| path),
    }
}
