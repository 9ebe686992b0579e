//! Why this program was not replaced.

use std::io;
use std::path::PathBuf;

use crate::bundle::{Digest, DigestError, SignatureError, Version, VersionError};
use crate::explain::{Explain, Explanation, Kind};
use crate::host::{FileError, Interruption, LockError, ProcessError};
use crate::http::HttpError;
use crate::trust::{PublicKeyError, Refusal, TrustError};

/// An update that did not happen; the program is the one that it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateError {
    /// A key that is built in is none.
    #[error("this program was built with a release key that is none")]
    BuiltIn {
        /// What is wrong with it.
        #[source]
        source: PublicKeyError,
    },
    /// A published checksum is none.
    #[error("`{url}` should begin with a SHA-256 digest")]
    Checksum {
        /// Where it is.
        url: String,
        /// What is wrong with it.
        #[source]
        source: DigestError,
    },
    /// A file beside the program cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file did not come.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// This run was told to end.
    #[error(transparent)]
    Interrupted(#[from] Interruption),
    /// The list of releases is none.
    #[error("`{origin}` does not list releases as it should")]
    Listing {
        /// Where it is.
        origin: String,
        /// What is wrong with it.
        #[source]
        source: self_update::Error,
    },
    /// A server names a file of this machine.
    #[error("`{url}` is a file of this machine, and only a directory of this machine may name one")]
    LocalFile {
        /// The file.
        url: String,
    },
    /// Another run replaces the program.
    #[error(transparent)]
    Locked(#[from] LockError),
    /// A release lacks a file.
    #[error("release {version} at `{origin}` has no `{name}`")]
    NoFile {
        /// The release.
        version: Version,
        /// The file.
        name: String,
        /// Where it should be.
        origin: String,
    },
    /// No key says which programs are the project's.
    #[error("no release key is known, so nothing can say who made a release")]
    NoKeys,
    /// There are no releases for this machine.
    #[error("there is no release for this machine's platform")]
    NoPlatform,
    /// There is no such release.
    #[error("there is no release{} at `{origin}`", version.as_ref().map(|version| format!(" {version}")).unwrap_or_default())]
    NoRelease {
        /// The one that was asked for.
        version: Option<Version>,
        /// Where it was looked for.
        origin: String,
    },
    /// The program was not signed with a key that counts.
    #[error("`{url}` is not what a release key signed")]
    NotSigned {
        /// The program.
        url: String,
        /// Why.
        #[source]
        source: Refusal,
    },
    /// The release is older than this program.
    #[error("the {} at `{origin}` is {found}, older than this {current}", if *is_newest { "newest release" } else { "release" })]
    Older {
        /// The release.
        found: Version,
        /// What is there.
        current: Version,
        /// Where the release is.
        origin: String,
        /// Whether there is no newer one.
        is_newest: bool,
    },
    /// The signature is of something else.
    #[error("`{url}` should sign `{expected}`; it signs `{found}`")]
    OtherRelease {
        /// The signature.
        url: String,
        /// What its trusted comment should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The new program says that it is another version.
    #[error("the new program should be `{expected}`; it says that it is `{found}`")]
    OtherVersion {
        /// What it should say.
        expected: String,
        /// What it says.
        found: String,
    },
    /// A file of a mirror on this machine cannot be read.
    #[error("`{url}` cannot be read")]
    Read {
        /// The file.
        url: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A signature file is none.
    #[error("`{url}` cannot be used as a signature")]
    Signature {
        /// The file.
        url: String,
        /// What is wrong with it.
        #[source]
        source: SignatureError,
    },
    /// A key cannot be used.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The new program does not run.
    #[error("release {version} does not run on this machine")]
    Unusable {
        /// The release.
        version: Version,
        /// What it did.
        #[source]
        source: ProcessError,
    },
    /// This user cannot replace the program.
    #[error("`{}` cannot be replaced by this user", program.display())]
    Unwritable {
        /// The program.
        program: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A release has a version that is none.
    #[error("`{origin}` names a release that is none")]
    Version {
        /// Where it is.
        origin: String,
        /// What is wrong with it.
        #[source]
        source: VersionError,
    },
    /// The content is not what was published.
    #[error("`{url}` should have {expected}; it has {found}")]
    WrongDigest {
        /// The file.
        url: String,
        /// What was promised.
        expected: Digest,
        /// What came.
        found: Digest,
    },
}

impl UpdateError {
    /// Whether the server, or the directory, says that there is no such file.
    pub(super) fn is_missing(&self) -> bool {
        match self {
            Self::Http(error) => error.status() == Some(404),
            _ => false,
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Checksum { .. } | Self::WrongDigest { .. } => Kind::Damaged,
            Self::NoKeys | Self::NoPlatform | Self::NoRelease { .. } => Kind::Usage,
            Self::LocalFile { .. }
            | Self::NotSigned { .. }
            | Self::OtherRelease { .. }
            | Self::Signature { .. } => Kind::NotAuthentic,
            Self::NoFile { name, .. } if name.ends_with(".minisig") => Kind::NotAuthentic,
            Self::Older { .. } => Kind::Downgrade,
            Self::Read { .. } | Self::Unwritable { .. } => Kind::Io,
            _ => Kind::Other,
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::Checksum { .. } | Self::WrongDigest { .. } => {
                "nothing was changed; run it again, and when it stays so tell who runs the place: what is \
                 there is not what was published"
            }
            Self::Listing { .. } | Self::NoFile { .. } | Self::Read { .. } | Self::Version { .. } => {
                "nothing was changed; a mirror is a directory with all files of a release page, \
                 `manifest.json` among them"
            }
            Self::BuiltIn { .. } => "build it again with a `packaging/release-keys.txt` that has keys",
            Self::LocalFile { .. } => {
                "nothing was read; tell who runs the place that its list of releases names files of the machines \
                 that read it. Where the mirror is on this machine, name its directory: `--from DIR`"
            }
            Self::NoKeys => {
                "this build has no release key inside: name the one that you trust with `--key FILE`"
            }
            Self::NoPlatform => "build it from its sources",
            Self::NoRelease { .. } => "look at the place with a browser, or leave `--version` away",
            Self::NotSigned { .. } | Self::OtherRelease { .. } | Self::Signature { .. } => {
                "nothing was changed; do not run what is there. When the releases are signed with a key of \
                 your own, name its public half with `--key FILE`"
            }
            Self::Older { .. } => "nothing was changed; `--allow-downgrade` takes it nevertheless",
            Self::OtherVersion { .. } | Self::Unusable { .. } => {
                "the program that was there is there again; tell who made the release"
            }
            Self::Unwritable { .. } => {
                "run it as the user who owns the program (`sudo minikube-offline self-update`), or copy the \
                 program to a directory of your own and update it there"
            }
            Self::File(_) | Self::Http(_) | Self::Interrupted(_) | Self::Locked(_) | Self::Trust(_) => "",
        }
        .to_owned()
    }
}

impl Explain for UpdateError {
    fn explain(&self) -> Explanation {
        match self {
            Self::Http(error) => error.explain(),
            Self::Trust(error) => error.explain(),
            Self::File(error) => error.explain(),
            Self::Interrupted(interruption) => interruption.explain(),
            Self::Locked(error) => error.explain(),
            _ => self.kind().hint(self.hint()),
        }
    }
}
