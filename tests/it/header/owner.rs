//! Where the header puts the stub: never where another user can exchange it.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::effort::report;
use crate::support::program::{Outcome, Sandbox, bytes};

const ROOT: u32 = 0;
const ALICE: u32 = 1234;
const BOB: u32 = 1235;

const VARIABLES: [&str; 4] = ["XDG_RUNTIME_DIR", "TMPDIR", "HOME", "the current directory"];

/// A directory `above/it`: who owns the upper one and its mode, then the same of the lower.
type Place = ((u32, u32), (u32, u32));

/// What a place is, and whether root and alice take it.
const PLACES: [(&str, Place, bool, bool); 14] = [
    ("root's own", ((ROOT, 0o755), (ROOT, 0o700)), true, false),
    ("root's, of a group", ((ROOT, 0o755), (ROOT, 0o775)), false, false),
    ("root's, of all", ((ROOT, 0o755), (ROOT, 0o777)), false, false),
    ("root's, sticky", ((ROOT, 0o755), (ROOT, 0o1777)), true, true),
    (
        "root's, sticky, of a group",
        ((ROOT, 0o755), (ROOT, 0o1775)),
        true,
        false,
    ),
    ("alice's", ((ROOT, 0o755), (ALICE, 0o700)), false, true),
    (
        "alice's, open to all",
        ((ROOT, 0o755), (ALICE, 0o777)),
        false,
        false,
    ),
    ("alice's, sticky", ((ROOT, 0o755), (ALICE, 0o1777)), false, true),
    ("bob's, sticky", ((ROOT, 0o755), (BOB, 0o1777)), false, false),
    ("root's in alice's", ((ALICE, 0o755), (ROOT, 0o755)), false, false),
    (
        "alice's in alice's",
        ((ALICE, 0o755), (ALICE, 0o755)),
        false,
        true,
    ),
    ("alice's in bob's", ((BOB, 0o755), (ALICE, 0o755)), false, false),
    (
        "root's in a directory of all",
        ((ROOT, 0o777), (ROOT, 0o755)),
        false,
        false,
    ),
    (
        "alice's in a sticky one",
        ((ROOT, 0o1777), (ALICE, 0o755)),
        false,
        true,
    ),
];

/// A sandbox that alice may enter, with a bundle and a `mktemp` that only notes what it is
/// asked for; `None`, after saying so, where this is not root.
fn sandbox() -> Option<(Sandbox, PathBuf)> {
    if !rustix::process::geteuid().is_root() {
        report("skipped: only root can make directories of other users");
        return None;
    }
    let sandbox = Sandbox::new();
    fs::set_permissions(sandbox.path(""), Permissions::from_mode(0o755)).unwrap();
    let bundle = sandbox.runnable_bundle("b.run");
    fs::set_permissions(&bundle, Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(sandbox.path("shims")).unwrap();
    let shim = sandbox.path("shims/mktemp");
    fs::write(&shim, "#!/bin/sh\necho \"${2%/*}\" >>\"$LOG\"\nexit 1\n").unwrap();
    fs::set_permissions(&shim, Permissions::from_mode(0o755)).unwrap();
    Some((sandbox, bundle))
}

fn owned(path: &Path, (owner, mode): (u32, u32)) {
    chown(path, Some(owner), Some(owner)).unwrap();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Runs the bundle as `user` with `variable` at `directory`, and gives the directories
/// that it wanted to use.
fn asked(sandbox: &Sandbox, user: u32, variable: &str, directory: &Path, shell: &str) -> Vec<PathBuf> {
    let log = sandbox.path("log");
    fs::write(&log, "").unwrap();
    fs::set_permissions(&log, Permissions::from_mode(0o666)).unwrap();
    let set = match variable {
        "the current directory" => r#"cd "$2""#.to_owned(),
        name => format!("export {name}=\"$2\""),
    };
    let script = format!(
        "unset HOME; {set}; export LOG=\"$1/log\" PATH=\"$1/shims:$PATH\"; exec {shell} \"$1/b.run\" list"
    );
    let mut command = Command::new("sh");
    command
        .args(["-c", &script, "sh"])
        .args([&sandbox.path(""), directory]);
    let outcome = sandbox.run(command.uid(user).gid(user));
    assert_eq!(outcome.status, 9, "{outcome:?}");
    assert!(
        outcome.stderr.contains("set TMPDIR to a directory"),
        "{outcome:?}"
    );
    let asked = fs::read_to_string(&log).unwrap();
    asked.lines().map(PathBuf::from).collect()
}

#[test]
fn the_stub_goes_only_where_root_or_the_caller_rules() {
    let Some((sandbox, _)) = sandbox() else { return };
    let mut tried = 0;
    for (at, (what, (above, it), root_takes, alice_takes)) in PLACES.into_iter().enumerate() {
        let upper = sandbox.path(&format!("place{at}"));
        let lower = upper.join("it");
        fs::create_dir_all(&lower).unwrap();
        owned(&lower, it);
        owned(&upper, above);
        for (user, takes) in [(ROOT, root_takes), (ALICE, alice_takes)] {
            for (number, variable) in VARIABLES.into_iter().enumerate() {
                let shell = ["dash", "bash"][(at + number) % 2];
                let asked = asked(&sandbox, user, variable, &lower, shell);
                assert_eq!(
                    asked.contains(&lower),
                    takes,
                    "{what}, {variable}, user {user}, {shell}: {asked:?}"
                );
                tried += 1;
            }
        }
    }
    report(&format!("{tried} places for the stub"));
}

/// A link of alice's that leads to root's directory can be turned: what counts is where it leads.
#[test]
fn a_link_counts_as_the_directory_that_it_names() {
    let Some((sandbox, _)) = sandbox() else { return };
    let (roots, alices) = (sandbox.path("roots"), sandbox.path("alices"));
    for (path, owner) in [(&roots, ROOT), (&alices, ALICE)] {
        fs::create_dir(path).unwrap();
        owned(path, (owner, 0o700));
    }
    symlink(&roots, alices.join("link")).unwrap();
    symlink(&alices, sandbox.path("link")).unwrap();
    let by_link = asked(&sandbox, ROOT, "TMPDIR", &alices.join("link"), "dash");
    assert!(
        by_link.contains(&roots) && !by_link.contains(&alices.join("link")),
        "{by_link:?}"
    );
    let to_alice = asked(&sandbox, ROOT, "TMPDIR", &sandbox.path("link"), "dash");
    assert!(
        !to_alice
            .iter()
            .any(|path| path.ends_with("alices") || path.ends_with("link")),
        "{to_alice:?}"
    );
}

/// What `su` leaves in root's environment: the header made its directory there.
#[test]
fn root_touches_no_runtime_directory_of_another_user() {
    let Some((sandbox, bundle)) = sandbox() else {
        return;
    };
    let runtime = sandbox.path("runtime");
    fs::create_dir(&runtime).unwrap();
    owned(&runtime, (ALICE, 0o700));
    let before = fs::metadata(&runtime).unwrap().modified().unwrap();
    let mut command = Command::new("sh");
    let script = "XDG_RUNTIME_DIR=$2 TMPDIR=$2 exec \"$1\" --version";
    let command = command.args(["-c", script, "sh"]).args([&bundle, &runtime]);
    let outcome = sandbox.run(command);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert_eq!(fs::metadata(&runtime).unwrap().modified().unwrap(), before);
}

/// U+009B begins an escape sequence as ESC [ does.
#[test]
fn a_name_steers_no_terminal_through_the_header() {
    let sandbox = Sandbox::new();
    let content = bytes(&sandbox.runnable_bundle("b.run"));
    for name in ["a\u{9b}31m.run", "a\u{1b}[2J.run", "a\u{202e}.run", "a\rb.run"] {
        fs::write(sandbox.path(name), &content[..9000]).unwrap();
        let outcome: Outcome = sandbox.run(Command::new("sh").arg(sandbox.path(name)));
        assert_eq!(outcome.status, 4, "{outcome:?}");
        assert!(outcome.stderr.contains("is cut short: 9000 of"), "{outcome:?}");
        let steers = |byte: u8| byte != b'\n' && !(b' '..=b'~').contains(&byte);
        assert!(!outcome.stderr.bytes().any(steers), "{outcome:?}");
    }
}
