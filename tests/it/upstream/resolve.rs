//! `resolve`: a lock, and what it would cost, without the parts.

use std::fs;

use minikube_offline::bundle::{BinaryRole, Platform};
use serde_json::Value;

use super::world::{VERSION, World, other};
use crate::support::program::{Outcome, Sandbox, bytes};

/// The last line of standard output, which is the result.
fn result(outcome: &Outcome) -> Value {
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let line = outcome.stdout.lines().last().expect("a result");
    serde_json::from_str(line).expect("JSON")
}

#[test]
fn a_lock_without_the_parts_packs_the_same_bytes_as_a_pack() {
    let world = World::new();
    let plain = Sandbox::new();
    let outcome = world.pack(&plain, "v1.37", &["--addon=greeter", "--level=fast"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");

    let before = world.server.seen().len();
    let sandbox = Sandbox::new();
    let outcome = world.resolve(&sandbox, "v1.37", &["--addon=greeter"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(!sandbox.path("x.run").exists());
    // Of the blobs only the ten configs; of the programs only minikube, which is asked,
    // and kubeadm, because the table does not have this release.
    let seen: Vec<String> = world.server.seen()[before..]
        .iter()
        .filter(|seen| seen.method == "GET")
        .map(|seen| seen.target.clone())
        .collect();
    assert_eq!(
        seen.iter().filter(|target| target.contains("/blobs/")).count(),
        10,
        "{seen:?}"
    );
    let programs: Vec<&String> = seen
        .iter()
        .filter(|target| {
            let name = target.rsplit('/').next().unwrap_or_default();
            name.starts_with("minikube-linux-") && !name.ends_with(".sha256")
                || BinaryRole::KUBERNETES.iter().any(|role| name == role.name())
        })
        .collect();
    assert_eq!(programs.len(), 2, "{programs:?}");

    // Years later: nothing says any more what is newest, or what a program should be.
    world.remove("stable-1.37.txt");
    world.remove(".sha256");
    let outcome = world.pack(
        &sandbox,
        "v1.37",
        &["--addon=greeter", "--level=fast", "--locked"],
    );
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(bytes(&sandbox.path("x.run")) == bytes(&plain.path("x.run")));
    let locks = [&sandbox, &plain].map(|sandbox| fs::read_to_string(sandbox.path("x.lock")).unwrap());
    assert_eq!(locks[0], locks[1]);
}

#[test]
fn what_would_be_downloaded_is_counted_to_the_byte() {
    let world = World::new();
    let sandbox = Sandbox::new();
    let first = result(&world.resolve(&sandbox, VERSION, &["--output=json"]));
    assert_eq!(first["type"], "result");
    assert_eq!(first["lock"], "x.lock");
    assert_eq!(first["parts"].as_array().expect("parts").len(), 4 + 9);
    let bytes = |value: &Value, key: &str| value[key].as_u64().expect(key);
    assert_eq!(bytes(&first, "given_bytes"), 0);
    assert!(bytes(&first, "estimated_bundle_bytes") > 0, "{first}");
    // minikube and kubeadm were asked, and so are in the store.
    let of = |name: &str, key: &str| {
        let parts = first["parts"].as_array().expect("parts");
        let part = parts.iter().find(|part| part["name"] == name).expect(name);
        bytes(part, key)
    };
    assert!(of("minikube", "stored_bytes") > 0 && of("minikube", "download_bytes") == 0);
    assert!(of("kubelet", "download_bytes") > 0 && of("kubelet", "stored_bytes") == 0);

    // What a pack then downloads is what was said.
    let before = world.server.seen().len();
    let outcome = world.pack(&sandbox, VERSION, &["--level=fast", "--locked"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let downloads = world.server.seen()[before..]
        .iter()
        .filter(|seen| {
            seen.method == "GET" && (seen.target.contains("/blobs/") || seen.target.contains("/bin/"))
        })
        .count();
    // Two programs and nine layers.
    assert_eq!(downloads, 11);
    let again = result(&world.resolve(&sandbox, VERSION, &["--output=json"]));
    assert_eq!(bytes(&again, "download_bytes"), 0, "{again}");
    assert_eq!(
        bytes(&again, "stored_bytes"),
        bytes(&first, "stored_bytes") + bytes(&first, "download_bytes")
    );
}

#[test]
fn a_person_is_told_what_comes_from_where_and_that_an_estimate_is_one() {
    let world = World::new();
    let sandbox = Sandbox::new();
    let outcome = world.resolve(&sandbox, VERSION, &[]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    for text in [
        "docker://registry.k8s.io/pause:3.10.2: download\n",
        "/kubelet: download\n",
        "in the store\n",
        "\nto download ",
        "\nthe bundle    about ",
        ": an estimate, 67 % of what the registries serve of the images",
        "`x.lock` is the lock: the same command with `pack --locked` takes exactly this",
    ] {
        assert!(outcome.stdout.contains(text), "{text} in {}", outcome.stdout);
    }
}

#[test]
fn an_image_that_changed_since_is_named_by_the_locked_pack() {
    let world = World::new();
    let sandbox = Sandbox::new();
    let outcome = world.resolve(&sandbox, VERSION, &[]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let lock = fs::read_to_string(sandbox.path("x.lock")).unwrap();
    let config = lock
        .lines()
        .find(|line| line.starts_with("config = "))
        .expect("a config");
    let other = "config = \"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"";
    fs::write(sandbox.path("x.lock"), lock.replacen(config, other, 1)).unwrap();
    let outcome = world.pack(&sandbox, VERSION, &["--level=fast", "--locked"]);
    assert_eq!(outcome.status, 4, "{outcome:?}");
    assert!(
        outcome.stderr.contains(
            "1 part is not what the lock `x.lock` says:\n  gcr.io/k8s-minikube/kicbase:v0.0.51 for linux/"
        ),
        "{}",
        outcome.stderr
    );
}

#[test]
fn two_platforms_come_from_the_same_lists_and_are_asked_in_this_machines_version() {
    let world = World::new();
    let sandbox = Sandbox::new();
    let arch = Platform::of_this_machine().expect("a platform").arch;
    let stub = format!("--stub={}", sandbox.stub_for(other(arch)).display());
    let both = "--platform=linux/amd64,linux/arm64";
    let outcome = world.resolve(&sandbox, VERSION, &[both]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let lock = fs::read_to_string(sandbox.path("x.lock")).unwrap();
    for platform in ["linux/amd64", "linux/arm64"] {
        let parts = lock.matches(&format!("\nplatform = \"{platform}\"\n")).count();
        assert_eq!(parts, 4 + 9, "{lock}");
    }
    let outcome = world.pack(&sandbox, VERSION, &[both, &stub, "--level=fast", "--locked"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let locked = bytes(&sandbox.path("x.run"));
    let outcome = world.pack(&sandbox, VERSION, &[both, &stub, "--level=fast"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(bytes(&sandbox.path("x.run")) == locked);
    let verified = sandbox.packager(["verify", "--deep", "x.run"]);
    assert_eq!(verified.status, 0, "{verified:?}");

    // For the other platform alone this machine's minikube and kubeadm are fetched, to be
    // asked, and are not packed.
    let alone = Sandbox::new();
    let stub = format!("--stub={}", alone.stub_for(other(arch)).display());
    let platform = format!("--platform=linux/{}", other(arch).name());
    let before = world.server.seen().len();
    let mut arguments = world.arguments(VERSION, &[&platform, &stub, "--level=fast"]);
    arguments.retain(|argument| !argument.starts_with("--stub=") || *argument == stub);
    let outcome = alone.packager(arguments);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let own: Vec<String> = world.server.seen()[before..]
        .iter()
        .filter(|seen| seen.method == "GET" && !seen.target.ends_with(".sha256"))
        .filter(|seen| {
            seen.target.contains(&format!("/{}/", arch.name())) || seen.target.ends_with(arch.name())
        })
        .map(|seen| seen.target.rsplit('/').next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(
        own,
        ["kubeadm".to_owned(), format!("minikube-linux-{}", arch.name())]
    );
    let listed = alone.packager(["list", "x.run"]).stdout;
    assert!(!listed.contains(&format!("linux/{}", arch.name())), "{listed}");
}
