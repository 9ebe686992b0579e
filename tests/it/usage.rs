//! Mistakes on the command line: what was meant is named, and in JSON where that is asked for.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::support::program::{Outcome, Sandbox};

const VERBS: &str = "the verbs are start, preflight, verify, inspect, list, repair, extract, status, stop, \
                     uninstall, report, guide, version; `--help` explains them";

fn refused(outcome: &Outcome, error: &str, hint: &str) {
    let expected = format!("error: {error}\n\nhint: {hint}\n");
    assert_eq!(
        (outcome.status, &*outcome.stdout, &*outcome.stderr),
        (2, "", &*expected)
    );
}

#[test]
fn a_bundle_names_the_verb_that_was_meant() {
    let sandbox = Sandbox::new();
    let bundle = sandbox.runnable_bundle("x.run");
    for (word, meant) in [
        ("strat", "; did you mean `start`?"),
        ("star", "; did you mean `start`?"),
        ("Start", "; did you mean `start`?"),
        ("install", "; did you mean `start`?"),
        ("deploy", "; did you mean `start`?"),
        ("delete", "; did you mean `uninstall`?"),
        ("ls", "; did you mean `list`?"),
        ("xyzzy", ""),
    ] {
        let outcome = sandbox.run(Command::new(&bundle).args(["-y", word]));
        refused(&outcome, &format!("there is no verb `{word}`{meant}"), VERBS);
    }
    for word in ["pack", "trust"] {
        let outcome = sandbox.run(Command::new(&bundle).args([word, "list"]));
        let hint = format!("a bundle has none of its own: `minikube-offline {word}`; {VERBS}");
        refused(&outcome, &format!("there is no verb `{word}`"), &hint);
    }
}

#[test]
fn a_bundle_names_the_flag_that_was_meant() {
    let sandbox = Sandbox::new();
    let bundle = sandbox.runnable_bundle("x.run");
    let after = "`./x.run --help` lists the flags; flags of minikube's go after `--`";
    for (line, error, hint) in [
        (
            &["-y", "--cpu", "2"][..],
            "there is no flag `--cpu`; did you mean `--cpus`?",
            after,
        ),
        (
            &["--cpu=2"],
            "there is no flag `--cpu`; did you mean `--cpus`?",
            after,
        ),
        (&["--quiet"], "there is no flag `--quiet`", after),
        (&["-v"], "there is no flag `-v`", after),
        (
            &["--nodes", "2"],
            "`--nodes` is a flag of minikube's, and goes after `--`",
            "./x.run -- --nodes ...",
        ),
        (
            &["start", "--driver=podman"],
            "`--driver` is a flag of minikube's, and goes after `--`",
            "./x.run start -- --driver ...",
        ),
        (
            &["list", "-o", "json"],
            "`list` has no flag `-o`",
            "the format is `--output json`; `./x.run list --help` lists the flags",
        ),
        (
            &["inspect", "x.run"],
            "`inspect` does not take `x.run`",
            "the verb is about this bundle itself: ./x.run inspect",
        ),
    ] {
        let outcome = sandbox.run(Command::new(&bundle).args(line));
        refused(&outcome, error, hint);
    }
}

#[test]
fn the_packager_names_what_was_meant() {
    let sandbox = Sandbox::new();
    fs::write(sandbox.path("x.run"), "").unwrap();
    for (line, error) in [
        ("pakc", "there is no verb `pakc`; did you mean `pack`?"),
        ("remove", "there is no verb `remove`; did you mean `uninstall`?"),
        ("delete", "there is no verb `delete`; did you mean `uninstall`?"),
        ("build", "there is no verb `build`; did you mean `pack`?"),
        ("deploy", "there is no verb `deploy`; did you mean `start`?"),
        (
            "install x.run",
            "there is no verb `install`; did you mean `start`?",
        ),
        ("show", "there is no verb `show`; did you mean `inspect`?"),
        ("update", "there is no verb `update`"),
        ("x.run verify", "there is no verb `x.run`"),
        ("trust ad", "there is no verb `ad`; did you mean `add`?"),
        ("--log-file x status", "there is no flag `--log-file`"),
        ("pack v1.35", "`pack` does not take `v1.35`"),
        ("pack bundle.toml", "`pack` does not take `bundle.toml`"),
        (
            "pack --version v1.35",
            "`pack` has no flag `--version`; did you mean `--kubernetes-version`?",
        ),
        (
            "pack --output x.run",
            "`--output` takes `text` or `json`, and not `x.run`",
        ),
    ] {
        let outcome = sandbox.packager(line.split(' '));
        let first = outcome.stderr.lines().next().unwrap_or_default();
        assert_eq!(
            (outcome.status, first),
            (2, &*format!("error: {error}")),
            "{outcome:?}"
        );
        assert!(outcome.stderr.contains("\n\nhint: "), "{outcome:?}");
        assert!(!outcome.stderr.contains("as a value"), "{outcome:?}");
    }
}

#[test]
fn numbers_that_are_none_are_refused_in_plain_words() {
    let sandbox = Sandbox::new();
    for (line, says) in [
        (
            "pack --serial abc",
            "'--serial <SERIAL>': it is no whole number, such as 7",
        ),
        (
            "store prune --older-than 30d",
            "'--older-than <DAYS>': it is no number of days, such as 30",
        ),
    ] {
        let outcome = sandbox.packager(line.split(' '));
        assert_eq!(outcome.status, 2, "{outcome:?}");
        assert!(outcome.stderr.contains(says), "{outcome:?}");
    }
}

#[test]
fn usage_errors_are_json_where_json_is_asked_for() {
    let sandbox = Sandbox::new();
    let bundle = sandbox.runnable_bundle("x.run");
    let last = |outcome: &Outcome| -> Value {
        assert_eq!(outcome.stderr, "", "{outcome:?}");
        serde_json::from_str(outcome.stdout.lines().last().unwrap_or_default()).unwrap()
    };
    for line in [
        "--output json strat",
        "strat --output=json",
        "--cpu 2 --output json",
        "extract --output json",
        "extract --to a --to-cache b --output json",
        "--output json list --platform nothing",
    ] {
        let outcome = sandbox.run(Command::new(&bundle).args(line.split(' ')));
        let value = last(&outcome);
        assert_eq!(
            (outcome.status, &value["kind"]),
            (2, &"usage".into()),
            "{outcome:?}"
        );
        let message = value["message"].as_str().unwrap();
        assert!(!message.is_empty() && !message.starts_with("error:"), "{value}");
    }
    for line in [
        "--output json",
        "nothing --output json",
        "pack --serial x --output json",
    ] {
        let outcome = sandbox.packager(line.split(' '));
        assert_eq!(
            (outcome.status, &last(&outcome)["kind"]),
            (2, &"usage".into()),
            "{outcome:?}"
        );
    }
    for (line, key) in [
        ("--output json --version", "version"),
        ("--version --output=json", "version"),
        ("--output json --help", "help"),
        ("--output json help", "help"),
        ("help --output json", "help"),
        ("verify --help --output json", "help"),
    ] {
        for outcome in [
            sandbox.run(Command::new(&bundle).args(line.split(' '))),
            sandbox.packager(line.split(' ')),
        ] {
            let value = last(&outcome);
            assert_eq!(
                (outcome.status, &value["type"]),
                (0, &"result".into()),
                "{outcome:?}"
            );
            assert!(
                value[key].as_str().is_some_and(|text| !text.is_empty()),
                "{value}"
            );
        }
    }
}

#[test]
fn what_is_no_bundle_is_not_called_damaged() {
    let sandbox = Sandbox::new();
    fs::write(
        sandbox.path("notes.txt"),
        "root:x:0:0:root:/root:/bin/bash\n".repeat(40),
    )
    .unwrap();
    for verb in ["inspect", "verify", "list", "start"] {
        let outcome = sandbox.packager([verb, "notes.txt"]);
        refused(
            &outcome,
            "`notes.txt` is not a bundle",
            "give the file that `minikube-offline pack` wrote, which ends in .run; of a split one the first file",
        );
    }
}

/// Each is found before anything is asked of a server: none is there.
#[test]
fn local_mistakes_are_found_before_the_network_is_asked() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("directory")).unwrap();
    for (flags, error) in [
        ("--image docker-archive:nope.tar", "cannot read `nope.tar`"),
        ("--image oci:/nope", "cannot read `/nope`"),
        ("--kicbase docker-archive:nope.tar", "cannot read `nope.tar`"),
        ("--binaries /nope", "cannot read `/nope`"),
        ("-o directory", "cannot write `directory`"),
        ("-o /nope/x.run", "cannot write `/nope/x.run`"),
        ("--image docker-daemon:x:1", "Docker Engine does not answer"),
    ] {
        for verb in ["pack", "resolve"] {
            let line =
                format!("{verb} --kubernetes-version v1.35 --binary-upstream http://127.0.0.1:9 {flags}");
            let outcome = sandbox.packager(line.split(' '));
            assert_eq!(outcome.status, 2, "{outcome:?}");
            assert!(outcome.stderr.contains(error), "{outcome:?}");
            assert!(!outcome.stderr.contains("contacting"), "{outcome:?}");
        }
    }
}

#[test]
fn a_format_and_a_bundle_are_told_apart() {
    let sandbox = Sandbox::new();
    for word in ["json", "yaml", "text"] {
        refused(
            &sandbox.packager(["pack", "--kubernetes-version", "v1.35.4", "-o", word]),
            &format!("`-o {word}`: `-o` names the bundle to write; the format is `--output json`"),
            &format!("a bundle of that name is `-o ./{word}`"),
        );
    }
    refused(
        &sandbox.packager(["pack", "--output", "x.run"]),
        "`--output` takes `text` or `json`, and not `x.run`",
        "it is the format of results and progress; the bundle is `-o x.run`",
    );
    let outcome = sandbox.packager([
        "pack",
        "--kubernetes-version=v1.35.4",
        "--offline",
        "--bundle",
        "/nope/x.run",
    ]);
    assert!(
        outcome.stderr.contains("cannot write `/nope/x.run`"),
        "{outcome:?}"
    );
}

#[test]
fn version_names_the_program_and_its_bundle() {
    let sandbox = Sandbox::new();
    let bundle = sandbox.runnable_bundle("x.run");
    let value = |outcome: Outcome| -> Value {
        assert_eq!((outcome.status, &*outcome.stderr), (0, ""), "{}", outcome.stdout);
        serde_json::from_str(&outcome.stdout).unwrap()
    };
    let own = value(sandbox.packager(["version", "--json"]));
    assert_eq!(
        (&own["version"], &own["format"]),
        (&env!("CARGO_PKG_VERSION").into(), &1.into())
    );
    assert_eq!(own["minikube_versions"][0], "v1.39.0");
    let inside = value(sandbox.run(Command::new(&bundle).args(["version", "--json"])));
    assert_eq!(
        (&inside["bundle"]["serial"], &inside["version"]),
        (&1.into(), &own["version"])
    );
    let shown = sandbox.run(Command::new(&bundle).arg("version"));
    assert!(
        shown.stdout.starts_with("minikube-offline ") && shown.stdout.contains("(serial 1), packed by "),
        "{shown:?}"
    );
}
