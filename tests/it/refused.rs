//! A start that is refused: why, with which exit code, and that nothing was changed.

use std::fs;
use std::path::Path;
use std::process::Command;

use minikube_offline::trust::TrustedKeys;
use minikube_offline::verify::OpenedBundle;
use serde_json::json;
use walkdir::WalkDir;

use crate::support::effort::report;
use crate::support::engine::FakeEngine;
use crate::support::program::{Outcome, Sandbox, bytes};

/// `start -y` with the packager.
fn start(sandbox: &Sandbox, engine: &FakeEngine, flags: &[&str]) -> Outcome {
    let mut command = Command::new(env!("CARGO_BIN_EXE_minikube-offline"));
    engine.run(sandbox, command.args(["start", "x.run", "-y"]).args(flags))
}

/// Every path in the home, with its content.
fn home(sandbox: &Sandbox) -> Vec<(String, Vec<u8>)> {
    let entries = WalkDir::new(sandbox.path("home")).sort_by_file_name();
    entries
        .into_iter()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let content = if entry.file_type().is_file() {
                bytes(entry.path())
            } else {
                Vec::new()
            };
            (entry.path().display().to_string(), content)
        })
        .collect()
}

/// A bundle for this machine, and an engine that is fit for it.
fn runnable(sandbox: &Sandbox) -> FakeEngine {
    sandbox.runnable_bundle("x.run");
    FakeEngine::make(sandbox)
}

/// What is wrong with the machine or the bundle, and what must be said of it.
struct Case {
    what: &'static str,
    spoil: fn(&Sandbox, &FakeEngine),
    flags: &'static [&'static str],
    status: i32,
    says: &'static [&'static str],
}

const CASES: [Case; 8] = [
    Case {
        what: "an engine that does not answer",
        spoil: |_, engine| engine.fails("info --format", Some("Cannot connect to the Docker daemon")),
        flags: &[],
        status: 9,
        says: &[
            "Docker Engine does not answer: Cannot connect to the Docker daemon",
            "systemctl start docker",
        ],
    },
    Case {
        what: "too little memory",
        spoil: |_, engine| engine.says("MemTotal", 1u64 << 30),
        flags: &[],
        status: 9,
        says: &["Docker Engine's machine has 1024 MiB of memory", "1800 MiB"],
    },
    Case {
        what: "more memory asked for than there is",
        spoil: |_, _| {},
        flags: &["--memory=64g"],
        status: 9,
        says: &["`--memory` asks for 65536 MiB", "has 8192 MiB"],
    },
    Case {
        what: "an engine that is too old",
        spoil: |_, engine| engine.says("ServerVersion", "17.03.1-ce"),
        flags: &[],
        status: 9,
        says: &["Docker Engine is 17.03.1-ce", "18.09"],
    },
    Case {
        what: "a profile with another Kubernetes version",
        spoil: |sandbox, _| {
            let directory = sandbox.path("home/.minikube/profiles/minikube");
            fs::create_dir_all(&directory).unwrap();
            let profile = json!({
                "Driver": "docker",
                "KubernetesConfig": { "KubernetesVersion": "v1.34.0", "ContainerRuntime": "docker" },
            });
            fs::write(directory.join("config.json"), profile.to_string()).unwrap();
        },
        flags: &[],
        status: 9,
        says: &[
            "the profile `minikube` is there, and Kubernetes in it is `v1.34.0`, not `v1.35.4`",
            "--profile NAME",
            "minikube delete -p minikube",
        ],
    },
    Case {
        what: "a bundle that was cut short",
        spoil: |sandbox, _| {
            let whole = bytes(&sandbox.path("x.run"));
            fs::write(sandbox.path("x.run"), &whole[..whole.len() - 5000]).unwrap();
        },
        flags: &[],
        status: 4,
        says: &["x.run", "bytes long and should be", "copy the file again"],
    },
    Case {
        what: "a flipped byte in the payload",
        spoil: |sandbox, _| {
            flip(&sandbox.path("x.run"), |opened| {
                opened.index().payload_offset() + 5000
            });
        },
        flags: &[],
        status: 4,
        says: &["x.run` is damaged: chunk 0 of ", "copy the file again"],
    },
    Case {
        what: "a flipped byte in the index",
        spoil: |sandbox, _| {
            flip(&sandbox.path("x.run"), |opened| {
                opened.trailer().index_offset + 50
            });
        },
        flags: &[],
        status: 4,
        says: &[
            "x.run` is damaged: the index with its signature",
            "copy the file again",
        ],
    },
];

fn flip(bundle: &Path, place: fn(&OpenedBundle) -> u64) {
    let opened = OpenedBundle::open(bundle, &TrustedKeys::none()).expect("a bundle");
    let mut content = bytes(bundle);
    content[usize::try_from(place(&opened)).unwrap()] ^= 4;
    fs::write(bundle, content).unwrap();
}

#[test]
fn a_start_that_cannot_succeed_says_why_and_changes_nothing() {
    let sandbox = Sandbox::new();
    sandbox.runnable_bundle("x.run");
    let whole = bytes(&sandbox.path("x.run"));
    for Case {
        what,
        spoil,
        flags,
        status,
        says,
    } in CASES
    {
        fs::remove_dir_all(sandbox.path("home")).unwrap();
        fs::create_dir(sandbox.path("home")).unwrap();
        fs::write(sandbox.path("x.run"), &whole).unwrap();
        let engine = FakeEngine::make(&sandbox);
        spoil(&sandbox, &engine);
        let before = home(&sandbox);
        let outcome = start(&sandbox, &engine, flags);
        fs::remove_dir_all(sandbox.path("engine")).unwrap();
        assert_eq!(outcome.status, status, "{what}: {outcome:?}");
        for part in says {
            assert!(
                outcome.stderr.contains(part),
                "{what}: `{part}` in {}",
                outcome.stderr
            );
        }
        assert!(outcome.stderr.contains("\nhint: "), "{what}: {}", outcome.stderr);
        assert!(home(&sandbox) == before, "{what}");
    }
}

#[test]
fn a_machine_without_an_engine_is_told_so() {
    let sandbox = Sandbox::new();
    runnable(&sandbox);
    let before = home(&sandbox);
    let command = &mut Command::new("sh");
    let script = "PATH=\"$PWD/nothing\" exec \"$0\" start x.run -y";
    let outcome = sandbox.run(command.args(["-c", script, env!("CARGO_BIN_EXE_minikube-offline")]));
    assert_eq!(outcome.status, 9, "{outcome:?}");
    let says = "Docker Engine is not installed: there is no program `docker` on the PATH";
    assert!(outcome.stderr.contains(says), "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("\nhint: install Docker Engine"),
        "{}",
        outcome.stderr
    );
    assert!(home(&sandbox) == before);
}

#[test]
fn an_engine_that_is_silent_is_not_waited_for_for_ever() {
    let sandbox = Sandbox::new();
    let engine = runnable(&sandbox);
    let before = home(&sandbox);
    // A client that never comes back, as in front of a daemon that hangs; written by
    // another process, so that no test beside this one holds it open.
    let script = "printf '#!/bin/sh\nexec sleep 600\n' >engine/docker";
    sandbox.run(Command::new("sh").args(["-c", script]));
    let mut command = Command::new(env!("CARGO_BIN_EXE_minikube-offline"));
    // With a host, no context is asked for first.
    let command = engine
        .prepare(&sandbox, &mut command)
        .env("DOCKER_HOST", "unix:///nowhere");
    let outcome = Outcome::from(command.args(["start", "x.run", "-y"]).output().unwrap());
    assert_eq!(outcome.status, 9, "{outcome:?}");
    let says = "Docker Engine does not answer: no answer within 15 s";
    assert!(outcome.stderr.contains(says), "{}", outcome.stderr);
    assert!(home(&sandbox) == before);
}

#[test]
fn a_bundle_for_another_architecture_is_refused_by_its_header_and_by_the_packager() {
    let sandbox = Sandbox::new();
    let bundle = sandbox.sample_bundle("x.run");
    if std::env::consts::ARCH == "aarch64" {
        report("skipped: the sample parts are for this machine");
        return;
    }
    let engine = FakeEngine::make(&sandbox);
    let before = home(&sandbox);
    let outcome = sandbox.run(Command::new("sh").arg(&bundle).arg("-y"));
    assert_eq!(outcome.status, 9, "{outcome:?}");
    let says =
        "error: this bundle runs on linux/arm64, and this machine is Linux/x86_64\n\nhint: pack one for it";
    assert!(outcome.stderr.starts_with(says), "{}", outcome.stderr);
    let outcome = start(&sandbox, &engine, &[]);
    assert_eq!(outcome.status, 9, "{outcome:?}");
    let says = "the bundle is for linux/arm64, and this machine is linux/amd64";
    assert!(outcome.stderr.contains(says), "{}", outcome.stderr);
    assert!(home(&sandbox) == before);
}

#[test]
fn a_machine_without_space_is_told_how_much_is_needed() {
    let sandbox = Sandbox::new();
    runnable(&sandbox);
    // A file system of its own for the home, smaller than the programs.
    let script = format!(
        "mount -t tmpfs -o size=1m,mode=755 none home
        PATH=\"$PWD/engine:$PATH\" '{}' start x.run -y && exit
        status=$?
        find home
        exit $status",
        env!("CARGO_BIN_EXE_minikube-offline"),
    );
    let Some(outcome) = sandbox.with_mounts(&script) else {
        return;
    };
    assert_eq!(outcome.status, 6, "{outcome:?}");
    for part in ["home` has 1.05 MB free", "a tenth to spare", "\nhint: free "] {
        assert!(outcome.stderr.contains(part), "{part}: {}", outcome.stderr);
    }
    assert_eq!(outcome.stdout, "home\n");
}
