//! How servers speak: protocols, pauses, redirects, and what they write for nothing.

use std::io::Read;
use std::net::TcpListener;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use minikube_offline::bundle::{Arch, Digest};
use minikube_offline::host::Environment;
use minikube_offline::http::{Download, Http, HttpOptions, Patience, Request};
use minikube_offline::progress::Progress;
use minikube_offline::store::Store;
use serde_json::json;

use super::download::patience;
use super::site::{Site, registry, serve, spoilt};
use super::world::{VERSION, World};
use crate::support::parts::noise;
use crate::support::program::Sandbox;
use crate::support::registry::{Draft, Guard, Registry};
use crate::support::server::{Fault, Reply, Server};

#[test]
fn tls_offers_http_1_alone() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("https://{}/", listener.local_addr().expect("an address"));
    let hello = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let mut hello = vec![0; 16 << 10];
        let length = stream.read(&mut hello).expect("a greeting");
        hello.truncate(length);
        hello
    });
    let options = HttpOptions {
        patience: Patience {
            attempts: 1,
            ..patience()
        },
        ..HttpOptions::default()
    };
    let http = Http::new(options, &Environment::default()).expect("a client");
    http.get(&Request::of(url), 10).expect_err("no answer");
    let hello = hello.join().expect("no panic");
    let offers = |name: &[u8]| {
        let entry = [&[u8::try_from(name.len()).expect("short")], name].concat();
        hello.windows(entry.len()).any(|bytes| bytes == entry)
    };
    assert!(!offers(b"h2"), "{hello:?}");
}

/// Keeps what is noted.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Progress for Notes {
    fn begin(&self, _: &str, _: Option<u64>) {}
    fn advance(&self, _: u64) {}
    fn note(&self, text: &str) {
        self.0.lock().expect("no panic").push(text.to_owned());
    }
    fn end(&self, _: &str) {}
}

#[test]
fn a_long_pause_that_a_server_asks_for_is_made_and_told() {
    let count = AtomicUsize::new(0);
    let server = Server::start(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::status(429)
            .header("retry-after", 1)
            .body("toomanyrequests"),
        _ => Reply::ok("content"),
    });
    let options = HttpOptions {
        patience: Patience {
            longest_pause: Duration::from_millis(10),
            longest_wait: Duration::from_secs(2),
            ..patience()
        },
        ..HttpOptions::default()
    };
    let http = Http::new(options, &Environment::default()).expect("a client");
    let directory = tempfile::tempdir().expect("a directory");
    let store = Store::open(directory.path()).expect("a store");
    let download = Download {
        request: Request::of(server.url("/file")),
        digest: Some(Digest::of(b"content")),
        size: None,
        limit: None,
    };
    let (notes, begun) = (Notes::default(), Instant::now());
    http.download(&store, &download, &notes).expect("in the end");
    assert!(begun.elapsed() >= Duration::from_secs(1));
    let url = server.url("/file");
    let said = format!("`{url}` answered 429 (`toomanyrequests`): waiting 1 s, as the server asks");
    assert_eq!(*notes.0.lock().expect("no panic"), [said]);
}

#[test]
fn a_blob_is_found_by_a_relative_redirect() {
    let registry = registry(|_| {});
    let server = spoilt(registry.clone(), move |seen, reply| {
        if let Some(rest) = seen.target.strip_prefix("/artifacts-downloads") {
            let mut inner = seen.clone();
            inner.target = rest.to_owned();
            return registry.answer(&inner);
        }
        if seen.target.contains("/blobs/") {
            Reply::status(302).header("location", format!("/artifacts-downloads{}", seen.target))
        } else {
            reply
        }
    });
    Site::new().get(&Site::sources(&server)).expect("redirected");
    assert_eq!(server.count("/artifacts-downloads/"), 2);
}

#[test]
fn a_signed_url_that_ran_out_is_asked_for_anew() {
    // As where GitHub's assets are: no credentials, no HEAD, and a short life.
    let content = noise("asset", 100_000);
    let (asset, uses) = (content.clone(), AtomicUsize::new(0));
    let signed = Server::start(move |seen| match seen.method.as_str() {
        _ if seen.header("authorization").is_some() => Reply::status(400),
        "HEAD" => Reply::status(403),
        _ if seen.target.ends_with("sig=0") && uses.fetch_add(1, Ordering::SeqCst) > 0 => Reply::status(403),
        _ if seen.target.ends_with("sig=0") => {
            Reply::file(seen, &asset, "\"0x1\"").fault(Fault::CutAfter(40_000))
        }
        _ => Reply::file(seen, &asset, "\"0x1\""),
    });
    let (there, given) = (signed.url("/asset?sig="), AtomicUsize::new(0));
    let page = Server::start(move |_| {
        let number = given.fetch_add(1, Ordering::SeqCst);
        Reply::status(302).header("location", format!("{there}{number}"))
    });
    let options = HttpOptions {
        patience: patience(),
        ..HttpOptions::default()
    };
    let http = Http::new(options, &Environment::default()).expect("a client");
    let directory = tempfile::tempdir().expect("a directory");
    let store = Store::open(directory.path()).expect("a store");
    let download = Download {
        request: Request {
            authorization: Some("Bearer secret".to_owned()),
            ..Request::of(page.url("/asset"))
        },
        digest: Some(Digest::of(&content)),
        size: None,
        limit: None,
    };
    http.download(&store, &download, &Notes::default())
        .expect("by a new URL");
    let last = signed.seen().pop().expect("a request");
    assert_eq!(last.header("range"), Some("bytes=40000-"));
    assert_eq!(page.seen().len(), 2);
    let size = http
        .size(&Request::of(page.url("/asset")))
        .expect("by its first byte");
    assert_eq!(size, Some(100_000));
}

#[test]
fn docker_hub_lets_in_by_a_token_of_another_host_after_its_limit() {
    let tokens = Server::start(|_| Reply::ok(r#"{"token":"let-me-in","access_token":null}"#));
    let realm = tokens.url("/token");
    let mut registry = Registry::default();
    registry.add("library/app", "1", &[Draft::new(Arch::Arm64, "app")]);
    registry.guard = Guard::Token;
    let count = AtomicUsize::new(0);
    let server = spoilt(registry, move |seen, reply| match reply.code() {
        // Without a service, as some token servers do.
        401 => Reply::status(401).header("www-authenticate", format!("Bearer realm=\"{realm}\"")),
        200 if seen.target.contains("/manifests/") && count.fetch_add(1, Ordering::SeqCst) == 0 => {
            Reply::status(429)
                .header("retry-after", 0)
                .body("toomanyrequests")
        }
        _ => reply,
    });
    let mut site = Site::new();
    site.spec.images[0] = "docker://app:1".parse().expect("an image");
    let mut sources = Site::sources(&server);
    sources.registry_upstreams = vec![super::site::place("docker.io", &server)];
    site.get_named(&sources, "docker.io/library/app:1")
        .expect("an image");
    assert_eq!(tokens.count("scope=repository%3Alibrary%2Fapp%3Apull"), 1);
}

#[test]
fn fields_that_are_null_are_read_as_nothing() {
    let draft = Draft::new(Arch::Arm64, "app");
    let mut manifest: serde_json::Value =
        serde_json::from_slice(&draft.manifest("team/app")).expect("a manifest");
    manifest["annotations"] = json!(null);
    manifest["config"]["annotations"] = json!(null);
    manifest["layers"][0]["annotations"] = json!(null);
    let manifest = manifest.to_string().into_bytes();
    let media_type = "application/vnd.docker.distribution.manifest.v2+json";
    let index = json!({ "schemaVersion": 2, "annotations": null, "manifests": [
        { "mediaType": null, "digest": Digest::of(b"x"), "size": 1, "annotations": null, "platform": null },
        { "mediaType": media_type, "digest": Digest::of(&manifest), "size": manifest.len(), "annotations": null,
          "urls": null, "platform": { "os": "linux", "architecture": "arm64", "os.features": null } },
    ] });
    let mut registry = Registry::default();
    registry.add("team/app", "other", &[draft]);
    let path = format!("team/app/manifests/{}", Digest::of(&manifest));
    registry.put(path, manifest, media_type);
    let index = index.to_string().into_bytes();
    let list = "application/vnd.oci.image.index.v1+json";
    registry.put("team/app/manifests/1".to_owned(), index, list);
    registry.guard = Guard::Token;
    let site = Site::new();
    site.log_in(&json!({ "auths": null, "credHelpers": null, "credsStore": null }));
    site.get(&Site::sources(&serve(registry))).expect("an image");

    let none = json!({ "manifests": null }).to_string().into_bytes();
    let mut registry = Registry::default();
    registry.put("team/app/manifests/1".to_owned(), none, list);
    let failure = Site::new()
        .get(&Site::sources(&serve(registry)))
        .expect_err("nothing in it");
    assert_eq!(
        super::site::said(&failure),
        "`r.example/team/app:1` is not there for linux/arm64; its index names no platform"
    );

    let world = World::new();
    world.change(super::world::LIST, |text| {
        *text = br#"[{"name":"v1.38.1","checksums":null}]"#.to_vec();
    });
    let resolved = world.resolve(&Sandbox::new(), VERSION, &[]);
    assert_eq!(resolved.status, 0, "{resolved:?}");
    assert!(!resolved.stderr.contains("without the list"), "{resolved:?}");
}
