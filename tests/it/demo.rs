//! `make demo` on a machine that is not ready for it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use crate::support::program::{Outcome, Sandbox};

const LAB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");

/// Runs a script as what it takes for root, with these lines as `apt-get` and nothing but the
/// programs that it needs.
fn run(sandbox: &Sandbox, apt: &str, line: &str) -> Outcome {
    let shims = sandbox.path("shims");
    fs::create_dir(&shims).unwrap();
    for name in ["sh", "dirname", "date", "mktemp", "rm", "cat", "mkdir"] {
        symlink(format!("/usr/bin/{name}"), shims.join(name)).unwrap();
    }
    for (name, text) in [
        ("id", "echo 0"),
        ("sleep", "echo slept >>slept"),
        ("apt-get", apt),
    ] {
        fs::write(shims.join(name), format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(shims.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let script =
        format!("export PATH=\"$PWD/shims\" PACKAGER=/no STUB=/no STANDIN=/no; exec sh {LAB}/{line}");
    sandbox.run(Command::new("/bin/sh").args(["-c", &script]))
}

#[test]
fn apt_is_waited_for_while_another_has_its_lock() {
    let sandbox = Sandbox::new();
    let apt = r#"echo "$*" >>asked
case $* in
*update*) [ "$(cat slept 2>/dev/null)" != "" ] || { echo "E: Could not get lock /var/lib/apt/lists/lock." >&2; exit 100; } ;;
esac"#;
    let outcome = run(&sandbox, apt, "lab/need.sh no-such-command=some-package");
    let said = "installing with apt: some-package\n\
                (a fresh machine's own updates hold apt's lock: it is waited for, at most 300 s)\n\
                waiting for apt's lock: another program has it\n";
    assert_eq!((outcome.status, &*outcome.stderr), (0, said));
    let update = "-o DPkg::Lock::Timeout=300 update -qq\n";
    let install = "-o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends some-package\n";
    let asked = fs::read_to_string(sandbox.path("asked")).unwrap();
    assert_eq!(asked, format!("{update}{update}{install}"));
}

#[test]
fn an_apt_that_fails_otherwise_is_not_waited_for() {
    let sandbox = Sandbox::new();
    let apt = "echo 'E: no sources' >&2; exit 100";
    let outcome = run(&sandbox, apt, "lab/need.sh no-such-command=some-package");
    assert_eq!(outcome.status, 1, "{outcome:?}");
    assert!(outcome.stderr.ends_with("\nE: no sources\n"), "{outcome:?}");
    assert!(!sandbox.path("slept").exists());
}

#[test]
fn a_demo_that_cannot_start_its_cluster_as_root_fails() {
    let sandbox = Sandbox::new();
    let outcome = run(&sandbox, "echo 'E: no sources' >&2; exit 100", "demo/run.sh");
    assert_eq!(outcome.status, 1, "{outcome:?}");
    let end = "error: the demo starts a cluster, and Docker Engine could not be made ready: see above\n";
    assert!(outcome.stderr.ends_with(end), "{outcome:?}");
}
