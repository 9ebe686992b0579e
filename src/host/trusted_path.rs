//! Whether a path leads where nobody but root and this run's user can make it lead.
//!
//! A link is followed only where it is theirs, as `/var/run` and a linked `/home` are: then
//! nobody else can turn it. Every component on the way, and in a link's target, must be
//! theirs, too, and written by nobody else. In a directory such as `/tmp`, where the sticky bit keeps
//! others from what is not their own, the next component must be there: others could make it.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use super::accounts::Accounts;
use crate::explain::{Explain, Explanation, Kind};

/// As many links as Linux follows. Source: `path_resolution(7)`.
const MOST_LINKS: usize = 40;

const STICKY: u32 = 0o1000;

/// A path that another user can change, or make lead elsewhere.
#[derive(Debug, thiserror::Error)]
#[error("cannot use {what} `{asked}`: this run is {}, and {why}", of_user(*.caller))]
pub struct UntrustedPath {
    /// What it is for: `the variable HOME`.
    pub what: String,
    /// The path that was to be used.
    pub asked: PathBuf,
    caller: u32,
    /// What is wrong, and where.
    pub why: Reason,
}

/// What is wrong with a component of a path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// It cannot be looked at.
    #[error("`{path}` cannot be looked at: {error}")]
    Io {
        /// The component.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// Others could make it first.
    #[error("`{path}` is not there, so that every user can make it")]
    Missing {
        /// The component.
        path: PathBuf,
    },
    /// It is somebody else's.
    #[error("`{path}` belongs to user {uid}")]
    Owner {
        /// The component.
        path: PathBuf,
        /// Whose it is.
        uid: u32,
    },
    /// Others can write to it.
    #[error(
        "{} may write to `{path}` (owner {uid}, mode {mode:04o})", who_writes(*.mode, *.gid)
    )]
    Writable {
        /// The component.
        path: PathBuf,
        /// Whose it is.
        uid: u32,
        /// Its group.
        gid: u32,
        /// Its mode.
        mode: u32,
    },
}

fn of_user(uid: u32) -> String {
    match uid {
        0 => "root's".to_owned(),
        uid => format!("user {uid}'s"),
    }
}

fn who_writes(mode: u32, gid: u32) -> String {
    match mode & 0o002 {
        0 => format!("group {gid}"),
        _ => "every user".to_owned(),
    }
}

impl Explain for UntrustedPath {
    fn explain(&self) -> Explanation {
        let hint = match &self.why {
            Reason::Owner { path, .. } => format!(
                "run it as that user, who must be in the group `docker`, or with root's own home and variables: `sudo -H`, `su -`; \
                 or give root another path; or, if it should be root's: `chown -h root '{}'`; nothing was changed",
                path.display()
            ),
            Reason::Writable { path, .. } => format!(
                "`chmod go-w '{}'`, or give another path; nothing was changed",
                path.display()
            ),
            Reason::Missing { path } => format!(
                "make it first: `mkdir -m 755 '{0}'`, or `install -m 600 /dev/null '{0}'` where it is to be a file; \
                 or give another path; nothing was changed",
                path.display()
            ),
            Reason::Io { .. } => "give another path; nothing was changed".to_owned(),
        };
        let kind = match &self.why {
            Reason::Io { error, .. } => Kind::of_io(error),
            _ => Kind::Usage,
        };
        kind.hint(hint)
    }
}

/// Who may change what a run uses: root and its own user.
#[derive(Clone, Debug)]
pub struct Trusted {
    uid: u32,
    accounts: Accounts,
}

/// What is at the end of a path.
#[derive(Debug)]
struct Found {
    /// Opened without reading it; `None` when it is not there.
    file: Option<File>,
}

impl Trusted {
    /// Root and `uid`, who runs this.
    #[must_use]
    pub fn by(uid: u32) -> Self {
        Self {
            uid,
            accounts: Accounts::of_this_machine(),
        }
    }

    /// Demands that nobody else can change where `path` leads, nor what is there, if it is;
    /// `what` it is for, in a message.
    pub fn require(&self, what: &str, path: &Path) -> Result<(), UntrustedPath> {
        self.walk(path)
            .map(drop)
            .map_err(|why| self.refusal(what, path, why))
    }

    /// The same, also of all that is below `path`.
    pub fn require_tree(&self, what: &str, path: &Path) -> Result<(), UntrustedPath> {
        let walked = self.walk(path).and_then(|found| match found.file {
            Some(file) if file.metadata().is_ok_and(|facts| facts.is_dir()) => self.tree(path, false),
            _ => Ok(()),
        });
        walked.map_err(|why| self.refusal(what, path, why))
    }

    /// Opens the file at `path` for reading, as nobody else can exchange it.
    pub fn open(&self, what: &str, path: &Path) -> Result<Option<File>, UntrustedPath> {
        let reopen = |found: Found| match found.file {
            // The very file that was looked at.
            Some(file) => {
                let opened = File::open(by_descriptor(&file).as_deref().unwrap_or(path));
                let opened = opened.and_then(|opened| {
                    if is_same(&file, &opened.metadata()?) {
                        Ok(opened)
                    } else {
                        Err(io::Error::other("it was exchanged just now"))
                    }
                });
                opened.map(Some).map_err(failed(path))
            }
            None => Ok(None),
        };
        let opened = self.walk(path).and_then(reopen);
        opened.map_err(|why| self.refusal(what, path, why))
    }

    /// Whether nobody else can change where `path` leads.
    #[must_use]
    pub fn holds(&self, path: &Path) -> bool {
        self.walk(path).is_ok()
    }

    fn refusal(&self, what: &str, asked: &Path, why: Reason) -> UntrustedPath {
        UntrustedPath {
            what: what.to_owned(),
            asked: asked.to_owned(),
            caller: self.uid,
            why,
        }
    }

    fn walk(&self, path: &Path) -> Result<Found, Reason> {
        let absolute = std::path::absolute(path).map_err(failed(path))?;
        let mut pending: Vec<PathBuf> = components(&absolute);
        let mut at = PathBuf::from("/");
        let mut here = self.look(None, &at)?.ok_or_else(|| missing(&at))?;
        let mut links = 0;
        while let Some(name) = pending.pop() {
            let last = at.clone();
            match name.as_os_str().as_bytes() {
                b"/" => at = PathBuf::from("/"),
                b".." => drop(at.pop()),
                _ => at.push(&name),
            }
            let facts = here.metadata().map_err(failed(&last))?;
            let Some(file) = self.look(Some((&here, &name)), &at)? else {
                return match facts.mode() & 0o022 {
                    0 => Ok(Found { file: None }),
                    _ if self.is_private(&facts, &here) => Ok(Found { file: None }),
                    _ => Err(missing(&at)),
                };
            };
            if !file.metadata().map_err(failed(&at))?.is_symlink() {
                here = file;
                continue;
            }
            links += 1;
            if links > MOST_LINKS {
                return Err(failed(&at)(rustix::io::Errno::LOOP.into()));
            }
            let target =
                rustix::fs::readlinkat(&file, "", Vec::new()).map_err(|error| failed(&at)(error.into()))?;
            let target = PathBuf::from(std::ffi::OsStr::from_bytes(target.to_bytes()));
            pending.extend(components(&target));
            at = last;
        }
        Ok(Found { file: Some(here) })
    }

    /// Opens one component without following it, and demands that it is trusted.
    fn look(&self, inside: Option<(&File, &Path)>, at: &Path) -> Result<Option<File>, Reason> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = match inside {
            Some((directory, name)) => rustix::fs::openat(directory, name, flags, Mode::empty()),
            None => rustix::fs::open(at, flags, Mode::empty()),
        };
        let file = match opened {
            Ok(file) => File::from(file),
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => return Ok(None),
            Err(error) => return Err(failed(at)(error.into())),
        };
        self.check(at, &file.metadata().map_err(failed(at))?, &file)?;
        Ok(Some(file))
    }

    fn check(&self, path: &Path, facts: &Metadata, file: &File) -> Result<(), Reason> {
        let (uid, gid, mode) = (facts.uid(), facts.gid(), facts.mode() & 0o7777);
        let path = || path.to_owned();
        if uid != 0 && uid != self.uid && !self.accounts.is_outside(uid) {
            return Err(Reason::Owner { path: path(), uid });
        }
        // `/dev/null` keeps nothing that is written to it, and a link has no mode.
        let kind = facts.file_type();
        let kept = mode & 0o022 == 0
            || kind.is_symlink()
            || kind.is_char_device()
            || (kind.is_dir() && mode & STICKY != 0)
            || self.is_private(facts, file);
        if kept {
            return Ok(());
        }
        let path = path();
        Err(Reason::Writable { path, uid, gid, mode })
    }

    /// Whether those whom the mode lets write are root and this user alone: a group of one's own,
    /// and no access control list, which hides behind the group's bits. Source: acl(5).
    fn is_private(&self, facts: &Metadata, file: &File) -> bool {
        let without_list = || {
            let Some(path) = by_descriptor(file) else {
                return false;
            };
            let found = rustix::fs::getxattr(path, "system.posix_acl_access", &mut [0_u8; 0]);
            matches!(
                found,
                Err(rustix::io::Errno::NODATA | rustix::io::Errno::OPNOTSUPP)
            )
        };
        facts.mode() & 0o002 == 0 && self.accounts.is_private(facts.gid(), self.uid) && without_list()
    }

    /// Every file in `directory`. Below a directory that only its owner may enter, one that others
    /// could write is out of their reach: minikube gives `ca.pem`, `cert.pem` and `key.pem` the
    /// mode 0777.
    fn tree(&self, directory: &Path, is_closed: bool) -> Result<(), Reason> {
        let is_closed =
            is_closed || fs::symlink_metadata(directory).is_ok_and(|facts| facts.mode() & 0o011 == 0);
        let entries = match fs::read_dir(directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(failed(directory))?,
        };
        for entry in entries {
            let path = entry.map_err(failed(directory))?.path();
            let itself = fs::symlink_metadata(&path);
            let found = match self.walk(&path) {
                Err(Reason::Writable { path: at, .. })
                    if is_closed && at == path && itself.as_ref().is_ok_and(fs::Metadata::is_file) =>
                {
                    continue;
                }
                found => found?,
            };
            let facts = found.file.map(|file| file.metadata()).transpose();
            // What a link leads to is no part of the tree.
            let is_link = itself.is_ok_and(|facts| facts.is_symlink());
            if !is_link && facts.map_err(failed(&path))?.is_some_and(|facts| facts.is_dir()) {
                self.tree(&path, is_closed)?;
            }
        }
        Ok(())
    }
}

/// What root makes from here on, others may not write to, whatever its mask was.
pub fn keep_to_owner() {
    let before = rustix::process::umask(Mode::WGRP | Mode::WOTH);
    rustix::process::umask(before | Mode::WGRP | Mode::WOTH);
}

/// A name of the very file that is open, whatever its path leads to by now, which other
/// programs of this user have, too; `None` where `/proc` is not there, or is another's. Source: proc(5).
pub(super) fn by_descriptor(file: &File) -> Option<PathBuf> {
    let path = PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd()));
    is_same(file, &fs::metadata(&path).ok()?).then_some(path)
}

fn is_same(file: &File, other: &Metadata) -> bool {
    file.metadata()
        .is_ok_and(|facts| (facts.dev(), facts.ino()) == (other.dev(), other.ino()))
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> Reason + use<> {
    let path = path.to_owned();
    move |error| Reason::Io { path, error }
}

fn missing(path: &Path) -> Reason {
    let path = path.to_owned();
    Reason::Missing { path }
}

/// The components of `path`, the last one first.
fn components(path: &Path) -> Vec<PathBuf> {
    let names = path.components().filter(|name| *name != Component::CurDir);
    names.rev().map(|name| PathBuf::from(name.as_os_str())).collect()
}
