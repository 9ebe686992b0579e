//! Paths that root's environment names: whose they are, and how they lead there.

use std::path::{Path, PathBuf};

use super::{ALICE, NOTHING_INSTALLED, Scene, assert_refused};
use crate::support::effort::report;

const VARIABLES: [&str; 9] = [
    "HOME",
    "DOCKER_CONFIG",
    "KUBECONFIG",
    "MINIKUBE_HOME",
    "TMPDIR",
    "XDG_BIN_HOME",
    "XDG_CACHE_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
];

/// Verbs that use what the environment names. No file that they name is there: it is too early
/// for that.
const VERBS: [&[&str]; 10] = [
    &["status"],
    &["stop"],
    &["uninstall", "-y"],
    &["start", "none.run", "-y"],
    &["preflight", "none.run"],
    &["pack", "--kubernetes-version=v1.34.0"],
    &["resolve", "--kubernetes-version=v1.34.0"],
    &["store", "list"],
    &["store", "prune", "--all"],
    &["self-update", "--from=none", "--check"],
];

/// How a path leads to where she can change something: each gives the path, and how the message ends.
fn ways(scene: &Scene) -> Vec<(&'static str, PathBuf, String)> {
    let hers = scene.directory("hers", ALICE, 0o755);
    let roots = scene.directory("roots", 0, 0o755);
    let inside = scene.directory("hers/roots", 0, 0o755);
    let group = scene.directory("group", 0, 0o2775);
    let world = scene.directory("world", 0, 0o777);
    let sticky = scene.directory("sticky", 0, 0o1777);
    let her_sticky = scene.directory("her-sticky", ALICE, 0o1777);
    let her_link = scene.link(&roots, "sticky/link", ALICE);
    let link_inside = scene.link(&roots, "hers/link", ALICE);
    let roots_link = scene.link(&hers, "roots-link", 0);
    let dots = scene.link(Path::new("roots/../hers"), "dots", 0);
    let belongs = |path: &Path| format!("`{}` belongs to user 1234", path.display());
    let writes = |who: &str, path: &Path, mode: &str| {
        format!("{who} may write to `{}` (owner 0, mode {mode})", path.display())
    };
    vec![
        ("her directory", hers.clone(), belongs(&hers)),
        ("nothing in her directory", hers.join("none/deep"), belongs(&hers)),
        ("root's directory in hers", inside, belongs(&hers)),
        (
            "a directory of her group",
            group.clone(),
            writes("group 1234", &group, "2775"),
        ),
        (
            "in a directory of her group",
            group.join("none"),
            writes("group 1234", &group, "2775"),
        ),
        (
            "everybody's directory",
            world.clone(),
            writes("every user", &world, "0777"),
        ),
        (
            "her link to root's, where it sticks",
            her_link.clone(),
            belongs(&her_link),
        ),
        (
            "her link to root's, in her directory",
            link_inside,
            belongs(&hers),
        ),
        ("root's link to her directory", roots_link, belongs(&hers)),
        ("root's link by dots", dots, belongs(&hers)),
        ("her sticky directory", her_sticky.clone(), belongs(&her_sticky)),
        (
            "nothing where everybody can make it",
            sticky.join("none/deep"),
            format!(
                "`{}` is not there, so that every user can make it",
                sticky.join("none").display()
            ),
        ),
    ]
}

#[test]
fn root_refuses_each_variable_that_leads_to_anothers() {
    let Some(scene) = Scene::new() else { return };
    let mut tried = 0;
    let ways = ways(&scene);
    for (number, variable) in VARIABLES.iter().enumerate() {
        for (turn, (way, path, why)) in ways.iter().enumerate() {
            // Each variable comes to each verb, and each way, too.
            let verb = VERBS[(number + turn) % VERBS.len()];
            let outcome = scene.run(verb, &[(variable, path)]);
            assert_refused(&format!("{variable}: {way}: {verb:?}"), &outcome, why);
            tried += 1;
        }
    }
    report(&format!(
        "{tried} variables of root's that another user can turn: all refused"
    ));
}

#[test]
fn root_uses_what_only_root_can_change() {
    let Some(scene) = Scene::new() else { return };
    let roots = scene.directory("roots", 0, 0o755);
    let sticky = scene.directory("sticky", 0, 0o1777);
    let own_group = scene.directory("own-group", 0, 0o755);
    std::fs::set_permissions(&own_group, std::os::unix::fs::PermissionsExt::from_mode(0o775)).unwrap();
    let in_sticky = scene.directory("sticky/mine", 0, 0o700);
    let link = scene.link(Path::new("roots"), "link", 0);
    let absolute = scene.link(&roots, "sticky/root-link", 0);
    for (case, variable, path) in [
        ("root's link, as of /home", "HOME", link.clone()),
        ("root's link where it sticks", "HOME", absolute),
        ("below root's link", "XDG_STATE_HOME", link.join("none/deep")),
        ("root's in a sticky directory", "XDG_DATA_HOME", in_sticky),
        ("a sticky directory for temporary files", "TMPDIR", sticky),
        ("a group in which nobody is but root", "MINIKUBE_HOME", own_group),
        ("no kubeconfig", "KUBECONFIG", "/dev/null".into()),
        (
            "several kubeconfigs",
            "KUBECONFIG",
            format!("{0}/a::{0}/b", roots.display()).into(),
        ),
    ] {
        let outcome = scene.run(&["status"], &[(variable, &path)]);
        assert_eq!(outcome.status, NOTHING_INSTALLED, "{case}: {outcome:?}");
    }
    // As a file system that was mounted for downloads.
    let cache = scene.directory("cache", 0, 0o1777);
    let outcome = scene.run(&["store", "list"], &[("XDG_CACHE_HOME", &cache)]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let list = format!("{}/a:{}", roots.display(), scene.path("alice/config").display());
    let outcome = scene.run(&["status"], &[("KUBECONFIG", Path::new(&list))]);
    let why = format!("`{}` belongs to user 1234", scene.path("alice").display());
    assert_refused("one of several kubeconfigs", &outcome, &why);
}

#[test]
fn root_takes_no_programs_and_no_sockets_from_another_user() {
    let Some(scene) = Scene::new() else { return };
    let proof = scene.path("proof");
    let evil = format!("#!/bin/sh\necho hers >>\"{}\"\n", proof.display());
    scene.file("alice/bin/docker", &evil, ALICE, 0o755);
    scene.file("home/.minikube/profiles/x/config.json", "{}", 0, 0o644);
    let log = scene.path("log");
    let minikube = format!(
        "#!/bin/sh\necho \"$PATH|${{XDG_RUNTIME_DIR-none}}|${{XDG_CONFIG_HOME-none}}|$0\" >>\"{}\"\n",
        log.display()
    );
    scene.file(
        "home/.local/share/minikube-offline/bin/minikube",
        &minikube,
        0,
        0o755,
    );
    let mut command = scene.command(&["status"]);
    let hers = scene.path("alice/bin");
    command
        .env("PATH", format!("{}::.:{}", hers.display(), scene.engine.path()))
        .env("XDG_RUNTIME_DIR", scene.path("alice"))
        .env("XDG_CONFIG_HOME", scene.path("alice"));
    let status = command.output().unwrap();
    assert_eq!(status.status.code(), Some(NOTHING_INSTALLED), "{status:?}");
    assert!(!proof.exists(), "root ran her docker");
    let text = std::fs::read_to_string(log).unwrap();
    let seen: Vec<&str> = text.trim().split('|').collect();
    assert_eq!(seen[..3], [&*scene.engine.path(), "none", "none"], "{text}");
    assert!(
        seen[3].starts_with("/proc/") && seen[3].contains("/fd/"),
        "run by its descriptor: {text}"
    );
}

#[test]
fn an_ordinary_user_goes_on_with_her_group_writable_home() {
    use std::os::unix::process::CommandExt;
    let Some(scene) = Scene::new() else { return };
    let home = scene.directory("alice/home", ALICE, 0o2775);
    // Who runs the tests may have built the program where only root comes.
    let copy = scene.path("program");
    crate::support::program::copy(Path::new(env!("CARGO_BIN_EXE_minikube-offline")), &copy);
    let mut hers = std::process::Command::new(&copy);
    hers.arg("status")
        .env_clear()
        .env("HOME", &home)
        .env("PATH", scene.engine.path());
    let outcome = hers.current_dir(&home).uid(ALICE).gid(ALICE).output().unwrap();
    assert_eq!(outcome.status.code(), Some(NOTHING_INSTALLED), "{outcome:?}");
}
