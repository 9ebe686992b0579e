//! What lies where root's own runs put things, and is hers or can be written by her.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};

use super::{ALICE, NOTHING_INSTALLED, Scene, assert_refused};
use crate::support::effort::report;

/// Files that root reads, runs or gives to a cluster, and a verb that would.
const FILES: [(&str, &[&str]); 15] = [
    (
        ".local/state/minikube-offline/failed-start.log",
        &["uninstall", "-y"],
    ),
    (
        ".local/state/minikube-offline/docker-config/config.json",
        &["stop"],
    ),
    (".local/share/minikube-offline/bin/minikube", &["status"]),
    (
        ".local/share/minikube-offline/bin/kubectl",
        &["start", "none.run", "-y"],
    ),
    (
        ".local/share/minikube-offline/bundles/b/manifests/a.yaml",
        &["start", "none.run", "-y"],
    ),
    (
        ".minikube/cache/linux/amd64/v1.35.4/kubeadm",
        &["start", "none.run", "-y"],
    ),
    (
        ".minikube/cache/linux/amd64/v1.35.4/kubectl",
        &["preflight", "none.run"],
    ),
    (
        ".minikube/cache/kic/amd64/kicbase_v0.0.50.tar",
        &["preflight", "none.run"],
    ),
    (".minikube/profiles/x/config.json", &["status"]),
    (".minikube/config/config.json", &["stop"]),
    (".docker/config.json", &["status"]),
    (".docker/cli-plugins/docker-x", &["preflight", "none.run"]),
    (".docker/contexts/meta/x/meta.json", &["uninstall", "-y"]),
    (".kube/config", &["stop"]),
    (".kube/kuberc", &["uninstall", "-y"]),
];

/// The same of what was downloaded.
const STORE: [(&str, &[&str]); 4] = [
    ("sha256/00", &["pack", "--kubernetes-version=v1.34.0"]),
    ("partial/00", &["self-update", "--from=none", "--check"]),
    ("about/00", &["store", "list"]),
    ("lock", &["store", "prune", "--all"]),
];

#[test]
fn root_refuses_what_is_anothers_among_its_own() {
    let Some(scene) = Scene::new() else { return };
    let store = STORE.map(|(name, verb)| (format!(".cache/minikube-offline/store/{name}"), verb));
    let files = FILES.map(|(name, verb)| (name.to_owned(), verb));
    let mut tried = 0;
    for (name, verb) in files.into_iter().chain(store) {
        let path = scene.file(&format!("home/{name}"), "{}", 0, 0o644);
        let directory = path.parent().unwrap();
        for (case, uid, mode, what) in [
            ("her file", ALICE, 0o644, path.as_path()),
            ("everybody's file", 0, 0o666, path.as_path()),
            ("her directory", ALICE, 0o755, directory),
        ] {
            let before = fs::metadata(what).unwrap().permissions();
            chown(what, Some(uid), None).unwrap();
            fs::set_permissions(what, fs::Permissions::from_mode(mode)).unwrap();
            let why = match uid {
                0 => format!(
                    "every user may write to `{}` (owner 0, mode 0666)",
                    what.display()
                ),
                _ => format!("`{}` belongs to user 1234", what.display()),
            };
            assert_refused(&format!("{case}: {name}: {verb:?}"), &scene.run(verb, &[]), &why);
            chown(what, Some(0), None).unwrap();
            fs::set_permissions(what, before).unwrap();
            tried += 1;
        }
        fs::remove_file(path).unwrap();
    }
    report(&format!(
        "{tried} files and directories of others among root's: all refused"
    ));
}

#[test]
fn a_journal_that_is_not_the_callers_is_refused() {
    let Some(scene) = Scene::new() else { return };
    let record = "{\"at\":1,\"event\":\"directory\",\"path\":\"/a\"}\n";
    let name = "alice/.local/state/minikube-offline/journal.jsonl";
    let program = scene.path("program");
    crate::support::program::copy(
        std::path::Path::new(env!("CARGO_BIN_EXE_minikube-offline")),
        &program,
    );
    for directory in [
        "alice/.local",
        "alice/.local/state",
        "alice/.local/state/minikube-offline",
    ] {
        scene.directory(directory, ALICE, 0o755);
    }
    for (uid, mode) in [(0, 0o644), (ALICE, 0o666), (1235, 0o644)] {
        let journal = scene.file(name, record, uid, mode);
        for verb in ["status", "uninstall"] {
            let run = format!(
                "HOME=\"{0}\" PATH=\"{1}\" \"{2}\" {verb}",
                scene.path("alice").display(),
                scene.engine.path(),
                program.display()
            );
            let outcome = scene.alice(&run);
            let said = format!(
                "error: cannot use the journal `{}`: it belongs to user {uid} (mode {mode:04o}), and only its own user may write to it\n",
                journal.display()
            );
            assert!(outcome.stderr.contains(&said), "{uid} {mode:o}: {outcome:?}");
            assert_eq!(outcome.status, 2, "{uid} {mode:o}: {outcome:?}");
        }
    }
}

/// minikube gives `ca.pem` and its like the mode 0777, in a home that only root may enter.
#[test]
fn an_open_file_in_a_closed_directory_is_roots() {
    let Some(scene) = Scene::new() else { return };
    let key = scene.file("home/.minikube/certs/ca.pem", "key", 0, 0o777);
    let home = scene.path("home/.minikube");
    let set = |mode| fs::set_permissions(&home, fs::Permissions::from_mode(mode)).unwrap();
    let verb: &[&str] = &["status"];
    set(0o700);
    let outcome = scene.run(verb, &[]);
    assert_eq!(outcome.status, NOTHING_INSTALLED, "{outcome:?}");
    set(0o711);
    let open = format!("every user may write to `{}` (owner 0, mode 0777)", key.display());
    assert_refused("a home that others enter", &scene.run(verb, &[]), &open);
    set(0o700);
    chown(&key, Some(ALICE), None).unwrap();
    let hers = format!("`{}` belongs to user 1234", key.display());
    assert_refused("her file", &scene.run(verb, &[]), &hers);
}
