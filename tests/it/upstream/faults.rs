//! Registries that do what they should not: each is refused with its own message, and
//! nothing is stored that is not what its name says.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

use minikube_offline::bundle::{Arch, Digest};
use minikube_offline::failure::Kind;

use super::site::{Site, registry, said, serve, spoilt};
use crate::support::parts::noise;
use crate::support::program::bytes;
use crate::support::registry::{Draft, Registry};
use crate::support::server::{Fault, Reply, Seen, Server};

/// A fault, what becomes of it, and how often the spoilt thing was asked for.
struct Case {
    what: &'static str,
    server: Server,
    kind: Kind,
    /// With `HOST` for the registry's and `STORE` for the store's place.
    message: String,
    /// A part of the targets, and how many requests had it.
    asked: (&'static str, usize),
}

/// A registry with one layer that `change` spoils.
fn drafted(change: impl FnOnce(&mut Draft)) -> (Server, Draft) {
    let mut draft = Draft::new(Arch::Arm64, "app");
    change(&mut draft);
    let mut registry = Registry::default();
    registry.add("team/app", "1", &[draft.clone()]);
    (serve(registry), draft)
}

/// A registry whose answers for `part` are spoilt.
fn answering(part: &'static str, change: impl Fn(Reply) -> Reply + Send + Sync + 'static) -> Server {
    spoilt(registry(|_| {}), move |seen: &Seen, reply| {
        let is_hit = seen.target.contains(part) && reply.code() == 200;
        if is_hit { change(reply) } else { reply }
    })
}

/// Fails for each case with its message, and stores only what its digest says.
fn refuses(case: &Case) {
    let what = case.what;
    let site = Site::new();
    let failure = site.get(&Site::sources(&case.server)).expect_err(what);
    let store = site.home().join(".cache/minikube-offline/store/sha256");
    let expected = case
        .message
        .replace("HOST", &case.server.host())
        .replace("STORE", &store.display().to_string());
    assert_eq!(said(&failure), expected, "{what}");
    assert_eq!(failure.kind, case.kind, "{what}");
    assert!(!failure.hints.concat().is_empty(), "{what}");
    let (part, times) = case.asked;
    assert_eq!(case.server.count(part), times, "{what}: {:?}", case.server.seen());
    for name in site.stored() {
        assert_eq!(Digest::of(&bytes(&store.join(&name))).hex(), name, "{what}");
    }
}

/// The layer of the image that [`registry`] has.
fn layer() -> (Digest, usize) {
    let (bytes, _) = Draft::new(Arch::Arm64, "app").stored();
    (Digest::of(&bytes), bytes.len())
}

fn layer_path() -> &'static str {
    format!("/blobs/{}", layer().0).leak()
}

#[test]
fn a_layer_that_is_not_what_the_manifest_says_is_refused() {
    let (digest, size) = layer();
    let path = layer_path();
    let url = format!("http://HOST/v2/team/app{path}");
    let other = noise("other", size);
    let other_digest = Digest::of(&other);
    let (lying, draft) = drafted(|draft| draft.lie_bytes = 7);
    assert_eq!(draft.stored().0.len(), size);
    let cases = [
        Case {
            what: "other bytes of the same size",
            server: answering(path, move |reply| reply.body(other.clone())),
            kind: Kind::Damaged,
            message: format!("`{url}` should have {digest}; it has {other_digest}"),
            asked: (path, 1),
        },
        Case {
            what: "too few bytes",
            server: answering(path, |reply| reply.body([0; 300])),
            kind: Kind::Damaged,
            message: format!("`{url}` should have {size} bytes; it has 300"),
            asked: (path, 1),
        },
        Case {
            what: "too few bytes without a length",
            server: answering(path, |reply| reply.body([0; 300]).without_length()),
            kind: Kind::Damaged,
            message: format!("`{url}` should have {size} bytes; it has 300"),
            asked: (path, 1),
        },
        Case {
            what: "too many bytes without a length",
            server: answering(path, |reply| reply.body(vec![0; 90_000]).without_length()),
            kind: Kind::Damaged,
            message: format!("`{url}` should have {size} bytes at most; it has more"),
            asked: (path, 1),
        },
        Case {
            what: "a manifest that lies about the size",
            server: lying,
            kind: Kind::Damaged,
            message: format!("`{url}` should have {} bytes; it has {size}", size + 7),
            asked: (path, 1),
        },
        Case {
            what: "a layer that is gone",
            server: answering(path, |_| Reply::status(404)),
            kind: Kind::Io,
            message: format!("`{url}` answered 404"),
            asked: (path, 1),
        },
        Case {
            what: "a server that is down",
            server: answering(path, |_| Reply::status(503).body("back soon")),
            kind: Kind::Io,
            message: format!("`{url}` answered 503 (`back soon`)"),
            asked: (path, 4),
        },
        Case {
            what: "a server that is busy for an hour",
            server: answering(path, |_| Reply::status(429).header("retry-after", 3600)),
            kind: Kind::Io,
            message: format!("`{url}` answered 429"),
            asked: (path, 1),
        },
        Case {
            what: "a redirect to nowhere",
            server: answering(path, |_| {
                Reply::status(302).header("location", "http://127.0.0.1:9/x")
            }),
            kind: Kind::Io,
            message: format!(
                "`{url}` cannot be read: error sending request: client error (Connect): \
                 tcp connect error: Connection refused (os error 111)"
            ),
            asked: (path, 4),
        },
    ];
    for case in &cases {
        refuses(case);
    }
}

#[test]
fn a_layer_that_the_config_does_not_know_is_refused() {
    let (other, draft) = drafted(|draft| draft.diff_id = Digest::of(b"other"));
    let (digest, path) = (Digest::of(&draft.stored().0), layer_path());
    let (cut, cut_draft) = drafted(|draft| draft.stored = Some(draft.stored().0[..9000].to_vec()));
    let cut_digest = Digest::of(&cut_draft.stored().0);
    let image = "of r.example/team/app:1";
    let cases = [
        Case {
            what: "a config with another layer",
            server: other,
            kind: Kind::Damaged,
            message: format!(
                "`STORE/{}` is damaged: the layer `{digest} {image}` has {}, the image's config says {}",
                digest.hex(),
                Digest::of(&draft.layer),
                draft.diff_id
            ),
            asked: (path, 1),
        },
        Case {
            what: "a layer that was cut",
            server: cut,
            kind: Kind::Damaged,
            message: format!(
                "`STORE/{}` is damaged: `{cut_digest} {image}` cannot be decoded: incomplete deflate stream",
                cut_digest.hex()
            ),
            asked: ("/blobs/", 2),
        },
    ];
    for case in &cases {
        refuses(case);
    }
}

/// So many zeros as `member` says, again and again: 1.6 GiB.
fn bomb(member: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    member(&vec![0; 16 << 20]).repeat(100)
}

#[test]
fn a_layer_that_grows_without_end_is_refused_in_time() {
    let gzip = bomb(|zeros| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(zeros).expect("memory");
        encoder.finish().expect("memory")
    });
    let zstd = bomb(|zeros| zstd::encode_all(zeros, 1).expect("memory"));
    for stored in [gzip, zstd] {
        let (digest, size) = (Digest::of(&stored), stored.len());
        let most = size * 256 + (1 << 30);
        assert!(most < 1600 << 20, "{size} bytes are no bomb");
        let (server, _) = drafted(|draft| draft.stored = Some(stored));
        let case = Case {
            what: "a bomb",
            server,
            kind: Kind::Damaged,
            message: format!(
                "`STORE/{}` is damaged: `{digest} of r.example/team/app:1` grows from {size} bytes to more \
                 than {most}: no layer does that",
                digest.hex()
            ),
            asked: ("/blobs/", 2),
        };
        refuses(&case);
    }
}

#[test]
#[allow(clippy::too_many_lines)] // a table
fn a_manifest_that_is_none_is_refused() {
    let wanted = "/manifests/1";
    let url = "http://HOST/v2/team/app/manifests/1";
    let empty = Digest::of(b"{}");
    let said = Digest::of(b"x");
    let page = "<html>log in</html>";
    let index = "application/vnd.oci.image.index.v1+json";
    let list = |entry: &str| format!("{{\"manifests\":[{entry}]}}");
    let sha512 = list(
        r#"{"mediaType":"x","digest":"sha512:00","size":2,"platform":{"os":"linux","architecture":"arm64"}}"#,
    );
    let named = |text: &str| {
        format!(
            "the manifest {} of `r.example/team/app:1`",
            Digest::of(text.as_bytes())
        )
    };
    let cases = [
        (
            "another manifest",
            answering(wanted, move |reply| reply.body("{}")),
            Kind::Damaged,
            // The registry's own digest header is of what it should have sent.
            None,
        ),
        (
            "a digest header of something else",
            answering(wanted, move |_| {
                Reply::ok("{}").header("docker-content-digest", said)
            }),
            Kind::Damaged,
            Some(format!("`{url}` should have {said}; it has {empty}")),
        ),
        (
            "4 MiB of blanks without a length",
            answering(wanted, |_| Reply::ok(vec![b' '; 5 << 20]).without_length()),
            Kind::Damaged,
            Some(format!("`{url}` should have 4194304 bytes at most; it has more")),
        ),
        (
            "4 MiB of blanks",
            answering(wanted, |_| Reply::ok(vec![b' '; 5 << 20])),
            Kind::Damaged,
            Some(format!(
                "`{url}` should have 4194304 bytes at most; it has 5242880, more"
            )),
        ),
        (
            "a page",
            answering(wanted, move |_| {
                Reply::ok(page).header("content-type", "text/html")
            }),
            Kind::Damaged,
            Some(format!(
                "{} is of the type `text/html`, which no node runs",
                named(page)
            )),
        ),
        (
            "half an index",
            answering(wanted, move |_| Reply::ok("{").header("content-type", index)),
            Kind::Damaged,
            Some(format!(
                "{} is not what its type says: EOF while parsing an object at line 1 column 1",
                named("{")
            )),
        ),
        (
            "an index with SHA-512",
            {
                let sha512 = sha512.clone();
                answering(wanted, move |_| {
                    Reply::ok(sha512.clone()).header("content-type", index)
                })
            },
            Kind::Damaged,
            Some(format!(
                "{} names a manifest, but `sha512:00` is not a SHA-256 digest (64 lower-case hexadecimal characters)",
                named(&sha512)
            )),
        ),
        (
            "no such image",
            serve(Registry::default()),
            Kind::Usage,
            Some(format!(
                "there is no image `r.example/team/app:1` in `HOST/team/app`: `{url}` answered 404 (`MANIFEST_UNKNOWN`)"
            )),
        ),
    ];
    for (what, server, kind, message) in cases {
        let Some(message) = message else {
            let failure = Site::new().get(&Site::sources(&server)).expect_err(what);
            assert_eq!(failure.kind, kind, "{failure}");
            assert!(
                super::site::said(&failure).ends_with(&format!("; it has {empty}")),
                "{failure}"
            );
            continue;
        };
        let case = Case {
            what,
            server,
            kind,
            message,
            asked: (wanted, 1),
        };
        refuses(&case);
    }
}

#[test]
fn a_registry_that_is_busy_or_breaks_off_is_asked_again() {
    let count = AtomicUsize::new(0);
    let server = spoilt(registry(|_| {}), move |seen, reply| {
        let blob = seen.target.contains("/blobs/");
        match count.fetch_add(1, Ordering::SeqCst) % 2 {
            0 if blob => reply.fault(Fault::CutAfter(50)),
            0 => Reply::status(429).header("retry-after", 0),
            _ => reply,
        }
    });
    let site = Site::new();
    site.get(&Site::sources(&server)).expect("in the end");
    assert!(
        server
            .seen()
            .iter()
            .any(|seen| seen.header("range") == Some("bytes=50-"))
    );
}

#[test]
fn a_manifest_that_breaks_off_is_asked_for_again_from_the_start() {
    for fault in [
        Fault::Silence,
        Fault::CutAfter(20),
        Fault::ResetAfter(20),
        Fault::StallAfter(20),
    ] {
        let count = AtomicUsize::new(0);
        let server = answering("/manifests/1", move |reply| {
            match count.fetch_add(1, Ordering::SeqCst) {
                0 => reply.fault(fault),
                _ => reply,
            }
        });
        Site::new().get(&Site::sources(&server)).expect("the second time");
        assert_eq!(server.count("/manifests/1"), 2, "{fault:?}");
    }
}
