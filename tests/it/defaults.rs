//! Variables and the config file: what stands for a flag that is not given, and what never does.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::support::program::{Outcome, Sandbox};

fn with(sandbox: &Sandbox, variables: &[(&str, &str)], line: &[&str]) -> Outcome {
    run(
        sandbox,
        Path::new(env!("CARGO_BIN_EXE_minikube-offline")),
        variables,
        line,
    )
}

/// Runs `program` with variables: the sandbox clears those of a command.
fn run(sandbox: &Sandbox, program: &Path, variables: &[(&str, &str)], line: &[&str]) -> Outcome {
    let pairs = variables.iter().map(|(name, value)| format!("{name}={value}"));
    sandbox.run(Command::new("env").args(pairs).arg(program).args(line))
}

fn config(sandbox: &Sandbox, text: &str) -> std::path::PathBuf {
    let directory = sandbox.path("home/.config/minikube-offline");
    fs::create_dir_all(&directory).unwrap();
    let path = directory.join("config.toml");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    path
}

fn is_json(outcome: &Outcome) -> bool {
    outcome.stdout.starts_with('{')
}

#[test]
fn the_flag_wins_over_the_variable_and_that_over_the_file() {
    let sandbox = Sandbox::new();
    let bundle = sandbox.runnable_bundle("x.run");
    let lists = |variables: &[(&str, &str)], line: &[&str]| {
        let packager = with(&sandbox, variables, &[&["list", "x.run"], line].concat());
        let own = run(&sandbox, &bundle, variables, &[&["list"], line].concat());
        assert_eq!((packager.status, own.status), (0, 0), "{packager:?} {own:?}");
        assert_eq!(is_json(&packager), is_json(&own));
        is_json(&packager)
    };
    let json = [("MINIKUBE_OFFLINE_OUTPUT", "json")];
    let text = [("MINIKUBE_OFFLINE_OUTPUT", "text")];
    assert!(lists(&json, &[]));
    assert!(lists(&[("MINIKUBE_OFFLINE_JSON", "true")], &[]));
    assert!(!lists(&[("MINIKUBE_OFFLINE_JSON", "0")], &[]));
    assert!(!lists(
        &[("MINIKUBE_OFFLINE_JSON", "true")],
        &["--output", "text"]
    ));
    assert!(!lists(&json, &["--output=text"]));
    config(&sandbox, "output = \"json\" # for scripts\n");
    assert!(lists(&[], &[]));
    assert!(!lists(&text, &[]));
    assert!(!lists(&[], &["--output", "text"]));
    // The file is for the verbs of the host.
    assert!(!is_json(&sandbox.packager(["trust", "list"])));
}

#[test]
fn a_variable_is_a_flag_of_the_connected_side_as_well() {
    let sandbox = Sandbox::new();
    let offline = [
        ("MINIKUBE_OFFLINE_KUBERNETES_VERSION", "v1.34.0"),
        ("MINIKUBE_OFFLINE_OFFLINE", "yes"),
        (
            "MINIKUBE_OFFLINE_IMAGE",
            "docker-archive:one.tar,docker-archive:two.tar",
        ),
    ];
    let outcome = with(&sandbox, &offline, &["pack"]);
    assert!(outcome.stderr.contains("`one.tar`"), "{outcome:?}");
    let bad = with(
        &sandbox,
        &[("MINIKUBE_OFFLINE_LEVEL", "fats")],
        &["pack", "--offline"],
    );
    let says = "error: cannot use the variable MINIKUBE_OFFLINE_LEVEL: invalid value 'fats' for '--level <LEVEL>'\n\n\
                hint: [possible values: fast, default, max]; tip: a similar value exists: 'fast'\n";
    assert_eq!((bad.status, &*bad.stderr), (2, says));
}

#[test]
fn a_variable_does_not_break_a_verb_that_it_is_not_for() {
    let sandbox = Sandbox::new();
    sandbox.sample_bundle("x.run");
    for (variables, line) in [
        (
            &[("MINIKUBE_OFFLINE_CONTAINER_RUNTIME", "docker")][..],
            &["extract", "x.run", "--to", "a"][..],
        ),
        (
            &[("MINIKUBE_OFFLINE_TO_CACHE", "/nope")],
            &["extract", "x.run", "--to", "b"],
        ),
        (&[("MINIKUBE_OFFLINE_TO", "c")], &["extract", "x.run"]),
        (&[("MINIKUBE_OFFLINE_VERBOSE", "true")], &["list", "x.run", "-q"]),
        (&[("MINIKUBE_OFFLINE_PROFILE", "")], &["list", "x.run"]),
        (
            &[
                ("MINIKUBE_OFFLINE_TEST_SEED", "7"),
                ("MINIKUBE_OFFLINE_LAB", "/x"),
            ],
            &["list", "x.run"],
        ),
        (
            &[("MINIKUBE_OFFLINE_PORT", "tcp://10.0.0.1:80")],
            &["list", "x.run"],
        ),
    ] {
        let outcome = with(&sandbox, variables, line);
        assert_eq!(outcome.status, 0, "{variables:?}: {outcome:?}");
    }
}

#[test]
fn no_variable_and_no_key_weakens_a_check() {
    let sandbox = Sandbox::new();
    let bundle = sandbox.runnable_bundle("x.run");
    for (name, flag, why) in [
        ("YES", "yes", "it answers questions"),
        ("KEY", "key", "it decides whose signatures count"),
        (
            "ALLOW_DOWNGRADE",
            "allow-downgrade",
            "it allows what is refused otherwise",
        ),
    ] {
        let variable = format!("MINIKUBE_OFFLINE_{name}");
        let says = format!(
            "error: cannot use the variable {variable}: `--{flag}` only counts on the command line\n\n\
             hint: {why}; unset {variable}\n"
        );
        for outcome in [
            with(&sandbox, &[(&variable, "true")], &["start", "x.run"]),
            run(&sandbox, &bundle, &[(&variable, "true")], &[]),
        ] {
            assert_eq!((outcome.status, &*outcome.stderr), (2, &*says));
        }
        let path = config(&sandbox, &format!("# mine\n{flag} = true\n"));
        let says = format!(
            "error: `{}`, line 2: `{flag}` only counts on the command line\n\nhint: {why}; remove the line\n",
            path.display()
        );
        for outcome in [
            sandbox.packager(["list", "x.run"]),
            sandbox.run(&mut Command::new(&bundle)),
        ] {
            assert_eq!((outcome.status, &*outcome.stderr), (2, &*says));
        }
        fs::remove_file(path).unwrap();
    }
    for name in [
        "INSECURE_REGISTRY",
        "ACCEPT_UNVERIFIED",
        "BINARY_UPSTREAM",
        "CA",
        "FORCE",
        "TRUSTED_ROOT",
    ] {
        let outcome = with(
            &sandbox,
            &[(&format!("MINIKUBE_OFFLINE_{name}"), "x")],
            &["list", "x.run"],
        );
        assert_eq!(outcome.status, 2, "{name}: {outcome:?}");
    }
}

#[test]
fn what_is_wrong_in_a_variable_or_the_file_is_named() {
    let sandbox = Sandbox::new();
    let bundle = sandbox.runnable_bundle("x.run");
    let start = |variable: (&str, &str)| run(&sandbox, &bundle, &[variable], &[]);
    for (outcome, says) in [
        (
            with(&sandbox, &[("MINIKUBE_OFFLINE_CPU", "4")], &["list", "x.run"]),
            "error: there is no variable MINIKUBE_OFFLINE_CPU; did you mean MINIKUBE_OFFLINE_CPUS?\n",
        ),
        (
            start(("MINIKUBE_OFFLINE_CONTAINER_RUNTIM", "4")),
            "error: there is no variable MINIKUBE_OFFLINE_CONTAINER_RUNTIM",
        ),
        (
            start(("MINIKUBE_OFFLINE_KEEP_FAILED", "perhaps")),
            "error: cannot use the variable MINIKUBE_OFFLINE_KEEP_FAILED: expected true or false, got `perhaps`\n",
        ),
        (
            start(("MINIKUBE_OFFLINE_IMAGE_LOAD", "ssh")),
            "error: cannot use the variable MINIKUBE_OFFLINE_IMAGE_LOAD: ",
        ),
    ] {
        assert_eq!(outcome.status, 2, "{outcome:?}");
        assert!(outcome.stderr.starts_with(says), "{outcome:?}");
    }
    for (text, says) in [
        ("cpu = 4\n", ", line 1: unknown key `cpu`; did you mean `cpus`?\n"),
        (
            "kubernetes-version = \"v1.37\"\n",
            ", line 1: unknown key `kubernetes-version`",
        ),
        (
            "cpus = true\n",
            ", line 1: `cpus`: expected a string or a number\n",
        ),
        (
            "keep-failed = \"true\"\n",
            ", line 1: `keep-failed`: expected true or false\n",
        ),
        ("[start]\n", ", line 1: there are no tables in this file\n"),
        ("image-load = \"ssh\"\n", "error: cannot use line 1 of `"),
    ] {
        let path = config(&sandbox, text);
        let outcome = sandbox.run(&mut Command::new(&bundle));
        assert_eq!(outcome.status, 2, "{outcome:?}");
        let first = format!("{}\n", outcome.stderr.lines().next().unwrap_or_default());
        assert!(
            first.contains(says) && first.contains(&*path.to_string_lossy()),
            "{text}: {outcome:?}"
        );
    }
    config(&sandbox, "nonsense\n");
    for verb in ["guide", "version"] {
        assert_eq!(sandbox.run(Command::new(&bundle).arg(verb)).status, 0, "{verb}");
    }
}

#[test]
fn a_config_file_that_others_can_write_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.sample_bundle("x.run");
    let path = config(&sandbox, "output = \"json\"\n");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    let outcome = sandbox.packager(["list", "x.run"]);
    assert_eq!((outcome.status, &*outcome.stdout), (2, ""), "{outcome:?}");
    assert!(outcome.stderr.contains("every user may write to"), "{outcome:?}");
    assert!(outcome.stderr.contains("config.toml"), "{outcome:?}");
}
