//! `start`, with an engine and a minikube that keep their state in files: what is ours is
//! real, the journal above all.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use super::medium::command;
use super::subjects::{Subject, at_home, start};
use super::text;
use crate::draft::{Contents, Draft, Key};
use crate::stripped;

/// Nobody: a run as root would make links for everyone on this machine.
const NOBODY: u32 = 65534;

// The engine keeps what it did: how, is not what is tested.
const DOCKER: &str = r#"#!/bin/sh
engine=$HOME/../engine
absent() { echo "Error: No such $1: x" >&2; exit 1; }
there() { [ -e "$engine/$1" ] || absent "$1"; cat "$engine/answers/$1"; }
case "$1 $2" in
"context inspect") echo "default unix:///var/run/docker.sock" ;;
"info --format") sed "s#@ENGINE@#$HOME#" "$engine/answers/info" ;;
"image inspect") there image ;;
"image load") cat >/dev/null && touch "$engine/image" && sync "$engine" ;;
"image rm") rm "$engine/image" && sync "$engine" ;;
"container inspect") there node ;;
"container exec") cat "$engine/answers/crictl" ;;
"container rm") rm -f "$engine/node" && sync "$engine" ;;
"network inspect" | "volume inspect") absent "$1" ;;
esac
"#;

const MINIKUBE: &str = r#"#!/bin/sh
engine=$HOME/../engine
profile=$MINIKUBE_HOME/profiles/minikube
case $1 in
config) echo '["v1.35.4"]' ;;
start)
    mkdir -p "$profile" "$HOME/.kube"
    echo '{"Driver":"docker","KubernetesConfig":{"KubernetesVersion":"v1.35.4","ContainerRuntime":"docker"}}' >"$profile/config.json"
    echo 'kind: Config' >"$HOME/.kube/config"
    touch "$engine/node" && sync "$engine"
    ;;
status)
    kubeconfig=Configured
    [ -s "$HOME/.kube/config" ] || kubeconfig=Misconfigured
    [ -e "$engine/node" ] && [ -s "$profile/config.json" ] &&
        echo '{"Name":"minikube","Host":"Running","Kubelet":"Running","APIServer":"Running","Kubeconfig":"'$kubeconfig'"}'
    ;;
delete) rm -rf "$MINIKUBE_HOME/profiles" "$engine/node" && sync "$engine" ;;
esac
"#;

const KUBECTL: &str = r#"#!/bin/sh
[ -s "$HOME/.kube/config" ] || exit 1
case $* in
"--cache-dir "*" apply "*) mkdir -p "$2" && echo >"$2/servergroups.json" && echo 'namespace/app serverside-applied' && exit ;;
esac
echo '{"items":[{"metadata":{"name":"minikube"},"status":{"conditions":[{"type":"Ready","status":"True"}]}}]}'
"#;

fn draft(kubectl: &str) -> Draft {
    Draft::of(&contents(kubectl))
}

fn contents(kubectl: &str) -> Contents {
    let mut contents = Contents::with_files();
    contents.programs[0] = MINIKUBE.into();
    contents.programs[3] = kubectl.into();
    contents
}

/// The program on `bundle` in `directory`; the verb is to be added.
pub(super) fn on(directory: &Path, bundle: &str) -> Command {
    let mut command = Command::new(directory.join("stub"));
    command.env_clear().arg("--bundle").arg(directory.join(bundle));
    command.env(
        "PATH",
        format!("{}:/usr/bin:/bin", directory.join("bin").display()),
    );
    command
}

/// `start --image-load cache`.
pub(super) struct Start {
    draft: Draft,
    /// What each place gets a copy of. Another program copies it: a program that this one
    /// has open for writing, or a child that it just began to start, cannot be executed.
    template: TempDir,
}

impl Start {
    pub(super) fn new() -> Self {
        Self::of(draft(KUBECTL))
    }

    /// The same with images a hundred times as large as the programs.
    pub(super) fn of_large_images() -> Self {
        let mut contents = contents(KUBECTL);
        for layer in &mut contents.layers {
            *layer = layer.repeat(300);
        }
        Self::of(Draft::of(&contents))
    }

    fn of(draft: Draft) -> Self {
        let start = Self {
            draft,
            template: tempfile::tempdir().expect("a directory"),
        };
        let write = |name: &str, content: &[u8], mode| {
            let path: PathBuf = start.template.path().join(name);
            fs::create_dir_all(path.parent().expect("inside")).expect("a directory");
            fs::write(&path, content).expect("a file");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("ours");
        };
        write("bin/docker", DOCKER.as_bytes(), 0o755);
        write("x.run", &start.draft.finish(&Key::new()), 0o644);
        let copy = start.template.path().join("stub");
        command("cp", &[], &[&stripped::stub(), &copy]).expect("the stub");
        for (name, answer) in start.answers() {
            write(
                &format!("engine/answers/{name}"),
                answer.to_string().as_bytes(),
                0o644,
            );
        }
        start
    }

    /// What the engine answers.
    fn answers(&self) -> [(&'static str, serde_json::Value); 4] {
        let images = &self.draft.index.images;
        let in_node: Vec<_> = images[1..]
            .iter()
            .map(|image| json!({ "id": image.config, "repoTags": [image.reference] }))
            .collect();
        [
            (
                "info",
                json!({
                    // Each place has an engine of its own: a profile has one run at a time.
                    "ID": "@ENGINE@", "ServerVersion": "27.0.0", "DockerRootDir": "/nowhere", "Driver": "overlay2",
                    "MemTotal": 8u64 << 30, "NCPU": 4, "CgroupVersion": "2", "CgroupDriver": "systemd",
                }),
            ),
            (
                "image",
                json!({ "Id": images[0].config, "RootFS": { "Layers": images[0].layers } }),
            ),
            (
                "node",
                json!({ "State": { "Running": true, "ExitCode": 0 }, "Config": { "Labels": { "name.minikube.sigs.k8s.io": "minikube" } } }),
            ),
            ("crictl", json!({ "images": in_node })),
        ]
    }
}

impl Subject for Start {
    fn name(&self) -> &'static str {
        "start"
    }

    /// Where programs may run, unlike in a directory in memory.
    fn directory(&self) -> TempDir {
        tempfile::Builder::new()
            .prefix("minikube-offline-faults-")
            .tempdir()
            .expect("a directory")
    }

    fn prepare(&self, directory: &Path) {
        command(
            "cp",
            &["--recursive", "--preserve=mode"],
            &[&self.template.path().join("."), directory],
        )
        .expect("a copy");
        if rustix::process::geteuid().is_root() {
            for entry in walkdir::WalkDir::new(directory) {
                chown(entry.expect("an entry").path(), Some(NOBODY), Some(NOBODY)).expect("root may");
            }
        }
    }

    fn command(&self, directory: &Path) -> Command {
        let mut command = on(directory, "x.run");
        command.args(["start", "-y", "--image-load=cache"]);
        command
    }

    fn undo(&self, directory: &Path) -> Option<Command> {
        let mut command = on(directory, "x.run");
        command.arg("uninstall");
        Some(command)
    }

    fn user(&self, command: &mut Command) {
        if rustix::process::geteuid().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
    }

    /// Programs that it starts are not made to fail: they are not what is tested.
    fn follows(&self) -> bool {
        false
    }

    /// Where an engine, a node or a program is asked and does not answer.
    fn also_ends_with(&self, code: Option<i32>) -> bool {
        code.is_some_and(|code| [1, 9, 10].contains(&code))
    }
}

/// `uninstall`, of what a `start` left.
pub(super) struct Uninstall(Start);

impl Uninstall {
    pub(super) fn new() -> Self {
        Self(Start::new())
    }
}

impl Subject for Uninstall {
    fn name(&self) -> &'static str {
        "uninstall"
    }

    fn directory(&self) -> TempDir {
        self.0.directory()
    }

    fn prepare(&self, directory: &Path) {
        self.0.prepare(directory);
        let output = start(&mut at_home(self.0.command(directory), directory), &self.0);
        assert!(output.status.success(), "{}", text(&output));
    }

    fn command(&self, directory: &Path) -> Command {
        self.0.undo(directory).expect("it can be undone")
    }

    fn user(&self, command: &mut Command) {
        self.0.user(command);
    }

    fn follows(&self) -> bool {
        false
    }

    fn also_ends_with(&self, code: Option<i32>) -> bool {
        self.0.also_ends_with(code)
    }
}

/// `start` of a newer bundle where an older one is: one that fails leaves that, and its journal.
pub(super) struct Newer(Start);

const OLDER: &str = "older.run";

impl Newer {
    pub(super) fn new() -> Self {
        let mut newer = draft(&format!("{KUBECTL}# Newer.\n"));
        newer.index.serial += 1;
        let start = Start::of(newer);
        let older = draft(KUBECTL).finish(&Key::new());
        fs::write(start.template.path().join(OLDER), older).expect("a bundle");
        Self(start)
    }
}

impl Subject for Newer {
    fn name(&self) -> &'static str {
        "start of a newer bundle"
    }

    fn directory(&self) -> TempDir {
        self.0.directory()
    }

    fn prepare(&self, directory: &Path) {
        self.0.prepare(directory);
        let mut older = on(directory, OLDER);
        older.args(["start", "-y", "--image-load=cache"]);
        let output = start(&mut at_home(older, directory), &self.0);
        assert!(output.status.success(), "{}", text(&output));
    }

    fn command(&self, directory: &Path) -> Command {
        self.0.command(directory)
    }

    fn user(&self, command: &mut Command) {
        self.0.user(command);
    }

    fn follows(&self) -> bool {
        false
    }

    fn also_ends_with(&self, code: Option<i32>) -> bool {
        self.0.also_ends_with(code)
    }
}
