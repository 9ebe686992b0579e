//! What runs only with a network: that it says so, and that the workflows call it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use walkdir::WalkDir;

use crate::support::program::{Outcome, Sandbox};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Runs `tests/online/run.sh` with a curl that ends with `code`.
fn online(code: u8, required: bool) -> Outcome {
    let sandbox = Sandbox::new();
    let curl = sandbox.path("curl");
    fs::write(&curl, format!("#!/bin/sh\nexit {code}\n")).expect("a file");
    fs::set_permissions(&curl, fs::Permissions::from_mode(0o755)).expect("ours");
    let path = format!("{}:/usr/bin:/bin", sandbox.path("").display());
    let mut command = Command::new("env");
    command.args(["-u", "HOME", &format!("PATH={path}")]);
    if required {
        command.arg("ONLINE_REQUIRED=1");
    }
    sandbox.run(command.arg(format!("{ROOT}/tests/online/run.sh")))
}

#[test]
fn only_no_connection_at_all_is_a_reason_to_skip() {
    for code in [5, 6, 7, 28] {
        let outcome = online(code, false);
        let text = format!("skipped: no network to dl.k8s.io (curl ended with {code})\n");
        assert_eq!((outcome.status, &outcome.stdout), (0, &text), "{outcome:?}");
        let outcome = online(code, true);
        assert_eq!((outcome.status, outcome.stdout), (1, text));
    }
    for code in [22, 35, 56, 60] {
        let outcome = online(code, false);
        assert_eq!((outcome.status, outcome.stdout.as_str()), (1, ""));
        assert_eq!(
            outcome.stderr,
            format!(
                "there is a network, and https://dl.k8s.io/release/stable.txt cannot be read: \
                 curl ended with {code}\n"
            )
        );
    }
}

#[test]
fn workflows_pin_what_they_use_and_run_what_is_there() {
    let makefile = fs::read_to_string(Path::new(ROOT).join("Makefile")).expect("a file");
    let mut called = Vec::new();
    for entry in WalkDir::new(Path::new(ROOT).join(".github/workflows")).min_depth(1) {
        let entry = entry.expect("an entry");
        let text = fs::read_to_string(entry.path()).expect("a file");
        assert!(text.contains("\npermissions:\n  contents: read\n"), "{entry:?}");
        // A tag signs with the release key, which a protected environment holds; nothing else may.
        let releases = entry.file_name() == "release.yml";
        assert_eq!(
            text.matches("secrets.").count(),
            usize::from(releases),
            "{entry:?}"
        );
        assert_eq!(text.contains("environment: release"), releases, "{entry:?}");
        for line in text.lines().map(|line| line.trim_start_matches([' ', '-'])) {
            if let Some(action) = line.strip_prefix("uses: ") {
                let commit = action.split('@').nth(1).unwrap_or_default();
                let (commit, version) = commit.split_once(" # v").expect("a commit and its version");
                assert!(
                    commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()),
                    "{line}"
                );
                assert!(
                    version.starts_with(|first: char| first.is_ascii_digit()),
                    "{line}"
                );
            }
            if let (Some(command), false) = (line.strip_prefix("run: "), releases) {
                let last: Vec<&str> = command.rsplitn(3, ' ').collect();
                match last[..] {
                    [target, "make", _] => assert!(makefile.contains(&format!("\n{target}: ")), "{line}"),
                    [script, "bash", _] => assert!(Path::new(ROOT).join(script).is_file(), "{line}"),
                    _ => panic!("{line}"),
                }
                called.push(last[0].to_owned());
            }
        }
    }
    called.sort();
    assert_eq!(called, [".ci/run", "test-online"]);
}
