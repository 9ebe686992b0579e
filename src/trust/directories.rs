//! Which directories of pinned keys count, and for whom.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{KeyDirectory, TrustError};
use crate::bundle::KeyId;
use crate::host::{Accounts, Environment, Reason, Trusted};

/// Where the administrator pins keys for everyone.
const SYSTEM: &str = "/etc/minikube-offline/trust.d";

/// The directories of pinned keys that count for one user.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TrustDirectories {
    /// For everyone on this machine.
    pub system: KeyDirectory,
    /// For this user alone; `None` when there is no home.
    pub user: Option<KeyDirectory>,
}

impl TrustDirectories {
    /// The directories for the user that `environment` is of.
    #[must_use]
    pub fn of(environment: &Environment) -> Self {
        let directory = |path| KeyDirectory::new(path, environment.uid());
        Self {
            system: directory(PathBuf::from(SYSTEM)),
            user: user_config(environment).map(|config| directory(keys_in(&config))),
        }
    }

    /// Both.
    pub fn iter(&self) -> impl Iterator<Item = &KeyDirectory> {
        [&self.system].into_iter().chain(&self.user)
    }

    /// The keys that were revoked in either.
    pub fn revoked(&self) -> Result<BTreeSet<KeyId>, TrustError> {
        let mut all = BTreeSet::new();
        for directory in self.iter() {
            all.extend(directory.revoked()?.into_iter().map(|(_, key_id)| key_id));
        }
        Ok(all)
    }
}

/// The user's configuration: below the home that is written down for the user, which no variable of
/// a run changes. Another one, that variables name, counts where nothing is pinned in that, nor for
/// everyone; of root's run only where nobody else can change it.
fn user_config(environment: &Environment) -> Option<PathBuf> {
    let named = environment
        .absolute_path("XDG_CONFIG_HOME")
        .or_else(|| environment.home().map(|home| home.join(".config")));
    let home = Accounts::of_this_machine().home(environment.uid());
    let trusted = |path: &Path| !environment.is_root() || Trusted::by(0).holds(path);
    // Where others can take keys away, their absence says nothing: what is wrong is said when it is read.
    let exposed = |keys: &Path| {
        let way = Trusted::by(environment.uid()).require("the directory of keys", keys);
        way.is_err_and(|error| matches!(error.why, Reason::Owner { .. } | Reason::Writable { .. }))
    };
    let pinned = |config: &Path| {
        let keys = keys_in(config);
        pins(Path::new(SYSTEM)) || pins(&keys) || exposed(&keys)
    };
    chosen(named, home.map(|home| home.join(".config")), trusted, pinned)
}

fn chosen(
    named: Option<PathBuf>,
    of_account: Option<PathBuf>,
    trusted: impl Fn(&Path) -> bool,
    pinned: impl Fn(&Path) -> bool,
) -> Option<PathBuf> {
    let named = named.filter(|named| trusted(named));
    match of_account {
        Some(of_account) if named.is_none() || pinned(&of_account) => Some(of_account),
        _ => named,
    }
}

fn keys_in(config: &Path) -> PathBuf {
    config.join("minikube-offline/trust.d")
}

/// Whether something is said there about keys, or beside them about bundles. What cannot be listed
/// says so where it is read.
fn pins(directory: &Path) -> bool {
    let says = |name: &OsStr| {
        let kind = Path::new(name).extension();
        kind.is_some_and(|kind| kind.eq_ignore_ascii_case("pub") || kind.eq_ignore_ascii_case("revoked"))
    };
    let listed = match fs::read_dir(directory) {
        Ok(mut entries) => entries.any(|entry| entry.is_ok_and(|entry| says(&entry.file_name()))),
        // A home that this user cannot come to is not its own.
        Err(error) => !matches!(
            error.kind(),
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::PermissionDenied
        ),
    };
    listed || directory.with_file_name("serials.json").exists()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    /// A user whom no machine has.
    const NOBODY: u32 = 4_000_000_001;

    #[test]
    fn a_user_has_the_systems_directory_and_an_own_one() {
        let of = |variables: &[(&str, &str)], uid| {
            let directories = TrustDirectories::of(&Environment::of(variables, uid));
            assert_eq!(
                directories.system.path(),
                Path::new("/etc/minikube-offline/trust.d")
            );
            directories
                .user
                .map(|directory| directory.path().display().to_string())
        };
        assert_eq!(
            of(&[("HOME", "/home/ann")], NOBODY).as_deref(),
            Some("/home/ann/.config/minikube-offline/trust.d")
        );
        assert_eq!(
            of(&[("HOME", "/home/ann"), ("XDG_CONFIG_HOME", "/c")], NOBODY).as_deref(),
            Some("/c/minikube-offline/trust.d")
        );
        assert_eq!(of(&[("XDG_CONFIG_HOME", "relative")], NOBODY), None);
        assert_eq!(of(&[], NOBODY), None);
    }

    #[test]
    fn root_takes_no_keys_from_another_users_home() {
        // Directories of root's, and one of another user's where the test may make one.
        let root = tempfile::tempdir().expect("a directory");
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
    }

    #[test]
    fn variables_choose_keys_only_where_none_are_pinned() {
        let (named, account) = (
            || Some(PathBuf::from("/opt")),
            || Some(PathBuf::from("/root/.config")),
        );
        let choose = |named, account, trusted, pinned| chosen(named, account, |_| trusted, |_| pinned);
        assert_eq!(choose(named(), account(), true, false), named());
        assert_eq!(choose(named(), account(), true, true), account());
        assert_eq!(choose(named(), account(), false, false), account());
        assert_eq!(choose(None, account(), true, false), account());
        // A user whom the machine's files do not have.
        assert_eq!(choose(named(), None, true, true), named());
        assert_eq!(choose(named(), None, false, true), None);
    }

    #[test]
    fn a_directory_with_a_key_or_a_serial_pins() {
        let around = tempfile::tempdir().expect("a directory");
        let directory = around.path().join("trust.d");
        assert!(!pins(&directory));
        fs::create_dir(&directory).expect("ours");
        fs::write(directory.join("README"), "").expect("a file");
        assert!(!pins(&directory));
        for name in [
            "trust.d/a.PUB",
            "trust.d/E7620F1842B4E81F.revoked",
            "serials.json",
        ] {
            fs::write(around.path().join(name), "").expect("a file");
            assert!(pins(&directory), "{name}");
            fs::remove_file(around.path().join(name)).expect("ours");
        }
    }
}
