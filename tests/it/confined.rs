//! Verbs that run no other program are denied by the kernel, before they read a byte of a
//! bundle, what they have no need to do. What is denied: `src/host/sandbox.rs` tries it.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use crate::support::effort::report;
use crate::support::engine::FakeEngine;
use crate::support::program::{Outcome, Sandbox, bytes};
use crate::support::strace::strace_works;

/// How the packager is run; `b.run` itself is run by its header.
const PACKAGER: &str = env!("CARGO_BIN_EXE_minikube-offline");

/// What a run did and the calls that matter here; `None`, after saying why, where it cannot
/// be watched or the kernel has nothing to confine it with.
fn watched(sandbox: &Sandbox, line: &[&str]) -> Option<(Outcome, Vec<String>)> {
    let log = sandbox.path("calls");
    let calls = "trace=execve,openat,?open,clone,?clone3,landlock_create_ruleset,landlock_add_rule,landlock_restrict_self";
    let mut command = Command::new("strace");
    command
        .args(["-f", "-qq", "-y", "-s", "200", "-e", calls, "-o"])
        .arg(&log);
    if !strace_works() {
        return None;
    }
    let outcome = sandbox.run(command.args(line));
    let log = fs::read_to_string(log).unwrap();
    let calls: Vec<String> = log.lines().map(str::to_owned).collect();
    // The program itself: a bundle's header ran others before it.
    let program = calls
        .iter()
        .rposition(|call| call.contains("execve(") && call.contains("\"--bundle\""));
    let calls = calls[program.unwrap_or(0)..].to_vec();
    let asked = calls
        .iter()
        .find(|call| call.contains("landlock_create_ruleset(NULL"));
    if let Some(asked) = asked.filter(|call| call.contains("= -1")) {
        report(&format!("skipped: this kernel does not confine: {asked}"));
        return None;
    }
    Some((outcome, calls))
}

fn position(calls: &[String], of: &str) -> Option<usize> {
    calls.iter().position(|call| call.contains(of))
}

/// Each rule: the path that something stays allowed beneath.
fn allowed(calls: &[String]) -> Vec<String> {
    let rules = calls.iter().filter(|call| call.contains("landlock_add_rule("));
    let path = |rule: &String| {
        let (_, rest) = rule.split_once("parent_fd=")?;
        Some(rest.split_once('<')?.1.split_once('>')?.0.to_owned())
    };
    rules
        .map(|rule| path(rule).unwrap_or_else(|| rule.clone()))
        .collect()
}

#[test]
fn who_only_reads_is_confined_before_the_bundle_is_read_and_before_there_is_a_second_thread() {
    let sandbox = Sandbox::new();
    sandbox.runnable_bundle("b.run");
    let bundle: &[&[&str]] = &[
        &["verify"],
        &["verify", "--deep"],
        &["inspect"],
        &["inspect", "--sbom"],
        &["list"],
    ];
    let mut tried = 0;
    for verb in bundle {
        let (verb, flags) = verb.split_first().unwrap();
        let by_packager = [&[PACKAGER, verb, "b.run"], flags].concat();
        let by_itself = [&["./b.run", verb], flags].concat();
        for line in [by_packager, by_itself] {
            let Some((outcome, calls)) = watched(&sandbox, &line) else {
                return;
            };
            assert_eq!(outcome.status, 0, "{line:?}: {outcome:?}");
            let confined = position(&calls, "landlock_restrict_self(").expect("confined");
            assert!(calls[confined].ends_with("= 0"), "{line:?}: {}", calls[confined]);
            assert_eq!(allowed(&calls), Vec::<String>::new(), "{line:?}");
            let read = position(&calls, "b.run\", O_RDONLY").expect("it is read");
            assert!(confined < read, "{line:?}: {calls:#?}");
            let thread = position(&calls, "clone");
            assert!(
                thread.is_none_or(|thread| confined < thread),
                "{line:?}: {calls:#?}"
            );
            tried += 1;
        }
    }
    let (outcome, calls) = watched(&sandbox, &[PACKAGER, "trust", "list"]).unwrap();
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(position(&calls, "landlock_restrict_self(").is_some());
    report(&format!("{} runs, each confined before it read", tried + 1));
}

#[test]
fn an_extract_may_write_beneath_its_directory_alone() {
    let sandbox = Sandbox::new();
    sandbox.runnable_bundle("b.run");
    let home = fs::canonicalize(sandbox.path(".")).unwrap();
    let within = |name: &str| home.join(name).display().to_string();
    for (flags, rules) in [
        // Until all is verified nothing is made, and then no more than that is allowed.
        (
            ["--to", "new/parts"],
            vec![home.display().to_string(), within("new/parts")],
        ),
        // It is there now.
        (["--to", "new/parts"], vec![within("new/parts")]),
        (
            ["--to-cache", "mk"],
            vec![home.display().to_string(), within("mk/.minikube/cache")],
        ),
        (["--to-cache", "mk/.minikube"], vec![within("mk/.minikube/cache")]),
    ] {
        let Some((outcome, calls)) = watched(&sandbox, &[&["./b.run", "extract"], &flags[..]].concat())
        else {
            return;
        };
        assert_eq!(outcome.status, 0, "{flags:?}: {outcome:?}");
        assert_eq!(allowed(&calls), rules, "{flags:?}");
    }
}

#[test]
fn a_cache_may_lie_in_part_on_another_disk() {
    let sandbox = Sandbox::new();
    sandbox.runnable_bundle("b.run");
    let cache = sandbox.path("home/.minikube/cache");
    fs::create_dir_all(&cache).unwrap();
    fs::create_dir(sandbox.path("disk")).unwrap();
    symlink(sandbox.path("disk"), cache.join("images")).unwrap();
    let outcome = sandbox.packager(["extract", "b.run", "--to-cache", "home/.minikube"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(fs::read_dir(sandbox.path("disk")).unwrap().count() > 0);
}

#[test]
fn a_repair_may_change_the_bundle_alone_and_make_what_is_missing_beside_it() {
    let sandbox = Sandbox::new();
    let whole = sandbox.runnable_bundle("whole.run");
    for directory in ["stick", "disk"] {
        fs::create_dir(sandbox.path(directory)).unwrap();
    }
    let damaged = sandbox.path("disk/damaged");
    let mut content = bytes(&whole);
    let middle = content.len() / 2;
    content[middle] ^= 1;
    fs::write(&damaged, content).unwrap();
    symlink(&damaged, sandbox.path("stick/b.run")).unwrap();
    let line = [PACKAGER, "repair", "stick/b.run", "--from", "whole.run"];
    let Some((outcome, calls)) = watched(&sandbox, &line) else {
        return;
    };
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(bytes(&damaged) == bytes(&whole), "it is fixed through the link");
    let path = |name: &str| {
        fs::canonicalize(sandbox.path(name))
            .unwrap()
            .display()
            .to_string()
    };
    assert_eq!(allowed(&calls), [path("disk/damaged"), path("stick")]);
}

#[test]
fn what_runs_other_programs_is_not_confined() {
    let sandbox = Sandbox::new();
    sandbox.runnable_bundle("b.run");
    let engine = FakeEngine::make(&sandbox);
    let path = format!("PATH={}", engine.path());
    let links = format!("XDG_BIN_HOME={}", sandbox.path("home/.local/bin").display());
    let environment = ["env", &path, &links];
    for line in [
        &["./b.run", "preflight"][..],
        &["./b.run", "-y", "--image-load=cache", "--keep-failed"],
        &[PACKAGER, "status"],
        &[PACKAGER, "uninstall"],
    ] {
        let Some((_, calls)) = watched(&sandbox, &[&environment, line].concat()) else {
            return;
        };
        assert!(
            position(&calls, "engine/docker\"").is_some(),
            "{line:?}: {calls:#?}"
        );
        assert_eq!(position(&calls, "landlock_restrict_self("), None, "{line:?}");
    }
}

#[test]
fn a_result_goes_to_the_file_that_the_shell_opened() {
    let sandbox = Sandbox::new();
    sandbox.runnable_bundle("b.run");
    let script = "./b.run inspect --sbom >sbom.json && ./b.run verify >verified";
    let outcome = sandbox.run(Command::new("sh").args(["-eu", "-c", script]));
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(!outcome.stderr.contains("confine"), "{outcome:?}");
    assert!(bytes(&sandbox.path("sbom.json")).starts_with(b"{"));
    assert!(String::from_utf8_lossy(&bytes(&sandbox.path("verified"))).contains("is whole"));
}

#[test]
fn where_the_kernel_does_not_confine_a_bundle_is_verified_all_the_same() {
    let sandbox = Sandbox::new();
    sandbox.runnable_bundle("b.run");
    let Some((right, _)) = watched(&sandbox, &[PACKAGER, "verify", "b.run"]) else {
        return;
    };
    let verify = ["verify", "b.run"];
    // Before Linux 5.13, switched off, and kept from it by what this run is in.
    for errno in ["ENOSYS", "EOPNOTSUPP", "EPERM"] {
        let inject = format!("inject=landlock_create_ruleset:error={errno}");
        let outcome = injected(&sandbox, &inject, &verify);
        assert_eq!(
            (outcome.status, &outcome.stdout),
            (0, &right.stdout),
            "{errno}: {outcome:?}"
        );
        assert!(!outcome.stderr.contains("confine"), "{errno}: {outcome:?}");
    }
    // In sixteen others.
    let outcome = injected(&sandbox, "inject=landlock_restrict_self:error=E2BIG", &verify);
    assert_eq!(
        (outcome.status, &outcome.stdout),
        (0, &right.stdout),
        "{outcome:?}"
    );
    assert!(
        outcome.stderr.contains("the kernel does not confine it: "),
        "{outcome:?}"
    );
}

#[test]
fn an_older_kernel_confines_by_what_it_knows() {
    let sandbox = Sandbox::new();
    sandbox.runnable_bundle("b.run");
    if watched(&sandbox, &[PACKAGER, "verify", "b.run"]).is_none() {
        return;
    }
    for interface in 1..=6 {
        // Every other call asks for it.
        let inject = format!("inject=landlock_create_ruleset:retval={interface}:when=1+2");
        let directory = format!("parts {interface}");
        let outcome = injected(&sandbox, &inject, &["extract", "b.run", "--to", &directory]);
        assert_eq!(outcome.status, 0, "{interface}: {outcome:?}");
        assert!(!outcome.stderr.contains("confine"), "{interface}: {outcome:?}");
    }
}

/// Runs the packager where a call ends otherwise.
fn injected(sandbox: &Sandbox, inject: &str, line: &[&str]) -> Outcome {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o", "/dev/null", "-e", inject, PACKAGER]);
    sandbox.run(command.args(line))
}
