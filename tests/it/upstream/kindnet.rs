//! `--cni kindnet`: the image that no list has, and that minikube names in itself.

use super::world::{KINDNETD, LIST, VERSION, World};
use crate::support::program::Sandbox;

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
    let other = world.pack(&sandbox, VERSION, &["--cni=calico"]);
    assert_eq!(other.status, 2, "{other:?}");
    assert!(
        other
            .stderr
            .contains("`calico` is not a network that `--cni` brings (auto, bridge or kindnet)"),
        "{other:?}"
    );
}

#[test]
fn a_minikube_that_names_no_kindnet_leaves_it_to_the_person() {
    let world = World::new();
    // And whatever says what the program should be.
    world.remove(LIST);
    world.change("minikube-linux-amd64", |program| hide(program));
    world.change("minikube-linux-arm64", |program| hide(program));
    world.remove("minikube-linux-amd64.sha256");
    world.remove("minikube-linux-arm64.sha256");
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

/// Takes the tag away.
fn hide(program: &mut [u8]) {
    let tag = format!("kindnetd:{KINDNETD}").into_bytes();
    let places: Vec<usize> = program
        .windows(tag.len())
        .enumerate()
        .filter(|(_, bytes)| **bytes == tag)
        .map(|(start, _)| start)
        .collect();
    for start in places {
        program[start] = b'K';
    }
}

#[test]
fn the_real_minikube_names_its_kindnet() {
    let Some(minikube) = std::env::var_os("MINIKUBE_OFFLINE_TEST_MINIKUBE") else {
        println!("skipped: MINIKUBE_OFFLINE_TEST_MINIKUBE does not name a minikube");
        return;
    };
    let sandbox = Sandbox::new();
    let mut flags = std::ffi::OsString::from("--minikube=");
    flags.push(minikube);
    let outcome = sandbox.packager([
        "pack".into(),
        "--kubernetes-version=v1.35.0".into(),
        "--offline".into(),
        "--cni=kindnet".into(),
        flags,
    ]);
    assert_eq!(outcome.status, 2, "{outcome:?}");
    let image = format!("\n  docker.io/kindest/kindnetd:{KINDNETD}\n");
    assert!(outcome.stderr.contains(&image), "{outcome:?}");
}
