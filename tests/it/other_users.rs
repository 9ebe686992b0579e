//! Root's runs and what an ordinary user of the same machine arranges for them. All of it needs
//! root: files are given to a user whom no machine has, and she acts as herself.

mod attacks;
mod installed;
mod keys;
mod outputs;
mod variables;

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, lchown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::effort::report;
use crate::support::engine::FakeEngine;
use crate::support::program::{Outcome, Sandbox};

/// The user, and her group.
const ALICE: u32 = 1234;

/// The exit code of `status` where no cluster is.
const NOTHING_INSTALLED: i32 = 12;

/// A machine with root's home and hers.
struct Scene {
    sandbox: Sandbox,
    engine: FakeEngine,
}

impl Scene {
    /// `None`, after saying so, for other users than root.
    fn new() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            report("skipped: only root can act as another user");
            return None;
        }
        let sandbox = Sandbox::new();
        fs::set_permissions(sandbox.path("."), fs::Permissions::from_mode(0o755)).unwrap();
        let engine = FakeEngine::make(&sandbox);
        let scene = Self { sandbox, engine };
        scene.directory("alice", ALICE, 0o755);
        Some(scene)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.sandbox.path(name)
    }

    /// Makes a directory of `uid`'s; its group is hers.
    fn directory(&self, name: &str, uid: u32, mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(&path).unwrap();
        chown(
            &path,
            Some(uid),
            Some(if mode & 0o020 == 0 { uid } else { ALICE }),
        )
        .unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    /// Makes a file of `uid`'s.
    fn file(&self, name: &str, text: &str, uid: u32, mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        chown(&path, Some(uid), Some(uid)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    /// Makes a link of `uid`'s.
    fn link(&self, target: &Path, name: &str, uid: u32) -> PathBuf {
        let path = self.path(name);
        symlink(target, &path).unwrap();
        lchown(&path, Some(uid), Some(uid)).unwrap();
        path
    }

    /// The packager with root's own home, and the engine.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_minikube-offline"));
        self.engine.prepare(&self.sandbox, &mut command);
        command.args(arguments).stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str], variables: &[(&str, &Path)]) -> Outcome {
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied());
        Outcome::from(command.output().unwrap())
    }

    /// What she does herself, with a shell.
    fn alice(&self, script: &str) -> Outcome {
        let mut command = Command::new("sh");
        command.args(["-c", script]).current_dir(self.path("."));
        Outcome::from(command.uid(ALICE).gid(ALICE).output().unwrap())
    }
}

/// A refusal names what was to be used, what is wrong with it and what to do.
fn assert_refused(case: &str, outcome: &Outcome, why: &str) {
    assert_eq!(outcome.status, 2, "{case}: {outcome:?}");
    let error = outcome
        .stderr
        .lines()
        .find(|line| line.starts_with("error: "))
        .unwrap_or("");
    assert!(error.starts_with("error: cannot use "), "{case}: {outcome:?}");
    assert!(
        error.contains(": this run is root's, and ") && error.ends_with(why),
        "{case}: {why}: {outcome:?}"
    );
    let fixed = ["chown", "chmod", "mkdir"]
        .iter()
        .any(|fix| outcome.stderr.contains(fix));
    assert!(
        outcome.stderr.contains("\nhint: ") && fixed,
        "{case}: {outcome:?}"
    );
}
