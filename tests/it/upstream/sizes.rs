//! Sizes that are only estimates: whoever refuses to say one still gives the program.

use super::world::{VERSION, World};
use crate::support::program::Sandbox;
use crate::support::server::{Reply, Seen};

fn is_program(seen: &Seen) -> bool {
    let names = ["/kubeadm", "/kubelet", "/kubectl", "-amd64", "-arm64"];
    names.iter().any(|end| seen.target.ends_with(end))
}

/// A world that answers `status` where it is asked for a program by HEAD and, with `ranges`,
/// for a part of one.
fn refusing(status: u16, ranges: bool) -> World {
    World::with(move |seen, reply| {
        let is_refused = seen.method == "HEAD" || (ranges && seen.header("range").is_some());
        if is_program(seen) && is_refused {
            Reply::status(status)
        } else {
            reply
        }
    })
}

#[test]
fn a_page_that_refuses_head_is_asked_for_the_first_byte() {
    for status in [401, 403, 405, 500, 503] {
        let world = refusing(status, false);
        let resolved = world.resolve(&Sandbox::new(), VERSION, &[]);
        assert_eq!(resolved.status, 0, "{status}: {resolved:?}");
        let path = format!("/release/{VERSION}/bin/linux/");
        let sent = world.server.sent();
        let kubelet = sent
            .iter()
            .find(|(target, _)| target.starts_with(&path) && target.ends_with("/kubelet"));
        assert_eq!(kubelet.map(|(_, bytes)| *bytes), Some(1), "{status}");
    }
}

#[test]
fn a_page_that_gives_programs_whole_alone_gives_them() {
    let world = refusing(403, true);
    let packed = world.pack(&Sandbox::new(), VERSION, &["--level=fast"]);
    assert_eq!(packed.status, 0, "{packed:?}");
}

#[test]
fn a_mirror_that_refuses_head_gives_the_programs() {
    for status in [401, 403, 405] {
        let (world, mirror) = (World::new(), refusing(status, false));
        let flags = [
            format!("--binary-mirror={}", mirror.server.url("/release")),
            format!("--release-mirror={}", mirror.server.url("/minikube")),
            "--level=fast".to_owned(),
        ];
        let packed = world.pack_also(&Sandbox::new(), &flags, &[]);
        assert_eq!(packed.status, 0, "{packed:?}");
        assert!(!packed.stderr.contains("going on with"), "{packed:?}");
        let from_upstream = world.server.seen().iter().filter(|seen| is_program(seen)).count();
        assert_eq!(from_upstream, 0);
    }
}

#[test]
fn a_page_that_lets_nobody_in_is_not_a_registry_to_log_in_to() {
    let world = World::with(|seen, reply| {
        if seen.target.ends_with("/kubelet.sha256") {
            Reply::status(401)
        } else {
            reply
        }
    });
    let refused = world.resolve(&Sandbox::new(), VERSION, &[]);
    assert_eq!(refused.status, 5, "{refused:?}");
    let hint = "hint: the server, or something between, does not let everybody in: try another network, a proxy with \
                `--proxy`, or a mirror with `--binary-mirror` or `--release-mirror`\n";
    assert!(refused.stderr.contains(hint), "{refused:?}");
}
