//! Why it is not known, or not there, what a cluster needs.

use std::io;
use std::path::PathBuf;

use super::ListSource;
use crate::bundle::{Platform, Version, in_words};
use crate::explain::{Explain, Explanation, Kind};
use crate::host::AskError;

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
    /// A lock cannot be read.
    #[error("cannot read the lock `{}`", path.display())]
    LockFile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file is no lock.
    #[error("`{}` is not a lock: {reason}", path.display())]
    LockText {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// What is there is not what the lock says.
    #[error("{} not what the lock `{}` says:{}", counted(differences.len()), lock.display(), lines(differences))]
    NotLocked {
        /// The lock's file.
        lock: PathBuf,
        /// Each part, with what the lock says and what there is.
        differences: Vec<String>,
    },
    /// Parts are not given.
    #[error(
        "{} missing for Kubernetes {version} on {}{}:{}",
        counted(parts.len()),
        in_words(platforms),
        listed_by(*source_of_list),
        lines(parts)
    )]
    Missing {
        /// The release.
        version: Version,
        /// The platforms.
        platforms: Vec<Platform>,
        /// Every part that is not there.
        parts: Vec<String>,
        /// Who listed the images, where anybody could.
        source_of_list: Option<ListSource>,
    },
    /// The command line asks for something else than the lock has.
    #[error("{} for something else than the lock `{}` has:{}", asked(contradictions.len()), lock.display(), lines(contradictions))]
    Contradicted {
        /// The lock's file.
        lock: PathBuf,
        /// Each flag, with what it asks for and what the lock has.
        contradictions: Vec<String>,
    },
    /// The variable that says the time does not.
    #[error("SOURCE_DATE_EPOCH is `{said}`; it should be a number of seconds since 1970")]
    SourceDate {
        /// What it says.
        said: String,
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

fn asked(flags: usize) -> String {
    match flags {
        1 => "1 flag asks".to_owned(),
        _ => format!("{flags} flags ask"),
    }
}

fn listed_by(source: Option<ListSource>) -> String {
    source.map_or_else(String::new, |source| format!(" ({source} lists the images)"))
}

fn lines(parts: &[String]) -> String {
    parts.iter().flat_map(|part| ["\n  ", part]).collect()
}

impl Explain for ResolveError {
    fn explain(&self) -> Explanation {
        let hint = match self {
            Self::Kubeadm { .. } | Self::KubeadmAnswer { .. } => {
                "run it yourself: `kubeadm config images list --kubernetes-version VERSION`".to_owned()
            }
            Self::LockFile { .. } => {
                "`pack` without `--locked` writes the lock beside the bundle; `-o` says where that is"
                    .to_owned()
            }
            Self::LockText { .. } => "take the lock that `pack` wrote, unchanged".to_owned(),
            Self::NotLocked { .. } => {
                "give the parts that were packed then (`--minikube`, `--binaries`, `--image`, `--manifest`, `--include`), or pack without \
                 `--locked` to take those of today: the lock is then written again, and what changed is shown"
                    .to_owned()
            }
            Self::Contradicted { .. } => {
                "nothing was read or downloaded: leave the flag away to take what the lock has, or `--locked` to \
                 take what the flag asks for"
                    .to_owned()
            }
            Self::SourceDate { .. } => {
                "give it a number, such as 1700000000, or omit it: then it is now".to_owned()
            }
            Self::Missing { version, .. } => format!(
                "give programs with `--minikube PATH` and `--binaries DIR`, the node image with \
                 `--kicbase docker-archive:PATH`, images with `--image docker-archive:PATH[:NAME]`, `--image \
                 oci:DIR:NAME` or `--image docker-daemon:NAME`, or all but minikube with `--from-cache \
                 ~/.minikube` on a machine where `minikube start --download-only --preload=false \
                 --kubernetes-version={version}` ran"
            ),
            Self::UnknownVersion { version } => format!(
                "give a kubeadm {version} that can run on this machine: in `--binaries DIR`, or, to pack for \
                 another platform, as `linux/<this machine's architecture>/{version}/kubeadm` in a directory for \
                 `--from-cache`"
            ),
        };
        let kind = match self {
            Self::NotLocked { .. } => Kind::Damaged,
            Self::LockFile { source, .. } if source.kind() != io::ErrorKind::NotFound => Kind::of_io(source),
            _ => Kind::Usage,
        };
        kind.hint(hint)
    }
}
