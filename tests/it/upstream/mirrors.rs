//! Mirrors of registries.

use minikube_offline::bundle::{Digest, Verification};
use minikube_offline::failure::Kind;
use minikube_offline::spec::{MirrorCountry, Sources};

use super::site::{APP, Site, place, registry, serve, spoilt};
use super::world::World;
use crate::support::parts::noise;
use crate::support::program::{Outcome, Sandbox, bytes};
use crate::support::registry::Registry;
use crate::support::server::{Fault, Reply, Server};

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
        matches!(image.pin.origin.verified_by[0], Verification::MirrorTag { .. })
            && image.pin.origin.unverified,
        "{:?}",
        image.pin.origin
    );
}

#[test]
fn mirrors_are_tried_in_order_and_one_that_is_silent_only_once() {
    let serves = || serve(registry(|_| {}));
    let (upstream, first, second) = (serves(), serves(), serves());
    let mut sources = Site::sources(&upstream);
    for mirror in [&first, &second] {
        sources.registry_mirrors.push(place("r.example", mirror));
        sources.insecure_registries.push(mirror.host());
    }
    Site::new().get(&sources).expect("from the first");
    assert_eq!(
        [&first, &second, &upstream].map(|server| server.count("/blobs/")),
        [2, 0, 0]
    );

    // One that takes connections and hangs up.
    let silent = Server::start(|_| Reply::status(200).fault(Fault::Silence));
    sources.registry_mirrors[0] = place("r.example", &silent);
    sources.insecure_registries.push(silent.host());
    Site::new().get(&sources).expect("from the second");
    assert_eq!(second.count("/blobs/"), 2);
    assert_eq!(upstream.count("/blobs/"), 0);
    // As often as a place that another can stand for, and for one thing of three.
    let asked = silent.count("/team/app/");
    assert_eq!(asked, 2, "{:?}", silent.seen());
}

#[test]
fn a_mirror_that_is_silent_is_asked_for_signatures_once() {
    let upstream = serve(registry(|_| {}));
    let mut sources = Site::sources(&upstream);
    let site = Site::new();
    site.get(&sources).expect("from upstream");
    // All is in the store now but the signatures, which nobody has.
    let silent = Server::start(|_| Reply::status(200).fault(Fault::Silence));
    sources.registry_mirrors.push(place("r.example", &silent));
    sources.insecure_registries.push(silent.host());
    site.get(&sources).expect("from the store");
    let asked = silent.count("/manifests/");
    assert_eq!(asked, 2, "{:?}", silent.seen());
}

#[test]
fn a_mirror_that_lies_is_named_and_nothing_of_it_is_kept() {
    let liars = [
        ("/blobs/", noise("another", 900)),
        ("/manifests/", b"{}".to_vec()),
    ];
    for (part, lie) in liars {
        let truth = registry(|_| {});
        let (upstream, mirror) = (
            serve(truth.clone()),
            spoilt(truth, move |seen, reply| {
                let is_hit = seen.target.contains(part);
                if is_hit { reply.body(lie.clone()) } else { reply }
            }),
        );
        let mut sources = Site::sources(&upstream);
        sources.registry_mirrors.push(place("r.example", &mirror));
        sources.insecure_registries.push(mirror.host());
        let site = Site::new();
        site.get(&sources).expect("from upstream");
        assert!(mirror.seen().len() > 1, "{:?}", mirror.seen());
        // List, manifest, config, layer.
        assert_eq!(site.stored().len(), 4);
        for name in site.stored() {
            let path = site
                .home()
                .join(".cache/minikube-offline/store/sha256")
                .join(&name);
            assert_eq!(Digest::of(&bytes(&path)).hex(), name);
        }
    }
}

/// The requests for manifests by tag when Kubernetes' images come from `repository`.
fn asked_of(repository: &str, country: bool) -> Vec<String> {
    let server = Server::start(|_| Reply::status(404));
    let host = server.host();
    let place = if country {
        "registry.cn-hangzhou.aliyuncs.com/google_containers".to_owned()
    } else {
        format!("{host}/{repository}").trim_end_matches('/').to_owned()
    };
    let sources = Sources {
        // Without a word of the registries themselves the place is all there is.
        accept_unverified: vec![place],
        image_repository: (!country).then(|| format!("{host}/{repository}").parse().expect("a place")),
        image_mirror_country: country.then_some(MirrorCountry::Cn),
        registry_upstreams: vec![
            format!("registry.cn-hangzhou.aliyuncs.com={host}/hangzhou")
                .parse()
                .expect("a place"),
            format!("r.example={host}/own").parse().expect("a place"),
            format!("docker.io={host}/hub").parse().expect("a place"),
            "registry.k8s.io=127.0.0.1:9".parse().expect("a place"),
            "gcr.io=127.0.0.1:9".parse().expect("a place"),
        ],
        insecure_registries: vec![host, "127.0.0.1:9".to_owned()],
        ..Sources::default()
    };
    for image in [
        "registry.k8s.io/pause:3.10.2",
        "registry.k8s.io/coredns/coredns:v1.14.6",
        "gcr.io/k8s-minikube/storage-provisioner:v5",
        "gcr.io/k8s-minikube/kicbase:v0.0.51",
        "docker.io/kindest/kindnetd:v1",
        "docker.io/library/busybox:1",
        "r.example/team/app:1",
    ] {
        let mut site = Site::new();
        site.spec.images[0] = format!("docker://{image}").parse().expect("an image");
        site.get(&sources).expect_err("nothing is there");
    }
    let seen = server.seen();
    let tags = seen.iter().filter(|seen| seen.target.contains("/manifests/"));
    tags.map(|seen| seen.target["/v2/".len()..].replace("/manifests/", ":"))
        .collect()
}

#[test]
fn an_image_repository_has_the_names_that_minikube_gives_them() {
    assert_eq!(
        asked_of("k8s/", false),
        [
            "k8s/pause:3.10.2",
            "k8s/coredns/coredns:v1.14.6",
            "k8s/k8s-minikube/storage-provisioner:v5",
            "k8s/k8s-minikube/kicbase:v0.0.51",
            "hub/kindest/kindnetd:v1",
            "hub/library/busybox:1",
            "own/team/app:1",
        ]
    );
    assert_eq!(
        asked_of("", true),
        [
            "hangzhou/google_containers/pause:3.10.2",
            "hangzhou/google_containers/coredns:v1.14.6",
            "hangzhou/google_containers/storage-provisioner:v5",
            "hangzhou/google_containers/kicbase:v0.0.51",
            "hub/kindest/kindnetd:v1",
            "hub/library/busybox:1",
            "own/team/app:1",
        ]
    );
}

/// The world's registries, with this as the place for all images of Kubernetes' and minikube's.
fn with_place(world: &World, sandbox: &Sandbox, place: &str, more: &[&str]) -> Outcome {
    let host = place.split('/').next().unwrap_or_default();
    let flags = [
        format!("--image-repository={place}"),
        format!("--insecure-registry={host}"),
        "--level=fast".to_owned(),
    ];
    world.pack_also(sandbox, &flags, more)
}

/// How many blobs came from the server.
fn blobs(world: &World) -> usize {
    world.server.count("/blobs/")
}

#[test]
fn a_place_for_images_gives_them_and_the_registries_say_what_they_are() {
    let (world, mirror, sandbox) = (World::new(), World::new(), Sandbox::new());
    let place = format!("{}/k8s", mirror.server.host());
    let outcome = with_place(&world, &sandbox, &place, &[]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    // Nine images, each with a config and a layer.
    assert_eq!((blobs(&world), blobs(&mirror)), (0, 18));
    let lock = std::fs::read_to_string(sandbox.path("x.lock")).expect("a lock");
    assert!(!lock.contains("unverified = true"), "{lock}");
    assert_eq!(lock.matches("kind = \"registry-tag\"").count(), 8, "{lock}");
}

#[test]
fn a_place_for_images_alone_is_believed_when_the_user_says_so() {
    let world = World::with(|seen, reply| {
        if seen.target.starts_with("/v2/k8s") {
            Reply::status(200).fault(Fault::Silence)
        } else {
            reply
        }
    });
    let (mirror, sandbox) = (World::new(), Sandbox::new());
    let place = format!("{}/k8s", mirror.server.host());
    let kicbase = format!("--registry-mirror=gcr.io={}", mirror.server.host());
    let outcome = with_place(&world, &sandbox, &place, &[&kicbase]);
    assert_eq!(outcome.status, 2, "{outcome:?}");
    for words in [
        "error: nothing says what gcr.io/k8s-minikube/storage-provisioner:v5, registry.k8s.io/coredns/coredns:v1.14.6, ",
        "--accept-unverified registry.k8s.io/pause:3.10.2`",
        "or all that `--image-repository PLACE` has with `--accept-unverified PLACE`; the bundle will say so",
    ] {
        assert!(outcome.stderr.contains(words), "{words} in {outcome:?}");
    }
    let accept = [
        format!("--accept-unverified={place}"),
        "--accept-unverified=gcr.io/k8s-minikube/storage-provisioner:v5".to_owned(),
    ];
    let outcome = with_place(&world, &sandbox, &place, &[&kicbase, &accept[0], &accept[1]]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    // The node image is the one that minikube names by its digest.
    assert_eq!(outcome.stdout.matches("  UNVERIFIED\n").count(), 8, "{outcome:?}");
    assert_eq!(blobs(&world), 0);
}
