//! The shell header: every shell, every awkward place.

mod cut;
mod owner;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use crate::support::effort::report;
use crate::support::program::{Sandbox, bytes, copy};

/// A bundle for this very machine, which can be run here.
fn bundle(sandbox: &Sandbox) -> PathBuf {
    sandbox.runnable_bundle("it's a bundle.run")
}

#[test]
fn every_shell_runs_the_bundle() {
    let sandbox = Sandbox::new();
    let bundle = bundle(&sandbox);
    let expected = sandbox.packager(["list".as_ref(), bundle.as_os_str()]);
    assert_eq!(expected.status, 0, "{expected:?}");
    let mut tried = 0;
    for shell in [
        &["dash"][..],
        &["busybox", "ash"],
        &["bash"],
        &["bash", "--posix"],
    ] {
        if sandbox
            .run(Command::new("sh").args(["-c", &format!("command -v {}", shell[0])]))
            .status
            != 0
        {
            report(&format!("skipped: {} is not here", shell[0]));
            continue;
        }
        for path in [
            bundle.clone(),
            PathBuf::from("it's a bundle.run"),
            PathBuf::from("./it's a bundle.run"),
        ] {
            let outcome = sandbox.run(Command::new(shell[0]).args(&shell[1..]).arg(path).arg("list"));
            let found = (outcome.status, &outcome.stdout, &outcome.stderr);
            assert_eq!(found, (0, &expected.stdout, &expected.stderr), "{shell:?}");
            tried += 1;
        }
    }
    assert!(tried >= 3, "no shell was found");
    let direct = sandbox.run(Command::new(&bundle).arg("list"));
    assert_eq!(
        (direct.status, &direct.stdout),
        (0, &expected.stdout),
        "{direct:?}"
    );
}

#[test]
fn nothing_of_the_stub_is_left_behind() {
    let sandbox = Sandbox::new();
    let bundle = bundle(&sandbox);
    let directory = sandbox.path("temporary");
    fs::create_dir(&directory).unwrap();
    let untouched = fs::metadata(&directory).unwrap().modified().unwrap();
    for (arguments, status, said) in [
        (&["list", "--no-header"][..], 0, "binary\tminikube\t"),
        (&["no-such-verb"], 2, "there is no verb `no-such-verb`"),
        (&["--help"], 0, "Usage: "),
    ] {
        let script = "TMPDIR=\"$PWD/temporary\" exec \"$0\" \"$@\"";
        let outcome = sandbox.run(
            Command::new("sh")
                .args(["-c", script])
                .arg(&bundle)
                .args(arguments),
        );
        assert_eq!(outcome.status, status, "{arguments:?}: {outcome:?}");
        let text = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(text.contains(said), "{arguments:?}: {text}");
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 0, "{arguments:?}");
        let touched = fs::metadata(&directory).unwrap().modified().unwrap();
        assert_ne!(touched, untouched, "the stub was never there");
    }
}

#[test]
fn a_damaged_stub_is_not_run() {
    let sandbox = Sandbox::new();
    let bundle = bundle(&sandbox);
    let mut content = bytes(&bundle);
    content[8192 + 5000] ^= 1;
    fs::write(sandbox.path("damaged"), content).unwrap();
    copy(&sandbox.path("damaged"), &bundle);
    let outcome = sandbox.run(Command::new(&bundle).arg("list"));
    assert_eq!(outcome.status, 4, "{outcome:?}");
    assert!(outcome.stderr.contains("is damaged"), "{}", outcome.stderr);
}

#[test]
fn another_machine_is_told_what_the_bundle_is_for() {
    let sandbox = Sandbox::new();
    let bundle = bundle(&sandbox);
    fs::create_dir(sandbox.path("shims")).unwrap();
    let uname = sandbox.path("shims/uname");
    fs::write(
        &uname,
        "#!/bin/sh\n[ \"$1\" = -s ] && echo Linux || echo riscv64\n",
    )
    .unwrap();
    fs::set_permissions(&uname, fs::Permissions::from_mode(0o755)).unwrap();
    let script = "PATH=\"$PWD/shims:$PATH\" exec \"$0\" list";
    let outcome = sandbox.run(Command::new("sh").args(["-c", script]).arg(&bundle));
    assert_eq!(outcome.status, 9, "{outcome:?}");
    assert!(
        outcome.stderr.contains("and this machine is Linux/riscv64"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn it_runs_from_noexec_and_read_only_places_with_awkward_directories() {
    let sandbox = Sandbox::new();
    // By a path that still holds when something is mounted over /tmp, where the sandbox is.
    fs::rename(bundle(&sandbox), sandbox.path("a bundle.run")).unwrap();
    let bundle = "./a bundle.run";
    let stick =
        format!("mkdir -p stick && mount -t tmpfs -o OPTIONS none stick && cp '{bundle}' stick/b.run");
    let noexec = stick.replace("OPTIONS", "noexec");
    let cases = [
        ("a noexec stick", format!("{noexec} && sh stick/b.run list")),
        (
            "a read-only stick",
            format!("{noexec} && mount -o remount,ro,noexec stick && sh stick/b.run list"),
        ),
        (
            "a noexec /tmp",
            format!("mount -t tmpfs -o noexec none /tmp && sh '{bundle}' list"),
        ),
        (
            "a full /tmp",
            format!("mount -t tmpfs -o size=64k none /tmp && sh '{bundle}' list"),
        ),
        (
            "a noexec TMPDIR",
            format!("mkdir t && mount -t tmpfs -o noexec none t && TMPDIR=$PWD/t sh '{bundle}' list"),
        ),
        (
            "a TMPDIR that is not there",
            format!("TMPDIR=/no/such/directory sh '{bundle}' list"),
        ),
    ];
    for (what, script) in &cases {
        let Some(outcome) = sandbox.with_mounts(script) else {
            return;
        };
        assert_eq!(outcome.status, 0, "{what}: {outcome:?}");
        assert!(outcome.stdout.contains("\nnode "), "{what}: {outcome:?}");
        let _ = fs::remove_dir_all(sandbox.path("t"));
    }
}

#[test]
fn a_machine_without_a_place_for_programs_is_told_what_to_do() {
    let sandbox = Sandbox::new();
    // By a path that still holds when something is mounted over /tmp, where the sandbox is.
    fs::rename(bundle(&sandbox), sandbox.path("a bundle.run")).unwrap();
    let bundle = "./a bundle.run";
    let script = format!(
        "mkdir stick && mount -t tmpfs -o noexec none stick && cp '{bundle}' stick/b.run && cd stick\n\
         for directory in /tmp /var/tmp /dev/shm /run; do mount -t tmpfs -o noexec none $directory; done\n\
         HOME=$PWD sh b.run list"
    );
    let Some(outcome) = sandbox.with_mounts(&script) else {
        return;
    };
    assert_eq!(outcome.status, 9, "{outcome:?}");
    assert!(
        outcome.stderr.contains("set TMPDIR to a directory"),
        "{}",
        outcome.stderr
    );
}
