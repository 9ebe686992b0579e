//! Who made a bundle: where a key counts, nothing that it did not sign is used.

mod forged;

use std::fs::{self};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use minikube_offline::failure::Failure;
use minikube_offline::trust::TrustError;
use serde_json::Value;

use crate::support::keys::Key;
use crate::support::program::{Outcome, Sandbox, bytes};

fn packed(sandbox: &Sandbox) -> PathBuf {
    sandbox.sample_bundle("x.run")
}

fn signed(sandbox: &Sandbox, key: &Key) -> PathBuf {
    let bundle = packed(sandbox);
    let outcome = key.sign(sandbox, &bundle);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    bundle
}

fn pin(sandbox: &Sandbox, key: &Key) {
    let outcome = sandbox.packager(["trust", "add", &key.base64]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
}

fn pinned_directory(sandbox: &Sandbox) -> PathBuf {
    sandbox.path("home/.config/minikube-offline/trust.d")
}

fn json(outcome: &Outcome) -> Value {
    let last = outcome.stdout.lines().last().expect("a last object");
    serde_json::from_str(last).expect("JSON")
}

/// The verbs that use a bundle.
const USES: [&[&str]; 3] = [
    &["verify", "x.run"],
    &["extract", "x.run", "--to", "out"],
    &["start", "x.run", "-y"],
];

#[test]
fn without_a_key_a_bundle_is_integrity_only_and_says_so() {
    let sandbox = Sandbox::new();
    packed(&sandbox);
    let outcome = sandbox.packager(["verify", "x.run"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(
        outcome.stdout.contains("\nintegrity only: it is not signed"),
        "{outcome:?}"
    );
    let outcome = sandbox.packager(["extract", "x.run", "--to", "out"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(
        outcome
            .stderr
            .contains("warning: not signed: its origin is not verified"),
        "{outcome:?}"
    );
    let value = json(&sandbox.packager(["verify", "x.run", "--output", "json"]));
    assert_eq!(value["authenticity"], "integrity-only");
    assert_eq!(value["key_id"], Value::Null);
}

#[test]
fn an_unsigned_bundle_is_refused_where_a_key_is_pinned() {
    let sandbox = Sandbox::new();
    let key = Key::make(&sandbox, "one");
    packed(&sandbox);
    pin(&sandbox, &key);
    for arguments in USES {
        let outcome = sandbox.packager(arguments);
        assert_eq!(outcome.status, 3, "{arguments:?}: {outcome:?}");
        assert!(
            outcome.stderr.contains("  caused by: it is not signed"),
            "{outcome:?}"
        );
        assert!(outcome.stderr.contains(&key.id), "{outcome:?}");
    }
    assert!(!sandbox.path("out").exists());
    let outcome = sandbox.packager(["inspect", "x.run"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(
        outcome.stdout.contains("NOT AUTHENTIC: it is not signed"),
        "{outcome:?}"
    );
    let value = json(&sandbox.packager(["inspect", "x.run", "--output", "json"]));
    assert_eq!(value["authenticity"], "not-authentic");
    let outcome = sandbox.packager(["list", "x.run"]);
    assert!(outcome.stderr.contains("NOT AUTHENTIC"), "{outcome:?}");
}

#[test]
fn only_the_right_key_opens_a_signed_bundle() {
    let sandbox = Sandbox::new();
    let (right, wrong) = (Key::make(&sandbox, "right"), Key::make(&sandbox, "wrong"));
    signed(&sandbox, &right);
    for arguments in USES {
        let outcome = sandbox.packager(arguments.iter().copied().chain(["--key", &wrong.base64]));
        assert_eq!(outcome.status, 3, "{arguments:?}: {outcome:?}");
        let expected = format!("it names the key {}, which is not trusted here", right.id);
        assert!(outcome.stderr.contains(&expected), "{outcome:?}");
    }
    // The key as text, as a file, among others, and instead of a pinned one.
    pin(&sandbox, &wrong);
    let file = right.public.to_string_lossy().into_owned();
    for keys in [
        &["--key", &right.base64][..],
        &["--key", &file],
        &["--key", &wrong.base64, "--key", &file],
    ] {
        let outcome = sandbox.packager(["verify", "x.run"].iter().chain(keys));
        assert_eq!(outcome.status, 0, "{outcome:?}");
        let expected = format!("\nsigned with key {} (`--key`)", right.id);
        assert!(outcome.stdout.contains(&expected), "{outcome:?}");
    }
    assert_eq!(
        sandbox.packager(["verify", "x.run"]).status,
        3,
        "the pinned key is another"
    );
    pin(&sandbox, &right);
    let value = json(&sandbox.packager(["verify", "x.run", "--output", "json"]));
    assert_eq!(value["authenticity"], "signed");
    assert_eq!(value["key_id"], right.id.as_str());
    assert_eq!(value["trusted_comment"], "minikube-offline format 1 index");
    // A key that is given counts alone: the question is whether *it* signed.
    let outcome = sandbox.packager(["verify", "x.run", "--key", &wrong.base64]);
    assert_eq!(outcome.status, 3, "{outcome:?}");
}

#[test]
fn a_pinned_file_that_is_no_key_ends_every_verb() {
    let sandbox = Sandbox::new();
    let key = Key::make(&sandbox, "one");
    signed(&sandbox, &key);
    pin(&sandbox, &key);
    let garbage = pinned_directory(&sandbox).join("garbage.pub");
    fs::write(&garbage, "garbage\n").unwrap();
    let verbs = USES.iter().copied();
    for arguments in verbs.chain([
        &["inspect", "x.run"][..],
        &["verify", "x.run", "--key", &key.base64],
    ]) {
        let outcome = sandbox.packager(arguments);
        assert_eq!(outcome.status, 2, "{arguments:?}: {outcome:?}");
        assert!(
            outcome.stderr.contains("trust.d/garbage.pub` cannot be used"),
            "{outcome:?}"
        );
    }
    fs::remove_file(&garbage).unwrap();
    fs::set_permissions(pinned_directory(&sandbox), fs::Permissions::from_mode(0o777)).unwrap();
    let outcome = sandbox.packager(["verify", "x.run"]);
    assert_eq!(outcome.status, 3, "{outcome:?}");
    assert!(
        outcome
            .stderr
            .contains("mode 777) could have been written by others"),
        "{outcome:?}"
    );
    fs::set_permissions(pinned_directory(&sandbox), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(sandbox.packager(["verify", "x.run"]).status, 0);
    for key in ["garbage", "no/such.pub", "x.run", &key.secret.to_string_lossy()] {
        assert_eq!(
            sandbox.packager(["verify", "x.run", "--key", key]).status,
            2,
            "{key}"
        );
    }
}

#[test]
fn keys_are_pinned_listed_and_let_go() {
    let sandbox = Sandbox::new();
    let key = Key::make(&sandbox, "one");
    let empty = sandbox.packager(["trust", "list"]);
    assert!(empty.stdout.contains("no key is pinned"), "{empty:?}");
    pin(&sandbox, &key);
    let file = pinned_directory(&sandbox).join(format!("{}.pub", key.id));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o644);
    let again = sandbox.packager(["trust".as_ref(), "add".as_ref(), key.public.as_os_str()]);
    assert_eq!(again.status, 0, "{again:?}");
    assert!(again.stdout.contains("was pinned before"), "{again:?}");
    let list = sandbox.packager(["trust", "list", "--no-header"]);
    assert_eq!(
        list.stdout,
        format!("{}\tpinned\tuser\t-\t{}\n", key.id, key.base64)
    );
    let value = json(&sandbox.packager(["trust", "list", "--output", "json"]));
    assert_eq!(value["keys"][0]["public_key"], key.base64.as_str());
    for (id, status) in [
        ("0123456789ABCDEF", 2),
        ("nonsense", 2),
        (key.id.as_str(), 0),
        (&key.id, 2),
    ] {
        assert_eq!(sandbox.packager(["trust", "remove", id]).status, status, "{id}");
    }
    assert!(!file.exists());
    let secret = sandbox.packager(["trust".as_ref(), "add".as_ref(), key.secret.as_os_str()]);
    assert_eq!(secret.status, 2, "{secret:?}");
    assert!(secret.stderr.contains("it is a secret key"), "{secret:?}");
}

#[test]
fn keys_that_are_pinned_under_a_strict_umask_can_be_read_by_all() {
    let sandbox = Sandbox::new();
    let key = Key::make(&sandbox, "one");
    let script = "umask 077 && exec \"$0\" trust add \"$1\"";
    let packager = env!("CARGO_BIN_EXE_minikube-offline");
    let outcome = sandbox.run(Command::new("sh").args(["-c", script, packager, &key.base64]));
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let directory = pinned_directory(&sandbox);
    for (path, mode) in [
        (directory.parent().unwrap().to_owned(), 0o755),
        (directory.clone(), 0o755),
        (directory.join(format!("{}.pub", key.id)), 0o644),
    ] {
        let found = fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(found, mode, "{}", path.display());
    }
}

#[test]
fn each_mistake_with_a_key_is_told_what_helps() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("directory")).unwrap();
    for (key, help) in [
        ("nothing.pub", "give the path of the key's file"),
        ("directory", "it is a directory: give the key's file in it"),
    ] {
        let outcome = sandbox.packager(["trust", "add", key]);
        let hint = format!("\nhint: {help}");
        assert!(outcome.stderr.contains(&hint), "{outcome:?}");
    }
    // Root reads everything.
    let directory = pinned_directory(&sandbox);
    let denied = TrustError::Read {
        path: directory.clone(),
        source: std::io::ErrorKind::PermissionDenied.into(),
    };
    let hint = Failure::from(denied).hints.concat();
    let around = directory.parent().unwrap().display();
    let command = format!("`sudo chmod a+rX '{around}' '{}'`", directory.display());
    assert!(hint.ends_with(&command), "{hint}");
    let denied = TrustError::Denied {
        directory: "/etc/minikube-offline/trust.d".into(),
        source: std::io::ErrorKind::PermissionDenied.into(),
    };
    assert!(Failure::from(denied).hints[0].ends_with("with `sudo`"));
}

#[test]
fn a_new_key_is_trusted_when_a_pinned_one_signed_it() {
    let sandbox = Sandbox::new();
    let (old, new) = (Key::make(&sandbox, "old"), Key::make(&sandbox, "new"));
    let stranger = Key::make(&sandbox, "stranger");
    let rotate = || sandbox.packager(["trust".as_ref(), "rotate".as_ref(), new.public.as_os_str()]);
    signed(&sandbox, &new);
    let unsigned = rotate();
    assert_eq!(unsigned.status, 2, "there is no signature: {unsigned:?}");
    let hint = format!(
        "`minikube-offline sign {} --key OLD.key`; carry both files",
        new.public.display()
    );
    assert!(unsigned.stderr.contains(&hint), "{unsigned:?}");
    assert_eq!(old.sign(&sandbox, &new.public).status, 0);
    assert_eq!(rotate().status, 3, "nothing is pinned");
    pin(&sandbox, &old);
    assert_eq!(sandbox.packager(["verify", "x.run"]).status, 3);
    // Another key under a good signature, and a good key under another's.
    let statement = bytes(&new.public);
    fs::write(&new.public, bytes(&stranger.public)).unwrap();
    assert_eq!(rotate().status, 3);
    fs::write(&new.public, &statement).unwrap();
    let good = sandbox.path("new.pub.minisig");
    let signature = bytes(&good);
    assert_eq!(stranger.sign(&sandbox, &new.public).status, 0);
    let outcome = rotate();
    assert_eq!(outcome.status, 3, "{outcome:?}");
    assert!(outcome.stderr.contains(&stranger.id), "{outcome:?}");
    fs::write(&good, signature).unwrap();
    let outcome = rotate();
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(
        outcome.stdout.contains(&format!("trust remove {}", old.id)),
        "{outcome:?}"
    );
    assert_eq!(sandbox.packager(["verify", "x.run"]).status, 0);
    assert_eq!(sandbox.packager(["trust", "remove", &old.id]).status, 0);
    assert_eq!(sandbox.packager(["verify", "x.run"]).status, 0);
}

#[test]
fn the_bundle_itself_honours_pinned_keys() {
    let sandbox = Sandbox::new();
    let key = Key::make(&sandbox, "one");
    let bundle = sandbox.runnable_bundle("x.run");
    let run = |arguments: &[&str]| sandbox.run(Command::new(&bundle).args(arguments));
    let outcome = run(&["verify"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(outcome.stdout.contains("integrity only"), "{outcome:?}");
    pin(&sandbox, &key);
    for arguments in [&["verify"][..], &["-y"], &["start", "-y"]] {
        let outcome = run(arguments);
        assert_eq!(outcome.status, 3, "{arguments:?}: {outcome:?}");
    }
    assert_eq!(key.sign(&sandbox, &bundle).status, 0);
    let outcome = run(&["verify"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(
        outcome.stdout.contains(&format!("signed with key {}", key.id)),
        "{outcome:?}"
    );
    let outcome = run(&["trust", "list"]);
    assert_eq!(
        outcome.status, 2,
        "a bundle does not change what is trusted: {outcome:?}"
    );
}

#[test]
fn a_gate_can_demand_a_signature() {
    let sandbox = Sandbox::new();
    let key = Key::make(&sandbox, "k");
    let unsigned = packed(&sandbox);
    let verify = |more: &[&str], bundle: &std::path::Path| {
        let arguments = ["verify", "--require-signature"].iter().chain(more);
        let outcome = sandbox.packager(arguments.map(std::ffi::OsStr::new).chain([bundle.as_os_str()]));
        (outcome.status, outcome.stderr)
    };
    let (status, stderr) = verify(&[], &unsigned);
    assert_eq!(status, 3, "{stderr}");
    assert!(stderr.contains("no trusted key signed it"), "{stderr}");
    let signed = signed(&sandbox, &key);
    // A signature that no key here vouches for is a claim.
    assert_eq!(verify(&[], &signed).0, 3);
    let given = format!("--key={}", key.public.display());
    assert_eq!(verify(&[&given], &signed).0, 0);
    pin(&sandbox, &key);
    assert_eq!(verify(&[], &signed).0, 0);
}

#[test]
fn a_comment_names_a_key_in_the_table() {
    let sandbox = Sandbox::new();
    let key = Key::make(&sandbox, "k");
    let add = |comment: &str| {
        let line = ["trust", "add", "k.pub", "--comment", comment, "--json"];
        json(&sandbox.packager(line))["changed"].as_bool()
    };
    assert_eq!(add("build server"), Some(true));
    assert_eq!(add("build server"), Some(false));
    assert_eq!(add("build server, room 2"), Some(true));
    let table = sandbox.packager(["trust", "list"]).stdout;
    let expected = format!(
        "KEY ID            STATE   SCOPE  COMMENT               PUBLIC KEY\n\
         {}  pinned  user   build server, room 2  {}\n",
        key.id, key.base64
    );
    assert_eq!(table, expected);
    let value = json(&sandbox.packager(["trust", "list", "--json"]));
    assert_eq!(value["keys"][0]["comment"], "build server, room 2");
    for comment in ["", "two\nlines", "a\u{1b}[2J"] {
        let line = ["trust", "add", "k.pub", "--comment", comment];
        assert_eq!(sandbox.packager(line).status, 2, "{comment:?}");
    }
    // The key still verifies what it signed.
    let bundle = sandbox.sample_bundle("x.run");
    assert_eq!(key.sign(&sandbox, &bundle).status, 0);
    assert_eq!(sandbox.packager(["verify", "x.run"]).status, 0);
}
