//! `make test-online` with servers that have upstream's layout in upstream's place.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::world::World;
use crate::support::parts::stand_in;
use crate::support::program::{Outcome, Sandbox};

/// Runs `tests/online/run.sh` without root, and with a packager that takes `world` for
/// upstream.
fn online(world: &World) -> Outcome {
    let sandbox = Sandbox::new();
    let script = |name: &str, text: &str| {
        let path = sandbox.path(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("ours");
        path
    };
    script("curl", "exit 0");
    script("id", "echo 1000");
    let program = env!("CARGO_BIN_EXE_minikube-offline");
    // What makes `pack` take these servers for upstream; what to pack says the script.
    let mut flags = world.arguments("v1.37", &[]);
    flags.retain(|flag| flag.starts_with("--") && !flag.starts_with("--kubernetes-version"));
    let flags = flags.join("' '");
    let packager = script(
        "packager",
        &format!("[ \"$1\" != pack ] || {{ shift; set -- pack '{flags}' \"$@\"; }}\nexec '{program}' \"$@\""),
    );
    let mut command = Command::new("env");
    command
        .arg(format!("PATH={}:/usr/bin:/bin", sandbox.path("").display()))
        .arg(format!("PACKAGER={}", packager.display()))
        .arg(format!("STANDIN={}", stand_in().display()))
        .arg("ONLINE_RUNTIMES=docker")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/online/run.sh"));
    sandbox.run(&mut command)
}

#[test]
fn the_journey_from_upstream_is_walked_and_what_breaks_is_a_failure() {
    let world = World::new();
    let outcome = online(&world);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let first: Vec<&str> = outcome
        .stdout
        .lines()
        .filter_map(|line| line.strip_prefix("ok      upstream v1.37, docker: "))
        .filter_map(|line| line.split(" (").next())
        .collect();
    let expected = [
        "pack",
        "verify",
        "inspect",
        "pack again from the lock",
        "the same bytes",
    ];
    assert_eq!(first, expected, "{outcome:?}");
    assert!(
        outcome
            .stdout
            .starts_with("skipped: starting the bundles, which needs root\n")
    );
    assert!(outcome.stdout.ends_with("\n5 passed, 0 failed\n"), "{outcome:?}");

    world.change("/kubelet", |bytes| bytes.push(0));
    let outcome = online(&world);
    assert_eq!(outcome.status, 1, "{outcome:?}");
    assert!(
        outcome.stdout.contains("FAILED  upstream v1.37, docker: pack"),
        "{outcome:?}"
    );
}
