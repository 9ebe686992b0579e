//! Why it is not known, or not there, what a cluster needs.

use std::path::PathBuf;

use super::{AskError, ListSource};
use crate::bundle::{Platform, Version};
use crate::failure::{Failure, Kind};

/// What a cluster needs cannot be found out, or is not all there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// kubeadm could not be asked.
    #[error("cannot ask `{}` which images Kubernetes {version} needs", path.display())]
    Kubeadm {
        /// The program.
        path: PathBuf,
        /// The release it was asked about.
        version: Version,
        /// Why.
        #[source]
        source: AskError,
    },
    /// kubeadm answered something else than a list of images.
    #[error("`{}` was asked for images and answered `{line}`", path.display())]
    KubeadmAnswer {
        /// The program.
        path: PathBuf,
        /// The first line that is no image, or nothing.
        line: String,
    },
    /// Parts are not given.
    #[error(
        "{} missing for Kubernetes {version} on {platform}{}:{}",
        counted(parts.len()),
        listed_by(*source_of_list),
        lines(parts)
    )]
    Missing {
        /// The release.
        version: Version,
        /// The platform.
        platform: Platform,
        /// Every part that is not there.
        parts: Vec<String>,
        /// Who listed the images, where anybody could.
        source_of_list: Option<ListSource>,
    },
    /// There is no kubeadm to ask, and the table has no such version.
    #[error("which images Kubernetes {version} needs is not known without its kubeadm")]
    UnknownVersion {
        /// The release.
        version: Version,
    },
}

fn counted(parts: usize) -> String {
    match parts {
        1 => "1 part is".to_owned(),
        _ => format!("{parts} parts are"),
    }
}

fn listed_by(source: Option<ListSource>) -> String {
    source.map_or_else(String::new, |source| format!(" ({source} lists the images)"))
}

fn lines(parts: &[String]) -> String {
    parts.iter().flat_map(|part| ["\n  ", part]).collect()
}

impl From<ResolveError> for Failure {
    fn from(error: ResolveError) -> Self {
        let hint = match &error {
            ResolveError::Kubeadm { .. } | ResolveError::KubeadmAnswer { .. } => {
                "run it yourself: `kubeadm config images list --kubernetes-version VERSION`".to_owned()
            }
            ResolveError::Missing { version, .. } => format!(
                "give programs with `--minikube PATH` and `--binaries FOLDER`, the node image with \
                 `--kicbase docker-archive:PATH`, images with `--image docker-archive:PATH[:NAME]`, `--image \
                 oci:FOLDER:NAME` or `--image docker-daemon:NAME`, or all but minikube with `--from-cache \
                 ~/.minikube` on a machine where `minikube start --download-only --preload=false \
                 --kubernetes-version={version}` ran"
            ),
            ResolveError::UnknownVersion { version } => format!(
                "give a kubeadm {version} that can run on this machine: in `--binaries FOLDER`, or, to pack for \
                 another platform, as `linux/<this machine's architecture>/{version}/kubeadm` in a folder for \
                 `--from-cache`"
            ),
        };
        Self::new(Kind::Usage, error).hint(hint)
    }
}
