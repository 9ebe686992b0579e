//! What can be wrong with a part.

mod listed;

use std::io;
use std::path::{Path, PathBuf};

use self::listed::{any_of, listed, listed_needs};
use super::{Need, UpstreamError};
use crate::bundle::{BinaryRole, Digest, ImageConfigError, ImageReference, Platform, Version, in_words};
use crate::host::AskError;
use crate::resolve::ResolveError;
use crate::spec::Cni;

/// A part that cannot be used, or that is not there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// A file is compressed in a way that is not unpacked here.
    #[error("`{}` is {found}, which is not unpacked here", path.display())]
    Compressed {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: String,
    },
    /// An image's config cannot be used.
    #[error("the config of `{reference}` in `{}` cannot be used", path.display())]
    Config {
        /// The archive, or the blob.
        path: PathBuf,
        /// The image.
        reference: String,
        /// Why.
        #[source]
        source: ImageConfigError,
    },
    /// Two parts want one place in the bundle.
    #[error("there are two different parts for {what}: `{first}` and `{second}`")]
    Conflict {
        /// The role or name.
        what: String,
        /// Where the one is.
        first: String,
        /// Where the other is.
        second: String,
    },
    /// Something in an archive or layout is not what it should be.
    #[error("`{}` is damaged: `{entry}` {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What in it.
        entry: String,
        /// How.
        reason: String,
    },
    /// Helm refuses a chart, or its values.
    #[error("`{}` {what}: {reason}", path.display())]
    Chart {
        /// The chart.
        path: PathBuf,
        /// What it is not.
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// Helm cannot be asked.
    #[error("Helm does not run here")]
    Helm {
        /// Why.
        #[source]
        source: AskError,
    },
    /// There are charts, and no Helm.
    #[error("there are charts, and no Helm for this machine's platform")]
    NoHelm,
    /// Two charts become the same release.
    #[error("two charts become the release `{release}` in the namespace `{namespace}`")]
    Release {
        /// Its name.
        release: String,
        /// Its namespace.
        namespace: String,
    },
    /// A file of the packer has a name that a bundle cannot carry.
    #[error(
        "`{}` has a name that a bundle cannot carry: 1 to 80 of A-Z, a-z, 0-9, `.`, `_` and `-`, the first a letter or a digit",
        path.display()
    )]
    FileName {
        /// The file.
        path: PathBuf,
    },
    /// A file does not hold Kubernetes objects.
    #[error("`{}` is no Kubernetes manifest: {reason}", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A manifest names an image that is not given, and nothing may be downloaded.
    #[error("`{}` names the image `{reference}`, which is not given for {platform}", path.display())]
    ManifestImage {
        /// The manifest.
        path: PathBuf,
        /// The image.
        reference: ImageReference,
        /// What it is not given for.
        platform: Platform,
    },
    /// A program cannot say its version.
    #[error("{role} `{}` does not run here", path.display())]
    DoesNotRun {
        /// What it should be.
        role: BinaryRole,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: AskError,
    },
    /// The engine does not give an image.
    #[error("Docker Engine does not give `{reference}`")]
    EngineImage {
        /// The image.
        reference: ImageReference,
        /// What it said.
        #[source]
        source: AskError,
    },
    /// A layout refers to something that no image has.
    #[error("`{}` has `{digest}` of the type `{found}`, which cannot be carried", path.display())]
    MediaType {
        /// The layout's directory.
        path: PathBuf,
        /// What is referred to.
        digest: String,
        /// Its type.
        found: String,
    },
    /// There is no engine, or it does not answer.
    #[error("Docker Engine does not answer")]
    NoEngine {
        /// What `docker version` ended with.
        #[source]
        source: AskError,
    },
    /// None of Kubernetes' programs is there.
    #[error("`{}` should be kubeadm, kubelet or kubectl, or a directory with them; it is {found}", path.display())]
    NoPrograms {
        /// The file or directory.
        path: PathBuf,
        /// What it is.
        found: &'static str,
    },
    /// A file system has no room for what is to be written.
    #[error("there is no room: {} needed, and the file system has {} MB free", listed_needs(needs), free / 1_000_000)]
    NoRoom {
        /// What is to be written there, and where.
        needs: Vec<Need>,
        /// All of it, in bytes.
        needed: u64,
        /// What is free, in bytes.
        free: u64,
    },
    /// An archive or layout does not have the image that was asked for.
    #[error("`{}` does not have {wanted}; it has {}", path.display(), listed(there))]
    NoSuchImage {
        /// The archive or layout.
        path: PathBuf,
        /// What was asked for.
        wanted: String,
        /// What is there.
        there: Vec<String>,
    },
    /// A program does not say a version, so it is another one.
    #[error("{role} `{}` should say its version; it says `{found}`", path.display())]
    NoVersion {
        /// What it should be.
        role: BinaryRole,
        /// The file.
        path: PathBuf,
        /// What it answered.
        found: String,
    },
    /// A directory is no cache of minikube's.
    #[error("`{}` is not a minikube home: it has no `cache/images`, `cache/kic` or `cache/linux`", path.display())]
    NotACache {
        /// The directory.
        path: PathBuf,
    },
    /// A path is no regular file.
    #[error("`{}` should be a file; it is {found}", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What it is.
        found: &'static str,
    },
    /// A directory is no layout.
    #[error("`{}` is not an OCI image layout: it has no `oci-layout`", path.display())]
    NotALayout {
        /// The directory.
        path: PathBuf,
    },
    /// A file is no archive of images.
    #[error("`{}` should be an archive of images; it is {found}", path.display())]
    NotAnArchive {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: String,
    },
    /// The bundle cannot be written where it is to be.
    #[error("cannot write `{}`", path.display())]
    Output {
        /// The bundle.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// It is of another transport.
    #[error("`{}` is {found}", path.display())]
    OtherTransport {
        /// The file or directory.
        path: PathBuf,
        /// What it is.
        found: &'static str,
        /// The transport by which it can be named.
        transport: &'static str,
    },
    /// An image is given for some of the bundle's platforms only.
    #[error("`{reference}` is in `{place}`, and is not given for {platform}")]
    Partial {
        /// The image.
        reference: ImageReference,
        /// Where it is.
        place: String,
        /// What it is not given for.
        platform: Platform,
    },
    /// A file cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// What is needed is not known, or not all there.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// The archives of the engine, or the unpacked ones, cannot be written.
    #[error("cannot write an archive of images on the way, in a directory in `{}`", path.display())]
    Scratch {
        /// The directory around it.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There must be one image, and there are more.
    #[error("`{}` has more than one image: {}", path.display(), listed(there))]
    SeveralImages {
        /// The archive or layout.
        path: PathBuf,
        /// What is there.
        there: Vec<String>,
    },
    /// The caches have node images of several versions.
    #[error("there is more than one node image: {}", listed(there))]
    SeveralNodeImages {
        /// The files.
        there: Vec<String>,
    },
    /// minikube does not tell which image several control planes take.
    #[error("`{}` names {found}", path.display())]
    HighAvailability {
        /// The program.
        path: PathBuf,
        /// What it names.
        found: String,
    },
    /// minikube does not tell which images its network takes.
    #[error("`{}` names {found}", path.display())]
    Network {
        /// The network.
        network: Cni,
        /// The program.
        path: PathBuf,
        /// What it names.
        found: String,
    },
    /// A file ends before what its headers announce.
    #[error("`{}` is cut short: it ends after {found} bytes", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Its size.
        found: u64,
    },
    /// A layer or a header cannot be decoded.
    #[error("`{}` is damaged: `{entry}` cannot be decoded", path.display())]
    Undecodable {
        /// The file.
        path: PathBuf,
        /// What in it.
        entry: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A part does not come from its publisher.
    #[error(transparent)]
    Upstream(#[from] Box<UpstreamError>),
    /// A layout uses another hash than SHA-256.
    #[error("`{}` refers to `{digest}`, which is not a SHA-256 digest", path.display())]
    UnknownDigest {
        /// The layout's directory.
        path: PathBuf,
        /// The digest.
        digest: String,
    },
    /// A layout names what it does not have, as one for several platforms may.
    #[error("`{}` lists an image for {platform}, and does not have its blob `{digest}`", path.display())]
    WithoutBlob {
        /// The layout.
        path: PathBuf,
        /// What the image is for.
        platform: Platform,
        /// What is not there.
        digest: Digest,
    },
    /// An image has no name by which it could be carried, and none was given.
    #[error("the image in `{}` has no name", path.display())]
    WithoutName {
        /// The archive or layout.
        path: PathBuf,
        /// Its transport.
        transport: &'static str,
    },
    /// A layer is not the one that the config lists.
    #[error("`{}` is damaged: the layer `{entry}` has {found}, the image's config says {expected}", path.display())]
    WrongLayer {
        /// The file.
        path: PathBuf,
        /// The layer in it.
        entry: String,
        /// What the config says.
        expected: Digest,
        /// What it is.
        found: Digest,
    },
    /// An image is for another platform.
    #[error(
        "`{reference}` in `{place}` is for {found}, and the bundle is for {}",
        in_words(expected)
    )]
    WrongPlatform {
        /// Where it is.
        place: String,
        /// The image.
        reference: ImageReference,
        /// The bundle's platforms.
        expected: Box<[Platform]>,
        /// The image's.
        found: Platform,
    },
    /// A file is not the program that it should be.
    #[error("{role} `{}` should be a program for {}; it is {found}", path.display(), any_of(expected))]
    WrongProgram {
        /// What it should be.
        role: BinaryRole,
        /// The file.
        path: PathBuf,
        /// The bundle's platforms.
        expected: Vec<Platform>,
        /// What it is.
        found: String,
    },
    /// A program has another version.
    #[error("{role} `{}` should be {expected}; it says `{found}`", path.display())]
    WrongVersion {
        /// What it should be.
        role: BinaryRole,
        /// The file.
        path: PathBuf,
        /// The spec's version.
        expected: Version,
        /// What it answered.
        found: String,
    },
}

impl FetchError {
    pub(super) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read {
            path: path.to_owned(),
            source,
        }
    }

    /// The same about a program that was downloaded from `url`: its file is gone when a
    /// person reads this.
    pub(super) fn naming(mut self, url: Option<&str>) -> Self {
        if let Some(url) = url
            && let Self::DoesNotRun { path, .. }
            | Self::NoVersion { path, .. }
            | Self::WrongVersion { path, .. } = &mut self
        {
            *path = url.into();
        }
        self
    }
}

impl From<UpstreamError> for FetchError {
    fn from(error: UpstreamError) -> Self {
        Self::Upstream(Box::new(error))
    }
}
