//! A name that one process of this machine has at a time, whoever its user is and
//! whatever folders it has.

use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::thread;
use std::time::Duration;

use super::Holder;
use crate::bundle::Digest;
use crate::failure::{Failure, Kind};

/// A program that is being started shares its parent's sockets until it is executed.
const STARTING: u32 = 20;

/// A name that is taken until this is dropped or its process ends, however it ends. It
/// is an abstract socket, which is no file and takes no messages. Source: unix(7).
#[derive(Debug)]
pub struct Claim {
    _listener: UnixListener,
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
        let name = format!(
            "minikube-offline/{}",
            Digest::of(parts.join("\n").as_bytes()).hex()
        );
        let failed = |source| ClaimError::Io {
            what: what.to_owned(),
            source,
        };
        let address = SocketAddr::from_abstract_name(name).map_err(failed)?;
        let mut tries = 0;
        loop {
            match UnixListener::bind_addr(&address) {
                Ok(listener) => return Ok(Self { _listener: listener }),
                Err(error) if error.kind() != io::ErrorKind::AddrInUse => return Err(failed(error)),
                Err(_) => {}
            }
            let holder = holder(&address);
            if holder.is_some() || tries == STARTING {
                return Err(ClaimError::Held {
                    what: what.to_owned(),
                    holder,
                });
            }
            tries += 1;
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// The process that listens, as the kernel says; `None` when it has ended.
fn holder(address: &SocketAddr) -> Option<Holder> {
    let stream = UnixStream::connect_addr(address).ok()?;
    let pid = rustix::net::sockopt::socket_peercred(&stream).ok()?.pid;
    let pid = pid.as_raw_nonzero().get().unsigned_abs();
    std::fs::metadata(format!("/proc/{pid}")).ok()?;
    Some(Holder::of(pid))
}

impl From<ClaimError> for Failure {
    fn from(error: ClaimError) -> Self {
        match &error {
            ClaimError::Held { holder, .. } => {
                let hint = match holder {
                    Some(holder) => format!("wait until it ends, or end it with `kill {}`", holder.pid),
                    None => "wait until it ends".to_owned(),
                };
                Self::new(Kind::Locked, error).hint(hint)
            }
            ClaimError::Io { source, .. } => Self::new(Kind::of_io(source), error),
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
        assert_eq!(Failure::from(error).kind, Kind::Locked);
        Claim::take(&["another engine", &test], "the profile `x`").expect("another's");
        drop(held);
        Claim::take(&["engine", &test], "the profile `x`").expect("free again");
    }
}
