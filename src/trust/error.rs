//! Why the keys of this machine cannot be used.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::PublicKeyError;
use crate::bundle::{KeyId, SignatureError};
use crate::explain::{Explain, Explanation, Kind};
use crate::host::{Environment, FileError, LockError};

/// A key, a directory of keys or a statement that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// Another key has this id.
    #[error("`{}` holds another key with the id {key_id}", path.display())]
    Conflict {
        /// The file that is there.
        path: PathBuf,
        /// The id.
        key_id: KeyId,
    },
    /// Keys are pinned there by someone else.
    #[error("this user cannot change the keys in `{}`", directory.display())]
    Denied {
        /// The directory.
        directory: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A file cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file is not a key.
    #[error("`{}` cannot be used as a key", path.display())]
    Key {
        /// The file, or the text that was taken for one.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: PublicKeyError,
    },
    /// Another run changes the keys.
    #[error(transparent)]
    Locked(#[from] LockError),
    /// There is no directory to pin keys in.
    #[error("this user has no directory to pin keys in: `HOME` does not hold an absolute path")]
    NoDirectory,
    /// The key that is named is not pinned.
    #[error("no key {key_id} is pinned in `{}`", directory.display())]
    NotPinned {
        /// The key.
        key_id: KeyId,
        /// Where it was looked for.
        directory: PathBuf,
    },
    /// A newer bundle of this name was started here.
    #[error(
        "this is `{name}` with serial {serial}, and serial {highest} was started here before: nothing was changed"
    )]
    Older {
        /// The bundle's name.
        name: String,
        /// Its serial.
        serial: u64,
        /// The highest serial.
        highest: u64,
    },
    /// A file or directory cannot be read.
    #[error("`{}` cannot be read", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A file revokes something that is no key.
    #[error("`{}` does not name a key that is revoked", path.display())]
    Revocation {
        /// The file.
        path: PathBuf,
        /// What is wrong with its name.
        #[source]
        source: SignatureError,
    },
    /// Nothing says that an older key vouches for a new one.
    #[error("`{}`, the signature of the new key, is not there", path.display())]
    NoStatement {
        /// Where it should be.
        path: PathBuf,
        /// The new key's file.
        key: PathBuf,
    },
    /// A key is revoked here.
    #[error("the key {key_id} is revoked here")]
    Revoked {
        /// The key.
        key_id: KeyId,
    },
    /// The list of serials is none.
    #[error("`{}` is not a list of serials", path.display())]
    Serials {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
    /// A signature file is none.
    #[error("`{}` cannot be used as a signature", path.display())]
    Signature {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: SignatureError,
    },
    /// A new key was not signed with a pinned one.
    #[error("`{}` was not signed with a key that is pinned here: it names {key_id}", path.display())]
    Statement {
        /// The new key's file.
        path: PathBuf,
        /// The key that the signature names.
        key_id: KeyId,
    },
    /// The signature says something else than that the new key follows another.
    #[error("`{}` should say `{expected}`, and says `{found}`: it does not say that this key follows another", path.display())]
    OtherStatement {
        /// The signature.
        path: PathBuf,
        /// The new key's file.
        key: PathBuf,
        /// What its trusted comment should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// Others could have changed it.
    #[error("`{}` (owner {uid}, mode {mode:o}) could have been written by others", path.display())]
    Writable {
        /// The file or directory.
        path: PathBuf,
        /// Its owner.
        uid: u32,
        /// Its permissions.
        mode: u32,
    },
}

impl Explain for TrustError {
    fn explain(&self) -> Explanation {
        let kind = match self {
            Self::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => Kind::Usage,
            Self::Read { source, .. } | Self::Denied { source, .. } => Kind::of_io(source),
            Self::Older { .. } => Kind::Downgrade,
            Self::Revoked { .. }
            | Self::Serials { .. }
            | Self::OtherStatement { .. }
            | Self::Statement { .. }
            | Self::Writable { .. } => Kind::NotAuthentic,
            _ => Kind::Usage,
        };
        let hint = match self {
            Self::File(error) => return error.explain(),
            Self::Locked(error) => return error.explain(),
            Self::Conflict { path, .. } => {
                format!(
                    "compare both keys in full; `{}` can be removed by hand",
                    path.display()
                )
            }
            Self::Denied { directory, .. } => format!(
                "`{}` is root's where it is for everyone: run the same command as root, with `sudo`",
                directory.display()
            ),
            Self::Key { .. } => {
                "give the file that ends in .pub, or its 56 characters; a file that no longer holds a key \
                 must leave the directory before anything is trusted"
                    .to_owned()
            }
            Self::NoStatement { key, .. } => format!(
                "the holder of a key that is pinned here makes it: `minikube-offline sign {} --key OLD.key`; carry \
                 both files",
                key.display()
            ),
            Self::NoDirectory => "set it, or pin for everyone with --system".to_owned(),
            Self::NotPinned { .. } => {
                "`minikube-offline trust list` shows what is pinned; keys for everyone need --system"
                    .to_owned()
            }
            Self::Read { path, source } => unreadable(path, source.kind()),
            Self::Older { .. } => {
                "use the newer bundle; --allow-downgrade starts the older one anyway".to_owned()
            }
            Self::Serials { path, .. } => format!(
                "older bundles are told by it: look at `{}`, and remove it when it was broken by chance",
                path.display()
            ),
            Self::Revocation { path, .. } => format!(
                "its name must be 16 hexadecimal digits and `.revoked`; move `{}` away if it is something else",
                path.display()
            ),
            Self::Revoked { key_id } => format!(
                "use another key; `minikube-offline trust list` names the file `{key_id}.revoked`, which can be removed by hand"
            ),
            Self::Signature { .. } => {
                "sign with minisign 0.10 or newer and without `-l`, or with `minikube-offline sign`"
                    .to_owned()
            }
            Self::OtherStatement { key, expected, .. } => format!(
                "the owner of the older key makes the statement: `minikube-offline sign {0} --key OLD.key`, or with stock \
                 minisign: `minisign -S -s OLD.key -m {0} -t '{expected}'`; carry both files",
                key.display()
            ),
            Self::Statement { .. } => {
                "if the key came by a way that you trust, pin it with `minikube-offline trust add`".to_owned()
            }
            Self::Writable { path, .. } => format!(
                "look at what it holds, then make it yours, or root's, alone: `sudo chown root '{0}'`, \
                 `sudo chmod go-w '{0}'`",
                path.display()
            ),
        };
        kind.hint(hint)
    }
}

/// What to do about a key, or a directory of keys, that cannot be read.
fn unreadable(path: &Path, kind: io::ErrorKind) -> String {
    if let (io::ErrorKind::PermissionDenied, Some(home)) = (kind, foreign_home(path)) {
        return format!(
            "`{}` belongs to another user: set HOME to the directory of the user who runs this, as `sudo -H` does",
            home.display()
        );
    }
    let is_pinned = path.parent().is_some_and(|parent| parent.ends_with("trust.d"));
    match kind {
        io::ErrorKind::NotFound if is_pinned => {
            "nothing is trusted while a link to where nothing is lies among the pinned keys: remove it"
                .to_owned()
        }
        io::ErrorKind::NotFound => {
            "give the path of the key's file, which ends in .pub, or the key's own 56 characters".to_owned()
        }
        io::ErrorKind::PermissionDenied => {
            // Of the directory of keys the one around it may be the reason.
            let around = path.parent().filter(|_| path.ends_with("trust.d"));
            let around = around.map_or_else(String::new, |around| format!(" '{}'", around.display()));
            format!(
                "nothing is trusted until it can be read; public keys are no secret: `sudo chmod a+rX{around} '{}'`",
                path.display()
            )
        }
        io::ErrorKind::IsADirectory if is_pinned => {
            "nothing is trusted while a directory lies among the pinned keys: move it away".to_owned()
        }
        io::ErrorKind::IsADirectory => {
            "it is a directory: give the key's file in it, which ends in .pub".to_owned()
        }
        _ => "nothing is trusted until it can be read".to_owned(),
    }
}

/// The home of this run, where `path` is in it and it is another user's.
fn foreign_home(path: &Path) -> Option<PathBuf> {
    let environment = Environment::of_this_process();
    let home = environment.home().filter(|home| path.starts_with(home))?;
    let owner = home.metadata().ok()?.uid();
    (owner != environment.uid()).then_some(home)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_the_kind_that_fits_it() {
        let path = || PathBuf::from("a.pub");
        let key_id = KeyId::from_bytes([1; 8]);
        let read = |kind: io::ErrorKind| TrustError::Read {
            path: path(),
            source: kind.into(),
        };
        let older = TrustError::Older {
            name: "b".to_owned(),
            serial: 1,
            highest: 2,
        };
        let writable = TrustError::Writable {
            path: path(),
            uid: 0,
            mode: 0o777,
        };
        for (error, kind) in [
            (read(io::ErrorKind::NotFound), Kind::Usage),
            (read(io::ErrorKind::Other), Kind::Io),
            (read(io::ErrorKind::StorageFull), Kind::NoSpace),
            (older, Kind::Downgrade),
            (TrustError::Revoked { key_id }, Kind::NotAuthentic),
            (TrustError::Statement { path: path(), key_id }, Kind::NotAuthentic),
            (writable, Kind::NotAuthentic),
            (TrustError::NoDirectory, Kind::Usage),
        ] {
            let explanation = error.explain();
            assert_eq!(explanation.kind, kind, "{error}");
            assert_eq!(explanation.hints.len(), 1, "{error}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_with_what_helps() {
        for (kind, path, says) in [
            (
                io::ErrorKind::NotFound,
                "a.pub",
                "give the path of the key's file",
            ),
            (io::ErrorKind::IsADirectory, "a.pub", "it is a directory: "),
            (
                io::ErrorKind::NotFound,
                "/x/trust.d/a.pub",
                "lies among the pinned keys: remove it",
            ),
            (
                io::ErrorKind::IsADirectory,
                "/x/trust.d/a.pub",
                "lies among the pinned keys: move it away",
            ),
            (
                io::ErrorKind::Other,
                "a.pub",
                "nothing is trusted until it can be read",
            ),
            (
                io::ErrorKind::PermissionDenied,
                "/x/a.pub",
                "`sudo chmod a+rX '/x/a.pub'`",
            ),
            (
                io::ErrorKind::PermissionDenied,
                "/x/trust.d",
                "`sudo chmod a+rX '/x' '/x/trust.d'`",
            ),
        ] {
            let hint = unreadable(Path::new(path), kind);
            assert!(hint.contains(says), "{kind:?}: {hint}");
        }
        let other = unreadable(Path::new("a.pub"), io::ErrorKind::Other);
        assert_eq!(other, "nothing is trusted until it can be read");
    }
}
