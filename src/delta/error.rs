//! Why a delta could not be made or joined.

use std::io;
use std::path::{Path, PathBuf};

use super::Identity;
use crate::explain::{Explain, Explanation, Kind};
use crate::host::{FileError, Interruption, LockError};
use crate::pack::PackError;
use crate::sign::SignError;
use crate::trust::Refusal;
use crate::verify::VerifyError;

/// A delta that could not be made or joined; nothing has the name that was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeltaError {
    /// A bundle is not what it should be.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The new bundle cannot take its name.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// Another run makes the same file.
    #[error(transparent)]
    Locked(#[from] LockError),
    /// It cannot be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// A file cannot get its name.
    #[error(transparent)]
    File(#[from] FileError),
    /// A signal ended the work.
    #[error(transparent)]
    Interrupted(#[from] Interruption),
    /// Reading failed.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Writing failed.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The file is not a delta.
    #[error("cannot read `{}` as a delta: it does not begin as one", path.display())]
    NotADelta {
        /// The file.
        path: PathBuf,
    },
    /// The delta has another format.
    #[error("cannot read `{}`: expected format 1 of deltas, got {found}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// The format that it names.
        found: u32,
    },
    /// The delta is damaged.
    #[error("`{}` is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where, and how.
        reason: String,
    },
    /// No trusted key signed the delta.
    #[error("`{}` is not authentic: {refusal}", path.display())]
    NotAuthentic {
        /// The file.
        path: PathBuf,
        /// Why not.
        refusal: Refusal,
    },
    /// The delta is for another base.
    #[error(
        "cannot join `{}`: expected the base {}, got {} in `{}`",
        path.display(), expected.describe(), found.describe(), base.display()
    )]
    OtherBase {
        /// The delta.
        path: PathBuf,
        /// What it is for.
        expected: Box<Identity>,
        /// The file that was given.
        base: PathBuf,
        /// What that is, or makes.
        found: Box<Identity>,
    },
    /// This program has another zstd than the one that compressed the bundle.
    #[error(
        "cannot join `{}`: expected zstd {expected}, got {found} in this program", path.display()
    )]
    OtherZstd {
        /// The delta.
        path: PathBuf,
        /// The packer's.
        expected: String,
        /// This program's.
        found: String,
        /// The program that made it.
        packer: String,
    },
    /// The joined bundle is not the one that was packed.
    #[error("cannot join `{}`: the result is not the bundle that was packed: {reason}", path.display())]
    Result {
        /// The delta.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Base, delta and result are to have names of their own.
    #[error("cannot write `{}`: it is also an input", path.display())]
    Same {
        /// The file.
        path: PathBuf,
    },
}

impl DeltaError {
    /// The verifying error inside an I/O error, or that `path` cannot be read.
    pub(super) fn from_read(path: &Path, error: io::Error) -> Self {
        match error.downcast::<VerifyError>() {
            Ok(error) => error.into(),
            Err(source) => Self::Read {
                path: path.to_owned(),
                source,
            },
        }
    }
}

impl Explain for DeltaError {
    fn explain(&self) -> Explanation {
        let (kind, hint) = match self {
            Self::Verify(error) => return error.explain(),
            Self::Pack(error) => return error.explain(),
            Self::Locked(error) => return error.explain(),
            Self::Sign(error) => return error.explain(),
            Self::File(error) => return error.explain(),
            Self::Interrupted(error) => {
                return error
                    .explain()
                    .hint("nothing was written; run the same command again");
            }
            Self::Read { source, .. } => (
                Kind::of_io(source),
                "check the path and the medium, then run the same command again".to_owned(),
            ),
            Self::Write { source, .. } => (
                Kind::of_io(source),
                "free space there (the new bundle, and its base decoded, must fit), or write to another \
                 directory with -o; then run the same command again"
                    .to_owned(),
            ),
            Self::NotADelta { .. } => (
                Kind::Usage,
                "name the base first, then the deltas: `minikube-offline join OLD.run NAME.delta -o NEW.run`"
                    .to_owned(),
            ),
            Self::Format { .. } => (
                Kind::Usage,
                "use the minikube-offline that made the delta, or carry the full bundle".to_owned(),
            ),
            Self::Damaged { .. } => (
                Kind::Damaged,
                "copy the delta again from where it was packed; nothing was written".to_owned(),
            ),
            Self::NotAuthentic { .. } => (
                Kind::NotAuthentic,
                "get a delta that a key trusted here has signed (`minikube-offline trust list`)".to_owned(),
            ),
            Self::OtherBase { expected, .. } => (
                Kind::Usage,
                format!(
                    "name the bundle `{}` serial {} first, and several deltas in the order in which they were made; \
                     `minikube-offline inspect FILE` shows name and serial of a bundle",
                    expected.name, expected.serial
                ),
            ),
            Self::OtherZstd { packer, .. } => (
                Kind::Usage,
                format!("join with {packer}, or carry the full bundle"),
            ),
            Self::Result { .. } => (
                Kind::Damaged,
                "carry the full bundle, or make the delta again; nothing was written".to_owned(),
            ),
            Self::Same { .. } => (Kind::Usage, "write to another file with -o".to_owned()),
        };
        kind.hint(hint)
    }
}
