//! The variables and the user that this run has.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::{Trusted, UntrustedPath};

/// What names directories and files that programs of a run read, write or run.
const PATHS: [&str; 9] = [
    "HOME",
    "DOCKER_CONFIG",
    "KUBECONFIG",
    "MINIKUBE_HOME",
    "TMPDIR",
    "XDG_BIN_HOME",
    "XDG_CACHE_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
];

/// What root's run goes without where it is another user's: a plain `su` keeps it.
const LEFT_OUT: [&str; 2] = ["XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"];

/// What Docker's client and kubectl run, or take programs from, below the directory that is theirs.
/// Source: docker/cli v28, `cli-plugins/manager`, `cli/config`; client-go v0.34, `clientcmd`.
const BELOW: [(&str, &str, &[&str]); 2] = [
    (
        "DOCKER_CONFIG",
        ".docker",
        &["config.json", "cli-plugins", "contexts"],
    ),
    ("KUBECONFIG", ".kube", &["config", "kuberc"]),
];

/// A snapshot of the environment, so that what depends on it can be tested.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    variables: BTreeMap<OsString, OsString>,
    uid: u32,
}

impl Environment {
    /// The environment of this process.
    #[must_use]
    pub fn of_this_process() -> Self {
        static OF_THIS_PROCESS: OnceLock<Environment> = OnceLock::new();
        let read = || {
            let mut environment = Self {
                variables: std::env::vars_os().collect(),
                uid: rustix::process::geteuid().as_raw(),
            };
            if environment.is_root() {
                environment.leave_out(&Trusted::by(0));
            }
            environment
        };
        OF_THIS_PROCESS.get_or_init(read).clone()
    }

    /// Drops what root's run goes without where it is another user's, and such directories of PATH.
    fn leave_out(&mut self, trusted: &Trusted) {
        for name in LEFT_OUT {
            if self.absolute_path(name).is_some_and(|path| !trusted.holds(&path)) {
                self.variables.remove(OsStr::new(name));
            }
        }
        if let Some(path) = self.variable("PATH") {
            // An empty one is the working directory, and a relative one is below it.
            let kept = std::env::split_paths(path).filter(|path| path.is_absolute() && trusted.holds(path));
            if let Ok(kept) = std::env::join_paths(kept) {
                self.variables.insert("PATH".into(), kept);
            }
        }
    }

    /// What programs that this run starts have otherwise than this process: `None` is a variable
    /// that they do not have.
    pub(super) fn changes(&self) -> Vec<(&'static str, Option<&OsStr>)> {
        let names = LEFT_OUT.into_iter().chain(["PATH"]);
        let own = |name: &'static str| {
            (
                name,
                self.variables.get(OsStr::new(name)).map(OsString::as_os_str),
            )
        };
        names
            .map(own)
            .filter(|(name, value)| std::env::var_os(name).as_deref() != *value)
            .collect()
    }

    /// Root's run uses no path of its variables that another user can change; who else runs this
    /// may have arranged it so.
    pub fn require_own_paths(&self) -> Result<(), UntrustedPath> {
        if !self.is_root() {
            return Ok(());
        }
        let trusted = Trusted::by(self.uid);
        for name in PATHS {
            let what = format!("the variable {name}");
            for path in self.paths_of(name) {
                trusted.require(&what, &path)?;
            }
        }
        for (name, directory, inside) in BELOW {
            let at_home = self.home().map(|home| home.join(directory));
            let chosen = if name == "DOCKER_CONFIG" {
                self.paths_of(name)
            } else {
                Vec::new()
            };
            for directory in chosen.into_iter().chain(at_home) {
                for name in inside {
                    trusted.require_tree("the configuration", &directory.join(name))?;
                }
            }
        }
        Ok(())
    }

    fn paths_of(&self, name: &str) -> Vec<PathBuf> {
        match self.variable(name) {
            None => Vec::new(),
            // The only one that is a list. Source: client-go v0.34, `clientcmd.NewDefaultClientConfigLoadingRules`.
            Some(list) if name == "KUBECONFIG" => std::env::split_paths(list)
                .filter(|path| !path.as_os_str().is_empty())
                .collect(),
            Some(path) => vec![Path::new(path).to_owned()],
        }
    }

    /// An environment of these variables, for user `uid`.
    #[must_use]
    pub fn of(variables: &[(&str, &str)], uid: u32) -> Self {
        Self {
            variables: variables
                .iter()
                .map(|(name, value)| (OsString::from(name), OsString::from(value)))
                .collect(),
            uid,
        }
    }

    /// A variable that is set and not empty.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&OsStr> {
        self.variables
            .get(OsStr::new(name))
            .map(OsString::as_os_str)
            .filter(|value| !value.is_empty())
    }

    /// The variables whose names begin with `prefix`, that are set and not empty.
    pub fn with_prefix(&self, prefix: &str) -> impl Iterator<Item = (String, &OsStr)> {
        let named = self.variables.iter().filter(|(_, value)| !value.is_empty());
        let text = named.filter_map(|(name, value)| Some((name.to_str()?.to_owned(), value.as_os_str())));
        text.filter(move |(name, _)| name.starts_with(prefix))
    }

    /// A variable that holds an absolute path; the XDG base directory spec wants
    /// others ignored.
    #[must_use]
    pub fn absolute_path(&self, name: &str) -> Option<PathBuf> {
        self.variable(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    }

    /// The user's home.
    #[must_use]
    pub fn home(&self) -> Option<PathBuf> {
        self.absolute_path("HOME")
    }

    /// The directories in which programs are looked for.
    #[must_use]
    pub fn path_directories(&self) -> Vec<PathBuf> {
        self.variable("PATH")
            .map(|path| std::env::split_paths(path).collect())
            .unwrap_or_default()
    }

    /// The effective user id.
    #[must_use]
    pub fn uid(&self) -> u32 {
        self.uid
    }

    /// Whether this run is root's.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.uid == 0
    }
}
