//! Images from a registry of our own, faults included.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use minikube_offline::bundle::{Arch, Digest};
use minikube_offline::failure::{Failure, Kind};
use minikube_offline::fetch::{self, LocalImage, Upstream};
use minikube_offline::host::Environment;
use minikube_offline::progress::Silent;
use minikube_offline::spec::{ImageSource, PartialSpec, RegistryMirror, Sources, Spec};

use super::download::patience;
use crate::support::parts::SampleParts;
use crate::support::registry::{Draft, Guard, Registry};
use crate::support::server::{Fault, Reply, Seen, Server};

const APP: &str = "r.example/team/app:1";

/// All that a bundle needs, on this machine, and one more image in a registry.
struct Site {
    folder: tempfile::TempDir,
    spec: Spec,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let parts = SampleParts::make(&folder.path().join("parts"), false);
        let mut spec = PartialSpec::default();
        let mut images = vec![format!("docker://{APP}").parse().expect("an image")];
        for flag in parts.flags() {
            let (name, value) = flag.split_once('=').expect("a value");
            match name {
                "--kubernetes-version" => spec.kubernetes_version = value.parse().ok(),
                "--platform" => spec.platform = value.parse().ok(),
                "--minikube" => spec.minikube = Some(value.into()),
                "--binaries" => spec.binaries = Some(vec![value.into()]),
                "--kicbase" => spec.kicbase = value.parse().ok(),
                "--image" => images.push(value.parse::<ImageSource>().expect("an image")),
                name => panic!("{name}"),
            }
        }
        spec.images = Some(images);
        fs::create_dir(folder.path().join("home")).expect("a folder");
        Self {
            spec: spec.resolve().expect("a spec"),
            folder,
        }
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    fn sources(server: &Server) -> Sources {
        Sources {
            registry_upstreams: vec![place("r.example", server)],
            insecure_registries: vec![server.host()],
            ..Sources::default()
        }
    }

    fn get(&self, sources: &Sources) -> Result<LocalImage, Failure> {
        let home = self.home();
        let environment = Environment::of(&[("HOME", home.to_str().expect("text"))], 0);
        let upstream = Upstream::new(sources, &environment, patience())?;
        let parts = fetch::gather(&self.spec, Some(&upstream), &Silent)?;
        let image = parts
            .images
            .iter()
            .find(|image| image.reference.to_string() == APP);
        Ok(image.expect("the image").clone())
    }

    fn stored(&self) -> Vec<String> {
        let folder = self.home().join(".cache/minikube-offline/store/sha256");
        names(&folder)
    }
}

fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).map_or(Vec::new(), |entries| {
        entries
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect()
    })
}

fn place(registry: &str, server: &Server) -> RegistryMirror {
    format!("{registry}={}", server.host()).parse().expect("a place")
}

fn registry(change: impl FnOnce(&mut Draft)) -> Registry {
    let mut draft = Draft::new(Arch::Arm64, "app");
    change(&mut draft);
    let mut registry = Registry::default();
    registry.add("team/app", "1", &[Draft::new(Arch::Amd64, "other"), draft]);
    registry
}

fn serve(registry: Registry) -> Server {
    Server::start(move |seen| registry.answer(seen))
}

/// A registry whose answers pass through `change`, with how many came before.
fn spoilt(registry: Registry, change: impl Fn(&Seen, Reply) -> Reply + Send + Sync + 'static) -> Server {
    let registry = Arc::new(registry);
    Server::start(move |seen| change(seen, registry.answer(seen)))
}

fn fails(server: &Server) -> Failure {
    let site = Site::new();
    let failure = site.get(&Site::sources(server)).expect_err("refused");
    let hint = failure.hint.clone().unwrap_or_default();
    assert!(!hint.is_empty(), "{failure}");
    failure
}

#[test]
fn the_image_for_the_platform_comes_from_tag_to_layers_each_blob_once() {
    for zstd in [false, true] {
        for silent in [false, true] {
            let mut registry = registry(|draft| draft.zstd = zstd);
            registry.silent = silent;
            let server = serve(registry);
            let site = Site::new();
            let image = site.get(&Site::sources(&server)).expect("an image");
            let expected = Draft::new(Arch::Arm64, "app");
            assert_eq!(image.layers[0].diff_id, expected.diff_id);
            assert_eq!(image.platform.to_string(), "linux/arm64");
            let evidence = image.origin.evidence.join("; ");
            assert!(evidence.contains("says that this tag is sha256:"), "{evidence}");
            assert_eq!(image.origin.transport, "docker");
            // Config and layer, of this platform only.
            assert_eq!(server.count("/blobs/"), 2);
            assert_eq!(site.stored().len(), 2);
            site.get(&Site::sources(&server)).expect("again");
            assert_eq!(server.count("/blobs/"), 2);
        }
    }
}

#[test]
fn a_digest_that_was_asked_for_decides() {
    let registry = registry(|_| {});
    let mut other = registry.clone();
    let digest = other.add("team/app", "1", &[Draft::new(Arch::Arm64, "newer")]);
    let server = serve(other);
    let mut site = Site::new();
    site.spec.images[0] = format!("docker://{APP}@{digest}").parse().expect("an image");
    let image = site.get(&Site::sources(&server)).expect("an image");
    assert!(image.origin.evidence[0].contains(&digest.to_string()));
    let liar = spoilt(registry, |seen, reply| {
        if seen.target.contains("/manifests/sha256:") {
            Reply::ok("{}").header("content-type", "application/vnd.oci.image.index.v1+json")
        } else {
            reply
        }
    });
    let failure = site.get(&Site::sources(&liar)).expect_err("another manifest");
    assert_eq!(failure.kind, Kind::Damaged);
    assert!(
        failure.to_string().contains(&Digest::of(b"{}").to_string()),
        "{failure}"
    );
}

#[test]
fn tokens_and_passwords_let_in_and_a_token_in_vain_does_not_loop() {
    let guarded = |guard| {
        let mut registry = registry(|_| {});
        registry.guard = guard;
        serve(registry)
    };
    let server = guarded(Guard::Token);
    Site::new().get(&Site::sources(&server)).expect("by token");
    assert_eq!(server.count("/token?"), 1);
    assert!(
        server
            .seen()
            .iter()
            .any(|seen| seen.target.contains("scope=repository%3Ateam%2Fapp%3Apull"))
    );

    let server = guarded(Guard::Password);
    let site = Site::new();
    let failure = site.get(&Site::sources(&server)).expect_err("no password");
    assert!(failure.to_string().contains("answered 401"), "{failure}");
    assert!(failure.hint.expect("a hint").contains("docker login"));
    let config = format!(
        "{{\"auths\":{{\"{}\":{{\"auth\":\"bWU6c2VjcmV0\"}}}}}}",
        server.host()
    );
    fs::create_dir(site.home().join(".docker")).expect("a folder");
    fs::write(site.home().join(".docker/config.json"), config).expect("a file");
    site.get(&Site::sources(&server)).expect("by password");

    let server = guarded(Guard::TokenInVain);
    let failure = fails(&server);
    assert_eq!(failure.kind, Kind::Io);
    assert!(server.seen().len() < 8, "{}", server.seen().len());
}

#[test]
fn credentials_do_not_follow_a_blob_to_where_it_lies() {
    let plain = registry(|_| {});
    let far = serve(plain.clone());
    let mut registry = plain;
    registry.guard = Guard::Token;
    let there = far.host();
    let server = spoilt(registry, move |seen, reply| {
        if seen.target.contains("/blobs/") && seen.header("authorization").is_some() {
            Reply::status(307).header("location", format!("http://{there}{}", seen.target))
        } else {
            reply
        }
    });
    Site::new().get(&Site::sources(&server)).expect("redirected");
    assert_eq!(far.seen().len(), 2);
    assert!(
        far.seen()
            .iter()
            .all(|seen| seen.header("authorization").is_none())
    );
}

#[test]
fn what_is_not_what_the_manifest_says_is_refused_and_not_stored() {
    // (what, server, kind, words)
    let cases: Vec<(&str, Server, Kind, &str)> = vec![
        (
            "a layer with another diff-id",
            serve(registry(|draft| draft.diff_id = Digest::of(b"other"))),
            Kind::Damaged,
            "the image's config says sha256:d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa",
        ),
        (
            "a manifest with a lying size",
            serve(registry(|draft| draft.lie_bytes = 7)),
            Kind::Damaged,
            "bytes; it has",
        ),
        (
            "a wrong blob",
            spoilt(registry(|_| {}), |seen, reply| {
                if seen.target.contains("/blobs/") {
                    Reply::ok(vec![0; 300])
                } else {
                    reply
                }
            }),
            Kind::Damaged,
            "it has",
        ),
        (
            "a wrong digest header",
            spoilt(registry(|_| {}), |seen, reply| {
                if seen.target.ends_with("/manifests/1") {
                    Reply::ok("{}").header("docker-content-digest", Digest::of(b"x"))
                } else {
                    reply
                }
            }),
            Kind::Damaged,
            "it has sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        ),
        (
            "a manifest without end",
            spoilt(registry(|_| {}), |seen, reply| {
                if seen.target.ends_with("/manifests/1") {
                    Reply::ok(vec![b' '; 5 << 20]).without_length()
                } else {
                    reply
                }
            }),
            Kind::Damaged,
            "4194304 bytes at most",
        ),
        (
            "a page for people",
            spoilt(registry(|_| {}), |seen, reply| {
                if seen.target.ends_with("/manifests/1") {
                    Reply::ok("<html>log in</html>").header("content-type", "text/html")
                } else {
                    reply
                }
            }),
            Kind::Damaged,
            "`text/html`",
        ),
        (
            "no such tag",
            serve(Registry::default()),
            Kind::Usage,
            "there is no image `r.example/team/app:1`",
        ),
    ];
    for (what, server, kind, words) in cases {
        let site = Site::new();
        let failure = site.get(&Site::sources(&server)).expect_err(what);
        assert_eq!(failure.kind, kind, "{what}: {failure}");
        assert!(failure.to_string().contains(words), "{what}: {failure}");
        for name in site.stored() {
            let path = site
                .home()
                .join(".cache/minikube-offline/store/sha256")
                .join(&name);
            assert_eq!(Digest::of(&fs::read(path).unwrap()).hex(), name, "{what}");
        }
    }
}

#[test]
fn an_image_that_is_not_there_for_the_platform_says_for_which_it_is() {
    let mut registry = Registry::default();
    registry.add("team/app", "1", &[Draft::new(Arch::Amd64, "app")]);
    let failure = fails(&serve(registry));
    assert_eq!(failure.kind, Kind::Usage);
    assert!(
        failure
            .to_string()
            .contains("not there for linux/arm64; it is there for linux/amd64"),
        "{failure}"
    );
}

#[test]
fn a_registry_that_is_busy_or_breaks_off_is_asked_again() {
    use std::sync::atomic::{AtomicUsize, Ordering};
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
fn mirrors_give_the_blobs_and_the_registry_the_truth() {
    let truth = || serve(registry(|_| {}));
    let with = |upstream: &Server, mirrors: &[&Server]| {
        let mut sources = Site::sources(upstream);
        for mirror in mirrors {
            sources.registry_mirrors.push(place("r.example", mirror));
            sources.insecure_registries.push(mirror.host());
        }
        sources
    };
    let (upstream, mirror) = (truth(), truth());
    Site::new()
        .get(&with(&upstream, &[&mirror]))
        .expect("from the mirror");
    assert_eq!((upstream.count("/blobs/"), mirror.count("/blobs/")), (0, 2));

    // One that lies, one that has nothing, then the registry itself.
    let liar = spoilt(registry(|_| {}), |seen, reply| {
        if seen.target.contains("/blobs/") {
            Reply::ok(vec![0; 10])
        } else {
            reply
        }
    });
    let (upstream, empty) = (truth(), serve(Registry::default()));
    Site::new()
        .get(&with(&upstream, &[&liar, &empty]))
        .expect("from upstream");
    assert_eq!(upstream.count("/blobs/"), 2);
    assert!(liar.count("/blobs/") > 0 && empty.count("/blobs/") > 0);
}

#[test]
fn a_mirror_alone_is_not_believed_unless_the_user_says_so() {
    let mirror = serve(registry(|_| {}));
    let mut sources = Sources {
        registry_upstreams: vec!["r.example=127.0.0.1:9".parse().expect("a place")],
        registry_mirrors: vec![place("r.example", &mirror)],
        insecure_registries: vec![mirror.host(), "127.0.0.1:9".to_owned()],
        ..Sources::default()
    };
    let site = Site::new();
    let failure = site.get(&sources).expect_err("unproven");
    assert_eq!(failure.kind, Kind::Usage);
    assert!(
        failure
            .to_string()
            .contains(&format!("--accept-unverified {APP}")),
        "{failure}"
    );
    sources.accept_unverified.push(APP.to_owned());
    let image = site.get(&sources).expect("accepted");
    assert!(
        image.origin.evidence[0].starts_with("accepted unverified"),
        "{:?}",
        image.origin
    );
}

#[test]
fn without_the_network_an_image_in_a_registry_is_refused() {
    let site = Site::new();
    let failure = Failure::from(fetch::gather(&site.spec, None, &Silent).expect_err("offline"));
    assert_eq!(failure.kind, Kind::Usage);
    assert!(
        failure.to_string().contains("`docker://r.example/team/app:1`"),
        "{failure}"
    );
}
