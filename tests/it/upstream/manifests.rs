//! `--manifest`: the images that it names come with it.

use std::fs;

use minikube_offline::bundle::Digest;

use super::world::{VERSION, World};
use crate::support::program::{Sandbox, bytes};

fn pod(image: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec: {{containers: [{{name: a, image: '{image}'}}]}}\n"
    )
}

#[test]
fn the_images_of_a_manifest_are_packed_with_it() {
    let world = World::new();
    let sandbox = Sandbox::new();
    fs::write(sandbox.path("app.yaml"), pod("registry.k8s.io/hello:1")).unwrap();
    let flags = ["--manifest=app.yaml", "--level=fast"];
    let resolved = world.resolve(&sandbox, VERSION, &flags);
    assert_eq!(resolved.status, 0, "{resolved:?}");
    for line in ["docker://registry.k8s.io/hello:1: download", "app.yaml: given"] {
        assert!(resolved.stdout.contains(line), "{line} in {resolved:?}");
    }
    let first = world.pack(&sandbox, VERSION, &[&flags[..], &["--locked"]].concat());
    assert_eq!(first.status, 0, "{first:?}");
    let listed = sandbox.packager(["list", "x.run"]).stdout;
    assert!(
        listed.contains("own-image\tregistry.k8s.io/hello:1\t"),
        "{listed}"
    );
    // The same by a file, which may lie elsewhere.
    let bundle = bytes(&sandbox.path("x.run"));
    fs::create_dir(sandbox.path("spec")).unwrap();
    fs::rename(sandbox.path("app.yaml"), sandbox.path("spec/app.yaml")).unwrap();
    fs::write(sandbox.path("spec/b.toml"), "manifest = [\"app.yaml\"]\n").unwrap();
    let second = world.pack(&sandbox, VERSION, &["-f=spec/b.toml", "--level=fast", "--locked"]);
    assert_eq!(second.status, 0, "{second:?}");
    assert!(bytes(&sandbox.path("x.run")) == bundle);
}

#[test]
fn an_image_that_a_manifest_names_by_digest_is_that_one() {
    let world = World::new();
    let sandbox = Sandbox::new();
    let other = Digest::of(b"other");
    fs::write(
        sandbox.path("app.yaml"),
        pod(&format!("registry.k8s.io/hello:1@{other}")),
    )
    .unwrap();
    let outcome = world.pack(&sandbox, VERSION, &["--manifest=app.yaml", "--level=fast"]);
    assert_ne!(outcome.status, 0, "{outcome:?}");
    assert!(outcome.stderr.contains(&other.hex()), "{outcome:?}");
    fs::write(sandbox.path("app.yaml"), pod("registry.k8s.io/hello:none")).unwrap();
    let outcome = world.pack(&sandbox, VERSION, &["--manifest=app.yaml", "--level=fast"]);
    assert_ne!(outcome.status, 0, "{outcome:?}");
    assert!(
        outcome.stderr.contains("registry.k8s.io/hello:none"),
        "{outcome:?}"
    );
}
