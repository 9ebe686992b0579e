//! What a packet says: who asks for which name or address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What somebody tried to reach.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Target {
    /// A name that DNS was asked for.
    Name(String),
    /// An address.
    Address {
        /// The address.
        address: IpAddr,
        /// The port; `None` for ICMP.
        port: Option<u16>,
        /// `tcp`, `udp` or `icmp`.
        protocol: &'static str,
    },
}

/// The first packet of a conversation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Packet {
    pub(super) source: IpAddr,
    pub(super) source_port: u16,
    pub(super) target: Target,
    /// Where it is sent.
    pub(super) destination: IpAddr,
}

/// Docker's DNS server inside a container.
const EMBEDDED_DNS: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 11));

const DNS: u16 = 53;

/// Reads an IP packet that opens a connection, asks for a name, or is a datagram; `None` for others.
pub(super) fn parse(bytes: &[u8]) -> Option<Packet> {
    let (source, destination, protocol, payload) = match bytes.first()? >> 4 {
        4 => {
            let header = usize::from(bytes[0] & 15) * 4;
            // A later fragment has no ports.
            if u16_at(bytes, 6)? & 0x1fff != 0 {
                return None;
            }
            let address = |at: usize| Some(Ipv4Addr::from(<[u8; 4]>::try_from(bytes.get(at..at + 4)?).ok()?));
            (
                IpAddr::from(address(12)?),
                IpAddr::from(address(16)?),
                *bytes.get(9)?,
                bytes.get(header..)?,
            )
        }
        6 => {
            let address = |at: usize| {
                Some(Ipv6Addr::from(
                    <[u8; 16]>::try_from(bytes.get(at..at + 16)?).ok()?,
                ))
            };
            (
                IpAddr::from(address(8)?),
                IpAddr::from(address(24)?),
                *bytes.get(6)?,
                bytes.get(40..)?,
            )
        }
        _ => return None,
    };
    let (name, source_port, port) = match protocol {
        // SYN without ACK: a connection begins.
        6 if payload.get(13)? & 0x12 == 2 => ("tcp", u16_at(payload, 0)?, Some(u16_at(payload, 2)?)),
        17 => ("udp", u16_at(payload, 0)?, Some(u16_at(payload, 2)?)),
        // An echo request.
        1 if *payload.first()? == 8 => ("icmp", 0, None),
        58 if *payload.first()? == 128 => ("icmp", 0, None),
        _ => return None,
    };
    let asks = name == "udp" && (port == Some(DNS) || destination == EMBEDDED_DNS);
    let target = match asks.then(|| question(payload.get(8..)?)).flatten() {
        Some(name) => Target::Name(name),
        None => Target::Address {
            address: destination,
            port,
            protocol: name,
        },
    };
    Some(Packet {
        source,
        source_port,
        target,
        destination,
    })
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
}

/// The name in the question of a DNS request (RFC 1035, section 4.1), in lower case.
pub(super) fn question(message: &[u8]) -> Option<String> {
    let is_request = message.get(2)? & 0x80 == 0;
    if !is_request || u16_at(message, 4)? != 1 {
        return None;
    }
    let mut at = 12;
    let mut labels = Vec::new();
    loop {
        let length = usize::from(*message.get(at)?);
        match length {
            0 => break,
            1..=63 => labels.push(String::from_utf8_lossy(message.get(at + 1..=at + length)?).to_lowercase()),
            _ => return None,
        }
        at += 1 + length;
    }
    (!labels.is_empty()).then(|| labels.join("."))
}

/// The answer to a DNS request: there is no such name.
pub(super) fn no_such_name(request: &[u8]) -> Option<Vec<u8>> {
    question(request)?;
    let mut end = 12;
    while *request.get(end)? != 0 {
        end += 1 + usize::from(request[end]);
    }
    let mut answer = request.get(..end + 5)?.to_vec();
    // A response, recursion available, NXDOMAIN; and nothing but the question.
    answer[2] |= 0x80;
    answer[3] = 0x83;
    answer[6..12].fill(0);
    Some(answer)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn dns(name: &str) -> Vec<u8> {
        let mut message = vec![7, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in name.split('.') {
            message.push(u8::try_from(label.len()).expect("a short label"));
            message.extend(label.as_bytes());
        }
        message.extend([0, 0, 1, 0, 1]);
        message
    }

    fn udp(to: [u8; 4], port: u16, payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 17, 0, 0, 10, 244, 0, 7];
        packet.extend(to);
        packet.extend(40000_u16.to_be_bytes());
        packet.extend(port.to_be_bytes());
        packet.extend([0; 4]);
        packet.extend(payload);
        packet
    }

    fn tcp(flags: u8) -> Vec<u8> {
        let mut packet = vec![
            0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 244, 0, 7, 8, 8, 8, 8,
        ];
        packet.extend([0x9c, 0x40, 1, 187, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, flags]);
        packet
    }

    #[test]
    fn a_question_for_a_name_is_read() {
        let packet = parse(&udp([10, 96, 0, 10], 53, &dns("Updates.Example.com"))).expect("a packet");
        assert_eq!(packet.target, Target::Name("updates.example.com".to_owned()));
        assert_eq!(
            (packet.source.to_string(), packet.source_port),
            ("10.244.0.7".to_owned(), 40000)
        );
        let embedded = parse(&udp([127, 0, 0, 11], 41234, &dns("a.b"))).expect("a packet");
        assert_eq!(embedded.target, Target::Name("a.b".to_owned()));
    }

    #[test]
    fn only_the_first_packet_of_a_connection_counts() {
        let target = Target::Address {
            address: [8, 8, 8, 8].into(),
            port: Some(443),
            protocol: "tcp",
        };
        assert_eq!(parse(&tcp(0x02)).expect("SYN").target, target);
        assert_eq!(parse(&tcp(0x12)), None);
        assert_eq!(parse(&tcp(0x10)), None);
    }

    #[test]
    fn a_packet_that_is_cut_short_is_passed_over() {
        let whole = udp([10, 96, 0, 10], 53, &dns("updates.example.com"));
        for length in 0..whole.len() {
            let _ = parse(&whole[..length]);
            let _ = no_such_name(&whole[..length]);
        }
        assert_eq!(question(&[0; 12]), None);
        assert_eq!(question(&[1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12]), None);
    }

    #[test]
    fn the_answer_says_that_there_is_no_such_name() {
        let request = dns("a.b");
        let answer = no_such_name(&request).expect("an answer");
        assert_eq!(answer[..4], [7, 7, 0x81, 0x83]);
        assert_eq!(answer[12..], request[12..]);
        assert_eq!(question(&answer), None);
    }
}
