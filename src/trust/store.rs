//! Pinning keys, and letting go of them.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::directory::read_text;
use super::keys::parse_key_argument;
use super::{KeyDirectory, PublicKey, TrustDirectories, TrustError};
use crate::bundle::{KeyId, Signature};
use crate::host::{AtomicFile, FileError, Lock, LockError, sync_directory};

/// A key that is pinned now.
#[derive(Debug)]
pub struct Pinned {
    /// The key.
    pub key: PublicKey,
    /// Its file.
    pub path: PathBuf,
    /// Whether it was pinned before.
    pub already: bool,
    /// Whether its file was written.
    pub changed: bool,
}

/// A key that an older one vouched for.
#[derive(Debug)]
pub struct Rotated {
    /// The key that vouched.
    pub by: KeyId,
    /// Whether both are pinned for everyone.
    pub system: bool,
    /// The new one.
    pub pinned: Pinned,
}

/// Pins a key, given as its file or as itself, in `directory`, unless it is revoked in one
/// of `directories`. Its file says `comment`, where there is one.
pub fn pin(
    directories: &TrustDirectories,
    directory: &KeyDirectory,
    key: &str,
    comment: Option<&str>,
) -> Result<Pinned, TrustError> {
    let key = parse_key_argument(key)?;
    let _lock = open_directory(directory)?;
    let mut pinned = pin_key(directories, directory, key)?;
    if let Some(comment) = comment
        && directory.comment(&pinned.path)?.as_deref() != Some(comment)
    {
        let text = pinned.key.to_file_saying(comment);
        AtomicFile::write(&pinned.path, text.as_bytes(), 0o644)?;
        pinned.changed = true;
    }
    Ok(pinned)
}

/// Revokes the key with `key_id` in `directory`, whether it is pinned or not: nothing that
/// it signed is used from now on, and it cannot be pinned again. Gives the file that says
/// so, and the key files that are gone.
pub fn revoke(directory: &KeyDirectory, key_id: KeyId) -> Result<(PathBuf, Vec<PathBuf>, bool), TrustError> {
    let _lock = open_directory(directory)?;
    let path = directory.revocation(key_id);
    let is_new = path.symlink_metadata().is_err();
    // First, so that a run that is killed here has not just let go of a key.
    AtomicFile::write(&path, b"", 0o644)?;
    let pinned = find(directory, key_id)?;
    for path in &pinned {
        fs::remove_file(path).map_err(FileError::at("removed", path))?;
    }
    sync_directory(directory.path())?;
    let changed = is_new || !pinned.is_empty();
    Ok((path, pinned, changed))
}

/// Takes the key with `key_id` out of `directory`; gives the files that are gone.
pub fn unpin(directory: &KeyDirectory, key_id: KeyId) -> Result<Vec<PathBuf>, TrustError> {
    let found = find(directory, key_id)?;
    if found.is_empty() {
        let directory = directory.path().to_owned();
        return Err(TrustError::NotPinned { key_id, directory });
    }
    let _lock = open_directory(directory)?;
    for path in &found {
        fs::remove_file(path).map_err(FileError::at("removed", path))?;
    }
    sync_directory(directory.path())?;
    Ok(found)
}

/// Pins the key in the file `statement` where the key is pinned that signed it: beside
/// the file lies its signature, `statement.minisig`. The older key stays.
pub fn rotate(directories: &TrustDirectories, statement: &Path) -> Result<Rotated, TrustError> {
    let text = read_text(statement)?;
    let new = PublicKey::parse_file(&text).map_err(|source| TrustError::Key {
        path: statement.to_owned(),
        source,
    })?;
    let mut beside = statement.as_os_str().to_owned();
    beside.push(".minisig");
    let beside = PathBuf::from(beside);
    if let Err(error) = fs::symlink_metadata(&beside)
        && error.kind() == io::ErrorKind::NotFound
    {
        let key = statement.to_owned();
        return Err(TrustError::NoStatement { path: beside, key });
    }
    // What signs is in its lines, and stock minisign does not mind how Windows ends them.
    let signature = Signature::parse_text(&read_text(&beside)?.replace("\r\n", "\n")).map_err(|source| {
        TrustError::Signature {
            path: beside.clone(),
            source,
        }
    })?;
    // The same key signs bundles, and whatever else its owner signs: none of that says that
    // another key follows it.
    let comment = new.statement_comment();
    if signature.trusted_comment() != comment {
        return Err(TrustError::OtherStatement {
            path: beside,
            key: statement.to_owned(),
            expected: comment,
            found: signature.trusted_comment().to_owned(),
        });
    }
    let revoked = directories.revoked()?;
    for directory in directories.iter() {
        let keys = directory.load()?;
        let Some((_, by)) = keys
            .iter()
            .find(|(_, key)| key.has_signed(text.as_bytes(), &comment, &signature))
        else {
            continue;
        };
        let by = by.key_id();
        if revoked.contains(&by) {
            return Err(TrustError::Revoked { key_id: by });
        }
        let _lock = open_directory(directory)?;
        return Ok(Rotated {
            by,
            system: *directory == directories.system,
            pinned: pin_key(directories, directory, new)?,
        });
    }
    Err(TrustError::Statement {
        path: statement.to_owned(),
        key_id: signature.key_id(),
    })
}

fn find(directory: &KeyDirectory, key_id: KeyId) -> Result<Vec<PathBuf>, TrustError> {
    let keys = directory.load()?.into_iter();
    let wanted = keys.filter(|(_, key)| key.key_id() == key_id);
    Ok(wanted.map(|(path, _)| path).collect())
}

fn pin_key(
    directories: &TrustDirectories,
    directory: &KeyDirectory,
    key: PublicKey,
) -> Result<Pinned, TrustError> {
    let key_id = key.key_id();
    if directories.revoked()?.contains(&key_id) {
        return Err(TrustError::Revoked { key_id });
    }
    let pinned = directory.load()?;
    if let Some((path, _)) = pinned.iter().find(|(_, known)| *known == key) {
        return Ok(Pinned {
            key,
            path: path.clone(),
            already: true,
            changed: false,
        });
    }
    if let Some((path, _)) = pinned.into_iter().find(|(_, known)| known.key_id() == key_id) {
        return Err(TrustError::Conflict { path, key_id });
    }
    let path = directory.path().join(format!("{key_id}.pub"));
    AtomicFile::write(&path, key.to_file().as_bytes(), 0o644)?;
    Ok(Pinned {
        key,
        path,
        already: false,
        changed: true,
    })
}

/// Makes the directory where it is not there, and keeps other runs out of it.
fn open_directory(directory: &KeyDirectory) -> Result<Lock, TrustError> {
    let denied = |source: io::Error| TrustError::Denied {
        directory: directory.path().to_owned(),
        source,
    };
    match make(directory.path()) {
        Ok(()) => {}
        Err((_, source)) if source.kind() == io::ErrorKind::PermissionDenied => {
            return Err(denied(source));
        }
        Err((path, source)) => return Err(FileError::at("made", &path)(source).into()),
    }
    match Lock::take(&directory.path().join(".lock")) {
        Err(LockError::Io { source, .. }) if source.kind() == io::ErrorKind::PermissionDenied => {
            Err(denied(source))
        }
        taken => Ok(taken?),
    }
}

/// Makes a directory of keys, and the one around it, so that everyone can read them: root's
/// umask may be for files that are secret, and these are not.
fn make(directory: &Path) -> Result<(), (PathBuf, io::Error)> {
    let around = directory.parent().unwrap_or(directory);
    let above = around.parent().unwrap_or(around);
    let mut recursive = DirBuilder::new();
    recursive.recursive(true).mode(0o755);
    recursive
        .create(above)
        .map_err(|error| (above.to_owned(), error))?;
    for path in [around, directory] {
        let made = match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
            Ok(()) => fs::set_permissions(path, Permissions::from_mode(0o755)),
        };
        made.map_err(|error| (path.to_owned(), error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use minisign::KeyPair;

    struct Place {
        root: tempfile::TempDir,
        directories: TrustDirectories,
        /// How the lines of statements end.
        line_end: &'static str,
    }

    impl Place {
        fn new() -> Self {
            let root = tempfile::tempdir().expect("a directory");
            let uid = rustix::process::geteuid().as_raw();
            let directory = |name: &str| KeyDirectory::new(root.path().join(name).join("trust.d"), uid);
            let directories = TrustDirectories {
                system: directory("system"),
                user: Some(directory("user")),
            };
            Self {
                root,
                directories,
                line_end: "\n",
            }
        }

        fn user(&self) -> &KeyDirectory {
            self.directories.user.as_ref().expect("there")
        }

        fn pin(&self, key: &str) -> Result<Pinned, String> {
            pin(&self.directories, self.user(), key, None).map_err(|error| error.to_string())
        }

        /// A statement of `new`, signed by `by`.
        fn rotate(&self, new: &KeyPair, by: &KeyPair) -> Result<Rotated, String> {
            self.rotate_by(new, by, &parsed(new).statement_comment())
        }

        /// The same, with this trusted comment.
        fn rotate_by(&self, new: &KeyPair, by: &KeyPair, comment: &str) -> Result<Rotated, String> {
            let text = parsed(new).to_file();
            let signature =
                minisign::sign(None, &by.sk, text.as_bytes(), Some(comment), None).expect("signed");
            let statement = self.root.path().join("new.pub");
            fs::write(&statement, text).expect("a file");
            let beside = self.root.path().join("new.pub.minisig");
            fs::write(&beside, signature.to_string().replace('\n', self.line_end)).expect("a file");
            rotate(&self.directories, &statement).map_err(|error| error.to_string())
        }
    }

    fn key() -> KeyPair {
        KeyPair::generate_unencrypted_keypair().expect("a key")
    }

    fn parsed(pair: &KeyPair) -> PublicKey {
        PublicKey::parse_base64(&pair.pk.to_base64()).expect("a key")
    }

    #[test]
    fn a_key_is_pinned_once_and_let_go_of() {
        let (place, [one, other]) = (Place::new(), [key(), key()]);
        let (text, id) = (one.pk.to_base64(), parsed(&one).key_id());
        let first = place.pin(&text).expect("pinned");
        assert!(!first.already && place.pin(&text).expect("there").already);
        assert!(!place.pin(&other.pk.to_base64()).expect("pinned").already);
        assert_eq!(first.path, place.user().path().join(format!("{id}.pub")));
        assert_eq!(place.user().load().expect("two keys").len(), 2);
        let borrowed = PublicKey::of(id, &[9; 32]).expect("a key").to_file();
        let file = place.root.path().join("borrowed.pub");
        fs::write(&file, borrowed).expect("a file");
        let refused = place
            .pin(&file.to_string_lossy())
            .expect_err("its id is another's");
        assert!(refused.contains(&id.to_string()), "{refused}");
        assert_eq!(unpin(place.user(), id).expect("there"), [first.path]);
        assert!(unpin(place.user(), id).is_err());
        let left = place.user().load().expect("one key");
        assert!(left.len() == 1 && left[0].1 == parsed(&other));
    }

    #[test]
    fn a_revoked_key_goes_and_stays_away() {
        let (place, [one, other]) = (Place::new(), [key(), key()]);
        let id = parsed(&one).key_id();
        let pinned = place.pin(&one.pk.to_base64()).expect("pinned").path;
        place.pin(&other.pk.to_base64()).expect("pinned");
        let (says, gone, changed) = revoke(place.user(), id).expect("revoked");
        assert_eq!(says, place.user().path().join(format!("{id}.revoked")));
        assert!(changed && says.is_file() && gone == [pinned]);
        assert_eq!(place.user().load().expect("one key").len(), 1);
        assert!(place.pin(&one.pk.to_base64()).is_err());
        assert!(place.rotate(&one, &other).is_err());
    }

    #[test]
    fn a_new_key_is_pinned_where_the_one_is_that_signed_it() {
        let (place, [old, new, stranger]) = (Place::new(), [key(), key(), key()]);
        place.pin(&stranger.pk.to_base64()).expect("pinned");
        pin(
            &place.directories,
            &place.directories.system,
            &old.pk.to_base64(),
            None,
        )
        .expect("pinned");
        let by_windows = Place {
            line_end: "\r\n",
            ..Place::new()
        };
        by_windows.pin(&old.pk.to_base64()).expect("pinned");
        by_windows.rotate(&new, &old).expect("signed");
        let rotated = place.rotate(&new, &old).expect("signed");
        assert_eq!(rotated.by, parsed(&old).key_id());
        assert_eq!(
            rotated.pinned.path.parent(),
            Some(place.directories.system.path())
        );
        assert!(rotated.system);
        assert_eq!(rotated.pinned.key, parsed(&new));
        let nobody = place.rotate(&stranger, &key()).expect_err("by nobody");
        assert!(
            nobody.contains("was not signed with a key that is pinned here"),
            "{nobody}"
        );
        let statement = place.root.path().join("new.pub");
        fs::remove_file(place.root.path().join("new.pub.minisig")).expect("ours");
        let unsigned = rotate(&place.directories, &statement).expect_err("nobody says so");
        assert!(unsigned.to_string().contains("is not there"), "{unsigned}");
        revoke(&place.directories.system, parsed(&old).key_id()).expect("revoked");
        // A key that is pinned and revoked vouches for nothing.
        fs::write(place.user().path().join("old.pub"), parsed(&old).to_file()).expect("a file");
        let refused = place.rotate(&key(), &old).expect_err("by a revoked key");
        assert!(refused.contains("revoked"), "{refused}");
    }

    #[test]
    fn only_the_statement_for_the_new_key_is_one() {
        let (place, [old, new, other]) = (Place::new(), [key(), key(), key()]);
        place.pin(&old.pk.to_base64()).expect("pinned");
        let beside = place.root.path().join("new.pub.minisig");
        let expected = parsed(&new).statement_comment();
        for comment in [
            "timestamp:1700000000\tfile:vendor.pub\thashed".to_owned(),
            "minikube-offline format 1 bundle minikube-offline-v1.35 1".to_owned(),
            "minikube-offline format 1 index".to_owned(),
            parsed(&other).statement_comment(),
            expected.to_lowercase(),
            format!("{expected} "),
        ] {
            let refused = place.rotate_by(&new, &old, &comment).expect_err(&comment);
            let said = format!(
                "`{}` should say `{expected}`, and says `{comment}`: it does not say that this key follows another",
                beside.display()
            );
            assert_eq!(refused, said);
        }
        // The comment's own signature counts: another signature's half does not do.
        place
            .rotate_by(&new, &old, "something else")
            .expect_err("no statement");
        let text = fs::read_to_string(&beside).expect("a file");
        fs::write(&beside, text.replace("something else", &expected)).expect("a file");
        let forged = rotate(&place.directories, &place.root.path().join("new.pub")).expect_err("forged");
        assert!(
            forged
                .to_string()
                .contains("was not signed with a key that is pinned here"),
            "{forged}"
        );
        place.rotate(&new, &old).expect("the statement");
    }

    /// In the file system of terminals nobody makes a file or directory, not even root.
    #[test]
    fn what_may_not_be_made_is_told_from_what_cannot() {
        let said = |path: &Path| {
            let error = open_directory(&KeyDirectory::new(path.to_owned(), 0)).expect_err("not made");
            error.to_string()
        };
        let terminals = Path::new("/dev/pts");
        if terminals.join("ptmx").exists() {
            for directory in [terminals.join("keys/trust.d"), terminals.to_owned()] {
                let denied = format!("this user cannot change the keys in `{}`", directory.display());
                assert_eq!(said(&directory), denied);
            }
        }
        let place = Place::new();
        let file = place.root.path().join("file");
        fs::write(&file, "").expect("a file");
        assert!(said(&file.join("trust.d")).ends_with("/file/trust.d` cannot be made"));
        fs::create_dir_all(place.user().path().join(".lock")).expect("a directory");
        assert!(!said(place.user().path()).contains("this user"));
    }
}
