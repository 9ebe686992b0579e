//! What minikube would not do is told before the engine is touched, and leaves nothing.

use std::fs;

use super::Site;
use crate::support::parts::RunnableParts;

/// A site whose minikube has addons: one of images that the bundle has, one of others.
fn site_with_addons() -> Site {
    let mut site = Site::new();
    let parts = RunnableParts::make(&site.sandbox.path("with addons"));
    let minikube = site.sandbox.path("with addons/minikube");
    let mut program = fs::read(&minikube).unwrap();
    let digest = format!("sha256:{}", "7".repeat(64));
    let answers = serde_json::json!({ "addons": {
        "default-storageclass": [],
        "greeter": [format!("registry.example/greeter:1@{digest}")],
        "pauser": [format!("registry.k8s.io/pause:3.10.1@{digest}")],
        "traefik": null,
    }});
    program.extend_from_slice(format!("\nstandin-answers {answers}").as_bytes());
    fs::write(&minikube, program).unwrap();
    site.bundle = site.sandbox.pack_runnable(&parts, "addons.run");
    site
}

#[test]
fn what_minikube_would_not_do_is_told_before_the_engine_is_touched() {
    let site = site_with_addons();
    let before = site.fingerprint();
    for (flags, said) in [
        (&["--bogus-flag"][..], "unknown flag: --bogus-flag"),
        (
            &["--addons", "pauser,greeter"],
            "does not have what minikube's addon `greeter` needs: `registry.example/greeter:1@sha256:7",
        ),
        (&["--addons=greeter"], "`pack --addon greeter`"),
        (&["--addons=greter"], "minikube has no addon `greter`"),
        (
            &["--addons=greter"],
            "its addons: default-storageclass, greeter, pauser, traefik",
        ),
        (
            &["--addons=pauser,traefik"],
            "error: minikube's addon `traefik` needs a network: minikube lists no image for it, and takes what it needs \
             from there when it is enabled, such as a Helm chart\n",
        ),
        (
            &["--memory=foo"],
            "`--memory foo` is no amount that minikube can read",
        ),
        (&["--cpus", "x"], "`--cpus x` is no amount that minikube can read"),
        (&["--nodes=0"], "`--nodes 0` is no number of nodes"),
        (&["--dry-run"], "the verb `preflight`"),
    ] {
        let mut arguments = vec!["-y", "--image-load=cache", "--"];
        arguments.extend(flags);
        let outcome = site.run(&arguments);
        assert_eq!(outcome.status, 2, "{flags:?}: {outcome:?}");
        assert!(outcome.stderr.contains(said), "{flags:?}: {outcome:?}");
        assert_eq!(site.fingerprint(), before, "{flags:?}");
    }
    let asked = fs::read_to_string(site.sandbox.path("engine/asked")).unwrap();
    assert!(!asked.contains("image load"), "{asked}");
}

#[test]
fn what_minikube_would_do_goes_on() {
    let site = site_with_addons();
    let before = site.fingerprint();
    let started = site.run(&[
        "-y",
        "--image-load=cache",
        "--",
        "--addons=pauser,default-storageclass",
    ]);
    // This engine starts no container.
    assert_eq!(started.status, 10, "{started:?}");
    assert!(
        started.stderr.contains("what minikube is asked for"),
        "{started:?}"
    );
    assert_eq!(site.run(&["uninstall"]).status, 0);
    assert_eq!(site.fingerprint(), before);
}
