//! How a seed fails.

use crate::bundle::ImageReference;
use crate::failure::{Failure, Kind};

/// A volume that was not filled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SeedError {
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
    /// The runtime failed, and this is the end of what it wrote.
    #[error("{message}; the node's runtime wrote: {log}")]
    Runtime {
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
    /// Something uses the volume.
    #[error("the volume `{name}` is used by {}", users.join(", "))]
    VolumeInUse {
        /// The volume.
        name: String,
        /// The containers.
        users: Vec<String>,
    },
}

pub(crate) fn failure(error: SeedError) -> Failure {
    let (kind, hint) = match &error {
        SeedError::ForeignContainer { name } => (
            Kind::Unfit,
            format!("remove it with `docker rm -f {name}`, or choose another name with `--profile NAME`"),
        ),
        SeedError::ForeignVolume { name } => (
            Kind::Unfit,
            format!(
                "choose another name with `--profile NAME`; or, when what is in it is not needed, `minikube delete -p {name}` or `docker volume rm {name}`"
            ),
        ),
        SeedError::VolumeInUse { .. } => (
            Kind::Unfit,
            "stop these containers, or choose another name with `--profile NAME`".to_owned(),
        ),
        SeedError::Image { .. } | SeedError::NotStopped { .. } | SeedError::Runtime { .. } => (
            Kind::Cluster,
            "try `--image-load cache`, which lets minikube load the images".to_owned(),
        ),
    };
    Failure::new(kind, error).hint(hint)
}

/// The same failure with the last lines of the runtime's log, where it failed for a
/// reason of its own.
pub(crate) fn with_log(failure: Failure, log: &str) -> Failure {
    if !matches!(failure.kind, Kind::Cluster | Kind::Other) {
        return failure;
    }
    let complaints: Vec<&str> = log
        .lines()
        .filter(|line| !line.contains("level=info") && !line.contains("level=debug"))
        .collect();
    let Some(last) = complaints.last().filter(|line| !line.trim().is_empty()) else {
        return failure;
    };
    let mut message = vec![failure.error.to_string()];
    message.extend(failure.causes());
    let kind = failure.kind;
    let error = SeedError::Runtime {
        message: message.join(": "),
        log: (*last).to_owned(),
    };
    let mut failure = self::failure(error);
    failure.kind = kind;
    failure
}
