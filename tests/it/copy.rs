//! `copy`: the file on the stick is the file here, or there is none.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use crate::support::effort::report;
use crate::support::parts::SampleParts;
use crate::support::program::{Outcome, Sandbox, bytes};
use crate::support::strace::strace_works;

fn first_line(text: &str) -> &str {
    text.lines()
        .find(|line| line.starts_with("error: "))
        .unwrap_or_default()
}

fn stick(sandbox: &Sandbox) -> std::path::PathBuf {
    let stick = sandbox.path("stick");
    fs::create_dir(&stick).unwrap();
    stick
}

/// A copy to the stick while `strace` disturbs a call on what is written there.
fn disturbed(sandbox: &Sandbox, stick: &Path, inject: &str) -> Outcome {
    let mut command = Command::new("strace");
    command
        .args(["-f", "-qq", "-o", "/dev/null", "-P"])
        .arg(stick.join(".x.run.minikube-offline-partial"))
        .args(["-e", &format!("inject={inject}")])
        .arg(env!("CARGO_BIN_EXE_minikube-offline"))
        .args(["copy", "x.run", "stick"]);
    sandbox.run(&mut command)
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_bundle_and_its_volumes_are_copied_and_a_second_copy_changes_nothing() {
    let sandbox = Sandbox::new();
    let parts = SampleParts::make_large(&sandbox.path("parts"));
    sandbox.pack_with(&parts, "x.run", &["--split=2M"]);
    let stick = stick(&sandbox);
    let copied = sandbox.packager(["copy", "x.run", "stick"]);
    assert_eq!(copied.status, 0, "{copied:?}");
    let there = names(&stick);
    assert!(there.len() > 1, "{there:?}");
    for name in &there {
        assert_eq!(bytes(&stick.join(name)), bytes(&sandbox.path(name)), "{name}");
    }
    let inode = || fs::metadata(stick.join("x.run")).unwrap().ino();
    let before = inode();
    let again = sandbox.packager(["copy", "x.run", "stick", "--json"]);
    assert_eq!(again.status, 0, "{again:?}");
    assert!(again.stdout.contains("\"changed\":false"), "{again:?}");
    assert_eq!((before, names(&stick)), (inode(), there));
    let verified = sandbox.packager(["verify", "stick"]);
    assert_eq!(verified.status, 0, "{verified:?}");
}

#[test]
fn what_cannot_be_copied_is_refused_and_loses_nothing() {
    let sandbox = Sandbox::new();
    let bundle = sandbox.sample_bundle("x.run");
    let stick = stick(&sandbox);
    let refused = |line: &[&str], status: i32, message: &str| {
        let outcome = sandbox.packager(line);
        let expected = (status, format!("error: {message}"));
        assert_eq!((outcome.status, first_line(&outcome.stderr).to_owned()), expected);
        assert!(outcome.stderr.contains("\nhint: "), "{outcome:?}");
    };
    refused(
        &["copy", "x.run", "none"],
        2,
        "cannot copy to `none`: it is not a directory",
    );
    refused(
        &["copy", "x.run", "x.run"],
        2,
        "cannot copy to `x.run`: it is not a directory",
    );
    refused(&["copy", "x.run", "."], 2, "cannot copy `x.run` to itself");
    refused(&["copy", "no.run", "stick"], 5, "cannot open `no.run`");
    refused(
        &["verify", "stick"],
        2,
        "cannot verify `stick`: no bundle is in it",
    );
    fs::write(stick.join("x.run"), "notes").unwrap();
    refused(
        &["copy", "x.run", "stick"],
        2,
        "cannot write `stick/x.run`: another file is there",
    );
    assert_eq!(bytes(&stick.join("x.run")), b"notes");
    // As long as the bundle, and another.
    let mut other = bytes(&bundle);
    let middle = other.len() / 2;
    other[middle] ^= 1;
    fs::write(stick.join("x.run"), &other).unwrap();
    refused(
        &["copy", "x.run", "stick"],
        4,
        "`stick/x.run` was there already, and is damaged",
    );
    assert_eq!(bytes(&stick.join("x.run")), other);
    // A source that is damaged is not carried away.
    fs::remove_file(stick.join("x.run")).unwrap();
    fs::write(&bundle, &other).unwrap();
    let outcome = sandbox.packager(["copy", "x.run", "stick"]);
    assert_eq!((outcome.status, names(&stick)), (4, Vec::new()), "{outcome:?}");
}

#[test]
fn a_medium_that_lies_about_what_was_written_is_found_out() {
    let sandbox = Sandbox::new();
    sandbox.sample_bundle("x.run");
    let stick = stick(&sandbox);
    if !strace_works() {
        report("skipped: strace does not work here");
        return;
    }
    // A stick that is smaller than it says takes every write, and keeps only some.
    let outcome = disturbed(&sandbox, &stick, "write:retval=1048576:when=1");
    assert_eq!(outcome.status, 4, "{outcome:?}");
    let first = first_line(&outcome.stderr);
    assert_eq!(
        first,
        "error: `stick/x.run` is not what was written to it: it was removed again"
    );
    assert_eq!(names(&stick), Vec::<String>::new());
}

#[test]
fn a_file_system_that_holds_no_file_so_long_is_told_with_what_to_do() {
    let sandbox = Sandbox::new();
    sandbox.sample_bundle("x.run");
    let stick = stick(&sandbox);
    if !strace_works() {
        report("skipped: strace does not work here");
        return;
    }
    let outcome = disturbed(&sandbox, &stick, "write:error=EFBIG:when=2");
    let message = "error: cannot copy `x.run` to `stick`: the file system there holds no file of ";
    assert_eq!(outcome.status, 2, "{outcome:?}");
    assert!(
        first_line(&outcome.stderr).starts_with(message) && outcome.stderr.contains("--split 4000M"),
        "{outcome:?}"
    );
    assert_eq!(names(&stick), Vec::<String>::new());
}

#[test]
fn a_full_stick_and_a_killed_copy_leave_no_bundle_and_the_next_copy_is_whole() {
    let sandbox = Sandbox::new();
    let bundle = sandbox.sample_bundle("x.run");
    let stick = stick(&sandbox);
    if !strace_works() {
        report("skipped: strace does not work here");
        return;
    }
    let mut tried = 0;
    for inject in [
        "write:error=ENOSPC",
        "write:error=EIO",
        "write:signal=SIGKILL",
        "fdatasync:error=EIO",
        "fsync:error=EIO",
        "fsync:signal=SIGKILL",
        "rename:error=EROFS",
        "rename:signal=SIGKILL",
    ] {
        for when in [1, 4] {
            let outcome = disturbed(&sandbox, &stick, &format!("{inject}:when={when}"));
            let there = stick.join("x.run");
            if outcome.status == 0 || there.exists() {
                assert_eq!(bytes(&there), bytes(&bundle), "{inject} {when}: {outcome:?}");
            }
            let again = sandbox.packager(["copy", "x.run", "stick"]);
            assert_eq!(again.status, 0, "{inject} {when}: {again:?}");
            assert_eq!(bytes(&there), bytes(&bundle), "{inject} {when}");
            assert_eq!(names(&stick), ["x.run"], "{inject} {when}");
            fs::remove_file(there).unwrap();
            tried += 1;
        }
    }
    report(&format!(
        "{tried} copies that were refused a call or killed at it"
    ));
}
