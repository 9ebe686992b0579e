//! The only door to the machine: takes what a stage wants done, gives what the
//! machine answered, fails with an error that names the file, program or limit.
//!
//! Nothing outside this directory starts a program, reads an environment variable,
//! catches a signal or takes a lock: `clippy.toml` refuses it.
#![allow(clippy::disallowed_methods, reason = "this is the door")]

mod accounts;
#[cfg(feature = "packager")]
mod ask;
mod atomic;
mod cgroups;
mod claim;
mod confinement;
mod environment;
mod facts;
mod firewall;
mod holder;
mod identity;
mod inotify;
mod kernel;
mod lock;
#[cfg(feature = "packager")]
mod making;
mod mount;
mod own_file;
mod parallel;
mod pipe;
mod process;
mod program;
mod regular_file;
mod remains;
mod routes;
mod running;
mod sandbox;
#[cfg(feature = "packager")]
mod secret;
mod signals;
mod terminal;
mod trusted_path;
mod unnamed;
mod writable;

pub use accounts::Accounts;
#[cfg(feature = "packager")]
pub use ask::AskError;
#[cfg(feature = "packager")]
pub(crate) use ask::{Ask, ask, ask_at_length, ask_docker, ask_docker_into};
pub use atomic::{
    AtomicFile, FileError, remove_if_there, remove_tree_if_there, sync_directory, sync_removed,
};
pub use cgroups::{CgroupVersion, Cgroups};
pub use claim::{Claim, ClaimError};
pub use confinement::Confinement;

pub use environment::Environment;
pub use facts::{
    FileSystem, MemoryFacts, available_memory, cpu_count, existing_ancestor, unix_nanoseconds, unix_seconds,
};
pub use firewall::Firewalld;
pub use holder::Holder;
pub use identity::ProcessIdentity;
pub use inotify::InotifyLimits;
pub use kernel::{Feature, Kernel};
pub use lock::{Lock, LockError, try_hold};
#[cfg(feature = "packager")]
pub use lock::{hold, share};
#[cfg(feature = "packager")]
pub use making::{ClaimedFile, part_prefix};
pub use mount::{FileSystemKind, Mount};
pub use own_file::{open_own, write_own};
pub use parallel::{held, in_parallel_until, try_in_parallel};
#[cfg(feature = "packager")]
pub use parallel::{in_parallel, in_parallel_with};
pub use pipe::NamedPipe;
pub(crate) use process::shortened;
pub use process::{Command, Output, ProcessError};
pub use program::{own_program, remove_own_copy};
pub use regular_file::open_regular;
pub use routes::{Listener, Route, Subnet, SubnetError, listeners, routes, routes_of};
pub use running::Running;
pub use sandbox::{Sandbox, SandboxError};
#[cfg(feature = "packager")]
pub use secret::{TypedError, typed_secret};
pub use signals::Interruption;
pub use terminal::{Terminal, typed_line};
pub use trusted_path::{Reason, Trusted, UntrustedPath, keep_to_owner};
pub use writable::{Unwritable, why_unwritable};

/// Catching and asking for signals.
pub mod interrupt {
    pub use super::signals::{catch, check, received};
}
