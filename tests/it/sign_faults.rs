//! Signing on a disk that is full, and signing that is killed: the bundle is the old one
//! or the new one, and nothing else is left in the end.

use std::fs;
use std::process::Command;

use crate::support::effort::report;
use crate::support::keys::{Key, PASSWORD, text};
use crate::support::program::{Outcome, Sandbox, bytes};
use crate::support::strace::strace_works;

/// The system calls of which one is disturbed, and which one of them.
const CALLS: [(&str, u32); 7] = [
    ("pwrite64", 1),
    ("pwrite64", 2),
    ("fchmod", 1),
    ("fsync", 1),
    ("rename", 1),
    ("fsync", 3),
    ("rename", 2),
];

/// Signs `x.run` while `strace` does `what` at a call; `None` where it cannot.
fn disturbed(sandbox: &Sandbox, key: &Key, call: &str, number: u32, what: &str) -> Option<Outcome> {
    let inject = format!("inject={call}:{what}:when={number}");
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o", "/dev/null", "-e", &inject]);
    command.args([
        env!("CARGO_BIN_EXE_minikube-offline"),
        "sign",
        "x.run",
        "--password-fd=0",
        "--key",
    ]);
    command
        .arg(&key.secret)
        .stdin(text(sandbox, &format!("{PASSWORD}\n")));
    if !strace_works() {
        return None;
    }
    Some(sandbox.run(&mut command))
}

fn partials(sandbox: &Sandbox) -> usize {
    let entries = fs::read_dir(sandbox.path(".")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|name| name.contains("partial")).count()
}

#[test]
fn a_full_disk_while_signing_changes_nothing() {
    let sandbox = Sandbox::new();
    let key = Key::make(&sandbox, "one");
    let bundle = sandbox.sample_bundle("x.run");
    let before = bytes(&bundle);
    let mut tried = 0;
    // The last two are after the bundle took its name: it is signed, and what lies beside is not.
    for (call, number) in &CALLS[..5] {
        let Some(outcome) = disturbed(&sandbox, &key, call, *number, "error=ENOSPC") else {
            return;
        };
        assert_eq!(outcome.status, 6, "{call} {number}: {outcome:?}");
        assert!(outcome.stderr.contains("\nhint: "), "{outcome:?}");
        assert!(bytes(&bundle) == before, "{call} {number}");
        assert_eq!(partials(&sandbox), 0, "{call} {number}");
        tried += 1;
    }
    report(&format!("{tried} calls said that the disk is full"));
}

#[test]
fn a_killed_sign_leaves_a_whole_bundle_and_the_next_one_tidies_up() {
    let sandbox = Sandbox::new();
    let key = Key::make(&sandbox, "one");
    let bundle = sandbox.sample_bundle("x.run");
    let before = bytes(&bundle);
    let mut left = 0;
    for (call, number) in CALLS {
        fs::write(&bundle, &before).unwrap();
        let Some(outcome) = disturbed(&sandbox, &key, call, number, "signal=SIGKILL") else {
            return;
        };
        assert_ne!(
            outcome.status, 0,
            "{call} {number}: it was not killed: {outcome:?}"
        );
        left += partials(&sandbox);
        let verified = sandbox.packager(["verify", "x.run"]);
        assert_eq!(verified.status, 0, "{call} {number}: {verified:?}");
    }
    assert!(left > 0, "no kill was in the middle of the copy");
    assert_eq!(key.sign(&sandbox, &bundle).status, 0);
    assert_eq!(partials(&sandbox), 0);
    let verified = sandbox.packager(["verify", "x.run", "--key", &key.base64]);
    assert_eq!(verified.status, 0, "{verified:?}");
    report(&format!(
        "{} kills, {left} unfinished copies tidied up",
        CALLS.len()
    ));
}
