//! The highest serial of each bundle that a pinned key signed and that was started here.
//! It lies beside the keys and outlasts `uninstall`, so that nobody gets an old bundle
//! with old faults accepted by removing the new one first. A bundle that nobody vouches
//! for leaves no trace in it: its serial may be anybody's.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::{Authenticity, KeyDirectory, TrustDirectories, TrustError};
use crate::host::{AtomicFile, FileError};

/// The highest serials, by the bundles' names.
#[derive(Clone, Debug)]
pub struct Serials {
    path: PathBuf,
    highest: BTreeMap<String, u64>,
}

impl Serials {
    /// Those of this user; `None` where there is no home.
    pub fn load(directories: &TrustDirectories) -> Result<Option<Self>, TrustError> {
        directories.user.as_ref().map(Self::beside).transpose()
    }

    fn beside(keys: &KeyDirectory) -> Result<Self, TrustError> {
        let path = keys.path().with_file_name("serials.json");
        let highest = match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            _ => {
                let text = keys.read_own(&path)?;
                serde_json::from_str(&text).map_err(|source| TrustError::Serials {
                    path: path.clone(),
                    source,
                })?
            }
        };
        Ok(Self { path, highest })
    }

    /// Their file, when there is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        (!self.highest.is_empty()).then_some(self.path.as_path())
    }

    /// Refuses a signed bundle that is older than one of its name that was started here,
    /// unless that is `allowed`.
    pub fn check(
        &self,
        authenticity: &Authenticity,
        name: &str,
        serial: u64,
        allowed: bool,
    ) -> Result<(), TrustError> {
        let signed = matches!(authenticity, Authenticity::Signed(_));
        match self.highest.get(name) {
            Some(highest) if signed && !allowed && *highest > serial => Err(TrustError::Older {
                name: name.to_owned(),
                serial,
                highest: *highest,
            }),
            _ => Ok(()),
        }
    }

    /// Remembers that a bundle was started, when a pinned key signed it.
    pub fn remember(
        &mut self,
        authenticity: &Authenticity,
        name: &str,
        serial: u64,
    ) -> Result<(), TrustError> {
        let Authenticity::Signed(by) = authenticity else {
            return Ok(());
        };
        let known = self.highest.get(name).is_some_and(|highest| *highest >= serial);
        if known || !by.is_pinned() {
            return Ok(());
        }
        self.highest.insert(name.to_owned(), serial);
        let directory = self.path.parent().unwrap_or(Path::new("/"));
        DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(directory)
            .map_err(FileError::at("made", directory))?;
        let mut text = serde_json::json!(self.highest).to_string();
        text.push('\n');
        AtomicFile::write(&self.path, text.as_bytes(), 0o644)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::KeyId;
    use crate::explain::{Explain, Kind};
    use crate::trust::{PublicKey, TrustedKey};

    fn signed(origin: &str) -> Authenticity {
        Authenticity::Signed(TrustedKey {
            key: PublicKey::of(KeyId::from_bytes([1; 8]), &[9; 32]).expect("a key"),
            origin: origin.to_owned(),
        })
    }

    #[test]
    fn only_what_a_pinned_key_signed_is_remembered_and_the_highest_stays() {
        let directory = std::env::temp_dir().join(format!("minikube-offline-serials-{}", std::process::id()));
        let uid = rustix::process::geteuid().as_raw();
        let keys = KeyDirectory::new(directory.join("config/trust.d"), uid);
        let load = || Serials::beside(&keys);
        let nobody = Authenticity::IntegrityOnly { claimed: None };
        for (by, serial) in [(&nobody, 99), (&signed("--key"), 99)] {
            load()
                .expect("none")
                .remember(by, "b", serial)
                .expect("nothing to do");
            assert_eq!(load().expect("none").file(), None, "{by:?}");
        }
        let pinned = signed("/etc/x.pub");
        for serial in [7, 9, 8] {
            load()
                .expect("serials")
                .remember(&pinned, "b", serial)
                .expect("remember");
        }
        let serials = load().expect("serials");
        for (by, name, serial, allowed, refused) in [
            (&pinned, "b", 9, false, false),
            (&pinned, "b", 8, false, true),
            (&pinned, "b", 8, true, false),
            (&signed("--key"), "b", 8, false, true),
            (&nobody, "b", 8, false, false),
            (&pinned, "c", 1, false, false),
        ] {
            let checked = serials.check(by, name, serial, allowed);
            assert_eq!(checked.is_err(), refused, "{by:?} {name} {serial}");
        }
        let refusal = serials.check(&pinned, "b", 8, false).expect_err("older");
        assert_eq!(refusal.explain().kind, Kind::Downgrade);
        let file = directory.join("config/serials.json");
        assert_eq!(serials.file(), Some(file.as_path()));
        let mut directories = TrustDirectories {
            system: keys.clone(),
            user: None,
        };
        assert!(Serials::load(&directories).expect("no home").is_none());
        directories.user = Some(keys.clone());
        let loaded = Serials::load(&directories).expect("serials").expect("a home");
        assert_eq!(loaded.highest, serials.highest);
        let no_directory = KeyDirectory::new(file.join("trust.d"), uid);
        assert!(Serials::beside(&no_directory).is_err(), "a file is no directory");
        fs::write(directory.join("config/serials.json"), "{").expect("break");
        assert!(load().is_err(), "what cannot be read is no empty list");
        fs::remove_dir_all(directory).expect("clean up");
    }
}
