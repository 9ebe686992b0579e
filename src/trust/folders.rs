//! Which folders of pinned keys count, and for whom.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use super::{KeyFolder, TrustError};
use crate::bundle::KeyId;
use crate::host::{Environment, existing_ancestor};

/// Where the administrator pins keys for everyone.
const SYSTEM: &str = "/etc/minikube-offline/trust.d";

/// The folders of pinned keys that count for one user.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TrustFolders {
    /// For everyone on this machine.
    pub system: KeyFolder,
    /// For this user alone; `None` when there is no home.
    pub user: Option<KeyFolder>,
}

impl TrustFolders {
    /// The folders for the user that `environment` is of.
    #[must_use]
    pub fn of(environment: &Environment) -> Self {
        let folder = |path| KeyFolder::new(path, environment.uid());
        Self {
            system: folder(PathBuf::from(SYSTEM)),
            user: user_config(environment).map(|config| folder(config.join("minikube-offline/trust.d"))),
        }
    }

    /// Both.
    pub fn iter(&self) -> impl Iterator<Item = &KeyFolder> {
        [&self.system].into_iter().chain(&self.user)
    }

    /// The keys that were revoked in either.
    pub fn revoked(&self) -> Result<BTreeSet<KeyId>, TrustError> {
        let mut all = BTreeSet::new();
        for folder in self.iter() {
            all.extend(folder.revoked()?.into_iter().map(|(_, key_id)| key_id));
        }
        Ok(all)
    }
}

/// The user's configuration. Root takes none out of another user's home, which is what
/// `sudo` may leave in the variables, but root's own.
fn user_config(environment: &Environment) -> Option<PathBuf> {
    let from_variables = environment
        .absolute_path("XDG_CONFIG_HOME")
        .or_else(|| environment.home().map(|home| home.join(".config")));
    if !environment.is_root() {
        return from_variables;
    }
    let of_root = |path: &PathBuf| fs::metadata(existing_ancestor(path)).is_ok_and(|facts| facts.uid() == 0);
    from_variables.filter(of_root).or_else(|| {
        let passwd = fs::read_to_string("/etc/passwd").ok()?;
        Some(home_of_root(&passwd)?.join(".config"))
    })
}

/// Source: passwd(5).
fn home_of_root(passwd: &str) -> Option<PathBuf> {
    let fields = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let mut homes = fields.filter(|fields| fields.get(2) == Some(&"0"));
    let home = PathBuf::from(homes.next()?.get(5)?);
    home.is_absolute().then_some(home)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn a_user_has_the_systems_folder_and_an_own_one() {
        let of = |variables: &[(&str, &str)], uid| {
            let folders = TrustFolders::of(&Environment::of(variables, uid));
            assert_eq!(folders.system.path(), Path::new("/etc/minikube-offline/trust.d"));
            folders.user.map(|folder| folder.path().display().to_string())
        };
        assert_eq!(
            of(&[("HOME", "/home/ann")], 1000).as_deref(),
            Some("/home/ann/.config/minikube-offline/trust.d")
        );
        assert_eq!(
            of(&[("HOME", "/home/ann"), ("XDG_CONFIG_HOME", "/c")], 1000).as_deref(),
            Some("/c/minikube-offline/trust.d")
        );
        assert_eq!(of(&[("XDG_CONFIG_HOME", "relative")], 1000), None);
        assert_eq!(of(&[], 1000), None);
    }

    #[test]
    fn root_takes_no_keys_from_another_users_home() {
        // Folders of root's, and one of another user's where the test may make one.
        let root = tempfile::tempdir().expect("a folder");
        let path = root.path().to_owned();
        let path_text = path.to_str().expect("UTF-8");
        let found = user_config(&Environment::of(&[("HOME", path_text)], 0));
        let owned_by_root = fs::metadata(&path).expect("there").uid() == 0;
        assert_eq!(found == Some(path.join(".config")), owned_by_root);
        if std::os::unix::fs::chown(&path, Some(1), Some(1)).is_ok() {
            assert_ne!(
                user_config(&Environment::of(&[("HOME", path_text)], 0)),
                Some(path.join(".config"))
            );
        }
        assert_eq!(
            home_of_root("ann:x:1000:1000::/home/ann:/bin/sh\nroot:x:0:0:root:/root:/bin/sh\n"),
            Some(PathBuf::from("/root"))
        );
        for passwd in ["", "root:x:0:0", "root:x:0:0:root:relative:/bin/sh"] {
            assert_eq!(home_of_root(passwd), None, "{passwd}");
        }
    }
}
