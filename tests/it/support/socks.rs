//! A SOCKS5 server of our own (RFC 1928), with user and password where a test wants
//! them (RFC 1929). It knows one server, and goes there whatever it is asked for.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A server on a port of its own, which stays until the tests end.
pub(crate) struct Socks {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Socks {
    /// Leads to `target`; with a `login`, only after that user and password.
    pub(crate) fn start(target: String, login: Option<(&'static str, &'static str)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (target, log) = (target.clone(), Arc::clone(&log));
                thread::spawn(move || drop(serve(stream, &target, login, &log)));
            }
        });
        Self { address, asked }
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    /// Where it was asked to go, as it was asked: `name:PORT` or `address:PORT`.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic").clone()
    }
}

fn serve(
    mut client: TcpStream,
    target: &str,
    login: Option<(&str, &str)>,
    log: &Mutex<Vec<String>>,
) -> io::Result<()> {
    let [_version, count] = take(&mut client)?;
    let mut methods = vec![0; count.into()];
    client.read_exact(&mut methods)?;
    let method = if login.is_some() { 2 } else { 0 };
    if !methods.contains(&method) {
        return client.write_all(&[5, 0xff]);
    }
    client.write_all(&[5, method])?;
    if let Some((user, password)) = login {
        let [_version] = take(&mut client)?;
        let right = [text(&mut client)?, text(&mut client)?] == [user, password];
        client.write_all(&[1, u8::from(!right)])?;
        if !right {
            return Ok(());
        }
    }
    let [_version, _connect, _reserved, kind] = take(&mut client)?;
    let host = match kind {
        1 => Ipv4Addr::from(take::<4>(&mut client)?).to_string(),
        3 => text(&mut client)?,
        _ => Ipv6Addr::from(take::<16>(&mut client)?).to_string(),
    };
    let port = u16::from_be_bytes(take(&mut client)?);
    log.lock().expect("no panic").push(format!("{host}:{port}"));
    let mut server = TcpStream::connect(target)?;
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || io::copy(&mut from, &mut to));
    io::copy(&mut server, &mut client)?;
    client.shutdown(std::net::Shutdown::Both)
}

fn take<const N: usize>(stream: &mut TcpStream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// A length of one byte, and so many bytes.
fn text(stream: &mut TcpStream) -> io::Result<String> {
    let [length] = take(stream)?;
    let mut bytes = vec![0; length.into()];
    stream.read_exact(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
