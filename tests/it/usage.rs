//! Mistakes on the command line: what was meant is named, and in JSON where that is asked for.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::support::program::{Outcome, Sandbox};

const VERBS: &str = "the verbs are start, preflight, verify, inspect, list, repair, extract, status, stop, \
                     rollback, uninstall, report, guide, version; `--help` explains them";

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
        (
            &["--quit"],
            "there is no flag `--quit`; did you mean `--quiet`?",
            after,
        ),
        (
            &["--dry-run"],
            "there is no flag `--dry-run`",
            "`./x.run preflight` checks the host and changes nothing",
        ),
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
        (
            "--log-fil x status",
            "there is no flag `--log-fil`; did you mean `--log-file`?",
        ),
        ("pack v1.35", "cannot use `v1.35`: it is not a TOML file"),
        (
            "pack nginx:1.27",
            "cannot use `nginx:1.27`: it is not a TOML file",
        ),
        (
            "pack -k v1.35",
            "`pack` has no flag `-k`; did you mean `--kubernetes-version`?",
        ),
        (
            "extract x.run",
            "`extract` needs <--to <DIR>|--to-cache <MINIKUBE_HOME>>",
        ),
        ("trust add", "`trust add` needs <FILE|BASE64>"),
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
fn a_flag_may_be_given_twice() {
    let sandbox = Sandbox::new();
    sandbox.sample_bundle("x.run");
    let outcome = sandbox.packager(["verify", "x.run", "--deep", "--deep", "-q", "-q"]);
    assert_eq!((outcome.status, &*outcome.stderr), (0, ""), "{outcome:?}");
    let last = sandbox.packager(["list", "x.run", "--output", "text", "--output", "json"]);
    assert!(last.stdout.starts_with('{'), "{last:?}");
}

#[test]
fn pack_reads_the_file_that_is_named_or_is_there() {
    let sandbox = Sandbox::new();
    let version = |kubernetes: &str| format!("kubernetes-version = \"{kubernetes}\"\n");
    fs::write(sandbox.path("bundle.toml"), version("v1.34.1")).unwrap();
    fs::write(sandbox.path("site.toml"), version("v1.34.2")).unwrap();
    for (line, packs) in [
        ("pack --offline", "v1.34.1"),
        ("resolve --offline", "v1.34.1"),
        ("pack site.toml --offline", "v1.34.2"),
        ("pack -f site.toml --offline", "v1.34.2"),
        ("pack --offline --kubernetes-version v1.34.3", "v1.34.3"),
    ] {
        let outcome = sandbox.packager(line.split(' '));
        assert_eq!(outcome.status, 2, "{line}: {outcome:?}");
        assert!(outcome.stderr.contains(packs), "{line}: {outcome:?}");
    }
    let both = sandbox.packager(["pack", "site.toml", "-f", "bundle.toml"]);
    assert_eq!(both.status, 2, "{both:?}");
}

#[test]
fn mistakes_in_a_toml_file_say_what_to_write() {
    let sandbox = Sandbox::new();
    for (text, error, hint) in [
        (
            "kubernetes-version = 1.35\n",
            "expected a string",
            "put the value in quotes",
        ),
        ("kubernetes-version: v1.35\n", "line 1, column ", "TOML, not YAML"),
        (
            "kubernetes-versio = \"v1.35\"\n",
            "did you mean `kubernetes-version`",
            "`minikube-offline lint`",
        ),
    ] {
        fs::write(sandbox.path("x.toml"), text).unwrap();
        let outcome = sandbox.packager(["pack", "x.toml"]);
        assert_eq!(outcome.status, 2, "{outcome:?}");
        assert!(
            outcome.stderr.contains(error) && outcome.stderr.contains(hint),
            "{outcome:?}"
        );
    }
    fs::write(sandbox.path("x.toml"), "").unwrap();
    let empty = sandbox.packager(["lint", "x.toml"]);
    let says = "`x.toml` has nothing wrong in it; it names no Kubernetes version: `pack` needs `--kubernetes-version`\n";
    assert_eq!((empty.status, &*empty.stdout), (0, says));
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
    assert!(own["stubs"].is_array() && own["platform"].is_string(), "{own}");
    assert!(own.get("commit").is_some(), "{own}");
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
