//! Proxies: one of our own, and tinyproxy where it is installed.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use minikube_offline::failure::{Failure, Kind};
use minikube_offline::host::Environment;
use minikube_offline::http::{Http, HttpError, HttpOptions, Request};

use super::download::patience;
use crate::support::effort::report;
use crate::support::server::{Reply, Server};

pub(super) fn http(proxy: Option<String>, variables: &[(&str, &str)]) -> Http {
    let options = HttpOptions {
        proxy,
        patience: patience(),
        ..HttpOptions::default()
    };
    Http::new(options, &Environment::of(variables, 0)).expect("a client")
}

pub(super) fn get(http: &Http, url: &str) -> Result<Vec<u8>, HttpError> {
    let request = Request {
        url: url.to_owned(),
        ..Request::default()
    };
    http.get(&request, 1000).map(|answer| answer.body)
}

#[test]
fn a_proxy_is_asked_with_user_and_password_and_no_proxy_goes_past_it() {
    let proxy = Server::start(|seen| match seen.header("proxy-authorization") {
        // user:p@ss
        Some("Basic dXNlcjpwQHNz") => Reply::ok("by the proxy"),
        _ => Reply::status(407),
    });
    let direct = Server::start(|_| Reply::ok("direct"));
    let with_password = format!("http://user:p%40ss@{}", proxy.host());
    // A host that no name server knows: only the proxy can answer for it.
    let far = "http://far.invalid/x";
    assert_eq!(
        get(&http(Some(with_password.clone()), &[]), far).expect("proxy"),
        b"by the proxy"
    );
    assert_eq!(proxy.seen()[0].target, far);
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        let variables = [(name, with_password.as_str()), ("no_proxy", "127.0.0.1")];
        let http = http(None, &variables);
        assert_eq!(get(&http, far).expect(name), b"by the proxy");
        assert_eq!(get(&http, &direct.url("/")).expect(name), b"direct");
    }
    // A server on this machine goes by a proxy on this machine, when it is set.
    let both_here = http(Some(with_password.clone()), &[]);
    assert_eq!(get(&both_here, &direct.url("/")).expect("local"), b"by the proxy");

    let without = http(Some(format!("http://user:wrong@{}", proxy.host())), &[]);
    let failure = Failure::from(get(&without, far).expect_err("407"));
    let text = failure.to_string();
    assert!(
        text.contains("answered 407")
            && text.contains(&format!("the proxy http://user:***@{}", proxy.host())),
        "{text}"
    );
    assert!(!text.contains("wrong"), "{text}");
}

#[test]
fn a_redirect_to_another_host_keeps_the_proxys_password_and_not_the_servers() {
    let proxy = Server::start(|seen| {
        if seen.header("proxy-authorization") != Some("Basic dXNlcjpwQHNz") {
            return Reply::status(407);
        }
        match seen.target.as_str() {
            "http://one.invalid/x" => Reply::status(302).header("location", "/y"),
            "http://one.invalid/y" => Reply::status(307).header("location", "http://two.invalid/z"),
            "http://two.invalid/z" => Reply::status(301).header("location", "http://one.invalid/end"),
            _ => Reply::ok("the end"),
        }
    });
    let direct = Server::start(|_| Reply::ok("past the proxy"));
    let http = http(
        Some(format!("http://user:p%40ss@{}", proxy.host())),
        &[("NO_PROXY", "127.0.0.1")],
    );
    let request = Request {
        url: "http://one.invalid/x".to_owned(),
        authorization: Some("Bearer secret".to_owned()),
        ..Request::default()
    };
    assert_eq!(http.get(&request, 100).expect("followed").body, b"the end");
    let seen: Vec<_> = proxy
        .seen()
        .iter()
        .map(|seen| seen.header("authorization").map(str::to_owned))
        .collect();
    let secret = Some("Bearer secret".to_owned());
    // Not at the other host, and not again at the first one, to which that one points.
    assert_eq!(seen, [secret.clone(), secret, None, None]);

    let there = direct.url("/");
    let pointing = Server::start(move |_| Reply::status(302).header("location", &there));
    let by_proxy = self::http(Some(pointing.host()), &[("NO_PROXY", &direct.host())]);
    assert_eq!(
        get(&by_proxy, "http://far.invalid/").expect("direct"),
        b"past the proxy"
    );
    assert_eq!(direct.seen()[0].header("proxy-authorization"), None);
}

#[test]
fn a_proxy_that_is_down_is_named() {
    let http = http(Some("127.0.0.1:9".to_owned()), &[]);
    let failure = Failure::from(get(&http, "http://far.invalid/x").expect_err("down"));
    assert_eq!(failure.kind, Kind::Io);
    assert!(
        failure.to_string().contains("via the proxy http://127.0.0.1:9"),
        "{failure}"
    );
}

/// tinyproxy on a port of its own, with user `user` and password `pass`.
struct Tinyproxy {
    child: Child,
    port: u16,
}

impl Tinyproxy {
    fn start(directory: &Path) -> Option<Self> {
        let program = Path::new("/usr/bin/tinyproxy");
        if !program.exists() {
            report("skipped: tinyproxy is not installed");
            return None;
        }
        let port = TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
        let config = directory.join("tinyproxy.conf");
        let text = format!("Port {port}\nListen 127.0.0.1\nTimeout 10\nBasicAuth user pass\n");
        fs::write(&config, text).expect("a file");
        let child = Command::new(program)
            .arg("-d")
            .arg("-c")
            .arg(&config)
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("tinyproxy starts");
        let until = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "tinyproxy does not listen");
            thread::yield_now();
        }
        Some(Self { child, port })
    }
}

impl Drop for Tinyproxy {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn a_real_proxy_with_a_password_lets_through_and_refuses() {
    let directory = tempfile::tempdir().expect("a directory");
    let Some(proxy) = Tinyproxy::start(directory.path()) else {
        return;
    };
    let server = Server::start(|_| Reply::ok("far away"));
    let url = server.url("/x");
    let through = http(Some(format!("http://user:pass@localhost:{}", proxy.port)), &[]);
    assert_eq!(get(&through, &url).expect("through"), b"far away");
    assert!(
        server.seen()[0]
            .header("via")
            .is_some_and(|via| via.contains("tinyproxy"))
    );
    let refused = http(Some(format!("http://localhost:{}", proxy.port)), &[]);
    assert_eq!(get(&refused, &url).expect_err("refused").status(), Some(407));
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn a_proxy_that_lets_nobody_through_to_tls_is_asked_once() {
    let proxy = Server::start(|_| Reply::status(407));
    let http = http(Some(format!("http://user:wrong@{}", proxy.host())), &[]);
    let failure = Failure::from(get(&http, "https://far.invalid/x").expect_err("407"));
    assert_eq!(
        failure.to_string(),
        format!(
            "error: `https://far.invalid/x` cannot be read (via the proxy http://user:***@{})\n  \
             caused by: error sending request\n  caused by: client error (Connect)\n  \
             caused by: tunnel error: proxy authorization required\n\n\
             hint: the proxy wants a name and a password: `--proxy http://USER:PASSWORD@HOST:PORT`",
            proxy.host()
        )
    );
    assert_eq!(proxy.seen().len(), 1);
    assert_eq!(proxy.seen()[0].target, "far.invalid:443");
}
