//! `report`: one file to carry back.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use crate::support::engine::FakeEngine;
use crate::support::program::{Outcome, Sandbox};

#[test]
fn a_report_has_what_a_person_elsewhere_asks_for() {
    let sandbox = Sandbox::new();
    let bundle = sandbox.runnable_bundle("b.run");
    let engine = FakeEngine::make(&sandbox);
    let run = |arguments: &[&str], proxy: &str| {
        let mut command = Command::new(&bundle);
        command.args(arguments).stdin(Stdio::null());
        engine.prepare(&sandbox, &mut command);
        command.env("HTTPS_PROXY", proxy);
        Outcome::from(command.output().expect("a program"))
    };
    let state = sandbox.path("home/.local/state/minikube-offline");
    fs::create_dir_all(&state).expect("a directory");
    fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).expect("its mode");
    fs::write(
        state.join("failed-start.log"),
        "dial http://me:secret@proxy:1 failed\n",
    )
    .expect("a file");
    let outcome = run(&["report", "out.txt"], "http://me:secret@proxy:1");
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let text = fs::read_to_string(sandbox.path("out.txt")).expect("the report");
    for part in [
        "===== minikube-offline =====\n",
        "minikube-offline-v1.35 serial 1, Kubernetes v1.35.4 on docker",
        "===== uname -a =====\nLinux",
        "===== /etc/os-release =====\n",
        "failed-start.log =====\ndial http://***@proxy:1 failed\n",
        "journal.jsonl =====\nthere is no such file\n",
        "===== docker info =====\n",
        "===== minikube =====\nno bundle was started by this user on this host\n",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains("secret"), "{text}");
    // Whatever is there stays.
    let again = run(&["report", "out.txt"], "");
    assert_eq!(
        (again.status, again.stderr.as_str()),
        (
            2,
            "error: `out.txt` exists\n\nhint: name another file; nothing was written\n"
        )
    );
    assert_eq!(
        fs::read_to_string(sandbox.path("out.txt")).expect("the report"),
        text
    );
}

#[test]
fn a_report_without_an_engine_says_why_there_is_none() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.packager(["report", "out.txt", "--output", "json"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let text = fs::read_to_string(sandbox.path("out.txt")).expect("the report");
    assert!(text.contains("===== docker =====\n"), "{text}");
    let missing = sandbox.packager(["report", "missing/out.txt"]);
    assert_ne!(missing.status, 0, "{missing:?}");
}
