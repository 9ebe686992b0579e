//! This machine's IPv4 routes and the ports that are taken; nothing is sent anywhere.

use std::fmt;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::str::FromStr;

/// A range of IPv4 addresses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Subnet {
    address: u32,
    prefix: u8,
}

/// Text that is no range of IPv4 addresses.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a range of IPv4 addresses such as `192.168.49.0/24`")]
pub struct SubnetError(String);

/// Where packets for a range go.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Route {
    /// The range.
    pub subnet: Subnet,
    /// The interface, by name.
    pub interface: String,
    /// Whether another machine passes them on.
    pub by_gateway: bool,
}

/// A port on which something listens.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Listener {
    /// The address of this machine at which it does.
    pub address: IpAddr,
    /// Its number.
    pub port: u16,
    /// UDP and not TCP.
    pub udp: bool,
}

impl Subnet {
    /// The range of `prefix` bits, at most 32, that holds `octets`.
    #[must_use]
    pub const fn new(octets: [u8; 4], prefix: u8) -> Self {
        let mask = mask(prefix);
        Self {
            address: u32::from_be_bytes(octets) & mask,
            prefix,
        }
    }

    /// Whether some address is in both.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        let mask = mask(self.prefix.min(other.prefix));
        self.address & mask == other.address & mask
    }
}

const fn mask(prefix: u8) -> u32 {
    if prefix == 0 {
        0
    } else {
        u32::MAX << (32 - if prefix > 32 { 32 } else { prefix })
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from(self.address), self.prefix)
    }
}

impl FromStr for Subnet {
    type Err = SubnetError;
    fn from_str(text: &str) -> Result<Self, SubnetError> {
        let parse = || {
            let (address, prefix) = text.split_once('/')?;
            let address: Ipv4Addr = address.parse().ok()?;
            let prefix: u8 = prefix.parse().ok().filter(|prefix| *prefix <= 32)?;
            Some(Self::new(address.octets(), prefix))
        };
        parse().ok_or_else(|| SubnetError(text.to_owned()))
    }
}

/// The routes of this machine, but the default one; none where the kernel does not say.
#[must_use]
pub fn routes() -> Vec<Route> {
    routes_of(Path::new("/proc/self"))
}

/// Those where a process is, by its directory in `/proc`.
#[must_use]
pub fn routes_of(process: &Path) -> Vec<Route> {
    parse_routes(&fs::read_to_string(process.join("net/route")).unwrap_or_default())
}

/// Source: Linux, `net/ipv4/fib_trie.c`, `fib_route_seq_show`: addresses are the bytes
/// of the network read as a number of this machine.
fn parse_routes(text: &str) -> Vec<Route> {
    let address = |hex: &str| Some(u32::from_str_radix(hex, 16).ok()?.to_ne_bytes());
    text.lines()
        .skip(1)
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let mask = u32::from_be_bytes(address(fields.get(7)?)?);
            let prefix = u8::try_from(mask.leading_ones()).ok()?;
            (prefix > 0).then_some(Route {
                subnet: Subnet::new(address(fields.get(1)?)?, prefix),
                interface: (*fields.first()?).to_owned(),
                by_gateway: *fields.get(2)? != "00000000",
            })
        })
        .collect()
}

/// The ports on which something listens on this machine, on any of its addresses.
#[must_use]
pub fn listeners() -> Vec<Listener> {
    let read = |name: &str, udp| {
        let text = fs::read_to_string(format!("/proc/net/{name}")).unwrap_or_default();
        parse_listeners(&text, udp)
    };
    [
        read("tcp", false),
        read("tcp6", false),
        read("udp", true),
        read("udp6", true),
    ]
    .concat()
}

/// Source: proc(5), `/proc/net/tcp`: state 0A is a TCP socket that listens, 07 a UDP
/// socket that is bound. An address is written as in `/proc/net/route`, one of IPv6 in
/// four such numbers.
fn parse_listeners(text: &str, udp: bool) -> Vec<Listener> {
    let state = if udp { "07" } else { "0A" };
    text.lines()
        .skip(1)
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (address, port) = fields.get(1)?.rsplit_once(':')?;
            let port = u16::from_str_radix(port, 16).ok()?;
            let address = parse_address(address)?;
            (*fields.get(3)? == state).then_some(Listener { address, port, udp })
        })
        .collect()
}

fn parse_address(hex: &str) -> Option<IpAddr> {
    let mut octets = Vec::with_capacity(16);
    for start in (0..hex.len()).step_by(8) {
        let number = u32::from_str_radix(hex.get(start..start + 8)?, 16).ok()?;
        octets.extend(number.to_ne_bytes());
    }
    let address = match <[u8; 4]>::try_from(&octets[..]) {
        Ok(octets) => Ipv4Addr::from(octets).into(),
        Err(_) => Ipv6Addr::from(<[u8; 16]>::try_from(&octets[..]).ok()?).to_canonical(),
    };
    Some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_overlap_when_one_holds_the_other() {
        let subnet = |text: &str| text.parse::<Subnet>().expect("subnet");
        for (one, two, both) in [
            ("192.168.49.0/24", "192.168.0.0/16", true),
            ("192.168.49.0/24", "192.168.48.0/23", true),
            ("192.168.49.0/24", "192.168.50.0/24", false),
            ("0.0.0.0/0", "10.0.0.0/8", true),
            ("10.1.2.3/32", "10.1.2.3/32", true),
        ] {
            assert_eq!(subnet(one).overlaps(subnet(two)), both, "{one} {two}");
            assert_eq!(subnet(two).overlaps(subnet(one)), both, "{two} {one}");
        }
        assert_eq!(subnet("10.1.2.3/8").to_string(), "10.0.0.0/8");
        for text in ["", "10.0.0.0", "10.0.0.0/33", "10.0.0/8", "::/0"] {
            assert!(text.parse::<Subnet>().is_err(), "{text}");
        }
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn the_kernels_tables_are_read() {
        let text = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n\
            eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
            eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n\
            tun0\t0000A8C0\t0100000A\t0003\t0\t0\t0\t0000FFFF\t0\t0\t0\n";
        let routes: Vec<String> = parse_routes(text)
            .iter()
            .map(|route| format!("{} {} {}", route.subnet, route.interface, route.by_gateway))
            .collect();
        assert_eq!(routes, ["192.0.2.0/24 eth0 false", "192.168.0.0/16 tun0 true"]);
        let text = "  sl  local_address rem_address   st\n   \
            0: 0100007F:1F90 00000000:0000 0A 0\n   \
            1: 0100007F:1F91 0100007F:0001 01 0\n   \
            2: 00000000000000000000000001000000:0050 0:0000 0A 0\n   \
            3: 0000000000000000FFFF00000100007F:0051 0:0000 0A 0\n   \
            4: 000000:0052 0:0000 0A 0\n";
        let listeners: Vec<(String, u16)> = parse_listeners(text, false)
            .iter()
            .map(|listener| (listener.address.to_string(), listener.port))
            .collect();
        let expected = [("127.0.0.1", 8080), ("::1", 80), ("127.0.0.1", 81)];
        assert_eq!(
            listeners,
            expected.map(|(address, port)| (address.to_owned(), port))
        );
    }
}
