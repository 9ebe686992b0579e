//! Who is let in by a registry, and what becomes of the secrets.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};

use minikube_offline::failure::{Failure, Kind};
use serde_json::json;

use super::site::{Site, fails, registry, said, serve, spoilt};
use crate::support::parts::SampleParts;
use crate::support::program::{Sandbox, bytes};
use crate::support::registry::Guard;
use crate::support::server::{Reply, Seen, Server};

/// `me:secret`, as Basic authentication has it (RFC 7617).
const BASIC: &str = "Basic bWU6c2VjcmV0";

fn guarded(guard: Guard) -> Server {
    let mut registry = registry(|_| {});
    registry.guard = guard;
    serve(registry)
}

/// A registry that takes the token `let-me-in`, of the token server at `realm`.
fn with_tokens_of(realm: String) -> Server {
    let mut registry = registry(|_| {});
    registry.guard = Guard::Token;
    spoilt(registry, move |_, reply| match reply.code() {
        401 => Reply::status(401).header(
            "www-authenticate",
            format!("Bearer realm=\"{realm}\",service=\"the registry\""),
        ),
        _ => reply,
    })
}

fn password_for(server: &Server) -> serde_json::Value {
    json!({ "auths": { server.host(): { "auth": &BASIC[6..] } } })
}

/// Everything that a server was shown in `Authorization`.
fn shown(server: &Server) -> Vec<String> {
    let seen = server.seen();
    let shown = seen.iter().filter_map(|seen| seen.header("authorization"));
    shown.map(str::to_owned).collect()
}

#[test]
fn a_token_that_everybody_gets_lets_in_and_is_asked_for_once() {
    let server = guarded(Guard::Token);
    Site::new().get(&Site::sources(&server)).expect("by token");
    assert_eq!(server.count("/token?"), 1);
    let scope = "scope=repository%3Ateam%2Fapp%3Apull";
    assert_eq!(server.count(scope), 1);
}

#[test]
fn a_password_lets_in_and_without_one_the_registrys_no_is_final() {
    let server = guarded(Guard::Password);
    let site = Site::new();
    let failure = site.get(&Site::sources(&server)).expect_err("no password");
    assert_eq!(
        said(&failure),
        format!("`http://{}/v2/team/app/manifests/1` answered 401", server.host())
    );
    assert!(failure.hints[0].contains("docker login"));
    let asked = server.seen().len();
    site.log_in(&password_for(&server));
    site.get(&Site::sources(&server)).expect("by password");
    // Once refused; from then on the password is shown at once.
    let refused = server.seen()[asked..]
        .iter()
        .filter(|seen| seen.header("authorization").is_none() && !seen.target.ends_with("/v2/"))
        .count();
    assert_eq!(refused, 1);
}

#[test]
fn a_token_in_vain_is_not_asked_for_again_and_again() {
    let server = guarded(Guard::TokenInVain);
    let failure = fails(&server);
    assert_eq!(failure.kind, Kind::Io);
    assert!(
        said(&failure).ends_with("/v2/team/app/manifests/1` answered 401"),
        "{failure}"
    );
    assert_eq!(server.count("/token?"), 1);
    assert_eq!(server.count("/manifests/"), 2);
}

#[test]
fn a_token_that_ran_out_is_changed_for_a_new_one() {
    let (given, used) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let mut registry = registry(|_| {});
    registry.guard = Guard::Token;
    let server = spoilt(registry, move |seen, reply| {
        if seen.target.starts_with("/token?") {
            given.fetch_add(1, Ordering::SeqCst);
        } else if reply.code() == 200 && used.fetch_add(1, Ordering::SeqCst) == 2 {
            let realm = format!("http://{}/token", seen.header("host").unwrap_or_default());
            return Reply::status(401).header("www-authenticate", format!("Bearer realm=\"{realm}\""));
        }
        reply
    });
    Site::new().get(&Site::sources(&server)).expect("with two tokens");
    assert_eq!(server.count("/token?"), 2);
}

#[test]
fn the_password_goes_to_the_token_server_and_the_registry_sees_the_token_only() {
    let tokens = Server::start(|seen| match seen.header("authorization") {
        Some(BASIC) => Reply::ok(r#"{"access_token":"let-me-in","expires_in":60}"#),
        _ => Reply::status(401).body("wrong password"),
    });
    let server = with_tokens_of(tokens.url("/token?account=x"));
    let site = Site::new();
    let failure = site.get(&Site::sources(&server)).expect_err("no password");
    let url = tokens.url(
        "/token?account=x&service=the+registry&scope=repository%3Ateam%2Fapp%3Apull&client_id=minikube-offline",
    );
    assert_eq!(
        said(&failure),
        format!(
            "there is no token to read `team/app` in `{}` with: `{url}` answered 401 (`wrong password`)",
            server.host()
        )
    );
    assert!(failure.hints[0].contains("docker login"));
    site.log_in(&password_for(&server));
    site.get(&Site::sources(&server)).expect("by token");
    assert_eq!(shown(&tokens), [BASIC]);
    assert!(
        shown(&server).iter().all(|value| value == "Bearer let-me-in"),
        "{:?}",
        shown(&server)
    );
}

#[test]
fn an_identity_token_is_changed_for_a_token_and_follows_no_redirect() {
    let elsewhere = Server::start(|_| Reply::ok(r#"{"token":"let-me-in"}"#));
    let there = elsewhere.url("/token");
    let tokens = Server::start(move |seen: &Seen| match seen.target.as_str() {
        "/away" => Reply::status(307).header("location", &there),
        _ if seen.method == "POST" => Reply::ok(r#"{"access_token":"let-me-in"}"#),
        _ => Reply::status(405),
    });
    let login = |server: &Server| json!({ "auths": { server.host(): { "identitytoken": "keep me&safe" } } });

    let server = with_tokens_of(tokens.url("/token"));
    let site = Site::new();
    site.log_in(&login(&server));
    site.get(&Site::sources(&server)).expect("by token");
    assert_eq!(
        tokens.seen()[0].body,
        "grant_type=refresh_token&service=the+registry&scope=repository%3Ateam%2Fapp%3Apull\
         &client_id=minikube-offline&refresh_token=keep+me%26safe"
    );
    assert!(
        shown(&server).iter().all(|value| value == "Bearer let-me-in"),
        "{:?}",
        shown(&server)
    );

    let server = with_tokens_of(tokens.url("/away"));
    let site = Site::new();
    site.log_in(&login(&server));
    let failure = site.get(&Site::sources(&server)).expect_err("a redirect");
    assert!(said(&failure).ends_with("/away` answered 307"), "{failure}");
    assert_eq!(elsewhere.seen().len(), 0);
}

#[test]
fn a_token_server_that_is_busy_is_asked_again_and_one_that_talks_nonsense_is_named() {
    let count = AtomicUsize::new(0);
    let tokens = Server::start(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::status(503),
        1 => Reply::status(429).header("retry-after", 0),
        _ => Reply::ok(r#"{"token":"let-me-in"}"#),
    });
    let server = with_tokens_of(tokens.url("/token"));
    Site::new().get(&Site::sources(&server)).expect("in the end");
    assert_eq!(tokens.seen().len(), 3);

    for answer in ["<html>", "{}", r#"{"token":5}"#] {
        let tokens = Server::start(move |_| Reply::ok(answer));
        let server = with_tokens_of(tokens.url("/token"));
        assert_eq!(
            said(&fails(&server)),
            format!(
                "`{}` lets in whom `{}` gives a token: its answer holds no token",
                server.host(),
                tokens.url("/token")
            )
        );
    }
}

#[test]
fn a_helper_is_asked_and_when_it_cannot_answer_it_is_named() {
    // (what the helper does, what pack says; nothing when the image comes)
    let cases = [
        (
            r#"cat >"$0.asked"; echo '{"Username":"me","Secret":"secret"}'"#,
            "",
        ),
        ("echo 'the vault is locked'; exit 1", ": the vault is locked"),
        ("echo 'no bus' >&2; exit 2", ": no bus"),
        (
            r#"echo '{"Username":"me","Secret":secret}'"#,
            ": its answer is not what a helper says",
        ),
        (
            "echo 'credentials not found in native keychain'; exit 1",
            "answered 401",
        ),
    ];
    for (script, words) in cases {
        for all in [false, true] {
            let server = guarded(Guard::Password);
            let site = Site::new();
            site.add_helper(script);
            site.log_in(&if all {
                json!({ "credsStore": "test" })
            } else {
                json!({ "credsStore": "absent", "credHelpers": { server.host(): "test" } })
            });
            if words.is_empty() {
                site.get(&Site::sources(&server)).expect(script);
                let asked = site.directory.path().join("bin/docker-credential-test.asked");
                assert_eq!(fs::read_to_string(asked).expect("asked"), server.host());
                continue;
            }
            let result = site.get(&Site::sources(&server));
            let failure = result.expect_err(script);
            let text = said(&failure);
            assert!(text.ends_with(words), "{script}: {text}");
            assert!(!text.contains("secret"), "{text}");
            if !words.contains("401") {
                assert!(
                    text.starts_with("`docker-credential-test` gives no credentials for `127.0.0.1:"),
                    "{text}"
                );
            }
        }
    }
    let server = guarded(Guard::Password);
    let site = Site::new();
    site.log_in(&json!({ "credsStore": "absent" }));
    let failure: Failure = site.get(&Site::sources(&server)).expect_err("no helper");
    assert_eq!(
        said(&failure),
        format!(
            "`docker-credential-absent` gives no credentials for `{}`: there is no program \
             `docker-credential-absent` on this machine's PATH",
            server.host()
        )
    );
    assert_eq!(
        failure.hints,
        ["log in again with `docker login HOST`, or remove the helper from docker's config.json"]
    );
}

#[test]
fn a_helper_that_fails_does_not_keep_from_a_public_image() {
    for script in [None, Some("echo 'the vault is locked'; exit 1")] {
        let server = guarded(Guard::Token);
        let site = Site::new();
        site.add_helper(script.unwrap_or("exit 1"));
        let name = script.map_or("desktop.exe", |_| "test");
        site.log_in(&json!({ "credsStore": name }));
        site.get(&Site::sources(&server)).expect("as anybody");
        assert_eq!(shown(&server)[0], "Bearer let-me-in");
    }
    // What is written there counts, whatever becomes of the helper.
    let server = guarded(Guard::Password);
    let site = Site::new();
    let mut config = password_for(&server);
    config["credsStore"] = "desktop.exe".into();
    site.log_in(&config);
    site.get(&Site::sources(&server)).expect("by password");
    // The token server's no is the helper's.
    let tokens = Server::start(|_| Reply::status(401));
    let server = with_tokens_of(tokens.url("/token"));
    let site = Site::new();
    site.log_in(&json!({ "credsStore": "desktop.exe" }));
    let failure = site.get(&Site::sources(&server)).expect_err("nobody is let in");
    assert_eq!(
        said(&failure),
        format!(
            "`docker-credential-desktop.exe` gives no credentials for `{}`: there is no program \
             `docker-credential-desktop.exe` on this machine's PATH",
            server.host()
        )
    );
}

#[test]
fn a_helper_that_fails_is_noted_once() {
    let mut registry = registry(|_| {});
    registry.guard = Guard::Token;
    let server = serve(registry);
    let sandbox = Sandbox::new();
    let docker = sandbox.path("home/.docker");
    fs::create_dir(&docker).expect("a directory");
    fs::write(docker.join("config.json"), r#"{"credsStore":"desktop.exe"}"#).expect("a file");
    let parts = SampleParts::make(&sandbox.path("parts"), false);
    let host = server.host();
    let mut arguments = vec![
        "pack".to_owned(),
        "-o=x.run".to_owned(),
        "--level=fast".to_owned(),
        "--image=docker://r.example/team/app:1".to_owned(),
        format!("--registry-upstream=r.example={host}"),
        format!("--insecure-registry={host}"),
        format!("--stub={}", sandbox.stub().display()),
    ];
    arguments.extend(parts.flags());
    let packed = sandbox.packager(&arguments);
    assert_eq!(packed.status, 0, "{packed:?}");
    let note = format!("`docker-credential-desktop.exe` gives no credentials for `{host}`: ");
    assert_eq!(packed.stderr.matches(&note).count(), 1, "{packed:?}");
    assert!(
        packed.stderr.contains(&format!(": `{host}` lets in without\n")),
        "{packed:?}"
    );
}

#[test]
fn what_podman_login_wrote_lets_in() {
    let server = guarded(Guard::Password);
    let site = Site::new();
    let directory = site.home().join(".config/containers");
    fs::create_dir_all(&directory).expect("a directory");
    fs::write(directory.join("auth.json"), password_for(&server).to_string()).expect("a file");
    site.get(&Site::sources(&server)).expect("by password");
}

#[test]
fn a_helpers_identity_token_is_changed_for_a_token() {
    let tokens = Server::start(|_| Reply::ok(r#"{"token":"let-me-in"}"#));
    let server = with_tokens_of(tokens.url("/token"));
    let site = Site::new();
    site.add_helper(r#"echo '{"Username":"<token>","Secret":"keep-me"}'"#);
    site.log_in(&json!({ "credsStore": "test" }));
    site.get(&Site::sources(&server)).expect("by token");
    assert!(tokens.seen()[0].body.ends_with("&refresh_token=keep-me"));
}

#[test]
fn credentials_do_not_follow_a_blob_to_where_it_lies() {
    for guard in [Guard::Token, Guard::Password] {
        let plain = registry(|_| {});
        let far = serve(plain.clone());
        let mut registry = plain;
        registry.guard = guard;
        let there = far.host();
        let server = spoilt(registry, move |seen, reply| {
            if seen.target.contains("/blobs/") && seen.header("authorization").is_some() {
                Reply::status(307).header("location", format!("http://{there}{}", seen.target))
            } else {
                reply
            }
        });
        let site = Site::new();
        site.log_in(&password_for(&server));
        site.get(&Site::sources(&server)).expect("redirected");
        assert_eq!(far.seen().len(), 2);
        assert_eq!(shown(&far), [""; 0]);
    }
}

#[test]
fn a_host_that_a_blob_is_redirected_to_cannot_ask_for_the_password() {
    let thief = Server::start(|seen| {
        let host = seen.header("host").unwrap_or_default().to_owned();
        let realm = format!("Bearer realm=\"http://{host}/token\"");
        Reply::status(401).header("www-authenticate", realm)
    });
    let mut registry = registry(|_| {});
    registry.guard = Guard::Password;
    let there = thief.url("/blob");
    let server = spoilt(registry, move |seen, reply| match reply.code() {
        200 if seen.target.contains("/blobs/") => Reply::status(302).header("location", &there),
        _ => reply,
    });
    let site = Site::new();
    site.log_in(&password_for(&server));
    let failure = site.get(&Site::sources(&server)).expect_err("a thief");
    assert!(said(&failure).ends_with("answered 401"), "{failure}");
    assert_eq!(thief.count("/token"), 0);
    assert_eq!(shown(&thief), [""; 0]);
}

#[test]
fn no_secret_is_written_anywhere() {
    let mut registry = registry(|_| {});
    registry.guard = Guard::Token;
    let server = spoilt(registry, |seen, reply| {
        let token = seen.target.starts_with("/token?");
        if token && seen.header("authorization") != Some(BASIC) {
            return Reply::status(401);
        }
        reply
    });
    let sandbox = Sandbox::new();
    let docker = sandbox.path("home/.docker");
    fs::create_dir(&docker).expect("a directory");
    fs::write(docker.join("config.json"), password_for(&server).to_string()).expect("a file");
    let parts = SampleParts::make(&sandbox.path("parts"), false);
    let host = server.host();
    let mut arguments = vec![
        "pack".to_owned(),
        "-o=x.run".to_owned(),
        "--level=fast".to_owned(),
        "--image=docker://r.example/team/app:1".to_owned(),
        format!("--registry-upstream=r.example={host}"),
        format!("--insecure-registry={host}"),
        format!("--stub={}", sandbox.stub().display()),
    ];
    arguments.extend(parts.flags());
    let packed = sandbox.packager(&arguments);
    assert_eq!(packed.status, 0, "{packed:?}");
    assert!(shown(&server).contains(&"Bearer let-me-in".to_owned()));
    let inspected = sandbox.packager(["inspect", "--output=json", "x.run"]);
    let mut written = format!("{packed:?} {inspected:?}").into_bytes();
    let mut files = 0;
    for entry in walkdir::WalkDir::new(sandbox.path("")) {
        let entry = entry.expect("an entry");
        if entry.file_type().is_file() && !entry.path().starts_with(&docker) {
            files += 1;
            written.extend(bytes(entry.path()));
        }
    }
    assert!(files > 15, "{files} files");
    for secret in [&BASIC[6..], "me:secret", "let-me-in"] {
        let found = written
            .windows(secret.len())
            .any(|window| window == secret.as_bytes());
        assert!(!found, "`{secret}` is written");
    }
}

#[test]
fn a_registry_without_tls_is_told_apart_from_a_network_that_fails() {
    // What every server for HTTP says to a client that begins with TLS.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let host = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.expect("a client");
            let _ = client.read(&mut [0; 4096]);
            let _ = client.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let sandbox = Sandbox::new();
    let parts = SampleParts::make(&sandbox.path("parts"), false);
    let mut arguments = vec![
        "pack".to_owned(),
        "-o=x.run".to_owned(),
        format!("--image=docker://{host}/team/app:1"),
        format!("--stub={}", sandbox.stub().display()),
    ];
    arguments.extend(parts.flags());
    let packed = sandbox.packager(&arguments);
    assert_eq!(packed.status, 5, "{packed:?}");
    assert!(
        packed.stderr.contains("`--insecure-registry HOST`"),
        "{}",
        packed.stderr
    );
}

#[test]
fn a_mirrors_address_with_a_password_is_refused_and_not_repeated() {
    let sandbox = Sandbox::new();
    for flag in [
        "--registry-mirror=registry.k8s.io=me:hidden@m.example:5000/k8s",
        "--image-repository=https://me:hidden@m.example/k8s",
        "--binary-mirror=https://me:hidden@m.example/release",
        "--release-mirror=https://me:hidden@m.example",
    ] {
        let outcome = sandbox.packager(["pack", "--kubernetes-version=v1.37.2", flag]);
        assert_eq!(outcome.status, 2, "{outcome:?}");
        let name = flag.split('=').next().unwrap_or_default();
        let words = format!("error: the address in `{name}` holds a name or a password");
        assert!(outcome.stderr.starts_with(&words), "{outcome:?}");
        assert!(!outcome.stderr.contains("hidden"), "{outcome:?}");
    }
}
