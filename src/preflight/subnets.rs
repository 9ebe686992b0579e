//! Whether the node's network can have an address range, and what it hides.

use super::finding::{Finding, fatal, note, warning};
use crate::host::{Route, Subnet};
use crate::minikube::{CANDIDATES, INSIDE, candidates};

/// Ranges for the node's network where minikube's own will not do, from blocks that few use:
/// of the last two every machine may have its own, by RFC 6598 and RFC 2544.
const OTHERS: [Subnet; 5] = [
    Subnet::new([10, 200, 49, 0], 24),
    Subnet::new([172, 30, 49, 0], 24),
    Subnet::new([172, 20, 49, 0], 24),
    Subnet::new([100, 64, 49, 0], 24),
    Subnet::new([198, 18, 49, 0], 24),
];

/// The networks on the way of a new one.
#[derive(Clone, Debug, Default)]
pub(crate) struct SubnetFacts {
    /// This machine's routes, but the default one.
    pub(crate) routes: Vec<Route>,
    /// What Docker's networks have, by name.
    pub(crate) engine: Vec<(String, Subnet)>,
    /// Whether the person chose a range with minikube's `--subnet`.
    pub(crate) chosen: bool,
}

/// `profile` is also the name of the node's network.
pub(crate) fn examine(facts: &SubnetFacts, profile: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let there = facts.engine.iter().any(|(name, _)| name == profile);
    if !there && !facts.chosen {
        findings.extend(examine_node(facts));
    }
    for (what, inside) in INSIDE {
        let hidden: Vec<String> = outside(facts)
            .filter(|route| route.subnet.overlaps(inside))
            .map(|route| format!("{} (by {})", route.subnet, route.interface))
            .collect();
        if !hidden.is_empty() {
            let flag = if what == "services" {
                "--service-cluster-ip-range=CIDR"
            } else {
                "--extra-config=kubeadm.pod-network-cidr=CIDR"
            };
            findings.push(note(
                format!("this machine has a route to {}", hidden.join(", ")),
                format!(
                    "{what} in the cluster have addresses of {inside}, so pods do not reach that network"
                ),
                format!("when they must, give minikube another range: `-- {flag}`"),
            ));
        }
    }
    findings
}

/// Routes that do not belong to Docker's own networks.
fn outside(facts: &SubnetFacts) -> impl Iterator<Item = &Route> {
    let engines = |subnet: Subnet| facts.engine.iter().any(|(_, known)| *known == subnet);
    facts.routes.iter().filter(move |route| !engines(route.subnet))
}

/// A range that is in nobody's way, neither on this machine nor in the cluster.
fn choose(facts: &SubnetFacts) -> String {
    let taken = |range: &Subnet| {
        let routes = facts.routes.iter().map(|route| route.subnet);
        let engine = facts.engine.iter().map(|(_, subnet)| *subnet);
        let inside = INSIDE.iter().map(|(_, subnet)| *subnet);
        routes
            .chain(engine)
            .chain(inside)
            .any(|known| known.overlaps(*range))
    };
    match OTHERS.iter().find(|range| !taken(range)) {
        Some(range) => format!("choose a free range for the node's network: `-- --subnet={range}`"),
        None => {
            "choose a free range for the node's network: `-- --subnet=CIDR`; `ip route` and `docker network \
                 inspect $(docker network ls -q)` show those that are taken"
                .to_owned()
        }
    }
}

fn examine_node(facts: &SubnetFacts) -> Option<Finding> {
    let candidates = candidates();
    // minikube passes over ranges of interfaces, and Docker refuses those of its
    // networks; a route by a gateway stops neither.
    let direct = |candidate: &Subnet| {
        let of_interface = facts.routes.iter().filter(|route| !route.by_gateway);
        of_interface
            .map(|route| route.subnet)
            .chain(facts.engine.iter().map(|(_, subnet)| *subnet))
            .any(|taken| taken.overlaps(*candidate))
    };
    let free: Vec<Subnet> = candidates.filter(|candidate| !direct(candidate)).collect();
    let fix = choose(facts);
    let Some(taken) = free.first() else {
        return Some(fatal(
            format!("none of the {CANDIDATES} ranges that minikube tries for the node's network is free"),
            "each of 192.168.49.0/24, 192.168.58.0/24, … overlaps a network of this machine or of Docker",
            fix,
        ));
    };
    let hidden = outside(facts).find(|route| route.by_gateway && route.subnet.overlaps(*taken))?;
    Some(warning(
        format!(
            "the node's network will be {taken}, and this machine reaches {} by {}",
            hidden.subnet, hidden.interface
        ),
        "what has an address in both cannot be reached while the cluster is there",
        fix,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preflight::finding::Severity;

    fn route(subnet: &str, by_gateway: bool) -> Route {
        Route {
            subnet: subnet.parse().expect("subnet"),
            interface: "eth0".into(),
            by_gateway,
        }
    }

    fn facts(routes: Vec<Route>, engine: &[(&str, &str)]) -> SubnetFacts {
        SubnetFacts {
            routes,
            engine: engine
                .iter()
                .map(|(name, subnet)| ((*name).to_owned(), subnet.parse().expect("subnet")))
                .collect(),
            chosen: false,
        }
    }

    fn said(facts: &SubnetFacts) -> Vec<(Severity, String)> {
        examine(facts, "minikube")
            .into_iter()
            .map(|finding| (finding.severity, finding.what))
            .collect()
    }

    #[test]
    fn a_usual_machine_has_room() {
        let usual = facts(
            vec![route("172.17.0.0/16", false), route("192.168.1.0/24", false)],
            &[("bridge", "172.17.0.0/16"), ("other", "192.168.49.0/24")],
        );
        assert_eq!(said(&usual), []);
    }

    #[test]
    fn a_machine_on_all_of_192_168_has_none() {
        let full = facts(vec![route("192.168.0.0/16", false)], &[]);
        assert_eq!(said(&full)[0].0, Severity::Fatal);
        let there = facts(full.routes.clone(), &[("minikube", "192.168.49.0/24")]);
        assert_eq!(said(&there), [], "its network is there");
        let chosen = SubnetFacts { chosen: true, ..full };
        assert_eq!(said(&chosen), []);
    }

    #[test]
    fn the_range_that_is_proposed_is_in_nobodys_way() {
        let full = route("192.168.0.0/16", false);
        for (others, engine, proposed) in [
            (&[][..], &[][..], "10.200.49.0/24"),
            (&["10.0.0.0/8"], &[], "172.30.49.0/24"),
            (&["10.0.0.0/8"], &[("x", "172.16.0.0/12")], "100.64.49.0/24"),
            (
                &["10.0.0.0/8", "172.16.0.0/12", "100.64.0.0/10"],
                &[],
                "198.18.49.0/24",
            ),
            (&["0.0.0.0/1", "128.0.0.0/1"], &[], "CIDR"),
        ] {
            let mut routes = vec![full.clone()];
            routes.extend(others.iter().map(|other| route(other, true)));
            let findings = examine(&facts(routes, engine), "minikube");
            let flag = format!("`-- --subnet={proposed}`");
            assert!(findings[0].fix.contains(&flag), "{proposed}: {findings:?}");
        }
        for range in OTHERS {
            assert!(
                INSIDE.iter().all(|(_, inside)| !inside.overlaps(range)),
                "{range}"
            );
        }
    }

    #[test]
    fn a_network_behind_a_gateway_would_be_hidden() {
        let vpn = facts(vec![route("192.168.0.0/16", true)], &[("x", "192.168.49.0/24")]);
        let findings = said(&vpn);
        assert_eq!(findings[0].0, Severity::Warning);
        assert!(
            findings[0].1.contains("192.168.58.0/24"),
            "the next one: {findings:?}"
        );
    }

    #[test]
    fn networks_that_pods_cannot_reach_are_named() {
        let company = facts(vec![route("10.0.0.0/8", true)], &[]);
        let findings = said(&company);
        assert_eq!(findings.len(), 2, "services and pods: {findings:?}");
        assert!(findings.iter().all(|(severity, _)| *severity == Severity::Note));
        let docker = facts(vec![route("10.100.0.0/24", false)], &[("x", "10.100.0.0/24")]);
        assert_eq!(said(&docker), [], "Docker's own is no route outside");
    }
}
