//! Several runs on one store.

use std::sync::{Arc, Condvar, Mutex};

use super::world::{LIST, VERSION, World};
use crate::support::program::{Outcome, Sandbox, bytes};

#[test]
fn two_packs_at_once_download_each_part_once_and_make_the_same_bundle() {
    let world = World::new();
    let sandbox = Sandbox::new();
    let packs = ["one.run", "two.run"].map(|name| {
        let output = format!("-o={name}");
        let arguments = world.arguments(VERSION, &["--level=fast"]).into_iter();
        let others = arguments.filter(|argument| !argument.starts_with("-o="));
        sandbox.start(others.chain([output]))
    });
    for pack in packs {
        let outcome = Outcome::from(pack.wait_with_output().expect("it ends"));
        assert_eq!(outcome.status, 0, "{outcome:?}");
    }
    assert!(bytes(&sandbox.path("one.run")) == bytes(&sandbox.path("two.run")));
    let mut given: Vec<String> = world
        .server
        .seen()
        .into_iter()
        .filter(|seen| seen.method == "GET" && !seen.target.contains("/manifests/"))
        .filter(|seen| !seen.target.contains("/referrers/"))
        .filter(|seen| {
            [".sha256", ".sig", "/v2/", LIST]
                .iter()
                .all(|end| !seen.target.ends_with(end))
        })
        .map(|seen| seen.target)
        .collect();
    let all = given.len();
    given.sort_unstable();
    given.dedup();
    // Four programs, nine images with a config and a layer each.
    assert_eq!((all, given.len()), (22, 22), "{given:#?}");
}

/// Somebody who waits, and somebody who lets go on.
#[derive(Default)]
struct Gate {
    state: Mutex<(bool, bool)>,
    changed: Condvar,
}

impl Gate {
    /// Says that it is there, and waits.
    fn pass(&self) {
        let mut state = self.state.lock().expect("no panic");
        state.0 = true;
        self.changed.notify_all();
        drop(
            self.changed
                .wait_while(state, |state| !state.1)
                .expect("no panic"),
        );
    }

    fn wait_for_somebody(&self) {
        let state = self.state.lock().expect("no panic");
        drop(
            self.changed
                .wait_while(state, |state| !state.0)
                .expect("no panic"),
        );
    }

    fn open(&self) {
        self.state.lock().expect("no panic").1 = true;
        self.changed.notify_all();
    }
}

#[test]
fn the_store_is_not_pruned_while_a_pack_is_at_it() {
    let gate = Arc::new(Gate::default());
    let held = Arc::clone(&gate);
    let world = World::with(move |seen, reply| {
        if seen.target.contains("/blobs/") {
            held.pass();
        }
        reply
    });
    let sandbox = Sandbox::new();
    let pack = sandbox.start(world.arguments(VERSION, &["--level=fast"]));
    gate.wait_for_somebody();
    let pruned = sandbox.packager(["store", "prune", "--all"]);
    gate.open();
    assert_eq!(pruned.status, 7, "{pruned:?}");
    let lock = sandbox.path("home/.cache/minikube-offline/store/lock");
    assert_eq!(
        pruned.stderr,
        format!(
            "error: another run uses the store and holds `{}`\n\n\
             hint: run `store prune` again when that run has ended\n",
            lock.display()
        )
    );
    let outcome = Outcome::from(pack.wait_with_output().expect("it ends"));
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let pruned = sandbox.packager(["store", "prune", "--all"]);
    assert!(pruned.stdout.starts_with("removed 40 files"), "{pruned:?}");
}

#[test]
fn a_pack_waits_for_nobody_but_the_one_who_prunes() {
    let world = World::new();
    let sandbox = Sandbox::new();
    assert_eq!(world.pack(&sandbox, VERSION, &["--level=fast"]).status, 0);
    let store = sandbox.path("home/.cache/minikube-offline/store");
    // As a prune holds it, which takes milliseconds.
    let lock = std::fs::File::open(store.join("lock")).expect("a lock");
    lock.lock().expect("alone");
    let mut pack = sandbox.start(world.arguments(VERSION, &["--level=fast"]));
    let asked = world.server.seen().len();
    while world.server.seen().len() == asked {
        std::thread::yield_now();
    }
    assert!(pack.try_wait().expect("a state").is_none());
    lock.unlock().expect("unlocked");
    let outcome = Outcome::from(pack.wait_with_output().expect("it ends"));
    assert_eq!(outcome.status, 0, "{outcome:?}");
}
