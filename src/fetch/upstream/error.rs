//! Why a part does not come from its publisher.

use std::path::PathBuf;

use crate::bundle::{
    BinaryRole, Digest, DigestError, ImageReference, Platform, RuntimeError, Version, in_words,
};
use crate::host::{AskError, Interruption};
use crate::http::HttpError;
use crate::store::StoreError;

/// A part that cannot be had, or not be believed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpstreamError {
    /// minikube does not know the addon.
    #[error("minikube has no images for the addon `{addon}`")]
    Addon {
        /// Its name.
        addon: String,
        /// What minikube said.
        #[source]
        source: AskError,
    },
    /// minikube lists no image of the addon, which takes what it needs from a network.
    #[error(
        "minikube's addon `{addon}` cannot be packed: minikube lists no image for it, and takes what it needs from \
         the network when it is enabled, such as a Helm chart"
    )]
    AddonOfNetwork {
        /// Its name.
        addon: String,
    },
    /// What publishes a checksum publishes something else.
    #[error("`{url}` should begin with a SHA-256 digest")]
    Checksum {
        /// The URL.
        url: String,
        /// Why it is none.
        #[source]
        source: DigestError,
    },
    /// A credential helper failed.
    #[error("`{helper}` gives no credentials for `{host}`: {reason}")]
    Credentials {
        /// The program.
        helper: String,
        /// The registry.
        host: String,
        /// What it said.
        reason: String,
    },
    /// Two places say different things of a program's content.
    #[error("{what} should have {} by `{}`, and {} by `{}`", first.0, first.1, second.0, second.1)]
    Disagreement {
        /// The program, its release and its platform.
        what: String,
        /// What the first place says, and its URL.
        first: Box<(Digest, String)>,
        /// What the second place says.
        second: Box<(Digest, String)>,
    },
    /// docker's config.json cannot be used.
    #[error("`{}` is not what `docker login` and `podman login` write: {reason}", path.display())]
    DockerConfig {
        /// The file.
        path: PathBuf,
        /// Where it is wrong.
        reason: String,
    },
    /// This run was told to end.
    #[error(transparent)]
    Interrupted(Interruption),
    /// The network said no.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The token server gives no token.
    #[error("there is no token to read `{repository}` in `{host}` with")]
    Login {
        /// The registry.
        host: String,
        /// What was to be read.
        repository: String,
        /// What the token server said.
        #[source]
        source: Box<HttpError>,
    },
    /// A manifest, or what it names, cannot be used.
    #[error("the manifest {digest} of `{reference}` {reason}")]
    Manifest {
        /// The image.
        reference: String,
        /// The manifest.
        digest: Digest,
        /// What is wrong with it.
        reason: String,
    },
    /// minikube does not say which node image it needs.
    #[error("minikube does not name its node image: `minikube start --help` says `{said}`")]
    NodeImage {
        /// What it said instead.
        said: String,
    },
    /// minikube is for another machine, or there is none, so it cannot be asked.
    #[error("minikube cannot be asked for {what}: {reason}")]
    NotAsked {
        /// What it should say.
        what: &'static str,
        /// Why not.
        reason: String,
    },
    /// The container runtime that minikube takes by itself is none that a bundle can have.
    #[error("cannot take minikube's default container runtime: {reason}")]
    Runtime {
        /// What is wrong with it.
        reason: RuntimeError,
    },
    /// None of the places that may be believed has the image.
    #[error("none of the places has `{reference}`: {}", places.join(", "))]
    NoneHas {
        /// The image.
        reference: ImageReference,
        /// Where it was looked for.
        places: Vec<String>,
    },
    /// The registry has no such image.
    #[error("there is no image `{reference}`{}", at(place))]
    NoImage {
        /// The image.
        reference: ImageReference,
        /// Where it was looked for.
        place: String,
        /// What the registry said.
        #[source]
        source: Box<HttpError>,
    },
    /// No known minikube has this Kubernetes.
    #[error(
        "no minikube that this program knows has Kubernetes {kubernetes}: the newest, {newest}, has {oldest} to {latest}"
    )]
    NoMinikube {
        /// The Kubernetes release.
        kubernetes: Version,
        /// The newest known minikube.
        newest: &'static str,
        /// The oldest line of releases that it has, such as v1.28.
        oldest: String,
        /// The newest.
        latest: String,
    },
    /// The image is there, but not for this platform.
    #[error("`{reference}` is not there for {platform}; {}", is_there_for(there))]
    NoPlatform {
        /// The image.
        reference: ImageReference,
        /// What was asked for.
        platform: Platform,
        /// What there is.
        there: Vec<String>,
    },
    /// The image index has one manifest for several platforms, and its config names another.
    #[error("`{reference}` is not there for {platform}: {reason}")]
    SharedManifest {
        /// The image.
        reference: ImageReference,
        /// What was asked for.
        platform: Platform,
        /// Which manifest that is, and for which platforms.
        reason: String,
    },
    /// The release is there, but not for this platform.
    #[error(
        "there is no {role} {version} for {platform}; there is one for {}",
        in_words(there)
    )]
    NoProgram {
        /// The program.
        role: BinaryRole,
        /// The release.
        version: Version,
        /// What was asked for.
        platform: Platform,
        /// What there is.
        there: Vec<Platform>,
        /// What the server said.
        #[source]
        source: Box<HttpError>,
    },
    /// Kubernetes has no release in this line.
    #[error("there is no Kubernetes {word}{}", newest.as_ref().map(|newest| format!("; the newest release is {newest}")).unwrap_or_default())]
    NoLine {
        /// The line.
        word: String,
        /// The newest of all, where that is known.
        newest: Option<Version>,
        /// What the server said.
        #[source]
        source: Box<HttpError>,
    },
    /// There is no such release.
    #[error("there is no {role} {version}{}", nearest(newest.as_ref(), version))]
    NoRelease {
        /// The program.
        role: BinaryRole,
        /// The release.
        version: Version,
        /// The newest of its line or, where there is no such line, of all.
        newest: Option<Version>,
        /// What the server said.
        #[source]
        source: Box<HttpError>,
    },
    /// Something must be downloaded, and nothing may be.
    #[error("`docker://{reference}` is in a registry, and nothing may be downloaded")]
    Offline {
        /// The image.
        reference: ImageReference,
    },
    /// This minikube does not have this Kubernetes.
    #[error("minikube {minikube} has Kubernetes {oldest} to {newest}, and not {kubernetes}")]
    Pair {
        /// minikube's version.
        minikube: String,
        /// The Kubernetes release.
        kubernetes: Version,
        /// The oldest line of releases that it has, such as v1.28.
        oldest: String,
        /// The newest.
        newest: String,
    },
    /// No directory for the programs.
    #[error("cannot make a directory for programs in the directory for temporary files")]
    Programs {
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// What is used is not what was downloaded.
    #[error("`{}` should have {expected}, as it was downloaded; it has {found}", path.display())]
    Replaced {
        /// The file in the store.
        path: PathBuf,
        /// What was published.
        expected: Digest,
        /// What is there.
        found: Digest,
    },
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The token server that a registry names cannot be used.
    #[error("`{host}` lets in whom `{realm}` gives a token: {reason}")]
    TokenServer {
        /// The registry.
        host: String,
        /// The token server.
        realm: String,
        /// Why it cannot be used.
        reason: String,
    },
    /// minikube has no such addon.
    #[error("minikube has no addon `{addon}`{}", meant(near))]
    UnknownAddon {
        /// Its name.
        addon: String,
        /// Those that have a name like it.
        near: Vec<String>,
        /// All that there are.
        there: Vec<String>,
    },
    /// Nothing says what the part should be.
    #[error("nothing says what {} should be", what.join(", "))]
    Unproven {
        /// The parts, as `--accept-unverified` names them.
        what: Vec<String>,
        /// Why who should have said it did not, where that was asked just now.
        #[source]
        source: Option<Box<HttpError>>,
    },
    /// A word does not lead to a release.
    #[error("`{url}` should name a release; it says `{said}`")]
    Word {
        /// The URL.
        url: String,
        /// What it says.
        said: String,
    },
}

impl UpstreamError {
    /// Whether a mirror failed in a way in which another place need not.
    pub(super) fn goes_on(error: &HttpError) -> bool {
        !matches!(
            error,
            HttpError::Store(_) | HttpError::Interrupted(_) | HttpError::Offline { .. }
        )
    }

    /// Whether a server lets nobody in with what it was shown.
    pub(super) fn is_refusal(&self) -> bool {
        let error = match self {
            Self::Http(error) => error,
            Self::Login { source, .. } => source,
            _ => return false,
        };
        matches!(error.status(), Some(401 | 403))
    }

    /// Whether another place would not help.
    pub(super) fn ends_the_run(&self) -> bool {
        matches!(
            self,
            Self::Store(_)
                | Self::Interrupted(_)
                | Self::Http(HttpError::Store(_) | HttpError::Interrupted(_) | HttpError::Offline { .. })
        ) || matches!(self, Self::Login { source, .. } if matches!(**source, HttpError::Interrupted(_)))
    }
}

fn is_there_for(there: &[String]) -> String {
    match there {
        [] => "its index names no platform".to_owned(),
        there => format!("it is there for {}", there.join(", ")),
    }
}

fn nearest(newest: Option<&Version>, version: &Version) -> String {
    match newest {
        Some(newest) if newest.line() == version.line() => {
            format!("; the newest of {} is {newest}", newest.line())
        }
        Some(newest) => format!("; the newest release is {newest}"),
        None => String::new(),
    }
}

fn meant(near: &[String]) -> String {
    let quoted: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        names => format!("; did you mean {}?", names.join(" or ")),
    }
}

fn at(place: &str) -> String {
    if place.is_empty() {
        String::new()
    } else {
        format!(" in `{place}`")
    }
}
