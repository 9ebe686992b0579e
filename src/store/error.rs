//! What can go wrong in the store.

use std::path::PathBuf;

use crate::explain::{Explain, Explanation, Kind};
use crate::host::FileError;

/// The store cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A file in it cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// Another run uses it.
    #[error("another run uses the store and holds `{}`", path.display())]
    InUse {
        /// The lock file.
        path: PathBuf,
    },
    /// There is no directory for it.
    #[error("there is no place for downloads: neither HOME nor XDG_CACHE_HOME is an absolute path")]
    NoHome,
}

impl Explain for StoreError {
    fn explain(&self) -> Explanation {
        match self {
            Self::File(error) => {
                let explanation = error.explain();
                match explanation.kind {
                    Kind::NoSpace => explanation.hint(
                        "free space there, with `minikube-offline store prune --older-than 30` for example, or name another \
                         place with XDG_CACHE_HOME; what was downloaded stays, and the next run goes on with it",
                    ),
                    _ => explanation,
                }
            }
            Self::InUse { .. } => Kind::Locked.hint("run `store prune` again when that run has ended"),
            Self::NoHome => Kind::Usage.hint("set HOME"),
        }
    }
}
