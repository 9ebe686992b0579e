//! Whether the ports that were asked for are free. minikube publishes its own (8443,
//! 22, 2376, 5000, 32443) on ports of 127.0.0.1 that the kernel chooses, so only those
//! given with its `--ports` are fixed. Source: minikube v1.38.1,
//! `drivers/kic/oci/oci.go:149-276`.

use super::finding::{Finding, fatal};
use crate::host::Listener;

/// `asked` are the values of `--ports`, as Docker takes them: `[ADDRESS:]HOST:NODE[/udp]`.
pub(super) fn examine(asked: &[String], listeners: &[Listener]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for text in asked.iter().flat_map(|value| value.split(',')) {
        let Some((first, last, udp)) = host_ports(text.trim()) else {
            continue;
        };
        for listener in listeners {
            if listener.udp == udp && (first..=last).contains(&listener.port) {
                let (port, kind) = (listener.port, if udp { "udp" } else { "tcp" });
                let flag = if udp { "u" } else { "t" };
                findings.push(fatal(
                    format!("port {port}/{kind} is asked for with `--ports`, and something listens there"),
                    "Docker Engine cannot publish it, and the node does not start",
                    format!(
                        "end what has it: `sudo ss -ln{flag}p 'sport = :{port}'` names it; or choose another port"
                    ),
                ));
            }
        }
    }
    findings.dedup();
    findings
}

/// The ports of this machine: first, last, and whether they are UDP's. `None` where the
/// kernel chooses.
fn host_ports(text: &str) -> Option<(u16, u16, bool)> {
    let (text, udp) = match text.split_once('/') {
        Some((text, protocol)) => (text, protocol == "udp"),
        None => (text, false),
    };
    let (rest, _node) = text.rsplit_once(':')?;
    let host = rest.rsplit_once(':').map_or(rest, |(_, host)| host);
    let (first, last) = host.split_once('-').unwrap_or((host, host));
    Some((first.parse().ok()?, last.parse().ok()?, udp))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dockers_ways_to_write_a_port_are_read() {
        for (text, expected) in [
            ("80:8080", Some((80, 80, false))),
            ("127.0.0.1:80:8080", Some((80, 80, false))),
            ("[::1]:80:8080/tcp", Some((80, 80, false))),
            ("30000-30010:30000-30010/udp", Some((30000, 30010, true))),
            ("8080", None),
            ("127.0.0.1::8080", None),
            ("x:y", None),
        ] {
            assert_eq!(host_ports(text), expected, "{text}");
        }
    }

    #[test]
    fn only_a_port_that_is_asked_for_and_taken_matters() {
        let listeners = [
            Listener { port: 80, udp: false },
            Listener {
                port: 8443,
                udp: false,
            },
            Listener { port: 53, udp: true },
        ];
        for (asked, found) in [
            (&[][..], 0),
            (&["81:80"][..], 0),
            (&["80:80"], 1),
            (&["53:53"], 0),
            (&["53:53/udp"], 1),
            (&["1-100:1-100", "443:443,8443:8443"], 2),
        ] {
            let asked: Vec<String> = asked.iter().map(|text| (*text).to_owned()).collect();
            assert_eq!(examine(&asked, &listeners).len(), found, "{asked:?}");
        }
    }
}
