//! Flags before a verb and behind it, in the bundle and in the packager.

use std::process::Command;

use crate::support::program::Sandbox;

#[test]
fn a_flag_may_stand_before_its_verb_or_behind_it() {
    let sandbox = Sandbox::new();
    let bundle = sandbox.runnable_bundle("x.run");
    let run = |arguments: &[&str]| sandbox.run(Command::new(&bundle).args(arguments));
    let key = sandbox.path("nobody.pub").to_string_lossy().into_owned();
    for (before, behind, status) in [
        (
            &["--output", "json", "list"][..],
            &["list", "--output", "json"][..],
            0,
        ),
        (&["--output=json", "inspect"], &["inspect", "--output=json"], 0),
        (&["--key", &key, "inspect"], &["inspect", "--key", &key], 2),
        (
            &["--profile", "dev", "--output=json", "status"],
            &["status", "--profile", "dev", "--output=json"],
            0,
        ),
        (&["-p", "dev", "start"], &["start", "-p", "dev"], 9),
        // A start without its verb.
        (&["-p", "dev"], &["start", "-p", "dev"], 9),
    ] {
        let (before, behind) = (run(before), run(behind));
        assert_eq!(behind.status, status, "{behind:?}");
        assert_eq!(
            (before.status, before.stdout, before.stderr),
            (behind.status, behind.stdout, behind.stderr)
        );
    }
    let path = bundle.to_string_lossy();
    let before = sandbox.packager(["--output", "json", "list", &path]);
    let behind = sandbox.packager(["list", &path, "--output", "json"]);
    assert_eq!((before.status, before.stdout), (0, behind.stdout));
}

#[test]
fn a_flag_that_its_verb_does_not_have_is_named() {
    let sandbox = Sandbox::new();
    let bundle = sandbox.runnable_bundle("x.run");
    for line in [&["-y", "verify"][..], &["verify", "-y"]] {
        let outcome = sandbox.run(Command::new(&bundle).args(line));
        assert_eq!(outcome.status, 2, "{outcome:?}");
        let says = "error: `verify` has no flag `-y`\n\nhint: `./x.run verify --help` lists the flags\n";
        assert_eq!(outcome.stderr, says);
    }
}
