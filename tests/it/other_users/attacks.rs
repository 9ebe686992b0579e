//! What was shown to work once, as it was shown.

use std::fs;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use super::{ALICE, Scene, assert_refused};

/// A process that ends with its test, and keeps nobody waiting for its output.
struct Bystander(Child);

impl Bystander {
    fn start(command: &mut Command) -> Self {
        let command = command
            .process_group(0)
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }

    fn sleeping(uid: u32) -> Self {
        let mut command = Command::new("sleep");
        Self::start(command.arg("600").uid(uid).stdout(Stdio::null()))
    }

    fn runs(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Scene {
    /// A script of hers that leaves a proof; whether it was run.
    fn trap(&self, name: &str) {
        let proof = self.path("proof");
        self.file(
            name,
            &format!("#!/bin/sh\necho \"$(id -u) $*\" >>\"{}\"\n", proof.display()),
            ALICE,
            0o755,
        );
    }

    fn was_trapped(&self) -> bool {
        self.path("proof").exists()
    }
}

#[test]
fn status_runs_no_minikube_of_another_user() {
    let Some(scene) = Scene::new() else { return };
    scene.trap("alice/.local/share/minikube-offline/bin/minikube");
    scene.file("alice/.minikube/profiles/x/config.json", "{}", ALICE, 0o644);
    let alice = scene.path("alice");
    let why = format!("`{}` belongs to user 1234", alice.display());
    for verb in [&["status"][..], &["stop", "--profile=x"], &["uninstall"]] {
        let outcome = scene.run(verb, &[("HOME", &alice)]);
        assert_refused("another's home", &outcome, &why);
        assert!(!scene.was_trapped(), "{verb:?}");
    }
}

#[test]
fn start_runs_nothing_behind_links_that_can_be_turned() {
    let Some(scene) = Scene::new() else { return };
    let bundle = scene.sandbox.sample_bundle("b.run");
    for (directory, link) in [("rootdir", "alice/.local"), ("rootmk", "alice/.minikube")] {
        let directory = scene.directory(directory, 0, 0o755);
        scene.link(&directory, link, ALICE);
    }
    scene.trap("alice/mine/share/minikube-offline/bin/minikube");
    let alice = scene.path("alice");
    let outcome = scene.run(&["start", bundle.to_str().unwrap(), "-y"], &[("HOME", &alice)]);
    assert_refused(
        "links",
        &outcome,
        &format!("`{}` belongs to user 1234", alice.display()),
    );
    assert_eq!(fs::read_dir(scene.path("rootdir")).unwrap().count(), 0);
    assert!(!scene.was_trapped());
}

#[test]
fn uninstall_believes_no_journal_of_another_user() {
    let Some(scene) = Scene::new() else { return };
    let important = scene.file("etc/important.conf", "root's\n", 0, 0o644);
    let mut victim = Bystander::sleeping(0);
    let journal = journal(&[
        &format!(
            "\"event\":\"file\",\"path\":\"{}\",\"sha256\":\"sha256:{}\"",
            important.display(),
            minikube_offline::bundle::Digest::of(b"root's\n").hex()
        ),
        &child(victim.0.id()),
    ]);
    scene.directory("groupdir", 0, 0o2775);
    scene.file("groupdir/journal.jsonl", &journal, ALICE, 0o644);
    for directory in ["alice/.local", "alice/.local/state"] {
        scene.directory(directory, ALICE, 0o755);
    }
    let groupdir = scene.path("groupdir");
    scene.link(&groupdir, "alice/.local/state/minikube-offline", ALICE);
    let outcome = scene.run(&["uninstall"], &[("HOME", &scene.path("alice"))]);
    assert_refused(
        "her home",
        &outcome,
        &format!("`{}` belongs to user 1234", scene.path("alice").display()),
    );
    // Where all that leads there is root's, too.
    fs::create_dir_all(scene.path("home/.local/state")).unwrap();
    scene.link(&groupdir, "home/.local/state/minikube-offline", 0);
    let outcome = scene.run(&["uninstall"], &[]);
    let why = format!(
        "group 1234 may write to `{}` (owner 0, mode 2775)",
        groupdir.display()
    );
    assert_refused("root's home", &outcome, &why);
    assert!(important.exists() && victim.runs());
}

/// A process that is another user's was never begun by a run of this one.
#[test]
fn only_processes_of_this_user_are_ended() {
    let Some(scene) = Scene::new() else { return };
    let (mut hers, mut own) = (Bystander::sleeping(ALICE), Bystander::sleeping(0));
    for (process, ends) in [(&mut hers, false), (&mut own, true)] {
        scene.file(
            "home/.local/state/minikube-offline/journal.jsonl",
            &journal(&[&child(process.0.id())]),
            0,
            0o600,
        );
        let outcome = scene.run(&["uninstall"], &[]);
        assert_eq!(outcome.status, 0, "{outcome:?}");
        assert_eq!(process.runs(), !ends);
    }
}

#[test]
fn dockers_and_kubectls_configuration_is_roots() {
    let Some(scene) = Scene::new() else { return };
    scene.trap("alice/.docker/cli-plugins/docker-x");
    let config = scene.file("alice/.kube/config", "users: []\n", ALICE, 0o600);
    let docker = scene.path("alice/.docker");
    let why = format!("`{}` belongs to user 1234", scene.path("alice").display());
    for verb in [
        &["status"][..],
        &["preflight", "none.run"],
        &["start", "none.run", "-y"],
        &["stop"],
    ] {
        // The docker of this machine, where it has one, asks its plugins who they are.
        let path = ("PATH", std::path::Path::new("/usr/local/bin:/usr/bin:/bin"));
        let outcome = scene.run(verb, &[("DOCKER_CONFIG", &docker), path]);
        assert_refused("DOCKER_CONFIG", &outcome, &why);
        assert_refused("KUBECONFIG", &scene.run(verb, &[("KUBECONFIG", &config)]), &why);
        assert!(!scene.was_trapped(), "{verb:?}");
    }
}

/// Also where nobody looks whose directory it is: her own store, with links in it, used by her.
#[test]
fn a_download_is_not_written_through_a_link() {
    use minikube_offline::bundle::Digest;
    use minikube_offline::store::Store;
    let Some(scene) = Scene::new() else { return };
    let passwd = scene.file("passwd", "root:x:0:0\n", 0, 0o644);
    let directory = scene.path("store");
    drop(Store::open(&directory).unwrap());
    let key = Digest::of(b"a release");
    for name in [
        format!("partial/{}", key.hex()),
        format!("partial/{}.note", key.hex()),
        format!("partial/{}.lock", key.hex()),
        format!("about/{}", key.hex()),
    ] {
        let _ = fs::remove_file(directory.join(&name));
        scene.link(&passwd, &format!("store/{name}"), ALICE);
    }
    fs::remove_file(directory.join("lock")).unwrap();
    scene.link(&passwd, "store/lock", ALICE);
    let store = Store::open(&directory).unwrap();
    store.describe(key, "a release").unwrap();
    let mut partial = store.partial(key).unwrap();
    partial.restart("from her").unwrap();
    partial.append(b"#!/bin/sh\n").unwrap();
    partial.publish(None, None).unwrap().unwrap();
    assert_eq!(fs::read_to_string(&passwd).unwrap(), "root:x:0:0\n");
    // And root does not use it at all.
    let store = scene.link(&directory, "alice/minikube-offline", ALICE);
    let outcome = scene.run(
        &["self-update", "--from=http://127.0.0.1:9", "--key=none"],
        &[("XDG_CACHE_HOME", store.parent().unwrap())],
    );
    assert_refused(
        "her store",
        &outcome,
        &format!("`{}` belongs to user 1234", scene.path("alice").display()),
    );
}

#[test]
fn uninstall_keeps_a_cluster_that_another_user_made() {
    let Some(scene) = Scene::new() else { return };
    let home = scene.path("home/.minikube");
    let profile = format!(
        "\"event\":\"profile\",\"name\":\"minikube\",\"minikube_home\":\"{}\",\"kubeconfig\":null",
        home.display()
    );
    let volume = "\"event\":\"volume\",\"name\":\"minikube\",\"nonce\":\"ours\"".to_owned();
    let ready =
        "\"event\":\"profile-ready\",\"name\":\"minikube\",\"containers\":{\"minikube\":\"aaaa\"}".to_owned();
    let labels = |seed: &str| format!("{{\"name.minikube.sigs.k8s.io\":\"minikube\"{seed}}}");
    let container = |id: &str| {
        format!(
            "{{\"Id\":\"{id}\",\"State\":{{\"Running\":true,\"ExitCode\":0}},\"Config\":{{\"Labels\":{}}}}}",
            labels("")
        )
    };
    for (case, events, seed, id, kept) in [
        (
            "another volume",
            vec![&profile, &volume],
            "",
            "bbbb",
            "the volume `minikube` is another one than this bundle's",
        ),
        (
            "another's seed",
            vec![&profile, &volume, &ready],
            ",\"minikube-offline.seed\":\"hers\"",
            "aaaa",
            "the volume `minikube` is another one than this bundle's",
        ),
        (
            "another container",
            vec![&profile, &ready],
            "",
            "bbbb",
            "the container `minikube` is another one than this bundle's",
        ),
        (
            "our volume",
            vec![&profile, &volume, &ready],
            ",\"minikube-offline.seed\":\"ours\"",
            "bbbb",
            "",
        ),
        ("our container", vec![&profile, &ready], "", "aaaa", ""),
        ("never ready", vec![&profile], "", "bbbb", ""),
    ] {
        let events: Vec<&str> = events.into_iter().map(String::as_str).collect();
        scene.file(
            "home/.local/state/minikube-offline/journal.jsonl",
            &journal(&events),
            0,
            0o600,
        );
        let (volume, node) = (
            scene.path("engine/volume minikube"),
            scene.path("engine/container minikube"),
        );
        fs::write(&volume, format!("{{\"Labels\":{}}}", labels(seed))).unwrap();
        fs::write(&node, container(id)).unwrap();
        let outcome = scene.run(&["uninstall"], &[]);
        assert_eq!(outcome.status, 0, "{case}: {outcome:?}");
        let says = match kept {
            "" => "removed 1 profile; `-v` lists them\n".to_owned(),
            why => format!("kept\n  profile minikube: {why}\n"),
        };
        assert_eq!(outcome.stdout, says, "{case}: {outcome:?}");
        assert_eq!(
            (volume.exists(), node.exists()),
            (!kept.is_empty(), !kept.is_empty()),
            "{case}"
        );
    }
}

#[test]
fn another_user_cannot_take_the_lock_of_a_profile() {
    let Some(scene) = Scene::new() else { return };
    let id = format!("a test's engine {}", std::process::id());
    scene.engine.says("ID", id.clone());
    let name = format!(
        "minikube-offline/{}",
        minikube_offline::bundle::Digest::of(format!("{id}\nminikube").as_bytes()).hex()
    );
    let script = format!(
        "perl -MSocket -e 'socket(S,AF_UNIX,SOCK_STREAM,0); bind(S,pack(\"Sa*\",AF_UNIX,\"\\0{name}\")) or die $!; listen(S,LISTEN) if LISTEN >= 0; $|=1; print \"x\"; sleep 600'"
    );
    for backlog in ["5", "0", "-1"] {
        let mut hers = Command::new("sh");
        hers.args(["-c", &format!("exec {}", script.replace("LISTEN", backlog))])
            .uid(ALICE)
            .gid(ALICE)
            .stdout(Stdio::piped());
        let mut hers = Bystander::start(&mut hers);
        let mut said = [0];
        if hers.0.stdout.take().unwrap().read(&mut said).unwrap() == 0 {
            crate::support::effort::report("skipped: there is no perl to take a socket with");
            return;
        }
        let home = scene.path("home/.minikube");
        let event = format!(
            "\"event\":\"profile\",\"name\":\"minikube\",\"minikube_home\":\"{}\",\"kubeconfig\":null",
            home.display()
        );
        scene.file(
            "home/.local/state/minikube-offline/journal.jsonl",
            &journal(&[&event]),
            0,
            0o600,
        );
        let outcome = scene.run(&["uninstall"], &[]);
        assert_eq!(outcome.status, 0, "{backlog}: {outcome:?}");
        assert_eq!(
            outcome.stdout, "removed 1 profile; `-v` lists them\n",
            "{backlog}"
        );
    }
}

fn journal(events: &[&str]) -> String {
    let lines: Vec<String> = events
        .iter()
        .map(|event| format!("{{\"at\":1,{event}}}\n"))
        .collect();
    lines.concat()
}

/// The record of a program that runs as the process `pid`.
fn child(pid: u32) -> String {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let started = stat
        .rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .nth(19)
        .unwrap()
        .to_owned();
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    format!(
        "\"event\":\"child\",\"process\":{{\"pid\":{pid},\"started\":{started},\"boot\":\"{}\"}}",
        boot.trim()
    )
}
