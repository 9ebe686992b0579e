//! Pinned keys, and what a run's variables do to them: in a mount namespace where the users of the machine are
//! other ones.

use std::fs;
use std::os::unix::fs::chown;
use std::process::Command;

use super::{ALICE, Scene};
use crate::support::effort::report;
use crate::support::keys::Key;
use crate::support::program::Outcome;

/// Runs `script` where root's home is `account`, and hers `alice`.
fn with_accounts(scene: &Scene, script: &str) -> Option<Outcome> {
    let home = |name: &str| scene.path(name).display().to_string();
    let passwd = format!(
        "root:x:0:0:root:{}:/bin/sh\nalice:x:1234:1234::{}:/bin/sh\n",
        home("account"),
        home("alice")
    );
    let passwd = scene.file("passwd", &passwd, 0, 0o644);
    let run = |script: &str| {
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "sh", "-eu", "-c", script, "sh"])
            .arg(&passwd);
        command.arg(scene.path("program"));
        scene.sandbox.run(&mut command)
    };
    if run("mount --bind \"$1\" /etc/passwd").status != 0 {
        report("skipped: mounts in a namespace are not allowed here");
        return None;
    }
    Some(run(&format!(
        "mount --bind \"$1\" /etc/passwd\nprogram=$2\n{script}"
    )))
}

fn scene() -> Option<Scene> {
    let scene = Scene::new()?;
    let key = Key::make(&scene.sandbox, "site");
    scene.sandbox.sample_bundle("b.run");
    crate::support::program::copy(
        std::path::Path::new(env!("CARGO_BIN_EXE_minikube-offline")),
        &scene.path("program"),
    );
    for (home, uid) in [("account", 0), ("alice", ALICE)] {
        let name = format!("{home}/.config/minikube-offline/trust.d/site.pub");
        scene.file(&name, &fs::read_to_string(&key.public).unwrap(), uid, 0o644);
        for directory in [
            ".config/minikube-offline/trust.d",
            ".config/minikube-offline",
            ".config",
            "",
        ] {
            chown(scene.path(home).join(directory), Some(uid), Some(uid)).unwrap();
        }
    }
    scene.directory("empty", 0, 0o755);
    Some(scene)
}

#[test]
fn no_variable_switches_pinned_keys_off() {
    let Some(scene) = scene() else { return };
    let link = scene.path("alice/link");
    let script = format!(
        "tell() {{ code=0; \"$@\" verify b.run >/dev/null 2>&1 || code=$?; echo $code; }}\n\
         hers='setpriv --reuid=1234 --regid=1234 --clear-groups'\n\
         empty=$PWD/empty\n\
         ln -s \"$empty\" \"{}\"; chown -h 1234 \"{0}\"\n\
         for as in '' \"$hers\"; do\n\
           tell $as \"$program\"\n\
           tell $as env HOME=\"$empty\" \"$program\"\n\
           tell $as env XDG_CONFIG_HOME=\"$empty\" \"$program\"\n\
           tell $as env XDG_CONFIG_HOME=\"{0}\" \"$program\"\n\
           tell $as env -u HOME \"$program\"\n\
           tell $as env HOME=relative \"$program\"\n\
         done\n",
        link.display()
    );
    let Some(outcome) = with_accounts(&scene, &script) else {
        return;
    };
    assert_eq!(outcome.stdout, "3\n".repeat(12), "{outcome:?}");
}

#[test]
fn keys_below_what_others_can_exchange_are_refused() {
    let Some(scene) = scene() else { return };
    let script = "tell() { code=0; \"$program\" verify b.run 2>said >/dev/null || code=$?; echo $code $(grep -c 'but this user and root can write' said); }\n\
        tell\n\
        chgrp 1234 account; chmod 775 account; tell; chmod 755 account\n\
        chmod 777 account/.config; tell; chmod 755 account/.config\n\
        chown 1234 account; tell; chown 0 account\n\
        chmod 775 account/.config; chgrp 1234 account/.config; mv account/.config/minikube-offline account/.config/x; tell\n\
        head -1 said\n";
    let Some(outcome) = with_accounts(&scene, script) else {
        return;
    };
    let codes: Vec<&str> = outcome.stdout.lines().filter_map(|line| line.get(..1)).collect();
    assert_eq!(codes[..5], ["3"; 5], "{outcome:?}");
}
