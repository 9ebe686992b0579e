//! A start that fails leaves the machine as it was; one that is killed goes on.

mod asked;
mod carried;
mod machine;
mod poisoned;
mod sidecar;
mod upgrade;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use walkdir::WalkDir;

use crate::support::effort::{report, rounds};
use crate::support::engine::FakeEngine;
use crate::support::parts::{RunnableParts, write_archive_for};
use crate::support::program::{Outcome, Sandbox};

/// A machine with an engine that starts no containers, and a bundle.
struct Site {
    sandbox: Sandbox,
    engine: FakeEngine,
    bundle: PathBuf,
}

impl Site {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let bundle = sandbox.runnable_bundle("b.run");
        let engine = FakeEngine::make(&sandbox);
        Self {
            sandbox,
            engine,
            bundle,
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.bundle);
        command.args(arguments).stdin(Stdio::null());
        self.engine.prepare(&self.sandbox, &mut command);
        command
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        Outcome::from(self.command(arguments).output().unwrap())
    }

    fn spawn(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// What `look` finds, within a minute: then the engine keeps nobody waiting any more.
    fn wait_for<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(found) = look() {
                return found;
            }
            if begun.elapsed() > Duration::from_secs(60) {
                self.engine.waits(false);
                panic!("{what}");
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Everything that is there for this user: files with their content, directories, links,
    /// images and volumes.
    fn fingerprint(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found: BTreeMap<PathBuf, Vec<u8>> = WalkDir::new(self.sandbox.path("home"))
            .into_iter()
            .map(|entry| {
                let path = entry.unwrap().into_path();
                let content = fs::read(&path).unwrap_or_default();
                (path, content)
            })
            .collect();
        found.extend(
            self.engine
                .has()
                .into_iter()
                .map(|thing| (PathBuf::from(thing), Vec::new())),
        );
        found
    }
}

/// Each stage's failure: what fails, the exit code, and what the message holds.
const FAILURES: [(&str, &str, i32, &str); 5] = [
    ("", "", 10, "minikube could not start the cluster"),
    (
        "image load",
        "no space left on device",
        6,
        "no space left on device",
    ),
    ("image load", "unexpected EOF", 1, "unexpected EOF"),
    (
        "volume create",
        "read-only file system",
        1,
        "read-only file system",
    ),
    ("container ls", "the engine is on fire", 1, "on fire"),
];

#[test]
fn a_start_that_fails_at_any_stage_leaves_what_was_there_before() {
    let site = Site::new();
    fs::create_dir_all(site.sandbox.path("home/.local/bin")).unwrap();
    fs::write(site.sandbox.path("home/.local/bin/minikube"), "theirs").unwrap();
    let before = site.fingerprint();
    for (request, said, status, part) in FAILURES {
        let way = if request == "volume create" {
            "volume"
        } else {
            "cache"
        };
        if !request.is_empty() {
            site.engine.fails(request, Some(said));
        }
        let outcome = site.run(&["-y", "--image-load", way]);
        assert_eq!(outcome.status, status, "{request}: {outcome:?}");
        assert!(outcome.stderr.contains(part), "{request}: {outcome:?}");
        let mut after = site.fingerprint();
        if status == 10 {
            assert!(
                outcome
                    .stderr
                    .contains("what this start made was removed again, but minikube's log"),
                "{outcome:?}"
            );
            let log = site
                .sandbox
                .path("home/.local/state/minikube-offline/failed-start.log");
            assert!(after.contains_key(&log), "{outcome:?}");
            let named = format!("\n  log: `{}`\n", log.display());
            assert!(outcome.stderr.contains(&named), "{outcome:?}");
            assert!(!outcome.stderr.contains("lastStart.txt"), "{outcome:?}");
            assert_eq!(site.run(&["uninstall"]).status, 0);
            after = site.fingerprint();
        }
        assert_eq!(
            after.keys().collect::<Vec<_>>(),
            before.keys().collect::<Vec<_>>(),
            "{request}"
        );
        assert_eq!(after, before, "{request}");
        if !request.is_empty() {
            site.engine.fails(request, None);
        }
    }
    report(&format!("{} stages failed, and nothing was left", FAILURES.len()));
}

#[test]
fn several_nodes_are_filled_or_nothing_is_begun() {
    let mut site = Site::new();
    let before = site.fingerprint();
    // This engine runs no container, so the first node's volume cannot be filled: then
    // minikube's cache takes its place, but where it does not bring the nodes' network.
    let bridge = site.run(&["-y", "--", "--nodes=2", "--cni=bridge"]);
    assert!(
        bridge.stderr.contains("minikube loads the images one by one"),
        "{bridge:?}"
    );
    assert_eq!(site.run(&["uninstall"]).status, 0);
    assert_eq!(site.fingerprint(), before);

    let archive = site.sandbox.path("kindnet.tar");
    let parts = RunnableParts::make(&site.sandbox.path("again"));
    write_archive_for(
        parts.platform.arch,
        &archive,
        "docker.io/kindest/kindnetd:v1",
        &[b"kindnet".to_vec()],
    );
    let kindnet = format!("--image=docker-archive:{}", archive.display());
    site.bundle = site.sandbox.pack_runnable_with(&parts, "k.run", &[&kindnet]);
    let filled = site.run(&["-y", "--", "--nodes=2"]);
    assert_eq!(filled.status, 1, "{filled:?}");
    assert!(!filled.stderr.contains("one by one"), "{filled:?}");
    assert!(filled.stderr.contains("was removed again"), "{filled:?}");
    assert_eq!(site.fingerprint(), before);
    let cached = site.run(&["-y", "--image-load=cache", "--", "--nodes=2"]);
    assert_eq!(cached.status, 2, "{cached:?}");
    assert!(
        cached
            .stderr
            .contains("minikube's cache does not bring the images of `kindnet`"),
        "{cached:?}"
    );
    assert_eq!(site.fingerprint(), before);
}

fn outcome(child: Child) -> Outcome {
    Outcome::from(child.wait_with_output().unwrap())
}

#[test]
fn of_two_starts_at_once_one_works_and_the_other_names_it() {
    let site = Site::new();
    let before = site.fingerprint();
    let start = ["-y", "--image-load=cache"];
    let (mut waited, mut last) = (0, String::new());
    for pair in 0..rounds(3, 50) {
        site.engine.waits(true);
        let mut runs = [site.spawn(&start), site.spawn(&start)];
        // The one with the lock waits for the engine, so the other ends first; where neither
        // does, both have it.
        let loser = site.wait_for(&format!("pair {pair}: neither ended"), || {
            runs.iter_mut().position(|run| run.try_wait().unwrap().is_some())
        });
        site.engine.waits(false);
        let [one, two] = runs;
        let (loser, winner) = if loser == 0 { (one, two) } else { (two, one) };
        let holder = winner.id();
        let (loser, winner) = (outcome(loser), outcome(winner));
        assert_eq!(
            (loser.status, winner.status),
            (7, 10),
            "pair {pair}: {loser:?} {winner:?}"
        );
        let named = format!("another run (process {holder}, begun ");
        assert!(loser.stderr.contains(&named), "pair {pair}: {loser:?}");
        assert!(
            loser
                .stderr
                .contains("b.run -y --image-load=cache`) is at work and holds `"),
            "{loser:?}"
        );
        assert_eq!(site.run(&["uninstall"]).status, 0);
        assert_eq!(site.fingerprint(), before, "pair {pair}");
        (waited, last) = (waited + 1, loser.stderr);
    }
    report(&format!(
        "{waited} pairs of starts at once: one winner each; the others said: {}",
        last.trim()
    ));
}

#[test]
fn one_profile_of_one_engine_is_kept_to_one_run_whatever_the_directories() {
    let site = Site::new();
    site.engine.says("ID", "one engine");
    site.engine.waits(true);
    let first = site.spawn(&["-y", "--image-load=cache"]);
    let lock = site
        .sandbox
        .path("home/.local/state/minikube-offline/journal.jsonl");
    site.wait_for("the first is not at work", || {
        let text = fs::read_to_string(&lock).unwrap_or_default();
        text.contains("\"image\"").then_some(())
    });
    fs::create_dir(site.sandbox.path("another")).unwrap();
    let elsewhere = || {
        let mut command = site.command(&["-y", "--image-load=cache"]);
        command.env("HOME", site.sandbox.path("another"));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    // Where it does not end by itself, it is at work, too, and waits for the engine.
    let mut second = elsewhere();
    site.wait_for("the second did not end", || second.try_wait().unwrap());
    let second = outcome(second);
    assert_eq!(second.status, 7, "{second:?}");
    let named = format!("another run (process {}, begun ", first.id());
    assert!(second.stderr.contains(&named), "{second:?}");
    assert!(
        second
            .stderr
            .contains("is at work on the profile `minikube` of this Docker Engine"),
        "{second:?}"
    );
    assert_eq!(
        fs::read_dir(site.sandbox.path("another")).unwrap().count(),
        0,
        "nothing is left of it"
    );
    site.engine.says("ID", "another engine");
    site.engine.waits(false);
    assert_eq!(
        outcome(elsewhere()).status,
        10,
        "another engine's profile is free"
    );
    assert_eq!(outcome(first).status, 10);
}

#[test]
fn a_killed_start_frees_its_lock_and_the_next_one_goes_on() {
    let site = Site::new();
    let before = site.fingerprint();
    site.engine.waits(true);
    let mut first = site.spawn(&["-y", "--image-load=cache"]);
    let journal = site
        .sandbox
        .path("home/.local/state/minikube-offline/journal.jsonl");
    site.wait_for("the first is not at work", || {
        let text = fs::read_to_string(&journal).unwrap_or_default();
        text.contains("/v1.35.4/kubectl").then_some(())
    });
    first.kill().unwrap();
    first.wait().unwrap();
    site.engine.waits(false);
    let next = site.run(&["-y", "--image-load=cache"]);
    assert_eq!(next.status, 10, "{next:?}");
    assert!(
        next.stderr.contains("programs already there"),
        "nothing is written twice: {next:?}"
    );
    assert_eq!(site.run(&["uninstall"]).status, 0);
    assert_eq!(site.fingerprint(), before);
}

#[test]
fn what_a_failed_start_made_stays_when_that_is_asked_for() {
    let site = Site::new();
    let kept = site.run(&["-y", "--image-load=cache", "--keep-failed"]);
    assert_eq!(kept.status, 10, "{kept:?}");
    assert!(kept.stderr.contains("`uninstall` removes it"), "{kept:?}");
    assert!(
        site.sandbox
            .path("home/.local/share/minikube-offline/bin/minikube")
            .exists()
    );
    assert_eq!(site.engine.has().len(), 1);
    let again = site.run(&["-y", "--image-load=cache"]);
    assert!(
        again.stderr.contains("node image and programs: already there"),
        "{again:?}"
    );
    assert_eq!(site.run(&["uninstall"]).status, 0);
    assert!(site.engine.has().is_empty());
}

#[test]
fn an_older_bundle_than_the_installed_one_is_refused_by_a_whole_start() {
    let site = Site::new();
    assert_eq!(
        site.run(&["-y", "--image-load=cache", "--keep-failed"]).status,
        10
    );
    let journal = site
        .sandbox
        .path("home/.local/state/minikube-offline/journal.jsonl");
    let text = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, text.replace("\"serial\":1,", "\"serial\":9,")).unwrap();
    let older = site.run(&["-y", "--image-load=cache"]);
    assert_eq!(older.status, 8, "{older:?}");
    assert!(
        older
            .stderr
            .contains("with serial 1, and serial 9 is installed: nothing was changed"),
        "{older:?}"
    );
    let allowed = site.run(&["-y", "--image-load=cache", "--allow-downgrade"]);
    assert_eq!(allowed.status, 10, "{allowed:?}");
}

#[test]
fn a_newer_bundle_that_fails_leaves_the_programs_of_the_older_one() {
    let site = Site::new();
    let start = ["-y", "--image-load=cache", "--keep-failed"];
    assert_eq!(site.run(&start).status, 10);
    let program = site
        .sandbox
        .path("home/.local/share/minikube-offline/bin/minikube");
    let older = fs::read(&program).unwrap();
    let parts = RunnableParts::make(&site.sandbox.path("newer parts"));
    let mut minikube = fs::read(site.sandbox.path("newer parts/minikube")).unwrap();
    minikube.extend_from_slice(b"newer");
    fs::write(site.sandbox.path("newer parts/minikube"), &minikube).unwrap();
    let newer = Site {
        bundle: site.sandbox.pack_runnable(&parts, "newer.run"),
        ..site
    };
    newer.engine.fails("image inspect", Some("the engine is on fire"));
    let failed = newer.run(&["-y", "--image-load=cache"]);
    assert_eq!(failed.status, 1, "{failed:?}");
    assert!(fs::read(&program).unwrap() == older, "{failed:?}");
    assert!(
        failed
            .stderr
            .contains("warning: another bundle `minikube-offline-v1.35` with serial 1 is installed: it has another minikube"),
        "{failed:?}"
    );
    newer.engine.fails("image inspect", None);
    assert_eq!(newer.run(&start).status, 10);
    assert!(fs::read(&program).unwrap() == minikube, "kept, as was asked");
    assert_eq!(newer.run(&["uninstall"]).status, 0);
    assert_eq!(fs::read_dir(newer.sandbox.path("home")).unwrap().count(), 0);
}
