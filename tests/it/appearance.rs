//! How much a run prints, in which colors, and what its log has.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use serde_json::Value;

use crate::support::program::Sandbox;

#[test]
fn quiet_prints_results_and_errors_alone() {
    let sandbox = Sandbox::new();
    sandbox.sample_bundle("x.run");
    let normal = sandbox.packager(["list", "x.run"]);
    let quiet = sandbox.packager(["-q", "list", "x.run"]);
    assert_eq!((quiet.status, &quiet.stdout), (0, &normal.stdout));
    let deep = sandbox.packager(["verify", "x.run", "--deep", "-q"]);
    assert_eq!((deep.status, &*deep.stderr), (0, ""), "{deep:?}");
    assert!(deep.stdout.contains("x.run"), "{deep:?}");
    let json = sandbox.packager(["verify", "x.run", "--deep", "--json", "-q"]);
    assert_eq!(json.stdout.lines().count(), 1, "{json:?}");
    let both = sandbox.packager(["list", "x.run", "-q", "-v"]);
    assert_eq!(both.status, 2, "{both:?}");
}

#[test]
fn no_progress_leaves_out_the_lines_that_count() {
    let sandbox = Sandbox::new();
    sandbox.sample_bundle("x.run");
    let outcome = sandbox.packager(["verify", "x.run", "--deep", "--json", "--no-progress"]);
    let types: Vec<String> = outcome
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["type"].to_string())
        .collect();
    assert!(types.contains(&"\"begin\"".to_owned()), "{types:?}");
    assert!(!types.contains(&"\"progress\"".to_owned()), "{types:?}");
}

#[test]
fn colors_are_used_where_they_are_asked_for() {
    let sandbox = Sandbox::new();
    for (flag, begins) in [
        ("--color=always", "\u{1b}[1;31merror:\u{1b}[0m "),
        ("--color=never", "error: "),
        ("--color=auto", "error: "),
    ] {
        let outcome = sandbox.packager(["list", "nothing.run", flag]);
        assert!(outcome.stderr.starts_with(begins), "{outcome:?}");
    }
}

#[test]
fn the_log_has_each_line_with_its_time_and_no_secret() {
    let sandbox = Sandbox::new();
    sandbox.sample_bundle("x.run");
    for line in [
        &["verify", "x.run", "--log-file", "run.log"][..],
        &["list", "nothing.run", "-q", "--log-file", "run.log"],
        &[
            "pack",
            "--offline",
            "--proxy",
            "http://me:secret@proxy.example",
            "--log-file",
            "run.log",
        ],
    ] {
        sandbox.packager(line);
    }
    let path = sandbox.path("run.log");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let log = fs::read_to_string(path).unwrap();
    let time = regex::Regex::new(r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ (\w+) +\S").unwrap();
    let level = |line: &str| time.captures(line).expect(line)[1].to_owned();
    let levels: Vec<String> = log.lines().map(level).collect();
    assert_eq!(levels.iter().filter(|level| *level == "run").count(), 3, "{log}");
    for expected in ["begin", "end", "result", "error"] {
        assert!(levels.iter().any(|level| level == expected), "{expected}: {log}");
    }
    assert!(!log.contains("secret"), "{log}");
    assert!(log.contains("http://***@proxy.example"), "{log}");
}

#[test]
fn a_log_that_cannot_be_written_stops_a_run_before_it_begins() {
    let sandbox = Sandbox::new();
    sandbox.sample_bundle("x.run");
    symlink("elsewhere", sandbox.path("link")).unwrap();
    for name in ["nowhere/run.log", "link", "/dev/null"] {
        let outcome = sandbox.packager(["list", "x.run", "--log-file", name]);
        assert_eq!((outcome.status, &*outcome.stdout), (5, ""), "{outcome:?}");
        let begins = format!("error: cannot write the log `{name}`: ");
        assert!(outcome.stderr.starts_with(&begins), "{outcome:?}");
    }
    assert!(!sandbox.path("elsewhere").exists());
}
