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
            12,
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

#[test]
fn help_and_shells_list_the_values_of_a_flag() {
    let sandbox = Sandbox::new();
    let bundle = sandbox.runnable_bundle("x.run");
    let of_packager = sandbox.packager(["pack", "--help"]).stdout;
    let of_bundle = sandbox
        .run(Command::new(&bundle).args(["start", "--help"]))
        .stdout;
    let completions = sandbox.packager(["completions", "bash"]).stdout;
    for (help, flag, values) in [
        (&of_packager, "--container-runtime", "containerd, docker"),
        (
            &of_packager,
            "--cni",
            "auto, bridge, calico, cilium, flannel, kindnet",
        ),
        (&of_packager, "--level", "fast, default, max"),
        (&of_packager, "--image-mirror-country", "cn"),
        (&of_bundle, "--container-runtime", "containerd, docker"),
        (&of_bundle, "--image-load", "auto, cache, volume"),
    ] {
        let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
        let about = words.split_once(&format!("{flag} <")).expect(flag).1;
        let about = about.split(" --").next().expect(flag);
        assert!(
            about.contains(&format!("[possible values: {values}]")),
            "{flag}: {about}"
        );
        let words = values.replace(',', "");
        assert!(completions.contains(&format!("compgen -W \"{words}\"")), "{flag}");
    }
    let refused = sandbox.packager(["pack", "--level", "fats"]);
    assert_eq!(refused.status, 2, "{refused:?}");
    let says = "error: invalid value 'fats' for '--level <LEVEL>'\n  [possible values: fast, default, max]\n\n  tip: a \
                similar value exists: 'fast'\n\nFor more information, try '--help'.\n";
    assert_eq!(refused.stderr, says);
}
