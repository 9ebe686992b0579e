//! `--manifest`: the images that it names come with it.

use std::fs;

use minikube_offline::bundle::Digest;

use super::world::{VERSION, World};
use crate::support::program::{Sandbox, bytes};

/// The list of `hello:1`, as the world has it.
fn list_of_hello(sandbox: &Sandbox, world: &World) -> String {
    let outcome = world.resolve(sandbox, VERSION, &["--image=docker://registry.k8s.io/hello:1"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let lock = fs::read_to_string(sandbox.path("x.lock")).unwrap();
    let image = lock.split("registry.k8s.io/hello:1").nth(1).unwrap();
    let tag = image.split("kind = \"registry-tag\"").nth(1).unwrap();
    tag.split("digest = \"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned()
}

#[test]
fn a_digest_in_a_manifest_counts_whoever_else_names_the_image() {
    let world = World::new();
    let sandbox = Sandbox::new();
    let list = list_of_hello(&sandbox, &world);
    let other = Digest::of(b"other").to_string();
    let write = |name: &str, image: &str| fs::write(sandbox.path(name), pod(image)).unwrap();
    write("tag.yaml", "registry.k8s.io/hello:1");
    write("digest.yaml", &format!("registry.k8s.io/hello:1@{list}"));
    write("other.yaml", &format!("registry.k8s.io/hello:1@{other}"));
    let by_tag = ["--manifest=tag.yaml", "--image=docker://registry.k8s.io/hello:1"];
    for named in by_tag {
        let outcome = world.resolve(&sandbox, VERSION, &[named, "--manifest=digest.yaml"]);
        assert_eq!(outcome.status, 0, "{outcome:?}");
        let lock = fs::read_to_string(sandbox.path("x.lock")).unwrap();
        let record = format!("[[image.named_by]]\ndigest = \"{list}\"\nby = \"user-manifest\"\n");
        assert!(lock.contains(&record), "{record} in {lock}");
        let outcome = world.resolve(&sandbox, VERSION, &[named, "--manifest=other.yaml"]);
        assert_eq!(outcome.status, 2, "{outcome:?}");
        assert!(outcome.stderr.contains(&other), "{outcome:?}");
    }
    // minikube's addon is of the other digest.
    for named in ["--manifest=digest.yaml", "--addon=greeter"] {
        let outcome = world.resolve(&sandbox, VERSION, &[named, "--manifest=other.yaml"]);
        assert_eq!(outcome.status, 2, "{outcome:?}");
        let words = "error: there are two different parts for the image `registry.k8s.io/hello:1`: ";
        assert!(outcome.stderr.contains(words), "{outcome:?}");
    }
}

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
    let listed = sandbox.packager(["list", "x.run", "--no-header"]).stdout;
    assert!(
        listed.contains("application\tregistry.k8s.io/hello:1\t"),
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
fn a_manifest_that_is_not_the_locks_is_refused_before_anything_is_asked_for() {
    let world = World::new();
    let sandbox = Sandbox::new();
    let flags = ["--manifest=app.yaml", "--level=fast", "--locked"];
    fs::write(sandbox.path("app.yaml"), pod("registry.k8s.io/hello:1")).unwrap();
    let resolved = world.resolve(&sandbox, VERSION, &flags[..2]);
    assert_eq!(resolved.status, 0, "{resolved:?}");
    let asked = world.server.seen().len();
    fs::write(sandbox.path("app.yaml"), pod("registry.k8s.io/none:1")).unwrap();
    for (flags, now) in [
        (&flags[..], "there is sha256:"),
        (&flags[1..], "there is nothing"),
    ] {
        let outcome = world.pack(&sandbox, VERSION, flags);
        assert_eq!(outcome.status, 4, "{outcome:?}");
        for words in ["the manifest `app.yaml` (line ", now, "`--manifest`"] {
            assert!(outcome.stderr.contains(words), "{words} in {outcome:?}");
        }
    }
    assert_eq!(world.server.seen().len(), asked);
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
