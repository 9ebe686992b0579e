//! Which attempts to reach a network were seen, who made them, and which of them matter.
//!
//! An attempt matters ("needed") when a pod made it: the application asks for something that
//! is outside. One by the container runtime in the node is a pull; it matters when something
//! did not become ready. Everything else (minikube's and kubeadm's look for newer versions,
//! the node's clock, `CoreDNS`'s own check for loops) goes on without an answer: it is
//! reported, and nothing depends on it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::packet::Target;

/// Where a packet was seen.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Place {
    Host,
    Node,
}

/// One kind of packet that was seen.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Sighting {
    pub(super) target: Target,
    pub(super) place: Place,
    pub(super) source: IpAddr,
    /// The name of the process, where the socket was found.
    pub(super) process: Option<String>,
}

/// An attempt to reach a network.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Attempt {
    /// What was tried.
    pub target: Target,
    /// The pod, process or node.
    pub by: String,
    /// How many packets.
    pub count: u64,
    /// Whether something depends on it.
    pub needed: bool,
    /// How that was decided.
    pub why: &'static str,
}

const RUNTIMES: [&str; 3] = ["containerd", "crio", "dockerd"];

/// Names that are answered inside the cluster, or are nobody's.
pub(super) fn is_inside(name: &str) -> bool {
    let suffixes = [
        ".cluster.local",
        ".internal",
        ".localhost",
        ".in-addr.arpa",
        ".ip6.arpa",
    ];
    !name.contains('.') || suffixes.iter().any(|suffix| name.ends_with(suffix))
}

/// Says who made what was seen; `pods` are names by address, `ready` whether all became ready.
pub(super) fn attempts(
    seen: &BTreeMap<Sighting, u64>,
    pods: &BTreeMap<IpAddr, String>,
    ready: bool,
) -> Vec<Attempt> {
    let mut by_target: BTreeMap<&Target, Vec<(u8, Attempt)>> = BTreeMap::new();
    for (sighting, count) in seen {
        let (rank, mut attempt) = judge(sighting, pods, ready);
        attempt.count = *count;
        by_target
            .entry(&sighting.target)
            .or_default()
            .push((rank, attempt));
    }
    let mut found = Vec::new();
    for (_, candidates) in by_target {
        // What passes on a question of others did not ask it.
        let best = candidates.iter().map(|(rank, _)| *rank).min().unwrap_or_default();
        let mut seen = BTreeSet::new();
        let mut own: Vec<(u8, Attempt)> = candidates.into_iter().filter(|(rank, _)| *rank <= best).collect();
        own.retain(|(_, attempt)| seen.insert(attempt.by.clone()));
        found.extend(own.into_iter().map(|(_, attempt)| attempt));
    }
    found.sort_by_key(|attempt| !attempt.needed);
    found
}

/// It asks for itself; a higher rank passes on what others ask.
const ASKS: u8 = 0;
const RELAYS: u8 = 1;
const UNKNOWN: u8 = 2;

fn judge(sighting: &Sighting, pods: &BTreeMap<IpAddr, String>, ready: bool) -> (u8, Attempt) {
    let attempt = |by: String, needed, why| Attempt {
        target: sighting.target.clone(),
        by,
        count: 0,
        needed,
        why,
    };
    if let Some(pod) = pods.get(&sighting.source) {
        return if pod.starts_with("kube-system/coredns-") {
            (
                RELAYS,
                attempt(
                    format!("pod {pod}"),
                    false,
                    "CoreDNS checks itself for loops, or passes on a question",
                ),
            )
        } else {
            (
                ASKS,
                attempt(format!("pod {pod}"), true, "a pod asks for something outside"),
            )
        };
    }
    let place = match sighting.place {
        Place::Host => "on the host",
        Place::Node => "in the node",
    };
    let Some(process) = &sighting.process else {
        let by = format!("something {place}");
        return (
            UNKNOWN,
            attempt(by, !ready, if ready { GOES_ON } else { NOT_READY }),
        );
    };
    let runtime = RUNTIMES.contains(&process.as_str());
    let by = format!("process {process} {place}");
    // The host's engine answers what the node asks Docker's DNS server.
    if process == "dockerd" && matches!(sighting.target, Target::Name(_)) {
        return (
            RELAYS,
            attempt(by, false, "Docker's DNS server passes on a question"),
        );
    }
    if runtime && sighting.place == Place::Node && !ready {
        return (ASKS, attempt(by, true, NOT_READY));
    }
    (ASKS, attempt(by, false, GOES_ON))
}

const GOES_ON: &str = "it goes on without an answer";
const NOT_READY: &str = "not everything became ready without it";

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Target {
        Target::Name(text.to_owned())
    }

    fn seen(target: &Target, place: Place, source: [u8; 4], process: Option<&str>) -> (Sighting, u64) {
        let sighting = Sighting {
            target: target.clone(),
            place,
            source: source.into(),
            process: process.map(str::to_owned),
        };
        (sighting, 2)
    }

    fn judged(sightings: Vec<(Sighting, u64)>, ready: bool) -> Vec<(String, bool)> {
        let pods = BTreeMap::from([
            ([10, 244, 0, 2].into(), "kube-system/coredns-1".to_owned()),
            ([10, 244, 0, 7].into(), "shop/cart-1".to_owned()),
        ]);
        let found = attempts(&sightings.into_iter().collect(), &pods, ready);
        found
            .into_iter()
            .map(|attempt| (attempt.by, attempt.needed))
            .collect()
    }

    #[test]
    fn a_pod_that_asks_is_named_and_not_who_passes_it_on() {
        let target = name("license.example.com");
        let sightings = vec![
            seen(&target, Place::Node, [10, 244, 0, 7], None),
            seen(&target, Place::Node, [10, 244, 0, 2], Some("coredns")),
            seen(&target, Place::Node, [192, 168, 49, 2], Some("dockerd")),
            seen(&target, Place::Host, [192, 168, 49, 2], None),
        ];
        assert_eq!(judged(sightings, true), [("pod shop/cart-1".to_owned(), true)]);
    }

    #[test]
    fn a_pull_matters_where_something_is_not_ready() {
        let target = name("registry.example.com");
        for ready in [true, false] {
            let sightings = vec![seen(&target, Place::Node, [127, 0, 0, 1], Some("containerd"))];
            let by = "process containerd in the node".to_owned();
            assert_eq!(judged(sightings, ready), [(by, !ready)]);
        }
    }

    #[test]
    fn a_look_for_updates_never_matters() {
        let target = name("api.github.com");
        for ready in [true, false] {
            let sightings = vec![seen(&target, Place::Host, [198, 51, 100, 53], Some("minikube"))];
            let by = "process minikube on the host".to_owned();
            assert_eq!(judged(sightings, ready), [(by, false)]);
        }
    }

    #[test]
    fn coredns_alone_checks_itself() {
        let target = name("4711.42");
        let sightings = vec![
            seen(&target, Place::Node, [10, 244, 0, 2], None),
            seen(&target, Place::Host, [192, 168, 49, 2], None),
        ];
        assert_eq!(
            judged(sightings, true),
            [("pod kube-system/coredns-1".to_owned(), false)]
        );
    }

    #[test]
    fn names_of_the_cluster_are_inside() {
        for (text, inside) in [
            ("cart.shop.svc.cluster.local", true),
            ("outside.example.com.shop.svc.cluster.local", true),
            ("control-plane.minikube.internal", true),
            ("minikube", true),
            ("outside.example.com", false),
        ] {
            assert_eq!(is_inside(text), inside, "{text}");
        }
    }
}
