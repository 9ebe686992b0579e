//! Why a bundle could not be repaired.

use std::io;
use std::path::{Path, PathBuf};

use super::Taken;
use crate::explain::{Explain, Explanation, Kind};
use crate::host::{FileError, Interruption};
use crate::trust::Refusal;
use crate::verify::VerifyError;

/// A bundle that could not be made whole. What was written had its digest.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RepairError {
    /// A file cannot be read at all.
    #[error("cannot open `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The bundle cannot be written.
    #[error("writing to `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Both paths lead to one file.
    #[error("`{}` and `{}` are the same file", path.display(), from.display())]
    Same {
        /// The bundle.
        path: PathBuf,
        /// The other copy.
        from: PathBuf,
    },
    /// No index says what the bytes should be.
    #[error("neither `{}` nor `{}` has a whole index", path.display(), from.display())]
    NoIndex {
        /// The bundle.
        path: PathBuf,
        /// The other copy.
        from: PathBuf,
    },
    /// No index that is whole was signed with a trusted key.
    #[error("neither `{}` nor `{}` is authentic: nothing was changed", path.display(), from.display())]
    NotAuthentic {
        /// The bundle.
        path: PathBuf,
        /// The other copy.
        from: PathBuf,
        /// Why the first of them is refused.
        #[source]
        source: Refusal,
    },
    /// The file has neither a whole index nor anything of the other's payload.
    #[error("`{}` is no damaged copy of `{}`: nothing of the payload is in its place", path.display(), from.display())]
    Stranger {
        /// The file.
        path: PathBuf,
        /// The other copy.
        from: PathBuf,
    },
    /// The file has no whole index, and volumes of another length than the other copy.
    #[error("`{}` is split otherwise than `{}`, and has no whole index of its own", path.display(), from.display())]
    OtherForm {
        /// The file.
        path: PathBuf,
        /// The other copy.
        from: PathBuf,
    },
    /// Volumes have one another's names.
    #[error(transparent)]
    Verify(VerifyError),
    /// Some bytes are bad in both copies.
    #[error(
        "`{}` is still damaged: bad here and in `{}`: {}",
        path.display(),
        from.display(),
        shown(lost)
    )]
    BadInBoth {
        /// The bundle.
        path: PathBuf,
        /// The other copy.
        from: PathBuf,
        /// What is bad.
        lost: Vec<String>,
        /// What was taken nevertheless.
        taken: Taken,
    },
    /// What was written is not what is read back.
    #[error("`{}` did not keep what was written at byte {offset}", path.display())]
    NotKept {
        /// The file.
        path: PathBuf,
        /// Where.
        offset: u64,
    },
    /// The directory cannot be written.
    #[error(transparent)]
    Directory(#[from] FileError),
    /// A signal ended the work.
    #[error(transparent)]
    Interrupted(#[from] Interruption),
}

impl RepairError {
    /// For `map_err`: `path` cannot be read.
    pub(super) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Read { path, source }
    }
}

fn shown(lost: &[String]) -> String {
    const MOST: usize = 20;
    let shown = lost.iter().take(MOST).map(String::as_str).collect::<Vec<_>>();
    match lost.len().saturating_sub(MOST) {
        0 => shown.join(", "),
        more => format!("{}, and {more} more", shown.join(", ")),
    }
}

impl Explain for RepairError {
    fn explain(&self) -> Explanation {
        let (kind, hint) = match self {
            Self::Verify(error) => return error.explain(),
            Self::Directory(error) => return error.explain(),
            Self::Interrupted(error) => return error.explain(),
            Self::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => (
                Kind::Io,
                "repair takes a bundle that is there: one of which nothing is left is to be copied".to_owned(),
            ),
            Self::Read { source, .. }
                if [io::ErrorKind::IsADirectory, io::ErrorKind::Other].contains(&source.kind()) =>
            {
                (
                    Kind::of_io(source),
                    "a bundle and its volumes are files: name the first of them".to_owned(),
                )
            }
            Self::Read { source, .. } => (
                Kind::of_io(source),
                "if it lies on a stick or a disk that was taken out, put it back and run the same command again"
                    .to_owned(),
            ),
            Self::Write { source, .. } if Kind::of_io(source) == Kind::NoSpace => (
                Kind::NoSpace,
                "free some space there and run the same command again: it goes on from here".to_owned(),
            ),
            Self::Write { source, .. } => (
                Kind::of_io(source),
                "copy the bundle to a place that can be written, and repair it there".to_owned(),
            ),
            Self::Same { .. } => (
                Kind::Usage,
                "name a second copy, from another medium, with `--from`".to_owned(),
            ),
            Self::NoIndex { .. } => (
                Kind::Damaged,
                "take a third copy, from where it was packed; nothing was changed".to_owned(),
            ),
            Self::NotAuthentic { .. } => (
                Kind::NotAuthentic,
                "get a copy that a key trusted here has signed (`minikube-offline trust list`)".to_owned(),
            ),
            Self::Stranger { .. } | Self::OtherForm { .. } => (
                Kind::Usage,
                "a copy of the same form is needed, split or not; nothing was changed".to_owned(),
            ),
            Self::BadInBoth { taken, .. } => (
                Kind::Damaged,
                format!(
                    "everything else is whole now ({} bytes were taken): repair it once more, from a third copy",
                    taken.bytes
                ),
            ),
            Self::NotKept { .. } => (
                Kind::Io,
                "the medium is worn out: copy the bundle to another one, and repair it there".to_owned(),
            ),
        };
        kind.hint(hint)
    }
}
