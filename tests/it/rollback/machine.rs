//! The verbs that need no bundle, where there is nothing for them, or not all that is asked.

use std::fs;

use super::Site;

#[test]
fn where_nothing_is_installed_that_is_said_and_nothing_is_made() {
    let site = Site::new();
    let empty = || fs::read_dir(site.sandbox.path("home")).unwrap().next().is_none();
    site.engine
        .fails("info --format", Some("Cannot connect to the Docker daemon"));
    let status = site.run(&["status"]);
    assert_eq!(status.status, 0, "{status:?}");
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
    assert_eq!(stop.status, 2, "{stop:?}");
    let said = "error: nothing is installed here: there is no `";
    assert!(stop.stderr.contains(said), "{stop:?}");
    assert!(
        stop.stderr
            .contains("/home/.local/share/minikube-offline/bin/minikube`"),
        "{stop:?}"
    );
    assert!(empty());
}

#[test]
fn a_profile_that_there_is_not_is_told_with_those_that_there_are() {
    let site = Site::new();
    assert_eq!(site.run(&["-y", "--way=cache", "--keep-failed"]).status, 10);
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
    assert!(status.stdout.contains("\nno profile `test` in `"), "{status:?}");
}
