//! Images from a registry of our own.

use minikube_offline::bundle::{Arch, Digest, NamedBy, Namer, Platform, Transport, Verification};
use minikube_offline::failure::{Failure, Kind};
use minikube_offline::fetch::{self, Then};
use minikube_offline::progress::Silent;

use super::site::{APP, Site, fails, registry, serve, spoilt};
use super::world::{VERSION, World, other};
use crate::support::parts::write_archive_for;
use crate::support::program::Sandbox;
use crate::support::registry::{Draft, Packing, Registry};
use crate::support::server::Reply;

#[test]
fn an_image_comes_from_tag_to_layers_each_blob_once_whatever_its_media_types() {
    let mut tried = 0;
    for packing in [Packing::Gzip, Packing::Plain, Packing::Zstd] {
        for (oci, alone, silent) in [
            (false, false, false),
            (false, true, true),
            (true, false, true),
            (true, true, false),
        ] {
            let mut draft = Draft::new(Arch::Arm64, "app");
            draft.packing = packing;
            draft.oci = oci;
            let mut registry = Registry::default();
            if alone {
                registry.add_alone("team/app", "1", &draft);
            } else {
                registry.add(
                    "team/app",
                    "1",
                    &[Draft::new(Arch::Amd64, "other"), draft.clone()],
                );
            }
            registry.silent = silent;
            let server = serve(registry);
            let site = Site::new();
            let image = site.get(&Site::sources(&server)).expect("an image");
            assert_eq!(image.layers[0].diff_id, draft.diff_id);
            assert_eq!(image.pin.platform.to_string(), "linux/arm64");
            assert_eq!(
                image.pin.registry_manifest,
                Some(Digest::of(&draft.manifest("team/app")))
            );
            let verified = &image.pin.origin.verified_by[0];
            assert!(
                matches!(verified, Verification::RegistryTag { .. }),
                "{verified:?}"
            );
            assert_eq!(image.pin.origin.transport, Transport::Docker);
            // Config and layer, of this platform only.
            assert_eq!(server.count("/blobs/"), 2);
            // These, and what leads to them.
            assert_eq!(site.stored().len(), if alone { 3 } else { 4 });
            site.get(&Site::sources(&server)).expect("again");
            assert_eq!(server.count("/blobs/"), 2);
            tried += 1;
        }
    }
    assert_eq!(tried, 12);
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
    assert_eq!(
        image.pin.origin.verified_by[0],
        Verification::UserDigest { digest }
    );
    let (by, name) = (Namer::UserDigest, None);
    assert_eq!(image.pin.named_by, [NamedBy { digest, by, name }]);
    let liar = spoilt(registry, |seen, reply| {
        if seen.target.contains("/manifests/sha256:") {
            Reply::ok("{}").header("content-type", "application/vnd.oci.image.index.v1+json")
        } else {
            reply
        }
    });
    site.get(&Site::sources(&liar)).expect("from the store");
    std::fs::remove_dir_all(site.home().join(".cache")).expect("the store");
    let failure = site.get(&Site::sources(&liar)).expect_err("another manifest");
    assert_eq!(failure.kind, Kind::Damaged);
    assert!(
        failure.to_string().contains(&Digest::of(b"{}").to_string()),
        "{failure}"
    );
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
fn without_the_network_an_image_in_a_registry_is_refused() {
    let site = Site::new();
    let failure = Failure::from(fetch::resolve(&site.spec, None, Then::Fetch, &Silent).expect_err("offline"));
    assert_eq!(failure.kind, Kind::Usage);
    assert!(
        failure.to_string().contains("`docker://r.example/team/app:1`"),
        "{failure}"
    );
}

#[test]
fn an_image_for_one_platform_is_refused_before_downloads() {
    let world = World::new();
    let sandbox = Sandbox::new();
    let own = Platform::of_this_machine().expect("a platform").arch;
    let lacking = Platform { arch: other(own) };
    write_archive_for(
        own,
        &sandbox.path("app.tar"),
        "r.example/app:1",
        &[b"app".to_vec()],
    );
    let both = "--platform=linux/amd64,linux/arm64";
    let stub = format!("--stub={}", sandbox.stub_for(other(own)).display());
    let outcome = world.pack(
        &sandbox,
        VERSION,
        &[both, &stub, "--image=docker-archive:app.tar"],
    );
    assert_eq!(outcome.status, 2, "{outcome:?}");
    let said = format!(
        "error: `r.example/app:1` is in `app.tar`, and is not given for {lacking}\n\nhint: give it once for each \
         platform, `--image docker-archive:FILE` for one and another FILE for the other, or add `--image docker://NAME` \
         to have the rest downloaded\n"
    );
    assert!(outcome.stderr.ends_with(&said), "{outcome:?}");
    assert_eq!(world.server.count("/blobs/"), 0, "no image was asked for");
}
