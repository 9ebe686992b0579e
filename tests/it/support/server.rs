//! An HTTP server of our own, which does what a test tells it to, faults included.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// The path with its query; through a proxy the whole URL.
    pub(crate) target: String,
    /// The headers by lower-case name.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// What goes wrong while a body is sent.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Fault {
    #[default]
    None,
    /// The connection ends after so many bytes.
    CutAfter(usize),
    /// The connection is reset after so many bytes.
    ResetAfter(usize),
    /// The connection ends before any answer.
    Silence,
    /// Nothing more comes after so many bytes.
    StallAfter(usize),
}

/// What a server answers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    fault: Fault,
    chunked: bool,
    pause: Duration,
}

impl Reply {
    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::status(200).body(body)
    }

    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    pub(crate) fn code(&self) -> u16 {
        self.status
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn header(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// Without the header.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers
            .retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self
    }

    pub(crate) fn fault(mut self, fault: Fault) -> Self {
        self.fault = fault;
        self
    }

    /// In pieces of 16 KiB, with a pause after each.
    pub(crate) fn slowly(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// Without a length: the end is where the connection ends.
    pub(crate) fn without_length(mut self) -> Self {
        self.chunked = true;
        self
    }

    /// The part of `body` that `request` asks for, as a file server would answer.
    pub(crate) fn file(request: &Seen, body: &[u8], etag: &str) -> Self {
        let asked = request.header("range").and_then(|range| {
            let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
            let last = body.len().saturating_sub(1);
            let to = to.parse().map_or(last, |to: usize| to.min(last));
            Some((from.parse::<usize>().ok()?, to))
        });
        let same = request.header("if-range").is_none_or(|wanted| wanted == etag);
        let reply = match asked {
            Some((from, _)) if same && from >= body.len() => Self::status(416),
            Some((from, to)) if same => Self::status(206)
                .body(&body[from..=to])
                .header("content-range", format!("bytes {from}-{to}/{}", body.len())),
            _ => Self::ok(body),
        };
        reply.header("etag", etag)
    }
}

type Handler = dyn Fn(&Seen) -> Reply + Send + Sync;

/// A server on a port of its own; it ends when it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    sent: Arc<Mutex<BTreeMap<String, u64>>>,
    stop: Arc<AtomicBool>,
}

impl Server {
    /// Answers each request by what `handler` says.
    pub(crate) fn start(handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let handler: Arc<Handler> = Arc::new(handler);
        let sent = Arc::new(Mutex::new(BTreeMap::new()));
        let (log, bytes, stopped) = (Arc::clone(&seen), Arc::clone(&sent), Arc::clone(&stop));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let (handler, log, bytes) = (Arc::clone(&handler), Arc::clone(&log), Arc::clone(&bytes));
                // A client that goes away in the middle is part of the tests.
                thread::spawn(move || drop(serve(stream, &*handler, &log, &bytes)));
            }
        });
        Self {
            address,
            seen,
            sent,
            stop,
        }
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Every request so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no panic").clone()
    }

    /// How many bytes of bodies went out, by target.
    pub(crate) fn sent(&self) -> BTreeMap<String, u64> {
        self.sent.lock().expect("no panic").clone()
    }

    /// How many requests there were with `text` in their target.
    pub(crate) fn count(&self, text: &str) -> usize {
        self.seen()
            .iter()
            .filter(|seen| seen.target.contains(text))
            .count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(self.address));
    }
}

fn serve(
    mut stream: TcpStream,
    handler: &Handler,
    log: &Mutex<Vec<Seen>>,
    sent: &Mutex<BTreeMap<String, u64>>,
) -> io::Result<()> {
    let (seen, length) = peek_request(&stream)?;
    log.lock().expect("no panic").push(seen.clone());
    let reply = handler(&seen);
    let resets = matches!(reply.fault, Fault::ResetAfter(_));
    // What is not read when a socket is closed makes the kernel send a reset.
    let read = if resets { length - 1 } else { length };
    stream.read_exact(&mut vec![0; read])?;
    if reply.fault == Fault::Silence {
        return Ok(());
    }
    let mut head = format!("HTTP/1.1 {} x\r\nconnection: close\r\n", reply.status);
    for (name, value) in &reply.headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    let has_length = reply
        .headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    if !reply.chunked && !has_length {
        let _ = write!(head, "content-length: {}\r\n", reply.body.len());
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    if seen.method == "HEAD" {
        return Ok(());
    }
    let end = match reply.fault {
        Fault::CutAfter(bytes) | Fault::ResetAfter(bytes) | Fault::StallAfter(bytes) => bytes,
        Fault::None | Fault::Silence => reply.body.len(),
    };
    for piece in reply.body[..end].chunks(16 << 10) {
        stream.write_all(piece)?;
        let mut sent = sent.lock().expect("no panic");
        *sent.entry(seen.target.clone()).or_default() += piece.len() as u64;
        drop(sent);
        if !reply.pause.is_zero() {
            thread::sleep(reply.pause);
        }
    }
    if matches!(reply.fault, Fault::StallAfter(_)) {
        // Until the client has had enough.
        stream.read(&mut [0]).map(drop)?;
    }
    Ok(())
}

/// The request at the head of the stream, which stays there, and its length.
fn peek_request(stream: &TcpStream) -> io::Result<(Seen, usize)> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let there = stream.peek(&mut buffer)?;
        let text = String::from_utf8_lossy(&buffer[..there]).into_owned();
        if let Some(end) = text.find("\r\n\r\n") {
            let mut seen = parse(&text[..end]);
            let body = seen
                .header("content-length")
                .and_then(|length| length.parse().ok());
            let end = end + 4 + body.unwrap_or(0);
            if there >= end {
                text[end - body.unwrap_or(0)..end].clone_into(&mut seen.body);
                return Ok((seen, end));
            }
        }
        // A TLS handshake: this server speaks none.
        if there == 0 || buffer[0] == 0x16 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // What is there already is shown again at once.
        thread::sleep(Duration::from_millis(1));
    }
}

fn parse(head: &str) -> Seen {
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
    Seen {
        method: first.next().unwrap_or_default(),
        target: first.next().unwrap_or_default(),
        headers: lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
            .collect(),
        body: String::new(),
    }
}
