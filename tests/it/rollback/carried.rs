//! The bundle's own files on the machine: what is not the bundle's, and what is no longer.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::Site;
use crate::support::effort::report;
use crate::support::engine::FakeEngine;
use crate::support::parts::RunnableParts;
use crate::support::program::{Outcome, Sandbox};

const START: [&str; 3] = ["-y", "--image-load=cache", "--keep-failed"];

impl Site {
    /// The same with a bundle that carries the manifest `a.yaml`, and a newer one with `b.yaml`.
    fn carrying() -> (Self, PathBuf) {
        let sandbox = Sandbox::new();
        let engine = FakeEngine::make(&sandbox);
        let parts = RunnableParts::make(&sandbox.path("parts"));
        let pack = |name: &str, manifest: &str, serial: &str| {
            let path = sandbox.path(manifest);
            fs::write(&path, format!("apiVersion: v1\nkind: {manifest}\n")).unwrap();
            let manifest = format!("--manifest={}", path.display());
            sandbox.pack_runnable_with(&parts, name, &["--name=ours", serial, &manifest])
        };
        let bundle = pack("one.run", "a.yaml", "--serial=1");
        let newer = pack("two.run", "b.yaml", "--serial=2");
        let site = Self {
            sandbox,
            engine,
            bundle,
        };
        (site, newer)
    }

    /// A path among the bundle's own files.
    fn own(&self, name: &str) -> PathBuf {
        let directory = self
            .sandbox
            .path("home/.local/share/minikube-offline/bundles/ours");
        directory.join(name)
    }

    fn start_of(&self, bundle: &PathBuf) -> Outcome {
        let mut command = Command::new(bundle);
        self.engine
            .prepare(&self.sandbox, command.args(START).stdin(Stdio::null()));
        Outcome::from(command.output().unwrap())
    }
}

#[test]
fn a_link_to_the_bundles_own_file_is_not_it() {
    let (site, _) = Site::carrying();
    assert_eq!(site.run(&START).status, 10);
    let (manifest, elsewhere) = (site.own("manifests/a.yaml"), site.sandbox.path("a.yaml"));
    fs::remove_file(&manifest).unwrap();
    symlink(&elsewhere, &manifest).unwrap();
    let outcome = site.run(&START);
    let says = "manifests/a.yaml` was changed on this machine: it stays, and is not given to the cluster";
    assert!(outcome.stderr.contains(says), "{outcome:?}");
}

#[test]
fn what_a_newer_bundle_does_not_carry_any_more_is_told() {
    let (site, newer) = Site::carrying();
    assert_eq!(site.run(&START).status, 10);
    let outcome = site.start_of(&newer);
    let says = "manifests/a.yaml` is an earlier bundle's, and no longer given to the cluster: what the cluster \
                has of it stays until `kubectl delete -f` takes it away, and the file until `uninstall`";
    assert!(outcome.stderr.contains(says), "{outcome:?}");
    assert!(site.own("manifests/a.yaml").exists() && site.own("manifests/b.yaml").exists());
    // Once it is gone nothing is said of it.
    fs::remove_file(site.own("manifests/a.yaml")).unwrap();
    let outcome = site.start_of(&newer);
    assert!(!outcome.stderr.contains("earlier bundle"), "{outcome:?}");
    assert_eq!(site.run(&["uninstall"]).status, 0);
    assert!(!site.own("").exists());
}

#[test]
fn root_gives_nothing_to_the_cluster_that_another_user_can_change() {
    if !rustix::process::geteuid().is_root() {
        report("skipped: only root can give a directory away");
        return;
    }
    let (site, _) = Site::carrying();
    assert_eq!(site.run(&START).status, 10);
    for directory in ["manifests", ""] {
        let directory = site.own(directory);
        std::os::unix::fs::chown(&directory, Some(1000), None).unwrap();
        let outcome = site.run(&START);
        assert_eq!(outcome.status, 2, "{outcome:?}");
        assert!(outcome.stderr.contains("belongs to user 1000"), "{outcome:?}");
        std::os::unix::fs::chown(&directory, Some(0), None).unwrap();
    }
}
