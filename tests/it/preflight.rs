//! `preflight`, from outside: each finding as a line, and the exit code.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::support::engine::FakeEngine;
use crate::support::program::{Outcome, Sandbox};

#[test]
fn both_programs_look_at_the_machine_and_change_nothing() {
    let sandbox = Sandbox::new();
    let bundle = sandbox.runnable_bundle("b.run");
    let engine = FakeEngine::make(&sandbox);
    let fit = engine.run(
        &sandbox,
        Command::new(&bundle).args(["preflight", "--output=json"]),
    );
    assert_eq!(fit.status, 0, "{fit:?}");
    let packager = env!("CARGO_BIN_EXE_minikube-offline");
    let same = engine.run(
        &sandbox,
        Command::new(packager)
            .args(["preflight", "--output=json"])
            .arg(&bundle),
    );
    // Other tests write to the same disk meanwhile.
    let free = regex::Regex::new("[0-9.]+ [kMGT]B free").unwrap();
    let looked = |outcome: &Outcome| free.replace_all(&outcome.stdout, "free").into_owned();
    assert_eq!((same.status, looked(&same)), (0, looked(&fit)), "{same:?}");
    let lines: Vec<Value> = fit
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let last = lines.last().unwrap();
    assert_eq!((&last["type"], &last["fit"]), (&"result".into(), &true.into()));
    let checks = last["checks"].as_array().unwrap();
    assert!(
        checks.iter().all(|check| check["status"] != "failed"),
        "{checks:?}"
    );
    let names = |check: &Value| check["check"].as_str().unwrap().contains("0.0.0-test");
    assert!(checks.iter().any(names), "{checks:?}");
    // The bundle is not signed.
    assert_eq!(
        (&lines[0]["schema"], &lines[0]["level"]),
        (&1.into(), &"warning".into())
    );
    assert!(
        sandbox.path("home").read_dir().unwrap().next().is_none(),
        "nothing is written"
    );
    assert!(engine.has().is_empty());
}

#[test]
fn a_machine_that_is_not_fit_is_told_each_reason_and_the_code_is_theirs() {
    let sandbox = Sandbox::new();
    let bundle = sandbox.runnable_bundle("b.run");
    let engine = FakeEngine::make(&sandbox);
    engine.says("NCPU", 1);
    engine.says("MemTotal", 512u64 << 20);
    let run = |arguments: &[&str]| engine.run(&sandbox, Command::new(&bundle).args(arguments));
    let unfit = run(&["preflight"]);
    assert_eq!(unfit.status, 9, "{unfit:?}");
    for part in [
        "error: this machine is not fit to start the cluster",
        "1. Docker Engine's machine has 512 MiB of memory; a node needs 1800 MiB at least\n     give the machine more memory",
        "2. Docker Engine's machine has 1 processor",
        "hint: fix all 2 and run the same command again; nothing was changed on this machine",
    ] {
        assert!(unfit.stderr.contains(part), "{part} in {}", unfit.stderr);
    }
    let started = run(&["-y"]);
    assert_eq!(started.status, 9, "a start asks the same first: {started:?}");
    engine.says("NCPU", 2);
    engine.says("MemTotal", 8u64 << 30);
    assert_eq!(run(&["preflight"]).status, 0);
    let name = run(&["preflight", "--profile", "../x"]);
    assert_eq!(
        (
            name.status,
            name.stderr.contains("cannot be the name of a profile")
        ),
        (2, true),
        "{name:?}"
    );
    engine.fails("info --format", Some("Cannot connect to the Docker daemon"));
    let silent = run(&["preflight", "--output=json"]);
    let last: Value = serde_json::from_str(silent.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(
        (silent.status, last["kind"].as_str()),
        (9, Some("unfit")),
        "{silent:?}"
    );
    assert!(last["hint"].as_str().unwrap().contains("systemctl start docker"));
}

#[test]
fn a_number_of_nodes_that_minikube_cannot_make_is_refused_at_once() {
    let sandbox = Sandbox::new();
    let bundle = sandbox.runnable_bundle("b.run");
    let engine = FakeEngine::make(&sandbox);
    let refused = |flags: &[&str], said: &str| {
        for verb in [&["start", "-y", "--"][..], &["preflight", "--"]] {
            let refused = engine.run(&sandbox, Command::new(&bundle).args(verb).args(flags));
            assert_eq!(refused.status, 2, "{flags:?}: {refused:?}");
            assert!(refused.stderr.contains(said), "{flags:?}: {refused:?}");
        }
    };
    refused(
        &["--nodes=253"],
        "253 nodes are asked for, and minikube makes 252 at most",
    );
    // Not one of them is looked for.
    refused(&["-n", "1000000000"], "1000000000 nodes are asked for");
    refused(
        &["--nodes=99999999999999999999"],
        "4294967295 nodes or more are asked for",
    );
    refused(
        &["--ha", "-n2"],
        "`--ha` with 2 nodes, and minikube makes three control planes at least",
    );
    let mut start = Command::new(&bundle);
    start.args(["start", "-y"]);
    let start = engine
        .prepare(&sandbox, &mut start)
        .env("MINIKUBE_NODES", "1000000000");
    let by_variable = Outcome::from(start.output().unwrap());
    assert_eq!(by_variable.status, 2, "{by_variable:?}");
    assert!(
        by_variable.stderr.contains("give a number from 1 to 252"),
        "{by_variable:?}"
    );
    assert!(engine.has().is_empty());
}

#[test]
fn nodes_and_networks_whose_images_are_not_there_are_refused_before_anything_is_changed() {
    let sandbox = Sandbox::new();
    let bundle = sandbox.runnable_bundle("b.run");
    let engine = FakeEngine::make(&sandbox);
    for flags in [
        &["--nodes", "2"][..],
        &["--nodes=2"],
        &["-n", "2"],
        &["--ha"],
        &["--cni", "kindnet"],
        &["--cni=kindnet"],
        &["--cni=auto", "-n=2"],
    ] {
        let mut start = Command::new(&bundle);
        start.args(["start", "-y", "--"]).args(flags);
        let refused = engine.run(&sandbox, &mut start);
        assert_eq!(refused.status, 2, "{flags:?}: {refused:?}");
        assert!(
            refused
                .stderr
                .contains("the bundle does not have the images of `kindnet`"),
            "{refused:?}"
        );
        let flag = if flags == ["--ha"] {
            "`--ha`"
        } else {
            "`--cni kindnet`"
        };
        let fix = format!("or pack the bundle with {flag}");
        assert!(refused.stderr.contains(&fix), "{refused:?}");
    }
    // minikube reads its flags from variables, too.
    for (variable, value) in [
        ("MINIKUBE_NODES", "2"),
        ("MINIKUBE_HA", "true"),
        ("MINIKUBE_CNI", "kindnet"),
    ] {
        let mut start = Command::new(&bundle);
        start.args(["start", "-y"]);
        let start = engine.prepare(&sandbox, &mut start).env(variable, value);
        let refused = Outcome::from(start.output().unwrap());
        assert_eq!(refused.status, 2, "{variable}: {refused:?}");
        assert!(refused.stderr.contains("the images of `kindnet`"), "{refused:?}");
        let mut one = Command::new(&bundle);
        one.args(["preflight", "--", "--nodes=1", "--ha=false", "--cni=bridge"]);
        let one = engine.prepare(&sandbox, &mut one).env(variable, value);
        let fit = Outcome::from(one.output().unwrap());
        assert_eq!(fit.status, 0, "{variable}: {fit:?}");
    }
    let mut start = Command::new(&bundle);
    start.args(["preflight", "--", "--nodes=2", "--cni=bridge"]);
    let warned = engine.run(&sandbox, &mut start);
    assert_eq!(warned.status, 0, "{warned:?}");
    assert!(
        warned
            .stdout
            .contains("warning: several nodes with minikube's bridge")
    );
    assert!(
        sandbox.path("home").read_dir().unwrap().next().is_none(),
        "nothing is written"
    );
    assert!(engine.has().is_empty());
}

/// A bundle for this machine, and an engine.
struct Site {
    sandbox: Sandbox,
    bundle: PathBuf,
    engine: FakeEngine,
}

impl Site {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        Self {
            bundle: sandbox.runnable_bundle("b.run"),
            engine: FakeEngine::make(&sandbox),
            sandbox,
        }
    }

    fn run(&self, verb: &[&str], variables: &[(&str, &str)]) -> Outcome {
        let mut command = Command::new(&self.bundle);
        let command = self.engine.prepare(&self.sandbox, command.args(verb));
        Outcome::from(command.envs(variables.iter().copied()).output().unwrap())
    }

    /// `start` and `preflight` say the same, and nothing is touched.
    fn refused(&self, variables: &[(&str, &str)], status: i32, (what, why, fix): (&str, &str, &str)) {
        let headline = if status == 2 {
            "cannot start the cluster as asked"
        } else {
            "this machine is not fit to start the cluster"
        };
        let said = format!("error: {headline}: {what}; {why}\n\nhint: {fix}\n");
        for verb in [&["start", "-y"][..], &["preflight"]] {
            let outcome = self.run(verb, variables);
            assert_eq!(outcome.status, status, "{variables:?}: {outcome:?}");
            assert!(outcome.stderr.ends_with(&said), "{said}\n{}", outcome.stderr);
        }
        assert!(self.engine.has().is_empty());
    }
}

#[test]
fn a_kubeconfig_that_cannot_be_written_is_refused() {
    let site = Site::new();
    let config = site.sandbox.path("home/.kube/config");
    fs::create_dir_all(&config).unwrap();
    let why =
        "minikube writes the cluster's address and keys there at the end of a start, which fails otherwise";
    let quoted = config.to_str().unwrap().replace('\'', r"'\''");
    site.refused(
        &[],
        9,
        (
            &format!("the kubeconfig `{}` is a directory", config.display()),
            why,
            &format!("`mv '{quoted}' '{quoted}.old'`; or name another file: `export KUBECONFIG=\"$HOME/kubeconfig\"`"),
        ),
    );
    site.refused(
        &[("KUBECONFIG", ":rel/path:/x")],
        9,
        (
            "`KUBECONFIG` names `rel/path`, which is another file in each directory",
            "kubectl and `uninstall` find the cluster only where they find that file",
            "`export KUBECONFIG=\"$PWD/rel/path\"`, or `unset KUBECONFIG` for `~/.kube/config`",
        ),
    );
    let other = site.sandbox.path("new/kubeconfig");
    let variables = [("KUBECONFIG", other.to_str().unwrap())];
    assert_eq!(site.run(&["preflight"], &variables).status, 0);
}

#[test]
fn settings_that_change_a_start_are_refused() {
    let site = Site::new();
    let unset = |name: &str| format!("`unset {name}`");
    for (name, value, why, more) in [
        (
            "MINIKUBE_IMAGE_MIRROR_COUNTRY",
            "cn",
            "it names another place for images or programs, which minikube then looks for there",
            "",
        ),
        (
            "MINIKUBE_NO_KUBERNETES",
            "true",
            "minikube then starts no cluster",
            "",
        ),
        (
            "MINIKUBE_ROOTLESS",
            "true",
            "minikube then wants a rootless engine, and Docker Engine runs as root",
            "; for a rootless engine `docker context use rootless`",
        ),
    ] {
        let what = format!("the variable `{name}` is `{value}`");
        site.refused(&[(name, value)], 2, (&what, why, &(unset(name) + more)));
    }
    let harmless = [("MINIKUBE_DRIVER", "kvm2"), ("MINIKUBE_DRY_RUN", "0")];
    assert_eq!(site.run(&["preflight"], &harmless).status, 0);
    let settings = site.sandbox.path("home/.minikube/config/config.json");
    fs::create_dir_all(settings.parent().unwrap()).unwrap();
    fs::write(&settings, r#"{"rootless": true, "memory": "900g"}"#).unwrap();
    let outcome = site.run(&["preflight"], &[]);
    assert_eq!(outcome.status, 9, "{outcome:?}");
    for said in ["`rootless` is `true` in `", "921600 MiB"] {
        assert!(outcome.stderr.contains(said), "{outcome:?}");
    }
    fs::write(&settings, r#"{"cache": {"busybox": null}}"#).unwrap();
    let outcome = site.run(&["preflight"], &[]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(outcome.stdout.contains("warning: `cache` in `"), "{outcome:?}");
}

#[test]
fn names_that_kubernetes_refuses_are_refused_at_once() {
    let site = Site::new();
    let long = "a".repeat(62);
    for (profile, nodes, said) in [
        ("abc-", "1", "`abc-` cannot be the name of a profile"),
        (&"a".repeat(64), "1", "` cannot be the name of a profile"),
        (&long, "2", "-m02` would have a name of 66 characters"),
    ] {
        for verb in [&["start", "-y"][..], &["preflight"]] {
            let arguments = [verb, &["--profile", profile, "--", "--nodes", nodes]].concat();
            let outcome = site.run(&arguments, &[]);
            assert_eq!(outcome.status, 2, "{outcome:?}");
            assert!(outcome.stderr.contains(said), "{outcome:?}");
        }
    }
    assert!(site.engine.has().is_empty());
}
