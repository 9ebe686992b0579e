//! Which minikube a pack takes: by the list of its releases that minikube publishes.

use super::world::{LIST, VERSION, World};
use crate::support::program::{Outcome, Sandbox, bytes};
use crate::support::server::{Fault, Reply};

/// The line that says which minikube is taken.
fn minikube_in(outcome: &Outcome) -> &str {
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let mut lines = outcome.stdout.lines();
    let line = lines
        .find(|line| line.starts_with("minikube "))
        .expect("minikube");
    let (_, version) = line.split_once("/minikube/").expect("its URL");
    version.split('/').next().expect("its version")
}

/// A world with a later minikube, which has these releases of Kubernetes.
fn with_later(kubernetes: &[&str]) -> World {
    let world = World::new();
    world.add_minikube("v1.40.0", kubernetes);
    world.list_releases(&["v1.40.0", "v1.39.0"]);
    world
}

/// A world that lists no minikube which this program knows.
fn without_known(kubernetes: &[&str]) -> World {
    let world = with_later(kubernetes);
    world.list_releases(&["v1.40.0"]);
    world
}

#[test]
fn a_known_minikube_that_has_the_kubernetes_is_preferred() {
    let world = with_later(&["v1.38.0", "v1.37.2", "v1.28.0"]);
    let sandbox = Sandbox::new();
    let resolved = world.resolve(&sandbox, VERSION, &[]);
    assert_eq!(minikube_in(&resolved), "v1.39.0");
    assert_eq!(world.server.count("v1.40.0"), 0);
    let resolved = world.resolve(&sandbox, "stable", &[]);
    assert_eq!(minikube_in(&resolved), "v1.39.0");
    // Of the known ones the newest that is listed, as on a mirror without the others.
    world.add_minikube("v1.38.1", &["v1.35.7"]);
    world.list_releases(&["v1.40.0", "v1.38.1"]);
    let refused = world.resolve(&Sandbox::new(), "v1.35.7", &[]);
    assert!(
        refused.stderr.contains("there is no kubeadm v1.35.7"),
        "{refused:?}"
    );
    assert_eq!(world.server.count("/v1.38.1/"), 2, "checksum and program");
}

#[test]
fn an_unknown_minikube_is_taken_where_no_known_one_is_and_a_note_says_so() {
    let world = without_known(&["v1.38.0", "v1.37.2"]);
    let sandbox = Sandbox::new();
    let resolved = world.resolve(&sandbox, VERSION, &[]);
    assert_eq!(minikube_in(&resolved), "v1.40.0");
    let note = "taking minikube v1.40.0, which this program does not know: it says that it has Kubernetes v1.37.2, and \
                none is there that is known, up to v1.39.0\n";
    assert!(resolved.stderr.contains(note), "{resolved:?}");
    assert_eq!(world.server.count(LIST), 1, "asked for once");

    // With the lock nobody asks what is newest today, or what the list says.
    world.add_minikube("v1.41.0", &["v1.37.2"]);
    world.list_releases(&["v1.41.0"]);
    let before = world.server.seen().len();
    let packed = world.pack(&sandbox, VERSION, &["--locked", "--level=fast"]);
    assert_eq!(packed.status, 0, "{packed:?}");
    let seen = &world.server.seen()[before..];
    assert!(seen.iter().all(|seen| seen.target != LIST), "{seen:?}");
    let inspected = sandbox.packager(["inspect", "--output=json", "x.run"]).stdout;
    let reported = r#"{"kind":"self-reported-version","subject":"v1.40.0"}"#;
    assert!(inspected.contains(reported), "{inspected}");

    // And the bytes are those of a pack in the world of the lock.
    world.list_releases(&["v1.40.0"]);
    let fresh = Sandbox::new();
    let packed = world.pack(&fresh, VERSION, &["--level=fast"]);
    assert_eq!(packed.status, 0, "{packed:?}");
    assert!(bytes(&fresh.path("x.run")) == bytes(&sandbox.path("x.run")));
    let inspected = fresh.packager(["inspect", "--output=json", "x.run"]).stdout;
    let listed = format!(r#""kind":"release-list","url":"{}""#, world.server.url(LIST));
    assert!(inspected.contains(&listed), "{inspected}");

    // Again: nothing is downloaded.
    let before = world.server.seen().len();
    let packed = world.pack(&fresh, VERSION, &["--level=fast"]);
    assert_eq!(packed.status, 0, "{packed:?}");
    assert_eq!(downloads(&world, before), Vec::<String>::new());
}

#[test]
fn a_bundle_takes_its_minikubes_container_runtime() {
    let world = World::new();
    let runtime_in = |sandbox: &Sandbox| -> (String, String) {
        let lock = std::fs::read_to_string(sandbox.path("x.lock")).expect("a lock");
        let line = lock.lines().find(|line| line.starts_with("container_runtime"));
        let inspected = sandbox.packager(["inspect", "--output=json", "x.run"]);
        let (_, packed) = inspected
            .stdout
            .split_once("\"container_runtime\":")
            .expect("a key");
        let packed = packed
            .trim_start()
            .split([',', '}', '\n'])
            .next()
            .unwrap_or_default();
        (line.expect("a line").to_owned(), packed.to_owned())
    };
    let named = |name: &str| (format!("container_runtime = \"{name}\""), format!("\"{name}\""));
    let sandbox = Sandbox::new();
    for (more, expected) in [
        (&[][..], "containerd"),
        // Which the lock then has.
        (&["--container-runtime=docker"], "docker"),
        (&["--locked"], "docker"),
        (&[], "containerd"),
    ] {
        let packed = world.pack(&sandbox, VERSION, &[&["--level=fast"], more].concat());
        assert_eq!(packed.status, 0, "{packed:?}");
        assert_eq!(runtime_in(&sandbox), named(expected), "{more:?}");
        let resolved = world.resolve(
            &sandbox,
            VERSION,
            &more
                .iter()
                .copied()
                .filter(|flag| *flag != "--locked")
                .collect::<Vec<_>>(),
        );
        assert_eq!(resolved.status, 0, "{resolved:?}");
    }
    // A lock of another platform has its release's.
    let own = minikube_offline::bundle::Platform::of_this_machine().expect("a platform");
    let platform = format!("--platform=linux/{}", super::world::other(own.arch).name());
    let other = Sandbox::new();
    let resolved = world.resolve(&other, VERSION, &[&platform]);
    assert_eq!(resolved.status, 0, "{resolved:?}");
    let lock = std::fs::read_to_string(other.path("x.lock")).expect("a lock");
    assert!(lock.contains(&named("containerd").0), "{lock}");
}

fn arch() -> &'static str {
    let platform = minikube_offline::bundle::Platform::of_this_machine();
    platform.expect("a platform").arch.name()
}

/// Programs and blobs that were given since.
fn downloads(world: &World, before: usize) -> Vec<String> {
    let seen = world.server.seen();
    let gets = seen[before..].iter().filter(|seen| seen.method == "GET");
    let targets = gets.map(|seen| seen.target.clone());
    let is_program = |target: &String| {
        let name = target.rsplit('/').next().unwrap_or_default();
        name.starts_with("minikube-linux-") && !name.contains('.')
            || ["kubeadm", "kubelet", "kubectl"].contains(&name)
    };
    targets
        .filter(|target| target.contains("/blobs/") || is_program(target))
        .collect()
}

#[test]
fn an_unknown_minikube_that_does_not_have_it_is_asked_and_left() {
    let world = without_known(&["v1.39.0", "v1.38.0"]);
    let sandbox = Sandbox::new();
    let resolved = world.resolve(&sandbox, VERSION, &[]);
    assert_eq!(minikube_in(&resolved), "v1.39.0");
    let note = "minikube v1.40.0 has Kubernetes v1.38 to v1.39, and not v1.37.2: taking minikube v1.39.0";
    assert!(resolved.stderr.contains(note), "{resolved:?}");

    // Of several unknown ones only the newest is asked: each has 130 MB.
    world.add_minikube("v1.40.1", &["v1.38.0"]);
    world.list_releases(&["v1.40.1", "v1.40.0"]);
    let before = world.server.seen().len();
    assert_eq!(minikube_in(&world.resolve(&sandbox, VERSION, &[])), "v1.39.0");
    let got = downloads(&world, before);
    assert!(got.len() == 1 && got[0].contains("v1.40.1"), "{got:?}");

    // Where no known one has the Kubernetes either, that is the error.
    let refused = world.resolve(&sandbox, "v1.99.0", &[]);
    assert_eq!(refused.status, 2, "{refused:?}");
    let error = "error: minikube v1.40.1 has Kubernetes v1.38 to v1.38, and not v1.99.0\n";
    assert!(refused.stderr.contains(error), "{refused:?}");
}

#[test]
fn a_kubernetes_that_is_too_old_for_what_is_known_asks_no_later_minikube() {
    let world = without_known(&["v1.38.0"]);
    let sandbox = Sandbox::new();
    let refused = world.resolve(&sandbox, "v1.27.0", &[]);
    // The world has neither this Kubernetes nor the minikube for it.
    assert!(
        refused.stderr.contains("there is no minikube v1.33.1"),
        "{refused:?}"
    );
    assert_eq!(world.server.count("v1.40.0"), 0);
}

#[test]
fn what_is_named_is_taken_and_no_later_one_asked() {
    let world = without_known(&["v1.37.2"]);
    let sandbox = Sandbox::new();
    let resolved = world.resolve(&sandbox, VERSION, &["--minikube-version=v1.39.0"]);
    assert_eq!(minikube_in(&resolved), "v1.39.0");
    assert_eq!(world.server.count("v1.40.0"), 0);
    let refused = world.resolve(&sandbox, VERSION, &["--minikube-version=v1.38.1"]);
    assert_eq!(refused.status, 2, "{refused:?}");
    let error = "error: minikube v1.38.1 has Kubernetes v1.28 to v1.35, and not v1.37.2\n";
    assert!(refused.stderr.contains(error), "{refused:?}");
}

#[test]
fn prereleases_and_what_is_no_version_are_passed_over() {
    let world = World::new();
    world.add_minikube("v1.40.0-beta.0", &["v1.37.2"]);
    world.list_releases(&["v1.40.0-beta.0", "nightly", "v1.38.0"]);
    let resolved = world.resolve(&Sandbox::new(), VERSION, &[]);
    assert_eq!(minikube_in(&resolved), "v1.39.0");
    assert_eq!(world.server.count("v1.40.0-beta.0"), 0);
}

#[test]
fn a_listed_release_that_is_not_there_is_left() {
    let world = World::new();
    world.list_releases(&["v1.40.0"]);
    let resolved = world.resolve(&Sandbox::new(), VERSION, &[]);
    assert_eq!(minikube_in(&resolved), "v1.39.0");
    let note = "there is no minikube v1.40.0: taking minikube v1.39.0";
    assert!(resolved.stderr.contains(note), "{resolved:?}");
}

#[test]
fn without_a_list_a_line_says_so_and_the_table_decides() {
    type Fault = (fn(&World), &'static str);
    let faults: [Fault; 4] = [
        (|world| world.remove(LIST), "releases-v2.json` answered 404"),
        (
            |world| world.change(LIST, |list| *list = b"<html>login</html>".to_vec()),
            "releases-v2.json` is not minikube's list of releases: expected value",
        ),
        (
            |world| world.change(LIST, |list| *list = b"[]".to_vec()),
            "is not minikube's list of releases: no release stands in it",
        ),
        (
            |world| world.change(LIST, |list| list.resize(5 << 20, b' ')),
            "releases-v2.json` should have 4194304 bytes at most; it has 5242880, more",
        ),
    ];
    for (spoil, words) in faults {
        let world = with_later(&["v1.37.2"]);
        spoil(&world);
        let resolved = world.resolve(&Sandbox::new(), VERSION, &[]);
        assert_eq!(minikube_in(&resolved), "v1.39.0");
        let mut notes = resolved
            .stderr
            .lines()
            .filter(|line| line.contains("releases-v2"));
        let note = notes.next().expect("a note");
        assert!(note.contains(words), "{note}");
        assert!(note.ends_with(": going on without the list"), "{note}");
        assert_eq!(notes.next(), None);
        assert_eq!(world.server.count("/minikube/latest"), 0, "a known one has it");
        // What no known one has leaves the release page to say which is newest.
        let resolved = world.resolve(&Sandbox::new(), "v1.98.0", &[]);
        assert_eq!(resolved.status, 2, "{resolved:?}");
        let rest = "/minikube/latest` answered 404: going on with the minikubes that this program \
                    knows, up to v1.39.0\n";
        assert!(resolved.stderr.contains(rest), "{resolved:?}");
    }
}

#[test]
fn without_a_list_the_release_page_says_which_is_newest() {
    let world = World::with(|seen, reply| match seen.target.as_str() {
        LIST => Reply::status(403),
        "/minikube/latest" => Reply::status(302).header("location", "/minikube/tag/v1.99.0"),
        "/minikube/tag/v1.99.0" => Reply::ok("<html>"),
        _ => reply,
    });
    world.add_minikube("v1.99.0", &["v1.98.0", "v1.37.2"]);
    let resolved = world.resolve(&Sandbox::new(), "v1.98.0", &[]);
    assert!(
        resolved.stderr.contains("taking minikube v1.99.0, which"),
        "{resolved:?}"
    );
    // This world does not have that Kubernetes.
    assert!(
        resolved.stderr.contains("there is no kubeadm v1.98.0"),
        "{resolved:?}"
    );
    let latest = world.server.url("/minikube/latest");
    let note = format!("`{latest}` leads to minikube v1.99.0: taking that for the newest\n");
    assert!(resolved.stderr.contains(&note), "{resolved:?}");
    assert_eq!(world.server.count("/minikube/latest"), 1);
}

#[test]
fn a_minikube_is_asked_for_its_storage_provisioner() {
    let world = World::new();
    world.add_minikube_with("v1.99.0", &["v1.37.2"], "v5.0.1");
    world.list_releases(&["v1.99.0"]);
    let sandbox = Sandbox::new();
    let packed = world.pack(&sandbox, VERSION, &["--level=fast", "--minikube-version=v1.99.0"]);
    assert_eq!(packed.status, 0, "{packed:?}");
    let list = sandbox.packager(["list", "x.run"]).stdout;
    let images: Vec<&str> = list
        .lines()
        .filter(|line| line.contains("storage-provisioner"))
        .collect();
    assert!(
        images.len() == 1 && images[0].contains("storage-provisioner:v5.0.1"),
        "{list}"
    );
}

#[test]
fn a_list_that_does_not_come_is_tried_twice() {
    let world = World::with(|seen, reply| {
        if seen.target == LIST {
            Reply::status(503).fault(Fault::Silence)
        } else {
            reply
        }
    });
    let resolved = world.resolve(&Sandbox::new(), VERSION, &[]);
    assert_eq!(minikube_in(&resolved), "v1.39.0");
    assert!(
        resolved.stderr.contains("releases-v2.json` cannot be read"),
        "{resolved:?}"
    );
    assert_eq!(world.server.count(LIST), 2);
}

#[test]
fn a_checksum_that_the_list_does_not_agree_with_is_refused() {
    let world = World::new();
    // Program and checksum from the mirror agree with each other, and not with the list.
    for arch in ["amd64", "arm64"] {
        world.change(&format!("minikube-linux-{arch}"), |program| program.push(b'x'));
        let sum = world.sum_of(&format!("minikube-linux-{arch}"));
        world.change(&format!("minikube-linux-{arch}.sha256"), |text| {
            *text = sum.clone().into();
        });
    }
    let sandbox = Sandbox::new();
    for more in [&["--level=fast"][..], &["--accept-unverified=minikube"]] {
        let refused = world.pack(&sandbox, VERSION, more);
        assert_eq!(refused.status, 4, "{refused:?}");
        for part in [
            &format!("error: minikube v1.39.0 for linux/{} should have sha256:", arch()),
            &format!("/minikube/v1.39.0/minikube-linux-{}.sha256`, and sha256:", arch()),
            &format!("by `{}`\n", world.server.url(LIST)),
            "hint: nothing of it was taken",
        ] {
            assert!(refused.stderr.contains(part), "{part} in {refused:?}");
        }
    }
}

#[test]
fn the_list_proves_a_program_that_has_no_checksum_beside_it() {
    let world = World::new();
    for arch in ["amd64", "arm64"] {
        world.remove(&format!("minikube-linux-{arch}.sha256"));
    }
    let sandbox = Sandbox::new();
    let packed = world.pack(&sandbox, VERSION, &["--level=fast"]);
    assert_eq!(packed.status, 0, "{packed:?}");
    let inspected = sandbox.packager(["inspect", "--output=json", "x.run"]).stdout;
    let list = world.server.url(LIST);
    let listed = format!(r#","url":"{list}"}}"#);
    let kind = r#""kind":"release-list""#;
    assert!(
        inspected.contains(kind) && inspected.contains(&listed),
        "{inspected}"
    );
}
