//! `--cni`: the images that no list has, and that minikube names in itself.

use std::fs;

use super::world::{KINDNETD, NETWORKS, VERSION, World};
use crate::support::effort::report;
use crate::support::program::{Sandbox, bytes};

#[test]
fn kindnet_is_packed_in_the_version_that_the_packed_minikube_names() {
    let world = World::new();
    let sandbox = Sandbox::new();
    let image = format!("docker.io/kindest/kindnetd:{KINDNETD}");
    let outcome = world.resolve(&sandbox, VERSION, &["--cni=kindnet"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(
        outcome.stdout.contains(&format!("docker://{image}: download\n")),
        "{outcome:?}"
    );
    let outcome = world.pack(&sandbox, VERSION, &["--cni=kindnet", "--locked", "--level=fast"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let listed = sandbox.packager(["list", "x.run"]).stdout;
    assert!(listed.contains(&image), "{listed}");

    for none in ["--cni=auto", "--cni=bridge"] {
        let outcome = world.pack(&sandbox, VERSION, &[none, "--level=fast"]);
        assert_eq!(outcome.status, 0, "{outcome:?}");
        let listed = sandbox.packager(["list", "x.run"]).stdout;
        assert!(!listed.contains("kindnetd"), "{listed}");
    }
    let other = world.pack(&sandbox, VERSION, &["--cni=weave"]);
    assert_eq!(other.status, 2, "{other:?}");
    let words = "invalid value 'weave' for '--cni <NAME>'\n  [possible values: auto, bridge, calico, cilium, flannel, kindnet]";
    assert!(other.stderr.contains(words), "{other:?}");
}

#[test]
fn a_networks_images_are_packed_as_the_packed_minikube_names_them() {
    let world = World::new();
    for (network, images) in NETWORKS {
        let sandbox = Sandbox::new();
        let cni = format!("--cni={network}");
        let resolved = world.resolve(&sandbox, VERSION, &[&cni]);
        assert_eq!(resolved.status, 0, "{resolved:?}");
        for image in images {
            let line = format!("docker://{image}: download\n");
            assert!(resolved.stdout.contains(&line), "{line} in {resolved:?}");
        }
        let locked = world.pack(&sandbox, VERSION, &[&cni, "--locked", "--level=fast"]);
        assert_eq!(locked.status, 0, "{locked:?}");
        let fresh = Sandbox::new();
        let packed = world.pack(&fresh, VERSION, &[&cni, "--level=fast"]);
        assert_eq!(packed.status, 0, "{packed:?}");
        assert!(bytes(&fresh.path("x.run")) == bytes(&sandbox.path("x.run")));

        let lock = fs::read_to_string(fresh.path("x.lock")).expect("a lock");
        let parts: Vec<&str> = lock.split("\n[[image]]").collect();
        for image in images {
            let reference = format!("\nreference = \"{image}\"\n");
            let part = parts.iter().find(|part| part.contains(&reference)).expect(image);
            // The cluster's, and not an application's.
            assert!(part.contains("\nrole = \"kubernetes\"\n"), "{part}");
            let named = format!("\nby = \"cni-manifest\"\nname = \"{network}\"\n");
            assert_eq!(part.contains(&named), network == "cilium", "{part}");
        }
        for (other, images) in NETWORKS.iter().filter(|(other, _)| *other != network) {
            assert!(
                images.iter().all(|image| !lock.contains(image)),
                "{other} in {lock}"
            );
        }
    }
}

#[test]
fn a_minikube_whose_manifest_is_a_template_leaves_calico_to_the_person() {
    let world = World::new();
    world.unname("image: quay.io/calico");
    let sandbox = Sandbox::new();
    let flags = ["--cni=calico", "--accept-unverified=minikube", "--level=fast"];
    let refused = world.pack(&sandbox, VERSION, &flags);
    assert_eq!(refused.status, 2, "{refused:?}");
    for part in [
        &format!(
            "error: `{}/v1.39.0/minikube-linux-",
            world.server.url("/minikube")
        ),
        "` names no image of calico\n",
        "docker.io/calico/kube-controllers:TAG",
        "v3.27.3 for minikube v1.33.1",
    ] {
        assert!(refused.stderr.contains(part), "{part} in {refused:?}");
    }
    let (_, images) = NETWORKS[0];
    let given: Vec<String> = images
        .iter()
        .map(|image| format!("--image=docker://{image}"))
        .collect();
    let two: Vec<&str> = flags
        .iter()
        .copied()
        .chain(given[1..].iter().map(String::as_str))
        .collect();
    let refused = world.pack(&sandbox, VERSION, &two);
    assert_eq!(refused.status, 2, "one is not there: {refused:?}");
    let all: Vec<&str> = two.iter().copied().chain([given[0].as_str()]).collect();
    let packed = world.pack(&sandbox, VERSION, &all);
    assert_eq!(packed.status, 0, "{packed:?}");
    let listed = sandbox.packager(["list", "x.run"]).stdout;
    for image in images {
        assert!(listed.contains(image), "{listed}");
    }
}

#[test]
fn a_minikube_that_names_no_kindnet_leaves_it_to_the_person() {
    let world = World::new();
    world.unname(&format!("kindnetd:{KINDNETD}"));
    let sandbox = Sandbox::new();
    let unproved = "--accept-unverified=minikube";
    let outcome = world.pack(&sandbox, VERSION, &["--cni=kindnet", unproved]);
    assert_eq!(outcome.status, 2, "{outcome:?}");
    for part in [
        "names no image of kindnet",
        "`--image docker://docker.io/kindest/kindnetd:TAG`",
    ] {
        assert!(outcome.stderr.contains(part), "{part} in {}", outcome.stderr);
    }
    let image = format!("--image=docker://docker.io/kindest/kindnetd:{KINDNETD}");
    let outcome = world.pack(
        &sandbox,
        VERSION,
        &["--cni=kindnet", unproved, &image, "--level=fast"],
    );
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(sandbox.packager(["list", "x.run"]).stdout.contains("kindnetd"));
}

#[test]
fn the_real_minikube_names_the_images_of_its_networks() {
    let Some(minikube) = std::env::var_os("MINIKUBE_OFFLINE_TEST_MINIKUBE") else {
        report("skipped: MINIKUBE_OFFLINE_TEST_MINIKUBE does not name a minikube");
        return;
    };
    let kindnet = format!("docker.io/kindest/kindnetd:{KINDNETD}");
    let kindnet: (&str, &[&str]) = ("kindnet", &[&kindnet]);
    for (network, images) in NETWORKS.into_iter().chain([kindnet]) {
        let sandbox = Sandbox::new();
        let mut flag = std::ffi::OsString::from("--minikube=");
        flag.push(&minikube);
        let outcome = sandbox.packager([
            "pack".into(),
            "--kubernetes-version=v1.35.0".into(),
            "--offline".into(),
            format!("--cni={network}").into(),
            flag,
        ]);
        assert_eq!(outcome.status, 2, "{outcome:?}");
        // They are among what is missing, and no others of theirs.
        let of_network = |line: &&str| {
            ["calico", "cilium", "flannel", "kindnetd"]
                .iter()
                .any(|word| line.contains(word))
        };
        let named: Vec<&str> = outcome
            .stderr
            .lines()
            .filter(|line| line.starts_with("  "))
            .collect();
        let named: Vec<&str> = named.into_iter().filter(of_network).map(str::trim).collect();
        assert_eq!(named, images, "{outcome:?}");
    }
}
