//! Traffic by way of a SOCKS5 server of our own.

use minikube_offline::failure::{Failure, Kind};

use super::proxy::{get, http};
use crate::support::server::{Reply, Server};
use crate::support::socks::Socks;

fn server() -> Server {
    Server::start(|_| Reply::ok("behind"))
}

#[test]
fn socks5h_leaves_the_name_to_the_proxy_and_socks5_does_not() {
    let server = server();
    let socks = Socks::start(server.host(), None);
    // A host that no name server knows: only the proxy can find it.
    let by_name = http(Some(format!("socks5h://{}", socks.host())), &[]);
    assert_eq!(
        get(&by_name, "http://far.invalid:81/x").expect("by name"),
        b"behind"
    );
    assert_eq!(socks.asked(), ["far.invalid:81"]);
    // Through SOCKS the server sees a request of its own, not a proxy's.
    assert_eq!(server.seen()[0].target, "/x");
    assert_eq!(server.seen()[0].header("host"), Some("far.invalid:81"));

    let by_address = http(Some(format!("socks5://{}", socks.host())), &[]);
    assert_eq!(
        get(&by_address, "http://127.0.0.9:82/x").expect("by address"),
        b"behind"
    );
    assert_eq!(socks.asked().last().map(String::as_str), Some("127.0.0.9:82"));
    get(&by_address, "http://far.invalid:81/x").expect_err("nobody here knows the name");
    assert_eq!(socks.asked().len(), 2);
}

#[test]
fn user_and_password_let_in_to_a_socks_server_and_a_wrong_one_is_not_shown() {
    let server = server();
    let socks = Socks::start(server.host(), Some(("user", "p@ss:word")));
    let address = |password: &str| format!("socks5h://user:{password}@{}", socks.host());
    let right = http(Some(address("p%40ss%3Aword")), &[]);
    assert_eq!(get(&right, "http://far.invalid/x").expect("let in"), b"behind");

    let wrong = http(Some(address("guess")), &[]);
    let failure = Failure::from(get(&wrong, "http://far.invalid/x").expect_err("refused"));
    assert_eq!(failure.kind, Kind::Io);
    let shown = format!("(via the proxy socks5h://user:***@{})", socks.host());
    let text = format!("{failure} {failure:?}");
    assert!(text.contains(&shown), "{text}");
    assert!(!text.contains("guess"), "{text}");
    assert!(text.contains("credentials not accepted"), "{text}");
    assert_eq!(
        failure.hints,
        ["the proxy wants a name and a password: `--proxy http://USER:PASSWORD@HOST:PORT`"]
    );
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn all_proxy_may_be_a_socks_server_and_no_proxy_goes_past_it() {
    let (behind, direct) = (server(), Server::start(|_| Reply::ok("direct")));
    let socks = Socks::start(behind.host(), None);
    let address = format!("socks5h://{}", socks.host());
    for name in ["ALL_PROXY", "all_proxy"] {
        let variables = [
            (name, address.as_str()),
            ("NO_PROXY", "127.0.0.0/8, .inner.example"),
        ];
        let http = http(None, &variables);
        assert_eq!(get(&http, "http://far.invalid/x").expect(name), b"behind");
        assert_eq!(get(&http, &direct.url("/x")).expect(name), b"direct");
    }
    // A scheme's own variable comes before the one for all.
    let http = http(None, &[("ALL_PROXY", "127.0.0.1:9"), ("http_proxy", &address)]);
    assert_eq!(get(&http, "http://far.invalid/x").expect("http_proxy"), b"behind");
}

#[test]
fn a_socks_server_that_is_down_is_named() {
    let http = http(Some("socks5h://u:secret@127.0.0.1:9".to_owned()), &[]);
    let failure = Failure::from(get(&http, "http://far.invalid/x").expect_err("down"));
    let text = format!("{failure} {failure:?}");
    assert!(text.contains("socks5h://u:***@127.0.0.1:9"), "{text}");
    assert!(!text.contains("secret"), "{text}");
}
