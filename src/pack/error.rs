//! Why a bundle could not be written.

use std::io;
use std::path::PathBuf;

use crate::bundle::limits::VOLUMES;
use crate::bundle::{Digest, IndexError, Platform, in_words};
use crate::explain::{Explain, Explanation, Kind};
use crate::fetch::FetchError;
use crate::host::{Interruption, LockError};
use crate::sign::SignError;
use crate::spec::VolumeSize;

/// A bundle that could not be written; nothing is left behind.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// Another run makes the same bundle.
    #[error(transparent)]
    Locked(#[from] LockError),
    /// A part cannot be read any more.
    #[error("reading `{what}`")]
    Read {
        /// The part.
        what: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The bundle cannot be written.
    #[error("writing the bundle into `{}`", path.display())]
    Write {
        /// The directory or the file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Another file has the name that a volume needs.
    #[error("`{}` is there, and is no volume of `{}`", path.display(), bundle.display())]
    Occupied {
        /// The file.
        path: PathBuf,
        /// The bundle that was to be written.
        bundle: PathBuf,
    },
    /// There would be more volumes than can be numbered.
    #[error("with `--split {size}` there would be {count} volumes, and {VOLUMES} can be numbered")]
    TooManyVolumes {
        /// How many there would be.
        count: u64,
        /// The size of each.
        size: VolumeSize,
        /// The smallest size that will do, in MiB.
        least: u64,
    },
    /// A part changed after it was looked at.
    #[error("`{what}` changed while it was packed: it has digest {found}, and had {expected}")]
    Changed {
        /// The part.
        what: String,
        /// Its digest before.
        expected: Digest,
        /// Its digest now.
        found: Digest,
    },
    /// A member's path does not fit into a tar header.
    #[error("`{path}` is too long a path for the payload")]
    MemberPath {
        /// The path.
        path: String,
    },
    /// An image layer cannot be opened any more.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The parts contradict one another.
    #[error("the parts do not make a bundle")]
    Index(#[from] IndexError),
    /// It cannot be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The header does not fit.
    #[error("the header cannot be made: {0}")]
    Header(String),
    /// A signal ended the work.
    #[error(transparent)]
    Interrupted(#[from] Interruption),
    /// There is no stub to put in.
    #[error("there is no stub for {platform}")]
    NoStub {
        /// The platform that has none.
        platform: Platform,
        /// Where it was looked for.
        looked: Vec<PathBuf>,
    },
    /// Two stubs are given for one platform.
    #[error("there are two stubs for {platform}")]
    TwoStubs {
        /// The platform.
        platform: Platform,
    },
    /// What was given as a stub is none.
    #[error("`{}` is not a stub for {}: {reason}", path.display(), in_words(platforms))]
    NotAStub {
        /// The file.
        path: PathBuf,
        /// The platforms of the bundle.
        platforms: Vec<Platform>,
        /// What is wrong with it.
        reason: String,
    },
}

impl Explain for PackError {
    fn explain(&self) -> Explanation {
        let (kind, hint) = match self {
            Self::Fetch(error) => return error.explain(),
            Self::Interrupted(interruption) => {
                return interruption
                    .explain()
                    .hint("nothing was written; run it again to pack");
            }
            Self::Locked(error) => return error.explain(),
            Self::Sign(error) => return error.explain(),
            Self::Write { source, .. } => (Kind::of_io(source), write_hint(source)),
            Self::Read { source, .. } => (
                Kind::of_io(source),
                "the part must stay where it is until the bundle is written".to_owned(),
            ),
            Self::Occupied { .. } => (
                Kind::Usage,
                "move it away, or write to another name with -o; nothing was changed".to_owned(),
            ),
            Self::TooManyVolumes { least, .. } => (Kind::Usage, format!("use `--split {least}M` or more")),
            Self::Changed { .. } => (
                Kind::Damaged,
                "pack again when nothing writes to the parts".to_owned(),
            ),
            Self::TwoStubs { .. } => (Kind::Usage, "leave one of them away".to_owned()),
            Self::NoStub { platform, looked } => {
                let looked: Vec<String> = looked
                    .iter()
                    .map(|path| format!("`{}`", path.display()))
                    .collect();
                let places = looked.join(" and ");
                (
                    Kind::Usage,
                    format!(
                        "give one with --stub: `make build` on a machine of {platform} makes it (it was looked for \
                         at {places})"
                    ),
                )
            }
            Self::NotAStub { .. } => (
                Kind::Usage,
                "build the stub of this same version with `make build`".to_owned(),
            ),
            Self::MemberPath { .. } | Self::Index(_) | Self::Header(_) => (
                Kind::Other,
                "this is a mistake in minikube-offline; please report it".to_owned(),
            ),
        };
        kind.hint(hint)
    }
}

fn write_hint(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::FileTooLarge => {
            "the file system takes no file that large (FAT32: 4 GiB less one byte): \
             split the bundle with `--split 4000M`, or write to another file system with -o"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "free some space there, or write to another file system with -o; \
             while it is packed a bundle needs up to twice its own size"
        }
        _ => "write to another directory with -o",
    }
    .to_owned()
}
