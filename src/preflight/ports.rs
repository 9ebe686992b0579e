//! Whether the ports that were asked for are free. minikube publishes its own (8443,
//! 22, 2376, 5000, 32443) on ports of 127.0.0.1 that the kernel chooses, so only those
//! given with its `--ports` are fixed. Source: minikube v1.38.1,
//! `drivers/kic/oci/oci.go:149-276`.

use std::net::IpAddr;

use super::finding::{Finding, fatal};
use crate::host::Listener;

/// `asked` are the values of `--ports`, as Docker takes them: `[[ADDRESS:]HOST:]NODE[/udp]`.
pub(crate) fn examine(asked: &[String], listeners: &[Listener]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for text in asked.iter().flat_map(|value| value.split(',')) {
        let Some(ports) = Published::parse(text.trim()) else {
            continue;
        };
        for listener in listeners.iter().filter(|listener| ports.taken_by(listener)) {
            let (port, kind) = (listener.port, if ports.udp { "udp" } else { "tcp" });
            let flag = if ports.udp { "u" } else { "t" };
            let finding = fatal(
                format!("port {port}/{kind} is asked for with `--ports`, and something listens there"),
                "Docker Engine cannot publish it, and the node does not start",
                format!(
                    "end what has it: `sudo ss -ln{flag}p 'sport = :{port}'` names it; or choose another port"
                ),
            );
            // A program may listen at several addresses.
            if !findings.contains(&finding) {
                findings.push(finding);
            }
        }
    }
    findings
}

/// Ports of this machine that lead to a node.
#[derive(Debug, Eq, PartialEq)]
struct Published {
    /// Nothing for every address.
    address: Option<IpAddr>,
    first: u16,
    last: u16,
    udp: bool,
}

impl Published {
    /// `None` where the kernel chooses the port, or Docker refuses the text.
    fn parse(text: &str) -> Option<Self> {
        let (text, udp) = match text.split_once('/') {
            Some((text, protocol)) => (text, protocol.eq_ignore_ascii_case("udp")),
            None => (text, false),
        };
        let (rest, _node) = text.rsplit_once(':')?;
        let (address, host) = match rest.rsplit_once(':') {
            Some((address, host)) => (Some(parse_address(address)?), host),
            None => (None, rest),
        };
        let (first, last) = host.split_once('-').unwrap_or((host, host));
        Some(Self {
            address: address.filter(|address| !address.is_unspecified()),
            first: first.parse().ok()?,
            last: last.parse().ok()?,
            udp,
        })
    }

    /// Whether `listener` is in the way. Source: what Linux 6 says to a `bind(2)` and
    /// `listen(2)` at each pair of addresses: `0.0.0.0` takes a port of every address of
    /// IPv4, `::` of every address, unless it is asked not to, which nothing shows.
    fn taken_by(&self, listener: &Listener) -> bool {
        let at_address = match self.address {
            None => true,
            Some(address) => {
                let every = listener.address.is_unspecified();
                address == listener.address || every && (listener.address.is_ipv6() || address.is_ipv4())
            }
        };
        at_address && listener.udp == self.udp && (self.first..=self.last).contains(&listener.port)
    }
}

/// An address, that of IPv6 with or without brackets.
fn parse_address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let address: IpAddr = bare.unwrap_or(text).parse().ok()?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listener(address: &str, port: u16, udp: bool) -> Listener {
        let address = address.parse().expect("an address");
        Listener { address, port, udp }
    }

    #[test]
    fn dockers_ways_to_write_a_port_are_read() {
        for (text, expected) in [
            ("80:8080", Some((None, 80, 80, false))),
            ("127.0.0.1:80:8080", Some((Some("127.0.0.1"), 80, 80, false))),
            ("0.0.0.0:80:8080", Some((None, 80, 80, false))),
            ("[::]:80:8080", Some((None, 80, 80, false))),
            ("[::1]:80:8080/tcp", Some((Some("::1"), 80, 80, false))),
            ("::1:80:8080", Some((Some("::1"), 80, 80, false))),
            ("::ffff:10.0.0.1:80:8080", Some((Some("10.0.0.1"), 80, 80, false))),
            ("30000-30010:30000-30010/udp", Some((None, 30000, 30010, true))),
            ("10.0.0.1:53-54:53-54/UDP", Some((Some("10.0.0.1"), 53, 54, true))),
            ("8080", None),
            ("127.0.0.1::8080", None),
            ("x:y", None),
            ("localhost:80:80", None),
        ] {
            let expected = expected.map(|(address, first, last, udp): (Option<&str>, _, _, _)| Published {
                address: address.map(|text| text.parse().expect("an address")),
                first,
                last,
                udp,
            });
            assert_eq!(Published::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn only_a_port_that_is_asked_for_and_taken_matters() {
        let listeners = [
            listener("0.0.0.0", 80, false),
            listener("::", 8443, false),
            listener("::", 80, false),
            listener("127.0.0.53", 53, true),
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

    #[test]
    fn a_port_is_taken_at_the_address_at_which_something_listens() {
        for (asked, taken) in [
            ("80:80", &["127.0.0.1", "::1", "10.0.0.1", "0.0.0.0", "::"][..]),
            (
                "0.0.0.0:80:80",
                &["127.0.0.1", "::1", "10.0.0.1", "0.0.0.0", "::"],
            ),
            ("[::]:80:80", &["127.0.0.1", "::1", "10.0.0.1", "0.0.0.0", "::"]),
            ("127.0.0.1:80:80", &["127.0.0.1", "0.0.0.0", "::"]),
            ("10.0.0.1:79-81:79-81", &["10.0.0.1", "0.0.0.0", "::"]),
            ("10.0.0.2:80:80", &["0.0.0.0", "::"]),
            ("[::1]:80:80", &["::1", "::"]),
            ("127.0.0.1:81-90:81-90", &[]),
            ("127.0.0.1:80:80/udp", &[]),
        ] {
            for at in ["127.0.0.1", "::1", "10.0.0.1", "0.0.0.0", "::"] {
                let found = examine(&[asked.to_owned()], &[listener(at, 80, false)]);
                assert_eq!(found.len(), usize::from(taken.contains(&at)), "{asked} {at}");
            }
        }
    }
}
