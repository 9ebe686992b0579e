//! What is not trusted any more: a revoked key, and a bundle that a newer one replaced.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::support::engine::FakeEngine;
use crate::support::keys::Key;
use crate::support::program::{Outcome, Sandbox};

fn config(sandbox: &Sandbox, name: &str) -> PathBuf {
    sandbox.path("home/.config/minikube-offline").join(name)
}

#[test]
fn a_revoked_key_counts_nowhere_and_does_not_come_back() {
    let sandbox = Sandbox::new();
    let (old, new) = (Key::make(&sandbox, "old"), Key::make(&sandbox, "new"));
    let bundle = sandbox.sample_bundle("x.run");
    assert_eq!(old.sign(&sandbox, &bundle).status, 0);
    assert_eq!(old.sign(&sandbox, &new.public).status, 0);
    let run = |arguments: &[&str]| sandbox.packager(arguments);
    assert_eq!(run(&["trust", "add", &old.base64]).status, 0);
    assert_eq!(run(&["verify", "x.run"]).status, 0);
    let revoked = run(&["trust", "revoke", &old.id]);
    assert_eq!(revoked.status, 0, "{revoked:?}");
    let file = config(&sandbox, &format!("trust.d/{}.revoked", old.id));
    assert!(
        revoked
            .stdout
            .contains(&format!("remove `{}` by hand", file.display())),
        "{revoked:?}"
    );
    assert_eq!(
        run(&["trust", "list", "--no-header"]).stdout,
        format!("{}\trevoked\tuser\t-\t-\n", old.id)
    );
    // No key is left, and still the machine is not one where anything goes.
    for (arguments, part) in [
        (&["verify", "x.run"][..], "which is revoked here"),
        (&["verify", "x.run", "--key", &old.base64], "is revoked here"),
        (&["trust", "add", &old.base64], "is revoked here"),
        (
            &["trust", "rotate", "new.pub"],
            "was not signed with a key that is pinned here",
        ),
        (&["extract", "x.run", "--to", "out"], "which is revoked here"),
    ] {
        let outcome = run(arguments);
        assert_eq!(outcome.status, 3, "{arguments:?}: {outcome:?}");
        assert!(outcome.stderr.contains(part), "{arguments:?}: {outcome:?}");
    }
    let shown = run(&["inspect", "x.run"]);
    assert!(
        shown.stdout.contains("NOT AUTHENTIC: it names the key"),
        "{shown:?}"
    );
    // Pinned for everyone, or by hand: the revocation holds anyway.
    fs::write(config(&sandbox, &format!("trust.d/{}.pub", old.id)), &old.base64).unwrap();
    assert_eq!(run(&["verify", "x.run"]).status, 3);
    assert_eq!(run(&["trust", "rotate", "new.pub"]).status, 3);
    // Another key goes on.
    assert_eq!(run(&["trust", "add", &new.base64]).status, 0);
    assert_eq!(new.sign(&sandbox, &bundle).status, 0);
    assert_eq!(run(&["verify", "x.run"]).status, 0);
    fs::write(config(&sandbox, "trust.d/nonsense.revoked"), "").unwrap();
    let broken = run(&["verify", "x.run"]);
    assert_eq!(broken.status, 2, "{broken:?}");
    assert!(
        broken.stderr.contains("nonsense.revoked` does not name a key"),
        "{broken:?}"
    );
}

#[test]
fn a_signed_bundle_older_than_one_that_was_started_here_is_refused_after_uninstall_too() {
    let sandbox = Sandbox::new();
    let key = Key::make(&sandbox, "one");
    let bundle = sandbox.runnable_bundle("b.run");
    let engine = FakeEngine::make(&sandbox);
    let run = |arguments: &[&str]| -> Outcome {
        let mut command = Command::new(&bundle);
        engine.run(&sandbox, command.args(arguments).stdin(Stdio::null()))
    };
    let serials = config(&sandbox, "serials.json");
    fs::create_dir_all(serials.parent().unwrap()).unwrap();
    let name = {
        let shown = run(&["inspect", "--output=json"]);
        let value: serde_json::Value = serde_json::from_str(shown.stdout.trim()).unwrap();
        value["index"]["name"].as_str().unwrap().to_owned()
    };
    fs::write(&serials, format!("{{\"{name}\":9}}\n")).unwrap();
    let start = ["-y", "--image-load=cache"];
    assert_eq!(
        run(&start).status,
        10,
        "an unsigned bundle's serial is nobody's word"
    );
    assert_eq!(key.sign(&sandbox, &bundle).status, 0);
    assert_eq!(sandbox.packager(["trust", "add", &key.base64]).status, 0);
    let refused = run(&start);
    assert_eq!(refused.status, 8, "{refused:?}");
    let said =
        format!("this is `{name}` with serial 1, and serial 9 was started here before: nothing was changed");
    assert!(refused.stderr.contains(&said), "{refused:?}");
    let uninstalled = run(&["uninstall"]);
    assert!(
        uninstalled
            .stdout
            .contains("serials.json: older bundles are told by it"),
        "{uninstalled:?}"
    );
    assert_eq!(run(&start).status, 8, "uninstall does not forget");
    assert_eq!(run(&["-y", "--image-load=cache", "--allow-downgrade"]).status, 10);
    fs::write(&serials, "{").unwrap();
    let broken = run(&start);
    assert_eq!(broken.status, 3, "{broken:?}");
    assert!(broken.stderr.contains("is not a list of serials"), "{broken:?}");
}
