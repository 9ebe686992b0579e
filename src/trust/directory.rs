//! A directory in which keys are pinned, and the keys in it.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{PublicKey, TrustError};
use crate::bundle::{KeyId, limits};
use crate::host::open_regular;
use crate::host::{Reason, Trusted};

/// The largest file of this program's own.
const OWN_BYTES: usize = 1 << 20;

/// How the name of a file ends that revokes a key.
const REVOKED: &str = "revoked";

/// A directory of key files. One that is not there, or is empty, pins nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyDirectory {
    path: PathBuf,
    uid: u32,
}

impl KeyDirectory {
    /// The directory `path`, as user `uid` may trust it.
    #[must_use]
    pub fn new(path: PathBuf, uid: u32) -> Self {
        Self { path, uid }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The keys in the files `*.pub`, or `*.PUB`, by file name; the first file that is not a key,
    /// cannot be read, or could have been written by someone else is an error.
    pub fn load(&self) -> Result<Vec<(PathBuf, PublicKey)>, TrustError> {
        let files = self.files("pub")?.into_iter();
        files
            .map(|path| self.load_key(&path).map(|key| (path, key)))
            .collect()
    }

    /// The keys that were revoked here, each with the file `ID.revoked` that says so. What
    /// is in it does not matter; a name that is no id is an error, as it was meant to be
    /// one.
    pub fn revoked(&self) -> Result<Vec<(PathBuf, KeyId)>, TrustError> {
        let files = self.files(REVOKED)?.into_iter();
        files
            .map(|path| {
                self.check_owner(&path, &open_key(&path)?.1)?;
                let name = path.file_stem().unwrap_or_default().to_string_lossy();
                match name.parse() {
                    Ok(key_id) => Ok((path, key_id)),
                    Err(source) => Err(TrustError::Revocation { path, source }),
                }
            })
            .collect()
    }

    /// Where it is said that `key_id` is revoked.
    #[cfg(feature = "packager")]
    pub(super) fn revocation(&self, key_id: KeyId) -> PathBuf {
        self.path.join(format!("{key_id}.{REVOKED}"))
    }

    /// What the key file `path` says of its key.
    #[cfg(feature = "packager")]
    pub fn comment(&self, path: &Path) -> Result<Option<String>, TrustError> {
        Ok(PublicKey::comment_in(&self.read_own(path)?).map(str::to_owned))
    }

    /// The files with this extension, by name.
    fn files(&self, wanted: &str) -> Result<Vec<PathBuf>, TrustError> {
        let read = |source| TrustError::Read {
            path: self.path.clone(),
            source,
        };
        self.check_parent()?;
        let entries = match fs::read_dir(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return self.nothing_pinned(),
            entries => entries.map_err(read)?,
        };
        self.check_owner(&self.path, &fs::metadata(&self.path).map_err(read)?)?;
        self.check_way(&self.path)?;
        let mut files = Vec::new();
        for entry in entries {
            let path = entry.map_err(read)?.path();
            // A stick may have made `KEY.PUB` of it; not to see that would trust anything.
            if path
                .extension()
                .is_some_and(|extension| extension.eq_ignore_ascii_case(wanted))
            {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }

    /// The text of a small file that only this user, or root, could have written.
    pub(super) fn read_own(&self, path: &Path) -> Result<String, TrustError> {
        let (file, facts) = open_key(path)?;
        self.check_owner(path, &facts)?;
        read_limited(path, file, OWN_BYTES)
    }

    /// A dangling link is a directory that someone meant to be there.
    fn nothing_pinned(&self) -> Result<Vec<PathBuf>, TrustError> {
        if fs::symlink_metadata(&self.path).is_ok() {
            return Err(TrustError::Read {
                path: self.path.clone(),
                source: io::ErrorKind::NotFound.into(),
            });
        }
        self.check_way(self.path.parent().unwrap_or(&self.path))?;
        Ok(Vec::new())
    }

    /// Whoever can exchange a directory further up can put others in the place of all keys, or none.
    fn check_way(&self, path: &Path) -> Result<(), TrustError> {
        let Err(refused) = Trusted::by(self.uid).require("the directory of keys", path) else {
            return Ok(());
        };
        match refused.why {
            Reason::Owner { path, uid } => {
                let mode = fs::symlink_metadata(&path).map_or(0, |facts| facts.mode() & 0o7777);
                Err(TrustError::Writable { path, uid, mode })
            }
            Reason::Writable { path, uid, mode, .. } => Err(TrustError::Writable { path, uid, mode }),
            // Who makes it pins nothing: it must be this user's.
            _ => Ok(()),
        }
    }

    fn load_key(&self, path: &Path) -> Result<PublicKey, TrustError> {
        let (file, facts) = open_key(path)?;
        self.check_owner(path, &facts)?;
        parse_key(path, file)
    }

    /// Whoever else can write the directory around it can put another in its place, or none.
    /// Where the sticky bit keeps them from that, as in `/tmp`, they may.
    fn check_parent(&self) -> Result<(), TrustError> {
        const STICKY: u32 = 0o1000;
        match self.path.parent().map(|parent| (parent, fs::metadata(parent))) {
            Some((parent, Ok(facts))) if facts.mode() & STICKY == 0 => self.check_owner(parent, &facts),
            // Without it there is no directory of keys either; what else is wrong with it, the
            // directory shows, too.
            _ => Ok(()),
        }
    }

    /// Whoever else can write a key file can unpin a key, or pin one.
    fn check_owner(&self, path: &Path, facts: &Metadata) -> Result<(), TrustError> {
        let ours = facts.uid() == 0 || facts.uid() == self.uid;
        if ours && facts.mode() & 0o022 == 0 {
            return Ok(());
        }
        Err(TrustError::Writable {
            path: path.to_owned(),
            uid: facts.uid(),
            mode: facts.mode() & 0o7777,
        })
    }
}

/// The key in the file `path`, which someone named.
pub(super) fn load_key_file(path: &Path) -> Result<PublicKey, TrustError> {
    parse_key(path, open_key(path)?.0)
}

/// The text of a small file.
#[cfg(feature = "packager")]
pub(super) fn read_text(path: &Path) -> Result<String, TrustError> {
    read_limited(path, open_key(path)?.0, limits::KEY_TEXT_BYTES)
}

/// Opens a regular file; gives what the system says of it, too.
fn open_key(path: &Path) -> Result<(File, Metadata), TrustError> {
    open_regular(path).map_err(|source| TrustError::Read {
        path: path.to_owned(),
        source,
    })
}

fn parse_key(path: &Path, file: File) -> Result<PublicKey, TrustError> {
    PublicKey::parse_file(&read_limited(path, file, limits::KEY_TEXT_BYTES)?).map_err(|source| {
        TrustError::Key {
            path: path.to_owned(),
            source,
        }
    })
}

/// At most one byte more than `limit`: a parser refuses that.
fn read_limited(path: &Path, file: File, limit: usize) -> Result<String, TrustError> {
    let mut bytes = Vec::new();
    file.take(limit as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| TrustError::Read {
            path: path.to_owned(),
            source,
        })?;
    // What is no UTF-8 is no key either, and says so.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::PublicKeyError;
    use std::os::unix::fs::{PermissionsExt, symlink};

    const KEY: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";

    fn place(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("minikube-offline-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a directory");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("ours");
        path
    }

    fn directory(path: &Path) -> KeyDirectory {
        KeyDirectory::new(path.to_owned(), rustix::process::geteuid().as_raw())
    }

    fn write(path: &Path, text: &str, mode: u32) {
        fs::write(path, text).expect("a file");
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("ours");
    }

    #[test]
    fn an_absent_and_an_empty_directory_pin_nothing() {
        let path = place("trust-empty");
        assert!(directory(&path).load().expect("empty").is_empty());
        write(&path.join("README"), "no key\n", 0o644);
        assert!(directory(&path).load().expect("no *.pub").is_empty());
        assert!(directory(&path.join("no")).load().expect("absent").is_empty());
        fs::remove_dir_all(path).expect("clean up");
    }

    #[test]
    fn every_file_that_is_not_a_readable_key_is_named() {
        let path = place("trust-bad");
        write(&path.join("a.pub"), KEY, 0o644);
        assert_eq!(directory(&path).load().expect("one key").len(), 1);
        let bad = path.join("b.pub");
        let huge = "x".repeat(1 << 20);
        // A key in as many bytes as can be, and one more.
        let comment = "x".repeat(limits::KEY_TEXT_BYTES - KEY.len() - 20);
        let most = format!("untrusted comment: {comment}\n{KEY}");
        write(&bad, &most, 0o644);
        assert_eq!(directory(&path).load().expect("two keys").len(), 2);
        for text in [
            "",
            "garbage\n",
            &huge,
            &format!("{most}\n"),
            &format!("{KEY}\n{KEY}\n"),
        ] {
            write(&bad, text, 0o644);
            let error = directory(&path).load().expect_err("a bad key");
            assert!(matches!(&error, TrustError::Key { path, source: PublicKeyError::Form } if *path == bad));
        }
        for mode in [0o666, 0o664] {
            write(&bad, KEY, mode);
            let error = directory(&path).load().expect_err("others can write it");
            assert!(
                matches!(&error, TrustError::Writable { path, mode: found, .. } if *path == bad && *found == mode),
                "{error}"
            );
        }
        fs::remove_file(&bad).expect("ours");
        symlink("nowhere", &bad).expect("a link");
        assert!(matches!(directory(&path).load(), Err(TrustError::Read { path, .. }) if path == bad));
        fs::remove_file(&bad).expect("ours");
        fs::create_dir(&bad).expect("a directory");
        assert!(matches!(directory(&path).load(), Err(TrustError::Read { path, .. }) if path == bad));
        fs::remove_dir(&bad).expect("ours");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).expect("ours");
        assert!(matches!(
            directory(&path).load(),
            Err(TrustError::Writable { .. })
        ));
        fs::remove_dir_all(&path).expect("clean up");
        symlink("nowhere", &path).expect("a link");
        assert!(
            matches!(directory(&path).load(), Err(TrustError::Read { .. })),
            "a dangling link"
        );
        fs::remove_file(path).expect("clean up");
    }

    #[test]
    fn a_key_is_seen_whatever_the_case_of_its_names_end() {
        let path = place("trust-case");
        write(&path.join("KEY.PUB"), KEY, 0o644);
        assert_eq!(directory(&path).load().expect("one key").len(), 1);
        write(&path.join("E7620F1842B4E81F.REVOKED"), "", 0o644);
        assert_eq!(directory(&path).revoked().expect("one key").len(), 1);
        fs::remove_dir_all(path).expect("clean up");
    }

    #[test]
    fn the_directory_around_the_keys_is_nobody_elses_either() {
        let around = place("trust-around");
        let path = around.join("trust.d");
        for there in [false, true] {
            if there {
                fs::create_dir(&path).expect("ours");
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("ours");
            }
            for (mode, accepted) in [(0o755, true), (0o775, false), (0o777, false), (0o1777, true)] {
                fs::set_permissions(&around, fs::Permissions::from_mode(mode)).expect("ours");
                let loaded = directory(&path).load();
                assert_eq!(loaded.is_ok(), accepted, "{there} {mode:o}: {loaded:?}");
                if let Err(error) = loaded {
                    assert!(matches!(error, TrustError::Writable { path, .. } if path == around));
                }
            }
        }
        fs::remove_dir_all(around).expect("clean up");
    }

    #[test]
    fn anothers_keys_are_refused() {
        let path = place("trust-other");
        write(&path.join("a.pub"), KEY, 0o644);
        let owner = fs::metadata(&path).expect("there").uid();
        let other = KeyDirectory::new(path.clone(), owner + 1);
        // Root's are everyone's.
        assert_eq!(other.load().is_ok(), owner == 0);
        // Where the test may give it away, one's own is taken, and no one else's.
        if std::os::unix::fs::chown(path.join("a.pub"), Some(7), None).is_ok() {
            assert!(KeyDirectory::new(path.clone(), 7).load().is_ok());
            assert!(KeyDirectory::new(path.clone(), 8).load().is_err());
        }
        let file = KeyDirectory::new(path.join("a.pub"), owner);
        let error = file.load().expect_err("no directory");
        assert!(
            matches!(&error, TrustError::Read { source, .. } if source.kind() == io::ErrorKind::NotADirectory),
            "{error:?}"
        );
        fs::remove_dir_all(path).expect("clean up");
    }
}
