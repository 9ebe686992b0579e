//! Why a journal cannot be used.

use std::path::{Path, PathBuf};

use crate::explain::{Explain, Explanation, Kind};
use crate::host::FileError;

/// A journal that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// A line is not a record, and was not torn by the end of its run.
    #[error("line {line} of the journal `{path}` is not a record")]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
    /// Somebody else wrote it, or can.
    #[error(
        "cannot use the journal `{path}`: it belongs to user {uid} (mode {mode:04o}), and only its own user may write to it"
    )]
    Foreign {
        /// The journal.
        path: PathBuf,
        /// Whose it is.
        uid: u32,
        /// Its mode.
        mode: u32,
    },
    /// A line is a record of something that this version does not know.
    #[error("line {line} of the journal `{path}` records `{event}` in a way that this version does not know")]
    Unknown {
        /// The journal.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What it calls the event.
        event: String,
    },
    /// It is larger than any run makes it.
    #[error("the journal `{path}` is {bytes} bytes long, and more than {most} cannot be read")]
    TooLarge {
        /// The journal.
        path: PathBuf,
        /// Its length.
        bytes: u64,
        /// The limit.
        most: u64,
    },
    /// A path in a record is not UTF-8.
    #[error("a path cannot be written to the journal `{path}`")]
    Record {
        /// The journal.
        path: PathBuf,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
    /// It cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Explain for JournalError {
    fn explain(&self) -> Explanation {
        match self {
            Self::Damaged { path, .. } | Self::TooLarge { path, .. } => {
                let hint = away(path);
                Kind::Io.hint(hint)
            }
            Self::Foreign { path, .. } => {
                let shown = path.display();
                let hint = format!(
                    "run it as that user; or, where no one else wrote it, `chmod go-w '{shown}'` and `chown \"$(id -u)\" '{shown}'`; nothing was changed"
                );
                Kind::Usage.hint(hint)
            }
            Self::Unknown { path, .. } => {
                let hint = format!(
                    "use the newest bundle, or minikube-offline, that was run here: it knows what it wrote; where there is none, the line is damaged: {}",
                    away(path)
                );
                Kind::Io.hint(hint)
            }
            Self::File(error) => error.explain(),
            Self::Record { .. } => Kind::Usage.hint("use directories whose names are UTF-8 text"),
        }
    }
}

/// What a person does about a journal that cannot be read any more.
fn away(path: &Path) -> String {
    format!(
        "move `{}` away and run the same command again; what an earlier run installed then has to be removed by hand: `minikube delete -p NAME`, and the files that the other lines name",
        path.display()
    )
}
