//! The verbs that need no bundle, where there is nothing for them, or not all that is asked.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

use super::Site;
use crate::support::program::Outcome;

#[test]
fn where_nothing_is_installed_that_is_said_and_nothing_is_made() {
    let site = Site::new();
    let empty = || fs::read_dir(site.sandbox.path("home")).unwrap().next().is_none();
    site.engine
        .fails("info --format", Some("Cannot connect to the Docker daemon"));
    let status = site.run(&["status"]);
    assert_eq!(status.status, 12, "{status:?}");
    let looked = "/home/.local/state/minikube-offline/journal.jsonl`, and for profiles in `";
    assert!(
        status
            .stdout
            .starts_with("nothing is installed here: looked for `"),
        "{status:?}"
    );
    assert!(status.stdout.contains(looked), "{status:?}");
    assert!(empty());
    let stop = site.run(&["stop"]);
    assert_eq!(stop.status, 0, "{stop:?}");
    let said = "nothing to stop: this user has no `";
    assert!(stop.stdout.starts_with(said), "{stop:?}");
    let json = site.run(&["stop", "--json", "-q"]);
    assert!(json.stdout.contains("\"changed\":false"), "{json:?}");
    assert!(
        stop.stdout
            .contains("/home/.local/share/minikube-offline/bin/minikube`"),
        "{stop:?}"
    );
    assert!(empty());
    let uninstall = site.run(&["uninstall"]);
    assert_eq!(uninstall.status, 0, "{uninstall:?}");
    assert_eq!(uninstall.stdout, "nothing was installed here\n");
    assert!(empty());
}

#[test]
fn a_profile_that_there_is_not_is_told_with_those_that_there_are() {
    let site = Site::new();
    assert_eq!(
        site.run(&["-y", "--image-load=cache", "--keep-failed"]).status,
        10
    );
    let profiles = site.sandbox.path("home/.minikube/profiles");
    for name in ["dev", "prod"] {
        fs::create_dir_all(profiles.join(name)).unwrap();
        fs::write(profiles.join(name).join("config.json"), "{}").unwrap();
    }
    let stop = site.run(&["stop", "--profile", "test"]);
    assert_eq!(stop.status, 2, "{stop:?}");
    let said = "/home/.minikube`: those that it has are `dev`, `prod`\n";
    assert!(stop.stderr.contains(said), "{stop:?}");
    let status = site.run(&["status", "--profile", "test"]);
    assert_eq!(status.status, 12, "{status:?}");
    assert!(status.stdout.contains("\nno profile `test` in `"), "{status:?}");
    let json = site.run(&["status", "--profile", "dev", "--json"]);
    assert_eq!(json.status, 11, "{json:?}");
    assert!(json.stdout.contains("\"state\":\"stopped\""), "{json:?}");
}

/// Runs the bundle with a terminal, at which somebody types `answer`.
fn at_a_terminal(site: &Site, arguments: &str, answer: &str) -> Outcome {
    let line = format!("'{}' {arguments}", site.bundle.display());
    // The directory of the tests has a quote in its name.
    let line = line.replace("'test'", "'\\''test'\\''");
    let mut command = Command::new("script");
    command.args(["-qec", &line, "/dev/null"]);
    site.engine.prepare(&site.sandbox, &mut command);
    command.env("SHELL", "/bin/sh");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script of util-linux");
    child.stdin.take().unwrap().write_all(answer.as_bytes()).unwrap();
    Outcome::from(child.wait_with_output().unwrap())
}

#[test]
fn at_a_terminal_an_uninstall_shows_what_goes_and_asks() {
    let site = Site::new();
    let empty = site.fingerprint();
    assert_eq!(
        at_a_terminal(&site, "uninstall", "").status,
        0,
        "nothing to ask for"
    );
    assert_eq!(
        site.run(&["-y", "--image-load=cache", "--keep-failed"]).status,
        10
    );
    let before = site.fingerprint();
    for answer in ["n\n", "\n", "what\nn\n"] {
        let kept = at_a_terminal(&site, "uninstall", answer);
        assert_eq!(kept.status, 1, "{kept:?}");
        for said in [
            "uninstall removes",
            "profile `minikube`: its node `minikube`, and all that was put into the cluster",
            "files: programs, links and caches, ",
            "image `gcr.io/k8s-minikube/kicbase:v0.0.50`",
            "remove all of that? [y/N]",
            "not removed: nothing was changed; `-y` removes it without a question",
        ] {
            assert!(kept.stdout.contains(said), "{said}: {kept:?}");
        }
        assert_eq!(site.fingerprint(), before);
    }
    let gone = at_a_terminal(&site, "uninstall", "y\n");
    assert_eq!(gone.status, 0, "{gone:?}");
    assert_eq!(site.fingerprint(), empty);
    assert_eq!(
        site.run(&["-y", "--image-load=cache", "--keep-failed"]).status,
        10
    );
    let gone = at_a_terminal(&site, "uninstall --yes", "");
    assert!(!gone.stdout.contains("[y/N]"), "{gone:?}");
    assert_eq!(site.fingerprint(), empty);
}

#[test]
fn of_several_profiles_one_can_go_alone() {
    let site = Site::new();
    let empty = site.fingerprint();
    for profile in ["one", "two"] {
        let start = ["-y", "--image-load=cache", "--keep-failed", "--profile", profile];
        assert_eq!(site.run(&start).status, 10);
    }
    let none = site.run(&["uninstall", "-p", "three"]);
    assert_eq!(none.status, 2, "{none:?}");
    assert!(
        none.stderr
            .contains("no bundle made a profile `three` here, but `one`, `two`"),
        "{none:?}"
    );
    let one = site.run(&["uninstall", "-p", "one"]);
    assert_eq!(one.status, 0, "{one:?}");
    assert!(
        one.stdout
            .contains("removed 1 profile; `-v` lists them\nkept\n  programs, caches and images"),
        "{one:?}"
    );
    let program = site
        .sandbox
        .path("home/.local/share/minikube-offline/bin/minikube");
    assert!(program.exists() && site.engine.has().len() == 1);
    let again = site.run(&["uninstall", "-p", "one"]);
    assert!(again.stderr.contains("`one` here, but `two`"), "{again:?}");
    assert_eq!(site.run(&["uninstall"]).status, 0);
    assert_eq!(site.fingerprint(), empty);
}

#[test]
fn a_directory_that_was_moved_to_another_disk_does_not_stop_an_uninstall() {
    let site = Site::new();
    assert_eq!(
        site.run(&["-y", "--image-load=cache", "--keep-failed"]).status,
        10
    );
    let (images, elsewhere) = (
        site.sandbox.path("home/.minikube/cache/images"),
        site.sandbox.path("elsewhere"),
    );
    fs::rename(&images, &elsewhere).unwrap();
    symlink(&elsewhere, &images).unwrap();
    let kept = site.run(&["uninstall"]);
    assert_eq!(kept.status, 0, "{kept:?}");
    let said = "/home/.minikube/cache/images: it is no longer a directory\n";
    assert!(kept.stdout.contains(said), "{kept:?}");
    assert_eq!(
        fs::read_dir(&elsewhere).unwrap().count(),
        0,
        "all that was ours is gone"
    );
    let files = site
        .fingerprint()
        .into_keys()
        .filter(|path| path.is_file())
        .count();
    assert_eq!(files, 0);
    assert_eq!(site.run(&["uninstall"]).stdout, "nothing was installed here\n");
}
