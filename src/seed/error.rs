//! How a seed fails.

use super::images::NodeImagesError;
use crate::bundle::ImageReference;
use crate::docker::EngineError;
use crate::explain::{Explain, Explanation, Kind, in_one_line};
use crate::host::FileError;
use crate::install::{InstallError, JournalError, TransferError};

/// What may help where the node's runtime does not do its work.
const OTHER_WAY: &str = "try `--image-load cache`, which lets minikube load the images";

/// A volume that was not filled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SeedError {
    /// The engine does not do what it is asked.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A pipe cannot be made.
    #[error(transparent)]
    File(#[from] FileError),
    /// A container of another has the name.
    #[error("the container `{name}` is not this program's")]
    ForeignContainer {
        /// The container.
        name: String,
    },
    /// A volume of another has the profile's name.
    #[error("the volume `{name}` is there and was not made by this program")]
    ForeignVolume {
        /// The volume.
        name: String,
    },
    /// The runtime has another image than the bundle.
    #[error("the node's runtime does not have `{image}` as the bundle has it")]
    Image {
        /// The image.
        image: ImageReference,
    },
    /// The images are not in the node.
    #[error(transparent)]
    Images(#[from] NodeImagesError),
    /// A program cannot be run.
    #[error(transparent)]
    Install(#[from] InstallError),
    /// The journal cannot be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The runtime failed, and this is the end of what it wrote.
    #[error("{message}; the node's runtime wrote: {log}")]
    Runtime {
        /// What kind of failure it was.
        kind: Kind,
        /// What happened.
        message: String,
        /// Its last lines.
        log: String,
    },
    /// The runtime did not end in order.
    #[error("the node's runtime did not end in order (exit code {})", code.map_or_else(|| "unknown".to_owned(), |code| code.to_string()))]
    NotStopped {
        /// Its exit code.
        code: Option<i32>,
    },
    /// The bundle's bytes did not arrive.
    #[error(transparent)]
    Transfer(#[from] TransferError),
    /// Something uses the volume.
    #[error("the volume `{name}` is used by {}", users.join(", "))]
    VolumeInUse {
        /// The volume.
        name: String,
        /// The containers.
        users: Vec<String>,
    },
}

impl Explain for SeedError {
    fn explain(&self) -> Explanation {
        match self {
            Self::Engine(error) => error.explain(),
            Self::File(error) => error.explain(),
            Self::Images(error) => error.explain(),
            Self::Install(error) => error.explain(),
            Self::Journal(error) => error.explain(),
            Self::Transfer(error) => error.explain(),
            Self::ForeignContainer { name } => Kind::Unfit.hint(format!(
                "remove it with `docker rm -f {name}`, or choose another name with `--profile NAME`"
            )),
            Self::ForeignVolume { name } => Kind::Unfit.hint(format!(
                "choose another name with `--profile NAME`; or, when what is in it is not needed, `minikube delete -p {name}` or `docker volume rm {name}`"
            )),
            Self::VolumeInUse { .. } => {
                Kind::Unfit.hint("stop these containers, or choose another name with `--profile NAME`")
            }
            Self::Runtime { kind, .. } => kind.hint(OTHER_WAY),
            Self::Image { .. } | Self::NotStopped { .. } => Kind::Cluster.hint(OTHER_WAY),
        }
    }
}

impl SeedError {
    /// Whether the node's runtime, or the engine, may have failed for a reason of its own: not
    /// when the bundle is damaged, the disk is full, or the run was told to end.
    pub(super) fn is_the_runtimes(&self) -> bool {
        matches!(self.explain().kind, Kind::Cluster | Kind::Other)
    }

    /// The same error with the last lines of the runtime's log, where it failed for a
    /// reason of its own.
    pub(super) fn with_log(self, log: &str) -> Self {
        let mut complaints = log
            .lines()
            .filter(|line| !line.contains("level=info") && !line.contains("level=debug"));
        match complaints.next_back().filter(|line| !line.trim().is_empty()) {
            Some(last) if self.is_the_runtimes() => Self::Runtime {
                kind: self.explain().kind,
                message: in_one_line(&self),
                log: last.to_owned(),
            },
            _ => self,
        }
    }
}
