//! What the journal says of an upgrade, without an engine that has nodes.

use std::fs;
use std::io::Write;

use super::Site;

/// An upgrade of the profile `minikube` to serial 2, and how far it is.
fn upgrade(state: &str) -> String {
    let of = "\"bundle\":\"minikube-offline-v1.35\",\"serial\":1,\"from\":\"v1.35.4\"";
    let to = "\"to_bundle\":\"minikube-offline-v1.35\",\"to\":\"v1.35.5\"";
    format!(
        "{{\"at\":0,\"event\":\"bundle\",\"name\":\"minikube-offline-v1.35\",\"serial\":2,\"kubernetes_version\":\"v1.35.5\"}}\n\
         {{\"at\":0,\"event\":\"upgrade\",\"profile\":\"minikube\",\"upgrade\":{{{of},{to},\"state\":{{{state}}}}}}}\n"
    )
}

fn append(site: &Site, lines: &str) {
    let journal = site
        .sandbox
        .path("home/.local/state/minikube-offline/journal.jsonl");
    let mut journal = fs::OpenOptions::new().append(true).open(journal).unwrap();
    journal.write_all(lines.as_bytes()).unwrap();
}

const START: [&str; 3] = ["-y", "--image-load=cache", "--keep-failed"];

#[test]
fn without_an_upgrade_nothing_is_rolled_back() {
    let site = Site::new();
    for installed in [false, true] {
        if installed {
            assert_eq!(site.run(&START).status, 10);
        }
        let before = site.fingerprint();
        let refused = site.run(&["rollback", "-y"]);
        assert_eq!(refused.status, 2, "{refused:?}");
        assert!(
            refused
                .stderr
                .contains("cannot roll back profile `minikube`: no state from before an upgrade is kept"),
            "{refused:?}"
        );
        assert_eq!(site.fingerprint(), before);
    }
}

#[test]
fn status_names_what_is_kept_with_its_size_and_uninstall_takes_it() {
    let site = Site::new();
    let before = site.fingerprint();
    assert_eq!(site.run(&START).status, 10);
    append(&site, &upgrade("\"is\":\"done\",\"at\":60,\"bytes\":81000000"));
    let status = site.run(&["status"]);
    assert!(
        status
            .stdout
            .contains("Kubernetes v1.35.4 from before the upgrade to v1.35.5, 81.0 MB, "),
        "{status:?}"
    );
    let status = site.run(&["status", "--json"]);
    assert!(
        status.stdout.contains("\"kept_at\":\"1970-01-01T00:01:00Z\""),
        "{status:?}"
    );
    assert_eq!(site.run(&["uninstall"]).status, 0);
    assert_eq!(site.fingerprint(), before);
}

#[test]
fn a_killed_upgrade_is_undone_before_the_older_bundle_is_judged() {
    let site = Site::new();
    assert_eq!(site.run(&START).status, 10);
    append(&site, &upgrade("\"is\":\"loading\""));
    let unfinished = site.run(&["status"]);
    assert!(
        unfinished
            .stdout
            .contains("the upgrade from Kubernetes v1.35.4 to v1.35.5; `rollback` returns to v1.35.4"),
        "{unfinished:?}"
    );
    let older = site.run(&START);
    assert_eq!(older.status, 10, "no downgrade: {older:?}");
    assert!(older.stderr.contains("was broken off"), "{older:?}");
    append(&site, &upgrade("\"is\":\"loading\""));
    let back = site.run(&["rollback", "-y"]);
    assert_eq!(back.status, 0, "{back:?}");
    assert!(back.stdout.contains("runs Kubernetes v1.35.4 again"), "{back:?}");
    let status = site.run(&["status"]);
    assert!(
        status.stdout.contains("(serial 1), Kubernetes v1.35.4"),
        "{status:?}"
    );
}
