//! Hostile and broken environments: the same result, or a defined exit code with a
//! message that says what to do.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use crate::support::effort::report;
use crate::support::engine::FakeEngine;
use crate::support::program::{Outcome, Sandbox, copy};

/// What must come out.
enum Expected {
    /// The same as in a usual environment.
    Same,
    /// This exit code, and this in the message.
    Exit(i32, &'static str),
}

use Expected::{Exit, Same};

/// Each case: its name, a script that runs the bundle `$B` in an empty directory, and what
/// comes out. `$LIST` is what `list` prints.
const HEADER_CASES: [(&str, &str, Expected); 44] = [
    ("a usual environment", r#""$B" list"#, Same),
    (
        "TMPDIR is a link",
        r#"mkdir real; ln -s real t; TMPDIR=$PWD/t "$B" list"#,
        Same,
    ),
    (
        "TMPDIR is a dangling link",
        r#"ln -s nowhere t; TMPDIR=$PWD/t "$B" list"#,
        Same,
    ),
    ("TMPDIR is relative", r#"mkdir t; TMPDIR=t "$B" list"#, Same),
    (
        "TMPDIR begins with a dash",
        r#"mkdir ./-rf; TMPDIR=-rf "$B" list"#,
        Same,
    ),
    (
        "TMPDIR has quotes and a line end",
        "mkdir \"$PWD/a'\nb\"; TMPDIR=\"$PWD/a'\nb\" \"$B\" list",
        Same,
    ),
    ("TMPDIR is a file", r#"touch t; TMPDIR=$PWD/t "$B" list"#, Same),
    (
        "TMPDIR is not there",
        r#"TMPDIR=/no/such/directory "$B" list"#,
        Same,
    ),
    (
        "XDG_RUNTIME_DIR cannot be written",
        r#"XDG_RUNTIME_DIR=/proc "$B" list"#,
        Same,
    ),
    ("umask 000", r#"umask 000; "$B" list"#, Same),
    ("umask 777", r#"umask 777; "$B" list"#, Same),
    ("CDPATH", r#"CDPATH=/etc:/usr "$B" list"#, Same),
    (
        "IFS",
        r#"IFS=/abcdefghijklmnopqrstuvwxyz; export IFS; "$B" list"#,
        Same,
    ),
    (
        "ENV",
        r#"echo 'echo pwned; exit 0' >e; ENV=$PWD/e "$B" list"#,
        Same,
    ),
    (
        "BASH_ENV",
        r#"echo 'cat() { echo pwned; }' >e; BASH_ENV=$PWD/e "$B" list"#,
        Same,
    ),
    ("POSIXLY_CORRECT", r#"POSIXLY_CORRECT=1 "$B" list"#, Same),
    (
        "an odd language",
        r#"LANG=xx_YY.bogus LC_ALL=tr_TR.UTF-8 LANGUAGE=.. "$B" list"#,
        Same,
    ),
    (
        "a loader's variable that leads nowhere",
        r#"LD_PRELOAD=/no/such.so "$B" list 2>/dev/null"#,
        Same,
    ),
    ("no HOME", r#"unset HOME; "$B" list"#, Same),
    ("an empty PATH", r#"PATH= ; export PATH; "$B" list"#, Same),
    ("no variables at all", r#"env -i "$B" list"#, Same),
    (
        "a huge environment",
        r#"x=$(head -c 100000 /dev/zero | tr '\0' x); for n in 1 2 3 4 5 6 7 8; do export "V$n=$x"; done; "$B" list"#,
        Same,
    ),
    ("stdin closed", r#""$B" list <&-"#, Same),
    ("stderr closed", r#""$B" list 2>&-"#, Same),
    (
        "stdout and stderr closed",
        r#""$B" list >&- 2>&-; [ $? = 0 ] && printf '%s\n' "$LIST""#,
        Same,
    ),
    (
        "stdin, stdout and stderr closed",
        r#""$B" list <&- >&- 2>&-; [ $? = 0 ] && printf '%s\n' "$LIST""#,
        Same,
    ),
    ("SIGPIPE ignored", r#"trap '' PIPE; "$B" list"#, Same),
    (
        "a reader that goes away",
        r#"{ "$B" list; echo $? >status; } | head -c 1 >/dev/null; [ "$(cat status)" = 0 ] && printf '%s\n' "$LIST""#,
        Same,
    ),
    (
        "a full stdout",
        r#""$B" list >/dev/full"#,
        Exit(6, "writing to stdout"),
    ),
    ("few open files", r#"ulimit -n 16; "$B" list"#, Same),
    ("little memory", r#"ulimit -v 400000; "$B" list"#, Same),
    (
        "no file may grow",
        r#"ulimit -f 1; "$B" list"#,
        Exit(9, "set TMPDIR to a directory"),
    ),
    (
        "the current directory is gone",
        r#"mkdir gone; cd gone; rmdir ../gone; "$B" list"#,
        Same,
    ),
    ("by a link", r#"ln -s "$B" link.run; ./link.run list"#, Same),
    ("by a descriptor", r#"sh /proc/self/fd/9 list 9<"$B""#, Same),
    ("on stdin", r#"sh -s list <"$B""#, Exit(5, "run it by its path")),
    (
        "a name with a line end",
        "cp \"$B\" \"a\nb.run\"; ./\"a\nb.run\" list",
        Same,
    ),
    (
        "a name with quotes and commands",
        r#"n='a "b'"'"' $(touch pwned) `touch pwned`;.run'; cp "$B" "$n"; ./"$n" list && [ ! -e pwned ]"#,
        Same,
    ),
    ("a name that is a flag", r#"cp "$B" ./-rf; sh ./-rf list"#, Same),
    (
        "a name that is a flag, found here",
        r#"cp "$B" ./-c.run; sh -- -c.run list"#,
        Same,
    ),
    (
        "dd that writes something else",
        r#"mkdir s; printf '#!/bin/sh\nfor a; do case $a in of=*) echo pwned >"${a#of=}" ;; esac; done\n' >s/dd; chmod +x s/dd; PATH=$PWD/s:$PATH "$B" list"#,
        Exit(4, "is damaged"),
    ),
    (
        "sha256sum that lies",
        r#"mkdir s; printf '#!/bin/sh\necho 0000\n' >s/sha256sum; chmod +x s/sha256sum; PATH=$PWD/s:$PATH "$B" list"#,
        Exit(4, "is damaged"),
    ),
    (
        "mktemp that names a directory of ours",
        r#"mkdir s keep; touch keep/file; printf '#!/bin/sh\necho %s/keep\n' "$PWD" >s/mktemp; chmod +x s/mktemp; PATH=$PWD/s:$PATH "$B" list; s=$?; [ -e keep/file ] && exit $s"#,
        Exit(9, "set TMPDIR to a directory"),
    ),
    (
        "mktemp that says nothing",
        r#"mkdir s; printf '#!/bin/sh\n' >s/mktemp; chmod +x s/mktemp; PATH=$PWD/s:$PATH "$B" list"#,
        Exit(9, "set TMPDIR to a directory"),
    ),
];

fn script(sandbox: &Sandbox, script: &str, variables: &[(&str, &str)]) -> Outcome {
    let mut command = Command::new("sh");
    command.args(["-c", script]).stdin(Stdio::null());
    command.current_dir(sandbox.path("here")).env_clear();
    command
        .env("HOME", sandbox.path("home"))
        .env("XDG_BIN_HOME", sandbox.path("home/.local/bin"))
        .env("PATH", "/usr/local/bin:/usr/bin:/bin");
    command.envs(variables.iter().copied());
    Outcome::from(command.output().unwrap())
}

fn control_characters(text: &str) -> usize {
    text.chars()
        .filter(|c| c.is_control() && *c != '\n' && *c != '\t')
        .count()
}

#[test]
fn a_bundle_does_the_same_in_every_environment_or_says_why_not() {
    let sandbox = Sandbox::new();
    let bundle = sandbox.runnable_bundle("b.run");
    let bundle = bundle.to_string_lossy();
    fs::create_dir(sandbox.path("here")).unwrap();
    let usual = script(&sandbox, r#""$B" list"#, &[("B", &bundle)]);
    assert_eq!(usual.status, 0, "{usual:?}");
    let mut wrong = Vec::new();
    for (name, text, expected) in &HEADER_CASES {
        let here = sandbox.path("here");
        fs::remove_dir_all(&here).unwrap();
        fs::create_dir(&here).unwrap();
        let variables = [("B", &*bundle), ("LIST", usual.stdout.trim_end())];
        let outcome = script(&sandbox, text, &variables);
        let as_expected = match expected {
            Same => (outcome.status, &outcome.stdout) == (0, &usual.stdout),
            Exit(status, part) => outcome.status == *status && outcome.stderr.contains(part),
        };
        if !as_expected {
            wrong.push(format!("{name}: {outcome:?}"));
        }
        assert_eq!(control_characters(&outcome.stderr), 0, "{name}");
        let left = fs::read_dir(sandbox.path("home")).unwrap().count();
        assert_eq!(left, 0, "{name}: nothing is written to HOME");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    report(&format!("{} environments", HEADER_CASES.len()));
}

/// Cases of a start with an engine that starts no containers: what is done before, with
/// `$ENGINE` its directory. A usual start ends with 10, as there is no node.
const START_CASES: [(&str, &str, Expected); 17] = [
    (
        "a usual environment",
        r#""$B" -y --image-load=cache"#,
        Exit(10, "minikube could not start the cluster"),
    ),
    (
        "no HOME",
        r#"unset HOME; "$B" -y"#,
        Exit(2, "`HOME` does not hold an absolute path"),
    ),
    (
        "a relative HOME",
        r#"HOME=home "$B" -y"#,
        Exit(2, "`HOME` does not hold an absolute path"),
    ),
    (
        "HOME is a file",
        r#"touch f; HOME=$PWD/f "$B" -y"#,
        Exit(5, "/f/"),
    ),
    (
        "HOME is on /proc",
        r#"HOME=/proc "$B" -y"#,
        Exit(6, "the file system of `/proc`"),
    ),
    (
        "a relative MINIKUBE_HOME",
        r#"MINIKUBE_HOME=mk "$B" -y"#,
        Exit(2, "is not an absolute path"),
    ),
    (
        "umask 000",
        r#"umask 000; "$B" -y --image-load=cache --keep-failed; s=$?; find "$HOME" -type f -perm /022 | grep . && exit 99; exit $s"#,
        Exit(10, ""),
    ),
    (
        "umask 777",
        r#"umask 777; "$B" -y --image-load=cache"#,
        Exit(10, "minikube could not start the cluster"),
    ),
    (
        "cannot ask whether to",
        r#""$B""#,
        Exit(2, "add -y to start without a question"),
    ),
    ("stdin closed", r#""$B" -y --image-load=cache <&-"#, Exit(10, "")),
    (
        "docker answers nonsense",
        r#"printf '#!/bin/sh\necho nonsense\n' >"$ENGINE/docker"; "$B" -y"#,
        Exit(9, "is not understood"),
    ),
    (
        "docker steers the terminal",
        r#"printf '#!/bin/sh\nprintf "\\033[2J\\233pwned\\n" >&2; exit 1\n' >"$ENGINE/docker"; "$B" -y"#,
        Exit(9, "Docker Engine does not answer"),
    ),
    (
        "minikube steers the terminal",
        r#"printf '\033[2J\302\233evil\n' >"$ENGINE/fail version --format"; "$B" -y --image-load=cache"#,
        Exit(10, r"\u{1b}[2J\u{9b}evil"),
    ),
    (
        "minikube steers the terminal of who reads JSON",
        r#"printf '\033[2J\302\233evil\n' >"$ENGINE/fail version --format"; "$B" -y --image-load=cache --output=json | tail -n 1 >&2; exit 10"#,
        Exit(10, r"\u001b[2J\u009bevil"),
    ),
    (
        "docker floods",
        r#"printf '#!/bin/sh\nhead -c 30000000 /dev/zero | tr "\\0" x >&2; exit 1\n' >"$ENGINE/docker"; "$B" -y >/dev/null"#,
        Exit(9, "Docker Engine does not answer"),
    ),
    (
        "docker is killed",
        r#"printf '#!/bin/sh\nkill -9 $$\n' >"$ENGINE/docker"; "$B" -y"#,
        Exit(9, "Docker Engine does not answer"),
    ),
    (
        "docker cannot be run",
        r#"chmod 644 "$ENGINE/docker"; PATH=$ENGINE "$B" -y"#,
        Exit(9, ""),
    ),
];

#[test]
fn a_start_ends_in_a_defined_way_in_every_environment_and_leaves_nothing() {
    let sandbox = Sandbox::new();
    let bundle = sandbox.runnable_bundle("b.run");
    let bundle = bundle.to_string_lossy();
    let mut wrong = Vec::new();
    for (name, text, expected) in &START_CASES {
        for directory in ["here", "home", "engine"] {
            let _ = fs::remove_dir_all(sandbox.path(directory));
        }
        fs::create_dir(sandbox.path("here")).unwrap();
        fs::create_dir(sandbox.path("home")).unwrap();
        let engine = FakeEngine::make(&sandbox);
        let directory = sandbox.path("engine");
        let variables = [
            ("B", &*bundle),
            ("ENGINE", &directory.to_string_lossy()),
            ("PATH", &engine.path()),
        ];
        let outcome = script(&sandbox, text, &variables);
        let Exit(status, part) = expected else {
            unreachable!("a start ends with a code of its own")
        };
        if outcome.status != *status || !outcome.stderr.contains(part) {
            wrong.push(format!("{name}: {outcome:?}"));
        }
        assert_eq!(control_characters(&outcome.stderr), 0, "{name}");
        assert!(outcome.stderr.len() < 20_000, "{name}: a message for a person");
        if !text.contains("--keep-failed") {
            let uninstalled = engine.run(&sandbox, Command::new(&*bundle).arg("uninstall"));
            assert!([0, 9].contains(&uninstalled.status), "{name}: {uninstalled:?}");
            let left: Vec<_> = fs::read_dir(sandbox.path("home")).unwrap().collect();
            assert!(left.is_empty(), "{name}: {left:?}");
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    report(&format!("{} environments of a start", START_CASES.len()));
}

#[test]
fn a_command_line_cannot_steer_the_terminal() {
    let sandbox = Sandbox::new();
    let bundle = sandbox.runnable_bundle("b.run");
    let evil = sandbox.path("a\u{1b}[2Jb\u{9b}31m.run");
    copy(&bundle, &evil);
    fs::set_permissions(&evil, fs::Permissions::from_mode(0o755)).unwrap();
    for arguments in [
        &["no\u{1b}[2Jverb"][..],
        &["--help"],
        &["verify", "--no\u{9b}flag"],
        &["verify"],
        &["inspect"],
    ] {
        let outcome = sandbox.run(Command::new(&evil).args(arguments));
        assert_eq!(
            control_characters(&outcome.stderr),
            0,
            "{arguments:?}: {outcome:?}"
        );
        assert_eq!(
            control_characters(&outcome.stdout),
            0,
            "{arguments:?}: {outcome:?}"
        );
    }
}
