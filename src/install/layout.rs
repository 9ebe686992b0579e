//! Where things go on the machine. Nothing from a bundle takes part in a path here
//! but validated versions, references, roles and names.

use std::path::{Path, PathBuf};

use crate::bundle::{BinaryRole, FilePart, FileRole};
use crate::explain::{Explain, Explanation, Kind};
use crate::host::{Environment, Trusted, UntrustedPath};
use crate::minikube::{Cache, dot_minikube};

/// The directories of one user.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Layout {
    /// minikube's own directory, which ends in `.minikube`.
    pub minikube_home: PathBuf,
    /// Whether it is the one that a bare `minikube` uses, too.
    pub minikube_home_is_default: bool,
    /// Journal and lock.
    pub state: PathBuf,
    /// The programs.
    pub programs: PathBuf,
    /// The files of whoever packed a bundle, in a directory for each bundle's name.
    pub own_files: PathBuf,
    /// Where links to the programs make them commands.
    pub links: PathBuf,
}

/// A user without directories.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// There is no home.
    #[error("the variable `HOME` does not hold an absolute path")]
    Home,
    /// The directory for minikube is relative.
    #[error("the minikube home `{path}` is not an absolute path")]
    MinikubeHome {
        /// The directory that was asked for.
        path: PathBuf,
    },
}

impl Explain for LayoutError {
    fn explain(&self) -> Explanation {
        let hint = match self {
            Self::Home => "set it: `HOME=/root` for root, `HOME=/home/NAME` for others",
            Self::MinikubeHome { .. } => "give the whole path, from `/` on",
        };
        Kind::Usage.hint(hint)
    }
}

impl Layout {
    /// The directories of the user that `environment` is of; `minikube_home` replaces the
    /// variable `MINIKUBE_HOME`.
    pub fn of(environment: &Environment, minikube_home: Option<&Path>) -> Result<Self, LayoutError> {
        let home = environment.home().ok_or(LayoutError::Home)?;
        let xdg = |name: &str, default: &str| {
            environment
                .absolute_path(name)
                .unwrap_or_else(|| home.join(default))
                .join("minikube-offline")
        };
        let from_variable = environment.variable("MINIKUBE_HOME").map(PathBuf::from);
        let asked = minikube_home
            .map(Path::to_owned)
            .or_else(|| from_variable.clone());
        if let Some(path) = asked.iter().find(|path| !path.is_absolute()) {
            return Err(LayoutError::MinikubeHome { path: path.clone() });
        }
        let bare = dot_minikube(from_variable.as_deref().unwrap_or(&home));
        let minikube_home = dot_minikube(asked.as_deref().unwrap_or(&home));
        Ok(Self {
            minikube_home_is_default: minikube_home == bare,
            minikube_home,
            state: xdg("XDG_STATE_HOME", ".local/state"),
            programs: xdg("XDG_DATA_HOME", ".local/share").join("bin"),
            own_files: xdg("XDG_DATA_HOME", ".local/share").join("bundles"),
            links: match environment.absolute_path("XDG_BIN_HOME") {
                Some(directory) => directory,
                None if environment.is_root() => PathBuf::from("/usr/local/bin"),
                None => home.join(".local/bin"),
            },
        })
    }

    /// Root runs programs from these directories, removes what the journal in them names and gives
    /// what is in them to a cluster: nobody else may be able to change any of that.
    pub fn require_own(&self, environment: &Environment) -> Result<(), UntrustedPath> {
        if !environment.is_root() {
            return Ok(());
        }
        let trusted = Trusted::by(environment.uid());
        trusted.require_tree("the directory of the journal,", &self.state)?;
        trusted.require_tree("the directory of the binaries,", &self.programs)?;
        trusted.require_tree("the directory of the bundles' own files,", &self.own_files)?;
        trusted.require_tree("minikube's directory", &self.minikube_home)
    }

    /// The lock of all runs of this user.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.state.join("lock")
    }

    /// What was done on this machine for this user.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.state.join("journal.jsonl")
    }

    /// What minikube wrote of a start that failed and of which nothing else was kept.
    #[must_use]
    pub fn failed_start_log(&self) -> PathBuf {
        self.state.join("failed-start.log")
    }

    /// A docker client configuration that says nothing.
    #[must_use]
    pub fn empty_docker_config(&self) -> PathBuf {
        self.state.join("docker-config")
    }

    /// Where a minikube that is only asked what it would do has its home. The journal does not
    /// name it: it is in a directory of ours.
    #[must_use]
    pub fn dry_run(&self) -> PathBuf {
        self.state.join("dry-run")
    }

    /// The home of such a minikube.
    #[must_use]
    pub fn dry_run_home(&self) -> PathBuf {
        dot_minikube(&self.dry_run())
    }

    /// Where bytes go into a seed. The journal does not name it: it is in a directory of ours.
    #[must_use]
    pub fn pipes(&self) -> PathBuf {
        self.state.join("pipes")
    }

    /// Where kubectl keeps what it learns of a cluster, while it is asked. The journal does not
    /// name it: it is in a directory of ours.
    #[must_use]
    pub fn kubectl_cache(&self) -> PathBuf {
        self.state.join("kubectl-cache")
    }

    /// Where Helm keeps what it learns, while it is asked. The journal does not name it: it is in
    /// a directory of ours.
    #[must_use]
    pub fn helm(&self) -> PathBuf {
        self.state.join("helm")
    }

    /// A file of whoever packed `bundle`, which is the bundle's name.
    #[must_use]
    pub fn own_file(&self, bundle: &str, file: &FilePart) -> PathBuf {
        self.own_files_of(bundle, file.role).join(&file.name)
    }

    /// The directory of such files of one role.
    #[must_use]
    pub fn own_files_of(&self, bundle: &str, role: FileRole) -> PathBuf {
        self.own_files.join(bundle).join(role.directory())
    }

    /// One of the programs that run on the machine itself.
    #[must_use]
    pub fn program(&self, role: BinaryRole) -> PathBuf {
        self.programs.join(role.name())
    }

    /// minikube's cache, which `minikube kubectl` and `minikube start` look into.
    #[must_use]
    pub fn cache(&self) -> Cache {
        Cache::at(self.minikube_home.join("cache"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(variables: &[(&str, &str)], uid: u32, asked: Option<&str>) -> Layout {
        Layout::of(&Environment::of(variables, uid), asked.map(Path::new)).expect("layout")
    }

    #[test]
    fn minikubes_rule_for_its_home_is_kept() {
        let home = [("HOME", "/home/ann")];
        assert_eq!(
            layout(&home, 1000, None).minikube_home,
            Path::new("/home/ann/.minikube")
        );
        let variable = [("HOME", "/home/ann"), ("MINIKUBE_HOME", "/data/mk")];
        assert_eq!(
            layout(&variable, 1000, None).minikube_home,
            Path::new("/data/mk/.minikube")
        );
        let asked = layout(&variable, 1000, Some("/big/.minikube"));
        assert_eq!(asked.minikube_home, Path::new("/big/.minikube"));
        assert!(!asked.minikube_home_is_default);
        assert!(layout(&variable, 1000, None).minikube_home_is_default);
    }

    #[test]
    fn root_links_where_every_user_finds_it() {
        assert_eq!(
            layout(&[("HOME", "/root")], 0, None).links,
            Path::new("/usr/local/bin")
        );
        let ann = layout(&[("HOME", "/home/ann"), ("XDG_STATE_HOME", "var")], 1000, None);
        assert_eq!(ann.links, Path::new("/home/ann/.local/bin"));
        let chosen = layout(&[("HOME", "/root"), ("XDG_BIN_HOME", "/opt/bin")], 0, None);
        assert_eq!(chosen.links, Path::new("/opt/bin"));
        assert_eq!(ann.state, Path::new("/home/ann/.local/state/minikube-offline"));
    }

    #[test]
    fn root_uses_nothing_that_another_user_can_change() {
        // Whoever runs this test: what is not theirs is root's, or the other way round.
        let me = rustix::process::geteuid().as_raw();
        let home = std::env::temp_dir().join(format!("minikube-offline-home-{}", std::process::id()));
        std::fs::create_dir_all(&home).expect("a home");
        let text = home.to_string_lossy();
        let variables = [("HOME", &*text)];
        for (uid, refused) in [(0, me != 0), (1000, false)] {
            let environment = Environment::of(&variables, uid);
            let layout = Layout::of(&environment, None).expect("layout");
            assert_eq!(layout.require_own(&environment).is_err(), refused, "{uid}");
        }
        if me == 0 {
            std::os::unix::fs::chown(&home, Some(1000), None).expect("root may");
            let environment = Environment::of(&variables, 0);
            let layout = Layout::of(&environment, None).expect("layout");
            let error = layout.require_own(&environment).expect_err("another's");
            let expected = format!("`{text}` belongs to user 1000");
            assert!(error.to_string().ends_with(&expected), "{error}");
        }
        std::fs::remove_dir_all(home).expect("clean up");
    }

    #[test]
    fn a_user_without_home_is_refused() {
        assert!(Layout::of(&Environment::of(&[], 0), None).is_err());
    }
}
