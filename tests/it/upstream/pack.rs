//! `pack` with nothing given by hand.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use minikube_offline::bundle::{Digest, Platform};

use super::world::{VERSION, World, kubernetes_program};
use crate::support::program::{Sandbox, bytes};

#[test]
fn a_version_is_enough_and_the_second_pack_downloads_nothing() {
    let world = World::new();
    let sandbox = Sandbox::new();
    let outcome = world.pack(&sandbox, "v1.37", &["--addon=greeter", "--level=fast"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let verified = sandbox.packager(["verify", "--deep", "x.run"]);
    assert_eq!(verified.status, 0, "{verified:?}");
    let listed = sandbox.packager(["list", "x.run"]).stdout;
    for part in [
        "kubelet",
        "kicbase:v0.0.51",
        "etcd:3.7.0-0",
        "storage-provisioner:v5",
        "hello:1",
    ] {
        assert!(listed.contains(part), "{part} in {listed}");
    }
    // Ten images, each with a config and a layer; every blob once.
    let seen = world.server.seen();
    let mut blobs: Vec<&str> = seen
        .iter()
        .filter(|seen| seen.target.contains("/blobs/") && seen.method == "GET")
        .map(|seen| seen.target.as_str())
        .collect();
    assert_eq!(blobs.len(), 20);
    blobs.sort_unstable();
    blobs.dedup();
    assert_eq!(blobs.len(), 20);
    let first = bytes(&sandbox.path("x.run"));

    let outcome = world.pack(&sandbox, VERSION, &["--addon=greeter", "--level=fast"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(bytes(&sandbox.path("x.run")) == first);
    let again = &world.server.seen()[seen.len()..];
    assert!(
        again.iter().all(|seen| !seen.target.contains("/blobs/")
            && (seen.method == "HEAD" || !seen.target.ends_with("kubelet"))),
        "{again:?}"
    );

    let store = sandbox.packager(["store", "list"]);
    assert!(store.stdout.contains("44 blobs"), "{store:?}");
    for about in [
        "  kubelet v1.37.2 for linux/",
        "  a layer of registry.k8s.io/pause:3.10.2\n",
        "  the config of registry.k8s.io/hello:1\n",
        "  a manifest of gcr.io/k8s-minikube/kicbase:v0.0.51\n",
    ] {
        assert!(store.stdout.contains(about), "{about} in {}", store.stdout);
    }
    assert!(!store.stdout.contains("nothing is noted"), "{}", store.stdout);
    let asked = sandbox.packager(["store", "prune"]);
    assert_eq!(asked.status, 2, "{asked:?}");
    assert!(asked.stderr.contains("<--older-than <DAYS>|--all>"), "{asked:?}");
    let pruned = sandbox.packager(["store", "prune", "--older-than", "1"]);
    assert!(pruned.stdout.starts_with("removed 0 files"), "{pruned:?}");
    let pruned = sandbox.packager(["store", "prune", "--all"]);
    assert!(pruned.stdout.starts_with("removed 44 files"), "{pruned:?}");
}

/// A version, what is spoilt, flags, the exit code, words of the message.
type Case = (
    &'static str,
    fn(&World),
    &'static [&'static str],
    i32,
    &'static [&'static str],
);

const REFUSED: [Case; 13] = [
    (
        "v1.99",
        |_| {},
        &[],
        2,
        &["there is no Kubernetes v1.99", "takes the newest patch"],
    ),
    (
        "v1.37.99",
        |_| {},
        &[],
        2,
        &[
            "there is no kubeadm v1.37.99; the newest of v1.37 is v1.37.2",
            "hint: ",
        ],
    ),
    (
        "v1.99.0",
        |_| {},
        &[],
        2,
        &[
            "no minikube that this program knows has Kubernetes v1.99.0",
            "--minikube-version",
        ],
    ),
    (
        VERSION,
        |_| {},
        &["--minikube-version=v1.0.0"],
        2,
        &["there is no minikube v1.0.0; the newest release is v1.39.0\n"],
    ),
    (
        VERSION,
        |_| {},
        &["--addon=nonsense"],
        2,
        &[
            "error: minikube has no addon `nonsense`\n",
            "hint: this minikube names its addons by `minikube addons list`: default-storageclass, greeter, \
             storage-provisioner, traefik\n",
        ],
    ),
    (
        VERSION,
        |_| {},
        &["--addon=traefik"],
        2,
        &[
            "error: minikube's addon `traefik` cannot be packed: minikube lists no image for it, and takes what it \
             needs from the network when it is enabled, such as a Helm chart\n",
            "hint: omit it; or write what it installs into a file, as `helm template` does, and pack that with \
             `--manifest FILE`, which takes the images that it names along\n",
        ],
    ),
    (
        VERSION,
        |_| {},
        &["--addon=greter"],
        2,
        &["error: minikube has no addon `greter`; did you mean `greeter`?\n"],
    ),
    (
        VERSION,
        |_| {},
        &["--minikube-version=v1.33.1"],
        2,
        &[
            "error: minikube v1.33.1 has Kubernetes v1.20 to v1.30, and not v1.37.2\n",
            "hint: name a Kubernetes",
        ],
    ),
    (
        VERSION,
        |world| {
            let own = Platform::of_this_machine().expect("a platform").arch.name();
            world.remove(&format!("{own}/kubectl"));
            world.remove(&format!("{own}/kubectl.sha256"));
        },
        &[],
        2,
        &[
            "error: there is no kubectl v1.37.2 for linux/",
            "; there is one for linux/",
            "hint: take another release",
        ],
    ),
    (
        VERSION,
        |world| world.change("/kubelet", |bytes| bytes[5000] ^= 1),
        &[],
        4,
        &["/kubelet` should have sha256:"],
    ),
    (
        VERSION,
        |world| world.remove("kubectl.sha256"),
        &[],
        2,
        &[
            "nothing says what kubectl should be",
            "--accept-unverified kubectl",
        ],
    ),
    (
        VERSION,
        |world| world.change("kubectl.sha256", |bytes| *bytes = b"<html>".to_vec()),
        &[],
        4,
        &["kubectl.sha256` should begin with a SHA-256 digest"],
    ),
    (
        VERSION,
        |_| {},
        &["--offline"],
        2,
        &["6 parts are missing", "--kicbase"],
    ),
];

#[test]
fn what_upstream_does_not_have_or_does_not_prove_is_named() {
    for (version, spoil, more, status, words) in REFUSED {
        let world = World::new();
        spoil(&world);
        let sandbox = Sandbox::new();
        let outcome = world.pack(&sandbox, version, more);
        assert_eq!(outcome.status, status, "{version} {more:?}: {outcome:?}");
        for word in words {
            assert!(outcome.stderr.contains(word), "`{word}` in {}", outcome.stderr);
        }
        assert!(!sandbox.path("x.run").exists());
    }
}

#[test]
fn a_part_that_was_accepted_unverified_says_so_in_the_bundle() {
    let world = World::new();
    world.remove("kubectl.sha256");
    let sandbox = Sandbox::new();
    let outcome = world.pack(
        &sandbox,
        VERSION,
        &["--accept-unverified=kubectl", "--level=fast"],
    );
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let lines: Vec<&str> = outcome
        .stdout
        .lines()
        .filter(|line| line.ends_with("  UNVERIFIED"))
        .collect();
    assert!(lines.len() == 1 && lines[0].contains(" kubectl "), "{outcome:?}");
    let resolved = world.resolve(&Sandbox::new(), VERSION, &["--accept-unverified=kubectl"]);
    assert_eq!(
        resolved.stdout.matches(" (UNVERIFIED)\n").count(),
        1,
        "{resolved:?}"
    );
    let index = String::from_utf8_lossy(&bytes(&sandbox.path("x.run"))).into_owned();
    assert!(index.contains(r#"/kubectl","verified_by":["#) && index.contains(r#""unverified":true"#));
    assert!(index.contains(r#"/kubelet.sha256"}"#));
    let shown = sandbox.packager(["inspect", "x.run"]);
    for line in [
        "\n  kubectl: nothing was compared: accepted unverified from http://",
        "\n  kubelet: its SHA-256 is the one that http://",
    ] {
        assert!(shown.stdout.contains(line), "{line} in {}", shown.stdout);
    }
}

#[test]
fn without_downloads_the_images_of_an_addon_are_named_as_missing() {
    let world = World::new();
    let sandbox = Sandbox::new();
    let outcome = world.resolve(&sandbox, VERSION, &[]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let lock = fs::read_to_string(sandbox.path("x.lock")).expect("a lock");
    let digest = lock
        .split("sha256:")
        .nth(1)
        .expect("minikube's")
        .split('"')
        .next();
    let stored = sandbox.path(&format!(
        "home/.cache/minikube-offline/store/sha256/{}",
        digest.expect("a digest")
    ));
    let minikube = format!("--minikube={}", stored.display());
    let outcome = world.pack(&sandbox, VERSION, &["--offline", "--addon=greeter", &minikube]);
    assert_eq!(outcome.status, 2, "{outcome:?}");
    // What kubeadm names is not known; of a release in the table it would be.
    for part in [
        "\n  registry.k8s.io/hello:1\n",
        "\n  the images that kubeadm will list\n",
    ] {
        assert!(outcome.stderr.contains(part), "{part} in {outcome:?}");
    }
}

#[test]
fn a_name_that_is_accepted_and_is_none_of_the_parts_is_told_of() {
    let world = World::new();
    let sandbox = Sandbox::new();
    let refused = world.pack(&sandbox, VERSION, &["--accept-unverified=kubctl"]);
    assert_eq!(refused.status, 2, "{refused:?}");
    let error =
        "error: `kubctl`, which `--accept-unverified` names, is none of the parts; did you mean `kubectl`?\n";
    assert!(refused.stderr.starts_with(error), "{refused:?}");
    assert_eq!(world.server.seen().len(), 0);
    let name = "--accept-unverified=registry.k8s.io/pause:3.10";
    for outcome in [
        world.resolve(&sandbox, VERSION, &[name]),
        world.pack(&sandbox, VERSION, &[name, "--level=fast"]),
    ] {
        assert_eq!(outcome.status, 0, "{outcome:?}");
        let note = "`--accept-unverified registry.k8s.io/pause:3.10` names none of the parts; the nearest is \
                    `registry.k8s.io/pause:3.10.2`\n";
        assert!(outcome.stderr.contains(note), "{outcome:?}");
    }
}

#[test]
fn a_pack_that_was_cut_off_goes_on_and_gives_the_same_bytes() {
    let world = World::new();
    let sandbox = Sandbox::new();
    let outcome = world.pack(&sandbox, VERSION, &["--level=fast"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let whole = bytes(&sandbox.path("x.run"));
    // Half of a program, as a killed run leaves it.
    let other = Sandbox::new();
    let program = kubernetes_program("kubeadm");
    let partial = other.path("home/.cache/minikube-offline/store/partial");
    fs::create_dir_all(&partial).unwrap();
    let name = partial.join(Digest::of(&program).hex());
    let url = world.server.seen();
    let kubeadm = url
        .iter()
        .find(|seen| seen.target.ends_with("/kubeadm"))
        .expect("a request");
    write(&name, &program[..program.len() / 2]);
    write(
        &name.with_extension("note"),
        format!("{}\n\"1\"", world.server.url(&kubeadm.target)).as_bytes(),
    );
    let before = url.len();
    let outcome = world.pack(&other, VERSION, &["--level=fast"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(bytes(&other.path("x.run")) == whole);
    let range = format!("bytes={}-", program.len() / 2);
    let seen = world.server.seen();
    assert!(
        seen[before..]
            .iter()
            .any(|seen| seen.header("range") == Some(&range))
    );
}

fn write(path: &Path, content: &[u8]) {
    File::create(path).unwrap().write_all(content).unwrap();
}

#[test]
fn a_lock_packs_the_same_again_or_names_what_changed() {
    let world = World::new();
    let sandbox = Sandbox::new();
    let outcome = world.pack(&sandbox, "v1.37", &["--level=fast"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let first = bytes(&sandbox.path("x.run"));
    let lock = fs::read_to_string(sandbox.path("x.lock")).expect("a lock");
    for text in [
        "role = \"kubelet\"",
        "/kubelet\"",
        "registry_manifest = \"sha256:",
        "layers = [\"sha256:",
    ] {
        assert!(lock.contains(text), "{text} in {lock}");
    }

    // Nothing says what is newest, or what a program should be, but the lock.
    world.remove("stable-1.37.txt");
    world.remove(".sha256");
    let other = Sandbox::new();
    fs::copy(sandbox.path("x.lock"), other.path("x.lock")).unwrap();
    let outcome = world.pack(&other, "v1.37", &["--level=fast", "--locked"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(bytes(&other.path("x.run")) == first);
    assert_eq!(fs::read_to_string(other.path("x.lock")).unwrap(), lock);

    let outcome = world.pack(&Sandbox::new(), "v1.37", &["--locked"]);
    assert_eq!(outcome.status, 2, "{outcome:?}");
    assert!(
        outcome.stderr.contains("cannot read the lock `x.lock`"),
        "{}",
        outcome.stderr
    );
}

/// The programs are large: a typing error must not wait for them.
#[test]
fn a_wrong_tag_or_addon_is_found_before_the_programs_come() {
    for (flag, error, programs) in [
        (
            "--image=docker://registry.k8s.io/pause:0",
            "registry.k8s.io/pause:0",
            0,
        ),
        ("--addon=nonsense", "minikube has no addon `nonsense`", 1),
    ] {
        let world = World::new();
        let outcome = world.pack(&Sandbox::new(), VERSION, &[flag]);
        assert_eq!(outcome.status, 2, "{outcome:?}");
        assert!(outcome.stderr.contains(error), "{outcome:?}");
        let seen = world.server.seen();
        let came = seen.iter().filter(|seen| {
            let name = seen.target.rsplit('/').next().unwrap_or_default();
            let minikube = name.starts_with("minikube-linux-") && !name.contains(".sha256");
            seen.method == "GET" && (minikube || ["kubeadm", "kubelet", "kubectl"].contains(&name))
        });
        assert_eq!(came.count(), programs, "{flag}: {outcome:?}");
    }
}
