//! Signatures that nobody needs: whatever becomes of one, the part is packed.

use minikube_offline::bundle::{Arch, Digest, Unattested};
use minikube_offline::fetch::LocalImage;
use serde_json::json;

use super::site::{Site, serve, spoilt};
use super::world::{VERSION, World};
use crate::support::program::Sandbox;
use crate::support::registry::{Draft, Registry, Signing};
use crate::support::server::{Fault, Reply, Server};

const NONE: Option<Unattested> = Some(Unattested::NotFound);
const UNKNOWN: Option<Unattested> = Some(Unattested::NoAnswer);
const ONE: Option<Unattested> = None;
const BUNDLE: Option<Unattested> = Some(Unattested::SigstoreBundle);

const PAYLOAD: &[u8] = b"what is signed";

/// A registry whose image is signed, and the digest of its list.
fn signed(repository: &str) -> (Registry, Digest) {
    let mut registry = Registry::default();
    let digest = registry.add(repository, "1", &[Draft::new(Arch::Arm64, "app")]);
    let signing = Signing {
        payload: PAYLOAD.to_vec(),
        signature: "signature".to_owned(),
        certificate: "certificate".to_owned(),
    };
    registry.put_signature(repository, digest, signing);
    (registry, digest)
}

fn image(server: &Server) -> LocalImage {
    Site::new().get(&Site::sources(server)).expect("an image")
}

/// The image has an attestation, or none for this reason.
fn says(image: &LocalImage, unattested: Option<Unattested>, what: &str) {
    assert_eq!(image.pin.origin.unattested, unattested, "{what}");
    let count = usize::from(unattested.is_none());
    assert_eq!(image.pin.origin.attestations.len(), count, "{what}");
}

#[test]
fn whatever_fails_about_a_signature_the_image_is_packed() {
    let payload = format!("/blobs/{}", Digest::of(PAYLOAD));
    for (target, known) in [(payload.as_str(), UNKNOWN), (".sig", NONE)] {
        for (reply, words) in [
            (Reply::status(404), known),
            (Reply::status(403), known),
            (Reply::status(429).header("retry-after", 3600), UNKNOWN),
            (Reply::status(503), UNKNOWN),
            (Reply::ok(PAYLOAD).fault(Fault::Silence), UNKNOWN),
            (Reply::ok(PAYLOAD).fault(Fault::CutAfter(3)), UNKNOWN),
        ] {
            let what = format!("{target}: {reply:?}");
            let target = target.to_owned();
            let server = spoilt(signed("team/app").0, move |seen, whole| {
                if seen.target.ends_with(&target) {
                    reply.clone()
                } else {
                    whole
                }
            });
            says(&image(&server), words, &what);
        }
    }
    says(&image(&serve(signed("team/app").0)), ONE, "as it is");
    let other = spoilt(signed("team/app").0, move |seen, whole| {
        let is_payload = seen.target.ends_with(&payload);
        if is_payload {
            Reply::ok("another payload")
        } else {
            whole
        }
    });
    says(&image(&other), UNKNOWN, "another payload");
}

#[test]
fn a_payload_that_is_only_where_its_signature_is_comes_from_there() {
    // registry.k8s.io: signatures in one region, blobs asked for in the client's own.
    let (registry, _) = signed("team/app");
    let mut elsewhere = registry.clone();
    elsewhere.copy("team/app", "far/app");
    let far = serve(elsewhere);
    let there = far.url("/v2/far/app/manifests/");
    let payload = Digest::of(PAYLOAD).to_string();
    let near = spoilt(registry, move |seen, reply| {
        match seen.target.strip_prefix("/v2/team/app/manifests/sha256-") {
            Some(tag) => Reply::status(307).header("location", format!("{there}sha256-{tag}")),
            None if seen.target.ends_with(&payload) => Reply::status(404),
            None => reply,
        }
    });
    let image = image(&near);
    says(&image, ONE, "from there");
    let url = &image.pin.origin.attestations[0].url;
    assert!(
        url.starts_with(&near.url("/v2/team/app/manifests/sha256-")),
        "{url}"
    );
}

#[test]
fn a_sigstore_bundle_is_named_where_the_registry_lists_one() {
    let bundle = "application/vnd.dev.sigstore.bundle.v0.3+json";
    let index = "application/vnd.oci.image.index.v1+json";
    let entry = |artifact: serde_json::Value| {
        json!({ "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": Digest::of(b"x"), "size": 1,
            "artifactType": artifact, "annotations": null })
    };
    let list = |entries: serde_json::Value| {
        let list = json!({ "schemaVersion": 2, "mediaType": index, "manifests": entries });
        list.to_string().into_bytes()
    };
    let signed = list(json!([
        entry("application/spdx+json".into()),
        entry(bundle.into())
    ]));
    let other = list(json!([entry("application/spdx+json".into()), entry(json!(null))]));
    for (content, words) in [
        (signed, BUNDLE),
        (other, NONE),
        (list(json!(null)), NONE),
        (b"<html>".to_vec(), NONE),
    ] {
        for by_api in [true, false] {
            let mut registry = Registry::default();
            let digest = registry.add("team/app", "1", &[Draft::new(Arch::Arm64, "app")]);
            let path = if by_api {
                format!("team/app/referrers/{digest}")
            } else {
                format!("team/app/manifests/sha256-{}", digest.hex())
            };
            registry.put(path, content.clone(), index);
            says(&image(&serve(registry)), words, &format!("by the API: {by_api}"));
        }
    }
}

#[test]
fn a_server_whose_signatures_fail_is_noted_once_and_the_bundle_made() {
    let world = World::with(|seen, reply| {
        let is_signature = [".sig", ".cert"].iter().any(|end| seen.target.ends_with(end));
        if is_signature {
            Reply::status(503).body("busy")
        } else {
            reply
        }
    });
    let sandbox = Sandbox::new();
    let packed = world.pack(&sandbox, VERSION, &["--level=fast"]);
    assert_eq!(packed.status, 0, "{packed:?}");
    let host = world.server.host();
    for who in [&host, "kubeadm", "kubelet", "kubectl"] {
        let note = format!(
            "answered 503 (`busy`): going on without the signatures of publishers that {who} does not give\n"
        );
        assert_eq!(packed.stderr.matches(&note).count(), 1, "{who}: {packed:?}");
    }
    let shown = sandbox.packager(["inspect", "--output=json", "x.run"]).stdout;
    let has = |reason: &str| shown.contains(&format!(r#""unattested":"{reason}""#));
    assert!(has("no-answer") && !has("not-found"), "{shown}");
}
