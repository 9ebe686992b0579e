//! A name that one process of this machine has at a time, whoever its user is and
//! whatever directories it has.

use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use rustix::process::geteuid;

use super::{Accounts, Holder, Lock, LockError, Trusted};
use crate::bundle::Digest;
use crate::explain::{Explain, Explanation, Kind};

/// A program that is being started shares its parent's sockets until it is executed.
const STARTING: u32 = 20;

/// Where root's claims are files, too: nobody else can make one there.
const DIR: &str = "/run";

/// A name that is taken until this is dropped or its process ends, however it ends. It
/// is an abstract socket, which is no file and takes no messages. Source: unix(7).
///
/// Every user can take any such name. One who may not use the engine has no business with it: that
/// one is not believed, and this run goes on without the name. So that two of root's still keep out
/// of each other's way, they lock a file, too.
#[derive(Debug)]
pub struct Claim {
    _listener: Option<UnixListener>,
    file: Option<(PathBuf, Lock)>,
}

/// A name that was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimError {
    /// Another process has it.
    #[error("another run{} is at work on {what}", holder.as_ref().map(|holder| format!(" ({holder})")).unwrap_or_default())]
    Held {
        /// For people: the profile `minikube`.
        what: String,
        /// Who has it.
        holder: Option<Holder>,
    },
    /// The kernel refuses.
    #[error("{what} cannot be kept to this run")]
    Io {
        /// For people.
        what: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Claim {
    /// Takes the name that `parts` stand for together; `what` it is, for people.
    pub fn take(parts: &[&str], what: &str) -> Result<Self, ClaimError> {
        let digest = Digest::of(parts.join("\n").as_bytes()).hex();
        let name = format!("minikube-offline/{digest}");
        let file = if geteuid().is_root() {
            lock_file(Path::new(DIR), &digest, what)?
        } else {
            None
        };
        let failed = |source| ClaimError::Io {
            what: what.to_owned(),
            source,
        };
        let address = SocketAddr::from_abstract_name(&name).map_err(failed)?;
        let accounts = Accounts::of_this_machine();
        for _ in 0..STARTING {
            match UnixListener::bind_addr(&address) {
                Ok(listener) => {
                    return Ok(Self {
                        _listener: Some(listener),
                        file,
                    });
                }
                Err(error) if error.kind() != io::ErrorKind::AddrInUse => return Err(failed(error)),
                Err(_) => {}
            }
            match holder(name.as_bytes()) {
                Some((uid, holder)) if uid == geteuid().as_raw() || accounts.may_use_engine(uid) => {
                    return Err(ClaimError::Held {
                        what: what.to_owned(),
                        holder: Some(holder),
                    });
                }
                Some(_) => break,
                None => thread::sleep(Duration::from_millis(50)),
            }
        }
        Ok(Self {
            _listener: None,
            file,
        })
    }
}

/// Before the lock on it goes, so that nobody else's is removed.
impl Drop for Claim {
    fn drop(&mut self) {
        if let Some((path, _lock)) = self.file.take() {
            // It is on a file system that goes with the boot.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// The lock of root's runs; `None` where there is no such place to write to.
fn lock_file(directory: &Path, digest: &str, what: &str) -> Result<Option<(PathBuf, Lock)>, ClaimError> {
    if !Trusted::by(0).holds(directory) {
        return Ok(None);
    }
    let path = directory.join(format!("minikube-offline-{digest}.lock"));
    match Lock::take(&path) {
        Ok(lock) => Ok(Some((path, lock))),
        Err(LockError::Held { holder, .. }) => Err(ClaimError::Held {
            what: what.to_owned(),
            holder,
        }),
        Err(LockError::Io { .. }) => Ok(None),
    }
}

/// The user and the process that listen, as the kernel says; `None` when it has ended, or does
/// not say: an honest one always does.
fn holder(name: &[u8]) -> Option<(u32, Holder)> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).ok()?;
    connect(&socket, &SocketAddrUnix::new_abstract_name(name).ok()?).ok()?;
    let peer = rustix::net::sockopt::socket_peercred(&socket).ok()?;
    let pid = peer.pid.as_raw_nonzero().get().unsigned_abs();
    std::fs::metadata(format!("/proc/{pid}")).ok()?;
    Some((peer.uid.as_raw(), Holder::of(pid)))
}

impl Explain for ClaimError {
    fn explain(&self) -> Explanation {
        match self {
            Self::Held { holder, .. } => {
                let hint = match holder {
                    Some(holder) => format!("wait until it ends, or end it with `kill {}`", holder.pid),
                    None => "wait until it ends".to_owned(),
                };
                Kind::Locked.hint(hint)
            }
            Self::Io { source, .. } => Kind::of_io(source).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_run_is_told_who_works_on_the_profile() {
        let test = format!("test {}", std::process::id());
        let held = Claim::take(&["engine", &test], "the profile `x`").expect("free");
        let error = Claim::take(&["engine", &test], "the profile `x`").expect_err("taken");
        let said = error.to_string();
        assert!(
            said.starts_with(&format!("another run (process {}, begun ", std::process::id())),
            "{said}"
        );
        assert!(said.ends_with(") is at work on the profile `x`"), "{said}");
        assert_eq!(error.explain().kind, Kind::Locked);
        Claim::take(&["another engine", &test], "the profile `x`").expect("another's");
        drop(held);
        Claim::take(&["engine", &test], "the profile `x`").expect("free again");
    }
}
