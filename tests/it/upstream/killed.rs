//! Packs that are killed at any moment: what was downloaded is neither lost nor believed.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use minikube_offline::bundle::Digest;

use super::world::{VERSION, World};
use crate::support::program::{Sandbox, bytes};
use crate::support::server::Seen;

/// At most so much of a part is downloaded twice for each time that a pack is killed:
/// what one read from the network takes (256 KiB), and what waits in the sockets.
const CHUNK_BYTES: u64 = 1 << 20;

const TIMES: u64 = 50;

/// What is still on its way when most of the parts are whole.
const LAST_BYTES: u64 = 128 << 10;

/// What comes in pieces: the programs and the images' blobs.
fn is_part(target: &str) -> bool {
    target.contains("/blobs/") || target.contains("minikube-linux") || target.contains("/bin/linux/")
}

fn slow_world() -> World {
    World::with(|seen: &Seen, reply| {
        let slow = is_part(&seen.target) && !seen.target.ends_with(".sha256");
        reply.slowly(Duration::from_micros(if slow { 500 } else { 0 }))
    })
}

/// A number below `limit` that follows from the seed.
fn chance(seed: u64, number: u64, limit: u64) -> u64 {
    let digest = Digest::of(format!("{seed} {number}").as_bytes());
    u64::from_str_radix(&digest.hex()[..15], 16).expect("hexadecimal digits") % limit
}

fn seed() -> u64 {
    let given = std::env::var("MINIKUBE_OFFLINE_TEST_SEED").ok();
    given.and_then(|seed| seed.parse().ok()).unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        now.as_secs()
    })
}

/// The parts that went out, with their bytes.
fn parts(world: &World) -> BTreeMap<String, u64> {
    let mut sent = world.server.sent();
    sent.retain(|target, _| is_part(target) && !target.ends_with(".sha256"));
    sent
}

#[test]
#[ignore = "minutes: `make test-upstream`"]
fn a_pack_that_is_killed_goes_on_and_gives_the_same_bytes() {
    let seed = seed();
    println!("MINIKUBE_OFFLINE_TEST_SEED={seed}");
    let world = slow_world();
    let sandbox = Sandbox::new();
    let outcome = world.pack(&sandbox, VERSION, &["--level=fast"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let expected = bytes(&sandbox.path("x.run"));
    let once = parts(&world);
    let total: u64 = once.values().sum();
    println!("{} parts, {total} bytes", once.len());
    let (mut twice_most, mut twice_all, mut resumed) = (0, 0, 0);
    for number in 0..TIMES {
        // Every fifth where all bytes of a part came, and are being stored.
        let last = if number % 5 == 0 { LAST_BYTES } else { total };
        let at = total - last + chance(seed, number, last);
        let (before, asked) = (parts(&world), world.server.seen().len());
        let sandbox = Sandbox::new();
        let mut pack = sandbox.start(world.arguments(VERSION, &["--level=fast"]));
        while parts(&world).values().sum::<u64>() - before.values().sum::<u64>() < at {
            assert!(
                pack.try_wait().expect("a state").is_none(),
                "it ended before {at} bytes"
            );
            std::thread::yield_now();
        }
        pack.kill().expect("a process");
        pack.wait().expect("it ends");
        assert!(!sandbox.path("x.run").exists());
        let outcome = world.pack(&sandbox, VERSION, &["--level=fast"]);
        assert_eq!(outcome.status, 0, "killed at {at} bytes: {outcome:?}");
        assert!(bytes(&sandbox.path("x.run")) == expected, "killed at {at} bytes");
        for (target, sent) in parts(&world) {
            let twice = sent - before[&target] - once[&target];
            assert!(
                twice <= CHUNK_BYTES,
                "killed at {at} bytes: {twice} bytes of {target} came twice"
            );
            twice_most = twice_most.max(twice);
            twice_all += twice;
        }
        let requests = &world.server.seen()[asked..];
        resumed += requests
            .iter()
            .filter(|seen| seen.header("range").is_some())
            .count();
        let left = std::fs::read_dir(sandbox.path("home/.cache/minikube-offline/store/partial"));
        for entry in left.expect("a directory") {
            let path = entry.expect("an entry").path();
            assert!(
                path.extension().is_some_and(|ending| ending == "lock"),
                "{} is left",
                path.display()
            );
        }
    }
    println!(
        "killed {TIMES} times: the same bytes each time, {resumed} downloads resumed, {twice_all} bytes came \
         twice, of one part {twice_most} at most"
    );
    assert!(resumed > 0);
}
