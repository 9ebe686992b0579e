//! Mirrors of release pages: where programs come from first, and never what they should be.

use minikube_offline::bundle::Digest;

use super::world::{VERSION, World};
use crate::support::parts::noise;
use crate::support::program::{Outcome, Sandbox};
use crate::support::server::{Fault, Reply, Server};

/// The flags that name the pages of `mirror` as mirrors.
fn mirrored(mirror: &Server) -> [String; 2] {
    [
        format!("--binary-mirror={}", mirror.url("/release")),
        format!("--release-mirror={}/", mirror.url("/minikube")),
    ]
}

fn pack(world: &World, sandbox: &Sandbox, mirror: &Server, more: &[&str]) -> Outcome {
    world.pack_also(sandbox, &mirrored(mirror), more)
}

fn is_program(target: &str) -> bool {
    ["/kubeadm", "/kubelet", "/kubectl", "amd64", "arm64"]
        .iter()
        .any(|end| target.ends_with(end))
}

/// How many programs the server gave.
fn programs(server: &Server) -> usize {
    let seen = server.seen();
    let gets = seen.iter().filter(|seen| seen.method == "GET");
    gets.filter(|seen| is_program(&seen.target) && !seen.target.starts_with("/v2/"))
        .count()
}

/// Upstream's word cannot be had: only its registries answer.
fn mute() -> World {
    World::with(|seen, reply| {
        if seen.target.starts_with("/v2/") {
            reply
        } else {
            Reply::status(200).fault(Fault::Silence)
        }
    })
}

#[test]
fn a_mirror_gives_the_programs_and_upstream_the_truth() {
    let (world, mirror) = (World::new(), World::new());
    // What a mirror says of itself counts for nothing.
    mirror.remove(".sha256");
    mirror.remove("releases-v2.json");
    let sandbox = Sandbox::new();
    let outcome = pack(&world, &sandbox, &mirror.server, &["--level=fast"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert_eq!((programs(&world.server), programs(&mirror.server)), (0, 4));
    let shown = sandbox.packager(["inspect", "x.run"]).stdout;
    let said = format!(
        "kubelet: its SHA-256 is the one that {}",
        world.server.url("/release")
    );
    assert!(shown.contains(&said), "{shown}");
}

#[test]
fn a_mirror_that_lies_lacks_it_or_is_down_is_named_and_upstream_gives_the_program() {
    let liar = World::new();
    // With a checksum that agrees with the lie.
    let lie = noise("another kubelet", 9000);
    liar.change("/kubelet", |program| program.clone_from(&lie));
    liar.change("/kubelet.sha256", |sum| {
        *sum = Digest::of(&lie).hex().into_bytes();
    });
    let empty = World::new();
    empty.remove("/kubelet");
    for (mirror, words, from_upstream) in [
        (&liar, "/kubelet` should have sha256:", 1),
        (&empty, "/kubelet` answered 404", 1),
        (&mute(), "the mirror is no longer asked", 4),
    ] {
        let (world, sandbox) = (World::new(), Sandbox::new());
        let outcome = pack(&world, &sandbox, &mirror.server, &["--level=fast"]);
        assert_eq!(outcome.status, 0, "{outcome:?}");
        assert!(outcome.stderr.contains(words), "{words} in {outcome:?}");
        assert!(
            outcome.stderr.contains("the publisher's own page\n"),
            "{outcome:?}"
        );
        assert_eq!(programs(&world.server), from_upstream);
    }
}

#[test]
fn a_mirror_that_sends_more_than_it_announced_is_left() {
    const SENT: usize = 8 << 20;
    let mirror = World::with(|seen, reply| {
        if seen.method == "GET" && seen.target.ends_with("/kubelet") {
            reply.body(vec![0; SENT]).without_length()
        } else {
            reply
        }
    });
    let (world, sandbox) = (World::new(), Sandbox::new());
    let outcome = pack(&world, &sandbox, &mirror.server, &["--level=fast"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let place = mirror.server.url("/release");
    let said = outcome
        .stderr
        .lines()
        .find(|line| line.contains("bytes at most; it has more"));
    let said = said.unwrap_or_else(|| panic!("{outcome:?}"));
    assert!(
        said.starts_with(&format!("  `{place}"))
            && said.ends_with(": going on with the publisher's own page"),
        "{said}"
    );
    assert_eq!(programs(&world.server), 1, "the publisher is asked for it");
    let partial = sandbox.path("home/.cache/minikube-offline/store/partial");
    let left = std::fs::read_dir(partial).unwrap();
    let left: Vec<_> = left
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_none())
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_mirror_alone_is_not_believed_unless_the_user_says_so() {
    let (world, mirror, sandbox) = (mute(), World::new(), Sandbox::new());
    let list = "--minikube-version=v1.39.0";
    let outcome = pack(&world, &sandbox, &mirror.server, &["--level=fast", list]);
    assert_eq!(outcome.status, 2, "{outcome:?}");
    assert!(
        outcome
            .stderr
            .contains("error: nothing says what kubeadm, kubectl, kubelet, minikube should be\n")
            && outcome.stderr.contains("--accept-unverified minikube"),
        "{outcome:?}"
    );
    let all = ["minikube", "kubeadm", "kubelet", "kubectl"].map(|role| format!("--accept-unverified={role}"));
    let mut flags: Vec<&str> = all.iter().map(String::as_str).collect();
    flags.extend(["--level=fast", list]);
    let outcome = pack(&world, &sandbox, &mirror.server, &flags);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert_eq!(outcome.stdout.matches("  UNVERIFIED\n").count(), 4, "{outcome:?}");
    let shown = sandbox.packager(["inspect", "x.run"]).stdout;
    let said = "kubelet: accepted unverified: only the mirror's http://";
    assert!(shown.contains(said), "{shown}");
    let json = sandbox.packager(["inspect", "--output=json", "x.run"]).stdout;
    assert_eq!(json.matches("\"unverified\":true").count(), 4, "{json}");

    // What is in a lock is known.
    let other = Sandbox::new();
    let resolved = World::resolve(&World::new(), &other, VERSION, &[]);
    assert_eq!(resolved.status, 0, "{resolved:?}");
    let outcome = pack(&world, &other, &mirror.server, &["--level=fast", "--locked"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
}

#[test]
fn where_upstream_does_not_answer_a_mirror_says_what_is_newest() {
    let (world, mirror, sandbox) = (mute(), World::new(), Sandbox::new());
    let flags = mirrored(&mirror.server);
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let outcome = world.resolve(&sandbox, "v1.37", &flags);
    assert_eq!(outcome.status, 2, "{outcome:?}");
    assert!(outcome.stderr.contains(": asking the mirror\n"), "{outcome:?}");
    assert!(
        outcome
            .stderr
            .contains("nothing says what kubeadm, kubectl, kubelet, minikube should be"),
        "{outcome:?}"
    );
}
