//! Why a bundle could not be copied.

use std::path::PathBuf;

use crate::explain::{Explain, Explanation, Kind};
use crate::host::{FileError, Interruption};
use crate::verify::VerifyError;

/// A copy that was not made, or is not good.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// The source cannot be used.
    #[error(transparent)]
    Source(#[from] VerifyError),
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A signal came.
    #[error(transparent)]
    Interrupted(#[from] Interruption),
    /// What is to take the copy is no directory.
    #[error("cannot copy to `{}`: it is not a directory", path.display())]
    NoDirectory {
        /// What was named.
        path: PathBuf,
    },
    /// The bundle lies where it is to go.
    #[error("cannot copy `{}` to itself", path.display())]
    Same {
        /// The bundle.
        path: PathBuf,
    },
    /// Another file has the name.
    #[error("cannot write `{}`: another file is there", path.display())]
    Other {
        /// The file.
        path: PathBuf,
    },
    /// The file system cannot hold a file of this length.
    #[error("cannot copy `{}` to `{}`: the file system there holds no file of {bytes} bytes", path.display(), directory.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
        /// Where it was to go.
        directory: PathBuf,
    },
    /// The medium is too small.
    #[error("cannot copy to `{}`: {free} bytes are free there, {needed} are needed", directory.display())]
    NoSpace {
        /// Where it was to go.
        directory: PathBuf,
        /// What is still to be written, in bytes.
        needed: u64,
        /// What is free, in bytes.
        free: u64,
    },
    /// The file that was there is not a good copy.
    #[error("`{}` was there already, and is damaged", path.display())]
    Damaged {
        /// The copy.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: Box<VerifyError>,
    },
    /// The medium does not give back what was written.
    #[error("`{}` is not what was written to it: it was removed again", path.display())]
    ReadBack {
        /// The copy.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: Box<VerifyError>,
    },
    /// There is nothing to verify.
    #[error("cannot verify `{}`: no bundle is in it", path.display())]
    NoBundle {
        /// The directory.
        path: PathBuf,
    },
}

impl Explain for CopyError {
    fn explain(&self) -> Explanation {
        match self {
            Self::Source(error) => error.explain(),
            Self::File(error) => error.explain(),
            Self::Interrupted(interruption) => interruption.explain(),
            Self::NoDirectory { .. } => {
                Kind::Usage.hint("name a directory that is there, such as the one where the stick is mounted")
            }
            Self::Same { .. } => Kind::Usage.hint("name a directory on another medium"),
            Self::Other { path } => Kind::Usage.hint(format!(
                "remove `{}`, or name another directory; nothing was changed",
                path.display()
            )),
            Self::TooLong { .. } => Kind::Usage.hint(
                "FAT holds files of less than 4 GiB: pack the bundle with `--split 4000M`, or format the stick with exFAT or ext4",
            ),
            Self::NoSpace { directory, .. } => Kind::NoSpace.hint(format!(
                "free space there (`df -h {}` shows what is used), or use a larger medium; nothing was written",
                directory.display()
            )),
            Self::Damaged { path, .. } => Kind::Damaged.hint(format!(
                "remove `{}` and copy again, or repair it: `minikube-offline repair {0} --from BUNDLE`",
                path.display()
            )),
            Self::ReadBack { .. } => Kind::Damaged.hint(
                "the medium is failing, or smaller than it says: use another one; the bundle that was copied is good",
            ),
            Self::NoBundle { .. } => Kind::Usage.hint("name a directory with files that end in .run"),
        }
    }
}
