//! What can go wrong in the store.

use std::path::PathBuf;

use crate::failure::{Failure, Kind};
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

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::File(error) => {
                let failure = Self::from(error);
                match failure.kind {
                    Kind::NoSpace => failure.hint(
                        "free space there, with `minikube-offline store prune --older-than 30` for example, or name another \
                         place with XDG_CACHE_HOME; what was downloaded stays, and the next run goes on with it",
                    ),
                    _ => failure,
                }
            }
            StoreError::InUse { .. } => {
                Self::new(Kind::Locked, error).hint("run `store prune` again when that run has ended")
            }
            StoreError::NoHome => Self::new(Kind::Usage, error).hint("set HOME"),
        }
    }
}
