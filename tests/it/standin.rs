//! The stand-in minikube refuses what would need the network, with minikube's codes.

use std::path::PathBuf;
use std::process::Command;

use crate::support::program::Sandbox;

/// `cargo test` builds the examples beside the tests.
fn standin() -> PathBuf {
    let packager = PathBuf::from(env!("CARGO_BIN_EXE_minikube-offline"));
    packager.with_file_name("examples/minikube-standin")
}

/// A start that could succeed, had it an engine.
const START: [&str; 9] = [
    "start",
    "--driver=docker",
    "--container-runtime=docker",
    "--kubernetes-version=v1.34.4",
    "--base-image=gcr.io/k8s-minikube/kicbase:v0.0.50",
    "--preload=false",
    "--interactive=false",
    "--output=json",
    "--force",
];

/// Runs the stand-in on a machine without an engine; gives its exit code, and the name
/// of the reason in its last event.
fn run(arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String) {
    let sandbox = Sandbox::new();
    let home = sandbox.path("home");
    let output = Command::new(standin())
        .args(arguments)
        .env_clear()
        .env("PATH", "/nonexistent")
        .env("HOME", &home)
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let last: serde_json::Value =
        serde_json::from_str(text.lines().last().unwrap_or("null")).unwrap_or_default();
    (
        output.status.code().unwrap_or(-1),
        last["data"]["name"].as_str().unwrap_or_default().to_owned(),
    )
}

/// [`START`] with one flag in place of another.
fn with(flag: &str) -> Vec<&str> {
    let name = flag.split('=').next().unwrap();
    let mut start: Vec<&str> = START
        .into_iter()
        .filter(|other| !other.starts_with(name))
        .collect();
    start.push(flag);
    start
}

#[test]
fn what_would_need_the_network_is_refused() {
    for (flag, code, name) in [
        ("--no-such-flag", 14, "MK_USAGE"),
        ("--driver=none", 14, "MK_USAGE"),
        ("--preload=true", 14, "MK_USAGE"),
        ("--memory=1g", 23, "RSRC_INSUFFICIENT_REQ_MEMORY"),
        ("--cpus=1", 29, "RSRC_INSUFFICIENT_CORES"),
        ("--image-mirror-country=cn", 40, "K8S_FAIL_CONNECT"),
        (
            "--base-image=gcr.io/k8s-minikube/kicbase:v0.0.50@sha256:00",
            80,
            "GUEST_PROVISION",
        ),
        ("--container-runtime=containerd", 80, "GUEST_PROVISION"),
    ] {
        assert_eq!(run(&with(flag), &[]), (code, name.to_owned()), "{flag}");
    }
}

#[test]
fn a_version_that_minikube_does_not_know_needs_force() {
    let mut start = with("--kubernetes-version=v1.35.4");
    start.retain(|flag| *flag != "--force");
    assert_eq!(run(&start, &[]), (40, "K8S_FAIL_CONNECT".to_owned()));
}

#[test]
fn without_an_engine_it_says_so() {
    assert_eq!(run(&START, &[]), (55, "DRV_DOCKER_NOT_RUNNING".to_owned()));
}

#[test]
fn a_proxy_is_refused_unless_it_is_on_this_machine() {
    let proxy = |value| run(&START, &[("https_proxy", value)]);
    assert_eq!(proxy("http://proxy.example:3128"), (40, "INET_PROXY".to_owned()));
    assert_eq!(proxy("http://127.0.0.1:9").0, 55);
}

#[test]
fn root_needs_force() {
    let start: Vec<&str> = START.into_iter().filter(|flag| *flag != "--force").collect();
    let (code, name) = run(&start, &[]);
    let expected = if rustix::process::getuid().is_root() {
        (57, "DRV_AS_ROOT")
    } else {
        (55, "DRV_DOCKER_NOT_RUNNING")
    };
    assert_eq!((code, name.as_str()), expected);
}

#[test]
fn a_profile_that_does_not_exist_has_its_own_code() {
    assert_eq!(run(&["status", "--output=json"], &[]).0, 85);
    assert_eq!(
        run(&["-p", "other", "stop", "--output=json"], &[]),
        (85, "GUEST_NOT_FOUND".to_owned())
    );
}
