//! `--ha`: what several control planes need besides, and what their nodes do.

use std::fs;

use super::world::{KINDNETD, KUBE_VIP, NETWORKS, VERSION, World};
use crate::support::effort::report;
use crate::support::program::{Sandbox, bytes};

#[test]
fn several_control_planes_get_their_address_and_their_network() {
    let world = World::new();
    let kindnet = format!("docker.io/kindest/kindnetd:{KINDNETD}");
    let (_, flannel) = NETWORKS[2];
    for (flags, images) in [
        (&["--ha"][..], &[KUBE_VIP, &kindnet][..]),
        (&["--ha", "--cni=kindnet"], &[KUBE_VIP, &kindnet]),
        (&["--ha", "--cni=bridge"], &[KUBE_VIP]),
        (&["--ha", "--cni=flannel"], &[KUBE_VIP, flannel[0], flannel[1]]),
        (&["--cni=kindnet"], &[&kindnet]),
        (&[], &[]),
    ] {
        let sandbox = Sandbox::new();
        let resolved = world.resolve(&sandbox, VERSION, flags);
        assert_eq!(resolved.status, 0, "{resolved:?}");
        let locked: Vec<&str> = flags
            .iter()
            .copied()
            .chain(["--locked", "--level=fast"])
            .collect();
        let locked = world.pack(&sandbox, VERSION, &locked);
        assert_eq!(locked.status, 0, "{locked:?}");
        let lock = fs::read_to_string(sandbox.path("x.lock")).expect("a lock");
        let others = [KUBE_VIP, &kindnet, flannel[0], flannel[1]];
        for image in others {
            let reference = format!("\nreference = \"{image}\"\n");
            let part = lock.split("\n[[").find(|part| part.contains(&reference));
            assert_eq!(part.is_some(), images.contains(&image), "{image} with {flags:?}");
            // The cluster's, and not an application's.
            let is_the_clusters = part.is_none_or(|part| part.contains("\nrole = \"kubernetes\"\n"));
            assert!(is_the_clusters, "{part:?}");
        }
    }
}

#[test]
fn a_file_may_ask_for_it() {
    let world = World::new();
    let asked = Sandbox::new();
    fs::write(asked.path("b.toml"), "ha = true\n").expect("a file");
    let by_file = world.pack(&asked, VERSION, &["-f=b.toml", "--level=fast"]);
    assert_eq!(by_file.status, 0, "{by_file:?}");
    let flagged = Sandbox::new();
    let by_flag = world.pack(&flagged, VERSION, &["--ha", "--level=fast"]);
    assert_eq!(by_flag.status, 0, "{by_flag:?}");
    assert!(bytes(&asked.path("x.run")) == bytes(&flagged.path("x.run")));
}

#[test]
fn a_minikube_that_names_no_kube_vip_leaves_it_to_the_person() {
    let world = World::new();
    world.unname(KUBE_VIP);
    let flags = ["--ha", "--accept-unverified=minikube", "--level=fast"];
    let refused = world.pack(&Sandbox::new(), VERSION, &flags);
    assert_eq!(refused.status, 2, "{refused:?}");
    for part in [
        "names no image of kube-vip\n",
        "`--ha` came with minikube v1.33",
        "`--image docker://ghcr.io/kube-vip/kube-vip:TAG`",
    ] {
        assert!(refused.stderr.contains(part), "{part} in {refused:?}");
    }
    let given = format!("--image=docker://{KUBE_VIP}");
    let sandbox = Sandbox::new();
    let packed = world.pack(&sandbox, VERSION, &[&flags[..], &[&given]].concat());
    assert_eq!(packed.status, 0, "{packed:?}");
    let listed = sandbox.packager(["list", "x.run"]).stdout;
    assert!(listed.contains(KUBE_VIP), "{listed}");
}

#[test]
fn the_real_minikube_names_its_kube_vip() {
    let Some(minikube) = std::env::var_os("MINIKUBE_OFFLINE_TEST_MINIKUBE") else {
        report("skipped: MINIKUBE_OFFLINE_TEST_MINIKUBE does not name a minikube");
        return;
    };
    let sandbox = Sandbox::new();
    let mut flag = std::ffi::OsString::from("--minikube=");
    flag.push(&minikube);
    let outcome = sandbox.packager([
        "pack".into(),
        "--kubernetes-version=v1.35.0".into(),
        "--offline".into(),
        "--ha".into(),
        flag,
    ]);
    assert_eq!(outcome.status, 2, "{outcome:?}");
    // It is among what is missing.
    let lines = outcome.stderr.lines().filter(|line| line.starts_with("  "));
    let named: Vec<&str> = lines.map(str::trim).collect();
    let kindnet = format!("docker.io/kindest/kindnetd:{KINDNETD}");
    for image in [KUBE_VIP, &kindnet] {
        assert!(named.contains(&image), "{image} in {outcome:?}");
    }
}
