//! Why something could not be signed.

use std::io;
use std::path::PathBuf;

use crate::bundle::KeyId;
use crate::explain::{Explain, Explanation, Kind};
use crate::host::{FileError, Interruption, LockError};
use crate::verify::VerifyError;

/// A key that was not made, or a file that was not signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// A key file would be overwritten.
    #[error("`{}` is there already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// What was to be signed is not whole.
    #[error(transparent)]
    Bundle(#[from] VerifyError),
    /// A file cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A signal came.
    #[error(transparent)]
    Interrupted(#[from] Interruption),
    /// The secret key cannot be used.
    #[error("`{}` cannot be used as a secret key: {reason}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A public key lies where a bundle should.
    #[error("`{}` is no bundle: it is the public key {key_id}", path.display())]
    KeyByAnotherName {
        /// The file.
        path: PathBuf,
        /// The key.
        key_id: KeyId,
    },
    /// Another run signs the same file.
    #[error(transparent)]
    Locked(#[from] LockError),
    /// There is nobody to ask for the password.
    #[error("no password: there is no terminal to ask on")]
    NoTerminal {
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The password cannot be used.
    #[error("no password: {reason}")]
    Password {
        /// Why.
        reason: String,
    },
    /// A file cannot be read.
    #[error("`{}` cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The signature that came out does not verify.
    #[error("the signature does not verify with the key that made it")]
    SelfCheck,
    /// What is to be signed is neither a bundle nor a key.
    #[error("`{}` is neither a bundle nor a public key: {reason}", path.display())]
    Unsignable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it as a key.
        reason: String,
    },
    /// The password does not open the key.
    #[error("the password does not open `{}`", path.display())]
    WrongPassword {
        /// The key.
        path: PathBuf,
    },
}

impl Explain for SignError {
    fn explain(&self) -> Explanation {
        let (kind, hint) = match self {
            Self::Bundle(error) => return error.explain(),
            Self::File(error) => return error.explain(),
            Self::Locked(error) => return error.explain(),
            Self::Interrupted(interruption) => {
                return interruption
                    .explain()
                    .hint("run the same command again; what is there is whole");
            }
            Self::Exists { .. } => (
                Kind::Usage,
                "choose another name with -o; a key is never overwritten",
            ),
            Self::Key { .. } => (
                Kind::Usage,
                "give the secret key that `minikube-offline keygen` or `minisign -G` wrote; \
                 `minisign -C -s FILE` gives a key without a password one",
            ),
            Self::KeyByAnotherName { .. } => (
                Kind::Usage,
                "give the bundle; to make this key follow the one that signs give it under a name that \
                 ends in `.pub`",
            ),
            Self::NoTerminal { .. } => (
                Kind::Usage,
                "give the number of an open file descriptor that holds it: --password-fd 3 3<FILE",
            ),
            Self::Password { .. } => (
                Kind::Usage,
                "a password has 1 to 1024 bytes of UTF-8 and ends with its line; one from a file: --password-fd 3 3<FILE",
            ),
            Self::Read { source, .. } => (
                if source.kind() == io::ErrorKind::NotFound {
                    Kind::Usage
                } else {
                    Kind::of_io(source)
                },
                "look at the path, and at who may read it",
            ),
            Self::SelfCheck => (
                Kind::Other,
                "nothing was changed; if the key file is whole, this is a mistake in minikube-offline",
            ),
            Self::Unsignable { .. } => (
                Kind::Usage,
                "give the bundle, or the .pub of the key that follows this one; the secret key that signs stands \
                 behind `--key`",
            ),
            Self::WrongPassword { .. } => (
                Kind::Usage,
                "nothing was changed; try again with the key's own password",
            ),
        };
        kind.hint(hint)
    }
}
