//! The lock: what it keeps, what it refuses, and what is said when it changes.

use std::fs;

use minikube_offline::bundle::{Digest, Platform};
use serde_json::Value;

use super::world::{VERSION, World};
use crate::support::program::{EPOCH_TIME, Outcome, Sandbox, bytes};

fn arch() -> &'static str {
    Platform::of_this_machine().expect("a platform").arch.name()
}

/// A sandbox with the lock of `world`.
fn locked(world: &World, more: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new();
    let outcome = world.resolve(&sandbox, VERSION, more);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    sandbox
}

fn lock_of(sandbox: &Sandbox) -> String {
    fs::read_to_string(sandbox.path("x.lock")).expect("a lock")
}

fn assert_says(outcome: &Outcome, status: i32, words: &[&str]) {
    assert_eq!(outcome.status, status, "{outcome:?}");
    for word in words {
        assert!(outcome.stderr.contains(word), "`{word}` in {}", outcome.stderr);
    }
}

#[test]
fn the_images_of_registries_in_a_lock_need_not_be_named_again() {
    let world = World::new();
    let sandbox = Sandbox::new();
    let flags = [
        "--level=fast",
        "--addon=greeter",
        "--image=docker://registry.k8s.io/hello:1",
        "--image=docker://quay.io/calico/cni:v3.31.3",
    ];
    let first = world.pack(&sandbox, VERSION, &flags);
    assert_eq!(first.status, 0, "{first:?}");
    let bundle = bytes(&sandbox.path("x.run"));
    for flags in [
        &["--level=fast", "--locked"][..],
        &["--locked", flags[0], flags[2]],
    ] {
        fs::remove_file(sandbox.path("x.run")).expect("the bundle");
        let again = world.pack(&sandbox, VERSION, flags);
        assert_eq!(again.status, 0, "{again:?}");
        assert!(bytes(&sandbox.path("x.run")) == bundle);
    }
}

/// As locks were before they had the key.
#[test]
fn a_lock_without_addons_takes_those_it_has_images_of() {
    let world = World::new();
    let sandbox = locked(&world, &["--addon=greeter"]);
    let old = lock_of(&sandbox).replace("addons = [\"greeter\"]\n", "");
    fs::write(sandbox.path("x.lock"), &old).expect("a file");
    let outcome = world.pack(
        &sandbox,
        VERSION,
        &["--level=fast", "--locked", "--addon=greeter"],
    );
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(!lock_of(&sandbox).contains("addons"), "{old}");
}

#[test]
fn a_locked_pack_does_not_ask_minikube_again() {
    let world = World::new();
    let sandbox = locked(&world, &[]);
    let lock = lock_of(&sandbox);
    // Which another one than its minikube and its kubeadm name.
    let mut parts = lock.split("\n[[image]]\n");
    let provisioner = parts
        .find(|part| part.contains("storage-provisioner"))
        .expect("an image");
    let renamed = provisioner.replace("storage-provisioner:v5", "storage-provisioner:v9");
    fs::write(sandbox.path("x.lock"), lock.replace(provisioner, &renamed)).expect("a file");
    let outcome = world.pack(&sandbox, VERSION, &["--level=fast", "--locked"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let listed = sandbox.packager(["list", "x.run"]).stdout;
    assert!(listed.contains("storage-provisioner:v9"), "{listed}");
}

#[test]
fn each_part_that_upstream_changed_is_named_with_what_there_is_now() {
    let world = World::new();
    let sandbox = locked(&world, &[]);
    let lock = lock_of(&sandbox);
    world.change("/kubelet", |bytes| bytes[5000] ^= 1);
    world.change("/kubectl", |bytes| bytes.push(b'x'));
    for role in ["kubelet", "kubectl"] {
        let sum = world.sum_of(&format!("{}/{role}", arch()));
        world.change(&format!("{}/{role}.sha256", arch()), |text| {
            *text = sum.clone().into();
        });
    }
    let outcome = world.pack(&sandbox, VERSION, &["--level=fast", "--locked"]);
    let now = |role: &str| world.sum_of(&format!("{}/{role}", arch())).trim().to_owned();
    let line = 1 + lock
        .lines()
        .take_while(|line| *line != "role = \"kubelet\"")
        .count();
    assert_says(
        &outcome,
        4,
        &[
            "error: 2 parts are not what the lock `x.lock` says:\n",
            &format!(
                "  kubelet for linux/{} (line {}): the lock has sha256:",
                arch(),
                line - 1
            ),
            &format!("/kubelet` has sha256:{} now\n", now("kubelet")),
            &format!("/kubectl` has sha256:{}, ", now("kubectl")),
            "hint: give the parts that were packed then",
        ],
    );
    assert_eq!(lock_of(&sandbox), lock);
    assert!(!sandbox.path("x.run").exists());
}

#[test]
fn programs_that_changed_do_not_hide_images_that_are_gone() {
    let world = World::with(|seen, reply| {
        let is_gone = seen.target.starts_with("/v2/k8s/") && seen.target.contains("/manifests/sha256:");
        if is_gone && seen.target.contains("/pause/") {
            crate::support::server::Reply::status(404)
        } else {
            reply
        }
    });
    // Of before it was gone.
    let sound = World::new();
    let sandbox = locked(&sound, &[]);
    world.remove(&format!("{}/kubelet", arch()));
    fs::remove_dir_all(sandbox.path("home/.cache")).expect("a store");
    let outcome = world.pack(&sandbox, VERSION, &["--level=fast", "--locked"]);
    assert_says(
        &outcome,
        4,
        &[
            "error: 2 parts are not what the lock `x.lock` says:\n",
            "/kubelet` is no longer there\n",
            &format!("  registry.k8s.io/pause:3.10.2 for linux/{} (line ", arch()),
            ", which is no longer there, and its tag is sha256:",
        ],
    );
}

#[test]
fn a_flag_that_contradicts_the_lock_is_refused_before_anything_is_asked() {
    let world = World::new();
    let sandbox = locked(&world, &["--addon=greeter"]);
    let before = world.server.seen().len();
    for (version, flag, words) in [
        (
            VERSION,
            "--container-runtime=docker",
            "`--container-runtime docker`: the lock has containerd",
        ),
        (
            "v1.37.1",
            "",
            "`--kubernetes-version v1.37.1`: the lock has v1.37.2",
        ),
        ("v1.34", "", "`--kubernetes-version v1.34`: the lock has v1.37.2"),
        (
            VERSION,
            "--platform=linux/amd64,linux/arm64",
            "`--platform linux/amd64,linux/arm64`: the lock has linux/",
        ),
        (
            VERSION,
            "--minikube-version=v1.37.0",
            "`--minikube-version v1.37.0`: the lock has v1.39.0",
        ),
        (
            VERSION,
            "--addon=registry",
            "`--addon registry`: the lock has the addons greeter",
        ),
        (
            VERSION,
            "--cni=flannel",
            "`--cni flannel`: the lock has no image of it",
        ),
        (VERSION, "--ha", "`--ha`: the lock has no image of kube-vip"),
        (
            VERSION,
            "--image=docker://r.example/app:1",
            "`--image docker://r.example/app:1`: the lock has no such image",
        ),
    ] {
        let more: Vec<&str> = ["--locked", flag]
            .into_iter()
            .filter(|flag| !flag.is_empty())
            .collect();
        let outcome = world.pack(&sandbox, version, &more);
        assert_says(
            &outcome,
            2,
            &[
                "error: 1 flag asks for something else than the lock `x.lock` has:\n  ",
                words,
                "hint: nothing was read",
            ],
        );
    }
    assert_eq!(world.server.seen().len(), before);
    // What a flag leaves open the lock says.
    let outcome = world.pack(&sandbox, "v1.37", &["--locked", "--level=fast"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(sandbox.packager(["list", "x.run"]).stdout.contains("hello:1"));
}

#[test]
fn a_lock_that_changes_is_kept_beside_and_what_changed_is_said() {
    let world = World::new();
    let sandbox = locked(&world, &[]);
    let old = lock_of(&sandbox);
    let same = world.resolve(&sandbox, VERSION, &[]);
    assert!(!same.stderr.contains("x.lock"), "{same:?}");
    assert_eq!(lock_of(&sandbox), old);

    world.change(&format!("{}/kubelet", arch()), |bytes| bytes.push(b'x'));
    let sum = world.sum_of(&format!("{}/kubelet", arch()));
    world.change(&format!("{}/kubelet.sha256", arch()), |text| {
        *text = sum.clone().into();
    });
    let outcome = world.pack(&sandbox, VERSION, &["--level=fast", "--addon=greeter"]);
    assert_says(
        &outcome,
        0,
        &[
            "`x.lock` has other parts than before (3 differences); the lock of before is kept as `x.lock.old`:\n",
            "    added    addons: is greeter\n",
            &format!("    changed  kubelet for linux/{}: was sha256:", arch()),
            &format!(
                "    added    registry.k8s.io/hello:1 for linux/{}: is sha256:",
                arch()
            ),
        ],
    );
    assert_eq!(fs::read_to_string(sandbox.path("x.lock.old")).expect("kept"), old);
    assert!(lock_of(&sandbox).contains("addons = [\"greeter\"]"));

    let outcome = world.resolve(&sandbox, VERSION, &["--output=json"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let result: Value = serde_json::from_str(outcome.stdout.lines().last().expect("a result")).expect("JSON");
    let changes = result["lock_changes"].as_array().expect("changes");
    assert_eq!(changes.len(), 2, "{result}");
    assert_eq!(changes[0]["what"], "addons");
    assert_eq!(changes[0]["now"], Value::Null);

    fs::write(sandbox.path("x.lock"), "no lock\n").expect("a file");
    let outcome = world.resolve(&sandbox, VERSION, &[]);
    assert_says(
        &outcome,
        0,
        &["`x.lock` was no lock (", "): it is kept as `x.lock.old`\n"],
    );
    assert_eq!(
        fs::read_to_string(sandbox.path("x.lock.old")).expect("kept"),
        "no lock\n"
    );
}

#[test]
fn the_time_of_resolving_stays_with_the_parts() {
    let world = World::new();
    let sandbox = Sandbox::new();
    let pack = |more: &[&str], epoch: &str| {
        let mut command = std::process::Command::new("env");
        command
            .arg(format!("SOURCE_DATE_EPOCH={epoch}"))
            .arg(env!("CARGO_BIN_EXE_minikube-offline"))
            .args(world.arguments(VERSION, more));
        sandbox.run(&mut command)
    };
    let outcome = world.pack(&sandbox, VERSION, &["--level=fast"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(lock_of(&sandbox).contains(&format!("\nresolved = \"{EPOCH_TIME}\"\n")));
    let first = Digest::of(&bytes(&sandbox.path("x.run")));
    // The same parts a day later, with the lock and without.
    for more in [&["--level=fast"][..], &["--level=fast", "--locked"]] {
        let outcome = pack(more, "1764168272");
        assert_eq!(outcome.status, 0, "{outcome:?}");
        assert_eq!(Digest::of(&bytes(&sandbox.path("x.run"))), first, "{more:?}");
    }
    let shown = sandbox.packager(["inspect", "x.run"]).stdout;
    assert!(
        shown.contains(&format!(
            "\nresolved   {EPOCH_TIME}, from the publishers' servers\n"
        )),
        "{shown}"
    );
    let shown = sandbox.packager(["inspect", "--output=json", "x.run"]).stdout;
    assert!(
        shown.contains(&format!("\"resolved\":\"{EPOCH_TIME}\"")),
        "{shown}"
    );

    // Other parts are of another time.
    let outcome = pack(&["--level=fast", "--addon=greeter"], "1764168272");
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(lock_of(&sandbox).contains("\nresolved = \"2025-11-26T14:44:32Z\"\n"));

    let before = world.server.seen().len();
    let outcome = pack(&[], "yesterday");
    assert_says(
        &outcome,
        2,
        &[
            "error: SOURCE_DATE_EPOCH is `yesterday`; it should be a number of seconds since 1970\n",
            "hint: ",
        ],
    );
    assert_eq!(world.server.seen().len(), before);
}

#[test]
fn what_came_from_no_server_has_no_time() {
    let sandbox = Sandbox::new();
    let parts = crate::support::parts::SampleParts::make(&sandbox.path("parts"), false);
    sandbox.pack(&parts, "x.run");
    assert!(!lock_of(&sandbox).contains("resolved"));
    let shown = sandbox.packager(["inspect", "--output=json", "x.run"]).stdout;
    assert!(!shown.contains("resolved"), "{shown}");
}
