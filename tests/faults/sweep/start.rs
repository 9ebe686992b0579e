//! `start`, with an engine and a minikube that keep their state in files: what is ours is
//! real, the journal above all.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use super::subjects::Subject;
use crate::draft::{Contents, Draft, Key};

/// Nobody: a run as root would make links for everyone on this machine.
const NOBODY: u32 = 65534;

const DOCKER: &str = r#"#!/bin/sh
engine=$HOME/../engine
absent() { echo "Error: No such $1: x" >&2; exit 1; }
there() { [ -e "$engine/$1" ] || absent "$1"; cat "$engine/answers/$1"; }
case "$1 $2" in
"context inspect") echo "default unix:///var/run/docker.sock" ;;
"info --format") sed "s#@ENGINE@#$HOME#" "$engine/answers/info" ;;
"image inspect") there image ;;
"image load") cat >/dev/null && touch "$engine/image" ;;
"image rm") rm "$engine/image" ;;
"container inspect") there node ;;
"container exec") cat "$engine/answers/crictl" ;;
"container rm") rm -f "$engine/node" ;;
"volume inspect") echo "Error: no such volume" >&2; exit 1 ;;
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
    touch "$engine/node"
    ;;
status) [ -e "$engine/node" ] && echo '{"Name":"minikube","Host":"Running","Kubelet":"Running","APIServer":"Running"}' ;;
delete) rm -rf "$MINIKUBE_HOME/profiles" "$engine/node" ;;
esac
"#;

const KUBECTL: &str = r#"#!/bin/sh
echo '{"items":[{"metadata":{"name":"minikube"},"status":{"conditions":[{"type":"Ready","status":"True"}]}}]}'
"#;

/// `start --way cache`.
pub(super) struct Start {
    draft: Draft,
    content: Vec<u8>,
    program: Vec<u8>,
}

impl Start {
    pub(super) fn new() -> Self {
        let mut contents = Contents::small();
        contents.programs[0] = MINIKUBE.into();
        contents.programs[3] = KUBECTL.into();
        let draft = Draft::of(&contents);
        let content = draft.finish(&Key::new());
        let program = fs::read(env!("CARGO_BIN_EXE_minikube-offline-stub")).expect("the stub");
        Self {
            draft,
            content,
            program,
        }
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

    /// Where programs may run, unlike in a folder in memory.
    fn folder(&self) -> TempDir {
        tempfile::Builder::new()
            .prefix("minikube-offline-faults-")
            .tempdir()
            .expect("a folder")
    }

    fn prepare(&self, folder: &Path) {
        let write = |name: &str, content: &[u8], mode| {
            let path: PathBuf = folder.join(name);
            fs::create_dir_all(path.parent().expect("inside")).expect("a folder");
            fs::write(&path, content).expect("a file");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("ours");
        };
        write("bin/docker", DOCKER.as_bytes(), 0o755);
        write("x.run", &self.content, 0o644);
        write("stub", &self.program, 0o755);
        for (name, answer) in self.answers() {
            write(
                &format!("engine/answers/{name}"),
                answer.to_string().as_bytes(),
                0o644,
            );
        }
        if rustix::process::geteuid().is_root() {
            for entry in walkdir::WalkDir::new(folder) {
                chown(entry.expect("an entry").path(), Some(NOBODY), Some(NOBODY)).expect("root may");
            }
        }
    }

    fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new(folder.join("stub"));
        command.env_clear().arg("--bundle").arg(folder.join("x.run"));
        command.args(["start", "-y", "--way=cache"]);
        command.env("PATH", format!("{}:/usr/bin:/bin", folder.join("bin").display()));
        command
    }

    fn undo(&self, folder: &Path) -> Option<Command> {
        let mut command = Command::new(folder.join("stub"));
        command
            .env_clear()
            .arg("--bundle")
            .arg(folder.join("x.run"))
            .arg("uninstall");
        command.env("PATH", format!("{}:/usr/bin:/bin", folder.join("bin").display()));
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
