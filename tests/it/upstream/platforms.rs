//! Images whose index and config name different platforms, and indexes of every shape.

use minikube_offline::bundle::{Arch, Digest, ImageConfig, Verification};
use minikube_offline::failure::Kind;
use serde_json::json;

use super::site::{Site, fails, said, serve};
use super::world::{VERSION, World};
use crate::support::authority::{Authority, KUBERNETES};
use crate::support::program::{Sandbox, bytes};
use crate::support::registry::{Draft, Registry};

/// The image index of OCI.
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// For arm64 by its list, for amd64 by its config.
fn mislabelled() -> Draft {
    Draft {
        config_arch: Arch::Amd64,
        ..Draft::new(Arch::Arm64, "app")
    }
}

/// A registry with `entries` as the index of `team/app:1`, and what `drafts` are.
fn indexed(drafts: &[Draft], index: &serde_json::Value) -> Registry {
    let mut registry = Registry::default();
    registry.add("team/app", "other", drafts);
    let index = index.to_string().into_bytes();
    registry.put("team/app/manifests/1".to_owned(), index, INDEX);
    registry
}

#[test]
fn a_config_of_another_platform_is_corrected_as_the_index_says() {
    let mut registry = Registry::default();
    registry.add(
        "team/app",
        "1",
        &[Draft::new(Arch::Amd64, "other"), mislabelled()],
    );
    let server = serve(registry);
    let image = Site::new().get(&Site::sources(&server)).expect("an image");
    assert_eq!(image.pin.platform.to_string(), "linux/arm64");
    let config = ImageConfig::parse(&image.config_json).expect("a config");
    assert_eq!(config.platform, image.pin.platform);
    assert_eq!(image.pin.config, Digest::of(&image.config_json));
    let original = Digest::of(&mislabelled().config("team/app"));
    let corrected = Verification::CorrectedPlatform {
        subject: "linux/amd64".to_owned(),
        digest: original,
    };
    assert!(
        image.pin.origin.verified_by.contains(&corrected),
        "{:?}",
        image.pin.origin
    );
    // The manifest is the registry's, for who asks there again.
    let manifest = Digest::of(&mislabelled().manifest("team/app"));
    assert_eq!(image.pin.registry_manifest, Some(manifest));
}

#[test]
fn an_index_with_one_manifest_for_two_platforms_is_refused() {
    let truly_amd64 = mislabelled();
    let mut same = truly_amd64.clone();
    same.arch = Arch::Amd64;
    let manifest = Digest::of(&truly_amd64.manifest("team/app"));
    let mut registry = Registry::default();
    registry.add("team/app", "1", &[same, truly_amd64]);
    let failure = fails(&serve(registry));
    assert_eq!(failure.kind, Kind::Usage);
    assert_eq!(
        said(&failure),
        format!(
            "`r.example/team/app:1` is not there for linux/arm64: its index has one manifest, {manifest}, for \
             linux/amd64 and linux/arm64, and the config of that says linux/amd64"
        )
    );
}

#[test]
fn a_manifest_without_an_index_is_what_its_config_says() {
    let mut registry = Registry::default();
    registry.add_alone("team/app", "1", &mislabelled());
    let alone = serve(registry);
    let draft = mislabelled();
    let digest = Digest::of(&draft.manifest("team/app"));
    let entry = json!({ "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "digest": digest, "size": draft.manifest("team/app").len() });
    let unlabelled = serve(indexed(
        &[draft],
        &json!({ "schemaVersion": 2, "manifests": [entry] }),
    ));
    for server in [alone, unlabelled] {
        let failure = fails(&server);
        assert_eq!(failure.kind, Kind::Usage);
        assert_eq!(
            said(&failure),
            "`r.example/team/app:1` is not there for linux/arm64; it is there for linux/amd64"
        );
    }
}

#[test]
fn an_index_of_one_or_in_another_leads_to_the_image() {
    let draft = Draft::new(Arch::Arm64, "app");
    let bytes = draft.manifest("team/app");
    let entry = json!({ "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "digest": Digest::of(&bytes), "size": bytes.len() });
    let one = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [entry] });
    let inner = one.to_string().into_bytes();
    let nested = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [
        { "mediaType": INDEX, "digest": Digest::of(&inner), "size": inner.len() } ] });
    for index in [&one, &nested] {
        let mut registry = indexed(std::slice::from_ref(&draft), index);
        let path = format!("team/app/manifests/{}", Digest::of(&inner));
        registry.put(path, inner.clone(), INDEX);
        let image = Site::new().get(&Site::sources(&serve(registry)));
        assert_eq!(
            image.expect("an image").pin.registry_manifest,
            Some(Digest::of(&bytes))
        );
    }
    // An index that names itself cannot be made; many in one another can.
    let mut registry = indexed(&[draft], &nested);
    let (mut content, mut outermost) = (inner, Digest::of(b""));
    for _ in 0..5 {
        outermost = Digest::of(&content);
        registry.put(format!("team/app/manifests/{outermost}"), content.clone(), INDEX);
        let outer =
            json!({ "manifests": [{ "mediaType": INDEX, "digest": outermost, "size": content.len() }] });
        content = outer.to_string().into_bytes();
    }
    registry.put("team/app/manifests/1".to_owned(), content, INDEX);
    let failure = fails(&serve(registry));
    assert_eq!(failure.kind, Kind::Damaged);
    assert!(
        said(&failure).ends_with("lies in more than 3 indexes, one in the other"),
        "{failure} {outermost}"
    );
}

#[test]
fn an_arm64_bundle_has_corrected_configs_and_their_signatures() {
    let sandbox = Sandbox::new();
    let Some(authority) = Authority::new(&sandbox.path("authority"), KUBERNETES) else {
        return;
    };
    let world = World::build(Some(&authority), |_, reply| reply);
    let platform = "--platform=linux/arm64";
    let mut arguments = world.arguments(VERSION, &[platform, "--level=fast"]);
    arguments.retain(|argument| !argument.starts_with("--stub="));
    arguments.push(format!("--stub={}", sandbox.stub_for(Arch::Arm64).display()));
    let packed = sandbox.packager(&arguments);
    assert_eq!(packed.status, 0, "{packed:?}");
    let first = bytes(&sandbox.path("x.run"));
    // The same by the lock, which has the manifests alone.
    arguments.push("--locked".to_owned());
    let again = sandbox.packager(&arguments);
    assert_eq!(again.status, 0, "{again:?}");
    assert!(bytes(&sandbox.path("x.run")) == first);

    let root = format!("--trusted-root={}", authority.root().display());
    let checked = sandbox.packager(["verify", "--deep", "--attestations", &root, "x.run"]);
    assert_eq!(checked.status, 0, "{checked:?}");
    let says = format!("\nregistry.k8s.io/etcd:3.7.0-0: by {KUBERNETES} ");
    assert!(checked.stdout.contains(&says), "{}", checked.stdout);
    let shown = sandbox.packager(["inspect", "--output=json", "x.run"]).stdout;
    let corrected = shown.matches(r#""kind":"corrected-platform""#).count();
    assert_eq!(corrected, 2, "{shown}");
}
