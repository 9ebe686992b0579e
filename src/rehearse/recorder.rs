//! Records which addresses and names are tried, in the network namespaces of the rehearsal.
//!
//! A packet socket (packet(7), `SOCK_DGRAM`) sees what leaves and what is passed on, in the
//! host's namespace and in each node's. It needs neither another program, such as `tcpdump`,
//! nor rules whose log a namespace cannot read, nor the `ioctl` of a TUN device, which has no
//! safe function. In the node it sees a pod's address before NAT hides it. Names are answered
//! by a DNS server of our own: there is no such name, so that nothing waits.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, Protocol, RecvFlags, SocketFlags, SocketType, recv, socket_with};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::attempts::{Place, Sighting, is_inside};
use super::packet::{self, Target};
use crate::host::{Subnet, routes_of};

/// The host's DNS server, of a range for documentation (RFC 5737).
pub(super) const DNS_SERVER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 53);

const PAUSE: Duration = Duration::from_millis(300);

/// How long an asked name waits for its answer: the asking process still has its socket then.
const LOOK: Duration = Duration::from_millis(30);

/// The services of a cluster, kubeadm's default. Source: Kubernetes v1.35, `kubeadm` defaults.
const SERVICES: Subnet = Subnet::new([10, 96, 0, 0], 12);

pub(super) type Seen = BTreeMap<Sighting, u64>;

/// Threads that listen until this is dropped.
pub(super) struct Recorder {
    seen: Arc<Mutex<Seen>>,
    stop: Arc<AtomicBool>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// `/proc` as the rehearsal's processes see it.
    proc: PathBuf,
}

impl Recorder {
    /// Listens on the host whose first process is `init`, and answers DNS there.
    pub(super) fn on_host(init: u32) -> io::Result<Self> {
        let recorder = Self {
            seen: Arc::default(),
            stop: Arc::default(),
            threads: Mutex::default(),
            proc: PathBuf::from(format!("/proc/{init}/root/proc")),
        };
        recorder.watch(Place::Host, 1)?;
        let stop = Arc::clone(&recorder.stop);
        let namespace = recorder.proc.join("1/ns/net");
        recorder.spawn(move || {
            enter(&namespace)?;
            let socket = UdpSocket::bind((DNS_SERVER, 53))?;
            socket.set_read_timeout(Some(PAUSE))?;
            Ok(move || answer(&socket, &stop))
        })?;
        Ok(recorder)
    }

    /// Listens where the process `pid` of the rehearsal is.
    pub(super) fn watch(&self, place: Place, pid: u32) -> io::Result<()> {
        let process = self.proc.join(pid.to_string());
        let (seen, stop, proc) = (Arc::clone(&self.seen), Arc::clone(&self.stop), self.proc.clone());
        self.spawn(move || {
            enter(&process.join("ns/net"))?;
            let socket = packet_socket()?;
            Ok(move || {
                let listener = Listener { place, process, proc };
                listener.listen(&socket, &stop, &seen);
            })
        })
    }

    /// What was seen until now.
    pub(super) fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Runs in a thread, whose network namespace it may change, what `prepare` returns.
    fn spawn<R: FnOnce()>(&self, prepare: impl FnOnce() -> io::Result<R> + Send + 'static) -> io::Result<()> {
        let (sender, prepared) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || match prepare() {
            Ok(run) => {
                let _ = sender.send(Ok(()));
                run();
            }
            Err(error) => drop(sender.send(Err(error))),
        });
        self.threads
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(thread);
        prepared
            .recv()
            .unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            let _ = thread.join();
        }
    }
}

fn enter(namespace: &Path) -> io::Result<()> {
    let file = File::open(namespace)?;
    Ok(move_into_link_name_space(
        file.as_fd(),
        Some(LinkNameSpaceType::Network),
    )?)
}

/// Source: Linux, `include/uapi/linux/if_ether.h`: `ETH_P_ALL`, in the network's byte order.
fn packet_socket() -> io::Result<OwnedFd> {
    let every = std::num::NonZeroU32::new(u32::from(3_u16.to_be())).map(Protocol::from_raw);
    let socket = socket_with(
        AddressFamily::PACKET,
        SocketType::DGRAM,
        SocketFlags::CLOEXEC,
        every,
    )?;
    set_socket_timeout(&socket, Timeout::Recv, Some(PAUSE))?;
    Ok(socket)
}

fn answer(socket: &UdpSocket, stop: &AtomicBool) {
    let mut buffer = [0; 1500];
    while !stop.load(Ordering::Relaxed) {
        let Ok((length, asking)) = socket.recv_from(&mut buffer) else {
            continue;
        };
        thread::sleep(LOOK);
        if let Some(answer) = packet::no_such_name(&buffer[..length]) {
            let _ = socket.send_to(&answer, asking);
        }
    }
}

struct Listener {
    place: Place,
    /// A process of this namespace, in `proc`.
    process: PathBuf,
    proc: PathBuf,
}

impl Listener {
    fn listen(&self, socket: &OwnedFd, stop: &AtomicBool, seen: &Mutex<Seen>) {
        let mut buffer = vec![0; 2048];
        let (mut subnets, mut read) = (Vec::new(), None::<Instant>);
        while !stop.load(Ordering::Relaxed) {
            let Ok((length, _)) = recv(socket, &mut buffer[..], RecvFlags::empty()) else {
                continue;
            };
            let Some(packet) = packet::parse(&buffer[..length]) else {
                continue;
            };
            if read.is_none_or(|read| read.elapsed() > PAUSE) {
                subnets = routes_of(&self.process)
                    .into_iter()
                    .map(|route| route.subnet)
                    .collect();
                read = Some(Instant::now());
            }
            let inside = match &packet.target {
                Target::Name(name) => is_inside(name),
                Target::Address { .. } => is_near(packet.destination, &subnets),
            };
            if inside {
                continue;
            }
            let sighting = Sighting {
                process: self.process_of(packet.source, packet.source_port),
                target: packet.target,
                place: self.place,
                source: packet.source,
            };
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            *seen.entry(sighting).or_default() += 1;
        }
    }

    /// The name of the process of this namespace that has the socket.
    fn process_of(&self, address: IpAddr, port: u16) -> Option<String> {
        let tables = ["tcp", "udp", "tcp6", "udp6"];
        let inode = tables.iter().find_map(|table| {
            let text = fs::read_to_string(self.process.join("net").join(table)).ok()?;
            inode(&text, address, port)
        })?;
        let socket = format!("socket:[{inode}]");
        let processes = fs::read_dir(&self.proc).ok()?.flatten();
        let owner = processes.map(|entry| entry.path()).find(|process| {
            let descriptors = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
            let mut targets = descriptors.filter_map(|entry| fs::read_link(entry.path()).ok());
            targets.any(|target| target.as_os_str() == socket.as_str())
        })?;
        Some(fs::read_to_string(owner.join("comm")).ok()?.trim().to_owned())
    }
}

/// The socket in a table of proc(5), `/proc/net/tcp`, that is bound to this address or to every one.
fn inode(table: &str, address: IpAddr, port: u16) -> Option<String> {
    let octets = match address {
        IpAddr::V4(address) => u32::from_ne_bytes(address.octets()),
        IpAddr::V6(address) => {
            let octets = address.octets();
            u32::from_ne_bytes([octets[12], octets[13], octets[14], octets[15]])
        }
    };
    let end = format!("{octets:08X}");
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (local, number) = fields.get(1)?.split_once(':')?;
        let same = u16::from_str_radix(number, 16).ok()? == port
            && (local.ends_with(&end) || local.bytes().all(|digit| digit == b'0'));
        let inode = *fields.get(9)?;
        (same && inode != "0").then(|| inode.to_owned())
    })
}

/// Whether an address is this host's, a network's that it is on, or no single machine's.
fn is_near(address: IpAddr, subnets: &[Subnet]) -> bool {
    match address {
        IpAddr::V4(address) => {
            let own = Subnet::new(address.octets(), 32);
            address.is_loopback()
                || address.is_multicast()
                || address.is_broadcast()
                || address.is_unspecified()
                || address.is_link_local()
                || address == DNS_SERVER
                || SERVICES.overlaps(own)
                || subnets.iter().any(|subnet| subnet.overlaps(own))
        }
        IpAddr::V6(address) => {
            address.is_loopback()
                || address.is_multicast()
                || address.is_unspecified()
                || address.is_unicast_link_local()
                || address.is_unique_local()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_of_a_port_is_found_by_its_address() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            0: 0700F40A:9C40 08080808:01BB 02 00000000:00000000 01:00000000 00000000 0 0 77 1\n\
            1: 00000000:9C41 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 78 2\n";
        let at = |address: [u8; 4], port| inode(table, address.into(), port);
        if cfg!(target_endian = "little") {
            assert_eq!(at([10, 244, 0, 7], 40000).as_deref(), Some("77"));
        }
        assert_eq!(at([10, 244, 0, 9], 40000), None);
        assert_eq!(at([10, 244, 0, 9], 40001).as_deref(), Some("78"));
    }

    #[test]
    fn an_address_of_a_connected_network_is_near() {
        let subnets = ["192.168.49.0/24".parse().expect("a subnet")];
        let near = |address: &str| is_near(address.parse().expect("an address"), &subnets);
        for address in [
            "127.0.0.1",
            "192.168.49.2",
            "10.96.0.1",
            "224.0.0.251",
            "fe80::1",
            "::1",
        ] {
            assert!(near(address), "{address}");
        }
        for address in ["8.8.8.8", "10.244.0.7", "192.168.50.1", "2001:db8::1"] {
            assert!(!near(address), "{address}");
        }
    }
}
