//! What root writes at a name that somebody else can foresee.

use std::fs;
use std::path::Path;

use super::{ALICE, Scene, assert_refused};
use crate::support::effort::report;
use crate::support::keys::Key;

#[test]
fn root_writes_nothing_into_anothers_directory() {
    let Some(scene) = Scene::new() else { return };
    let hers = scene.directory("hers", ALICE, 0o755);
    let group = scene.directory("group", 0, 0o2775);
    let world = scene.directory("world", 0, 0o777);
    let link = scene.link(&scene.directory("roots", 0, 0o755), "hers/link", ALICE);
    let belongs = |path: &Path| format!("`{}` belongs to user 1234", path.display());
    let writes = |who: &str, path: &Path, mode: &str| {
        format!("{who} may write to `{}` (owner 0, mode {mode})", path.display())
    };
    let bundle = scene.sandbox.sample_bundle("b.run");
    let mut tried = 0;
    for (case, directory, why) in [
        ("hers", &hers, belongs(&hers)),
        ("her group's", &group, writes("group 1234", &group, "2775")),
        ("everybody's", &world, writes("every user", &world, "0777")),
        ("by her link", &link, belongs(&hers)),
    ] {
        let file = directory.join("x.run");
        fs::copy(&bundle, &file).unwrap();
        let (file, directory) = (file.to_str().unwrap(), directory.to_str().unwrap());
        let bundle = bundle.to_str().unwrap();
        for verb in [
            &["pack", "-o", file][..],
            &["resolve", "-o", file],
            &["sign", file, "--key", "none.key"],
            &["keygen", "-o", file],
            &["init", file],
            &["repair", file, "--from", bundle],
            &["extract", bundle, "--to", directory],
            &["extract", bundle, "--to-cache", directory],
        ] {
            let what = format!("{case}: {verb:?}");
            assert_refused(&what, &scene.run(verb, &[]), &why);
            tried += 1;
        }
    }
    report(&format!(
        "{tried} files that root would write where another user can: all refused"
    ));
}

/// In `/tmp` everybody may put something at the name that a file has while it is written.
#[test]
fn a_temporary_name_is_never_opened_through_a_link() {
    let Some(scene) = Scene::new() else { return };
    scene.directory("sticky", 0, 0o1777);
    let secret = scene.file("shadow", "root:*\n", 0, 0o600);
    let key = Key::make(&scene.sandbox, "site");
    let bundle = scene.sandbox.sample_bundle("sticky/x.run");
    let temporary = scene.path("sticky/.x.run.minikube-offline-partial");
    for what in [
        format!("ln -s \"{}\" \"{}\"", secret.display(), temporary.display()),
        format!(
            "ln -s \"{}\" \"{}\"",
            scene.path("made").display(),
            temporary.display()
        ),
        format!("echo hers >\"{0}\"; chmod 666 \"{0}\"", temporary.display()),
        format!("mkfifo -m 666 \"{}\"", temporary.display()),
    ] {
        let acted = scene.alice(&what);
        assert_eq!(acted.status, 0, "{what}: {acted:?}");
        let signed = key.sign(&scene.sandbox, &bundle);
        assert_eq!(signed.status, 0, "{what}: {signed:?}");
        assert_eq!(fs::read_to_string(&secret).unwrap(), "root:*\n", "{what}");
        assert!(!scene.path("made").exists(), "{what}");
        let facts = fs::symlink_metadata(&bundle).unwrap();
        assert!(facts.is_file(), "{what}");
        assert!(fs::symlink_metadata(&temporary).is_err(), "{what}: it stays");
    }
}
