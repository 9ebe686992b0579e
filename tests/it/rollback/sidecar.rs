//! The container that minikube runs beside a node's volume, where a killed run left it.

use std::fs;
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::Site;
use crate::support::program::Outcome;

const START: [&str; 4] = ["-y", "--image-load", "cache", "--keep-failed"];

/// A container of this name that never ran, with these labels.
fn leave(site: &Site, labels: &serde_json::Value) {
    let container = json!({ "State": { "Running": false, "ExitCode": 0 }, "Config": { "Labels": labels } });
    let path = site.sandbox.path("engine/container minikube-preload-sidecar");
    fs::write(path, container.to_string()).unwrap();
}

fn is_left(site: &Site) -> bool {
    site.sandbox
        .path("engine/container minikube-preload-sidecar")
        .exists()
}

#[test]
fn what_a_killed_minikube_left_beside_a_node_of_ours_is_removed() {
    let minikubes = json!({
        "created_by.minikube.sigs.k8s.io": "true",
        "name.minikube.sigs.k8s.io": "minikube",
    });
    let others = json!({ "created_by.minikube.sigs.k8s.io": "true", "name.minikube.sigs.k8s.io": "dev" });
    let site = Site::new();
    leave(&site, &minikubes);
    let first = site.run(&START);
    assert_eq!(first.status, 10, "{first:?}");
    assert!(is_left(&site), "no run of ours began this profile before");
    let again = site.run(&START);
    let said = "a container that a killed run of minikube left beside the node `minikube` was removed";
    assert!(again.stderr.contains(said), "{again:?}");
    assert!(!is_left(&site));
    for labels in [others, json!({}), json!(null)] {
        leave(&site, &labels);
        site.run(&START);
        assert!(is_left(&site), "{labels} is not of this node");
    }
    // It ended, and the engine is about to remove it.
    leave(&site, &minikubes);
    let going =
        "Error response from daemon: removal of container minikube-preload-sidecar is already in progress";
    site.engine.fails("container rm", Some(going));
    let waits = site.spawn(&START);
    thread::sleep(Duration::from_secs(3));
    site.engine.fails("container rm", None);
    let waited = Outcome::from(waits.wait_with_output().unwrap());
    assert!(waited.stderr.contains(said), "{waited:?}");
    assert!(!is_left(&site));
    leave(&site, &minikubes);
    let uninstall = site.run(&["uninstall", "-y"]);
    assert_eq!(uninstall.status, 0, "{uninstall:?}");
    assert!(!is_left(&site));
}
