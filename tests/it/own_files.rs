//! Manifests and other files of the packer: in the bundle, and out of it again.

use std::fs;

use minikube_offline::bundle::Arch;
use serde_json::Value;

use crate::support::parts::{SampleParts, write_archive, write_archive_for};
use crate::support::program::{Outcome, Sandbox, bytes};

const APP: &str = "apiVersion: v1
kind: Pod
metadata: {name: app}
spec: {containers: [{name: app, image: 'registry.example/app:1'}]}
";

/// A bundle `x.run` with a manifest, its image, and two other files.
fn packed(sandbox: &Sandbox) {
    fs::write(sandbox.path("app.yaml"), APP).expect("a file");
    fs::write(sandbox.path("notes.txt"), "read me\n").expect("a file");
    fs::write(sandbox.path("empty"), "").expect("a file");
    let archive = sandbox.path("app.tar");
    write_archive_for(
        Arch::Arm64,
        &archive,
        "registry.example/app:1",
        &[b"app".to_vec()],
    );
    let parts = SampleParts::make(&sandbox.path("parts"), false);
    let image = format!("--image=docker-archive:{}", archive.display());
    let flags = [
        "--manifest=app.yaml",
        "--include=notes.txt",
        "--include=./empty",
        &image,
    ];
    sandbox.pack_with(&parts, "x.run", &flags);
}

#[test]
fn what_goes_in_comes_out() {
    let sandbox = Sandbox::new();
    packed(&sandbox);
    let listed = sandbox.packager(["list", "x.run", "--no-header"]).stdout;
    for line in ["manifest\tapp.yaml\t", "file\tempty\t0\t", "file\tnotes.txt\t8\t"] {
        let found = listed.lines().find(|listed| listed.starts_with(line));
        assert!(
            found.is_some_and(|found| found.ends_with("\tany")),
            "{line} in {listed}"
        );
    }
    let inspected = sandbox.packager(["inspect", "x.run"]).stdout;
    for part in [
        "~/.local/share/minikube-offline/bundles/minikube-offline-v1.34",
        "its manifests   the cluster",
    ] {
        assert!(inspected.contains(part), "{part} in {inspected}");
    }
    let sbom: Value = serde_json::from_str(&sandbox.packager(["inspect", "x.run", "--sbom"]).stdout).unwrap();
    let components = sbom["components"].as_array().unwrap();
    let manifest = components
        .iter()
        .find(|component| component["bom-ref"] == "manifests/app.yaml");
    assert_eq!(manifest.expect("the manifest")["type"], "file");
    assert_eq!(sandbox.packager(["verify", "--deep", "x.run"]).status, 0);
    for _ in 0..2 {
        let outcome = sandbox.packager(["extract", "--to=out", "--platform=linux/arm64", "x.run"]);
        assert_eq!(outcome.status, 0, "{outcome:?}");
        assert_eq!(bytes(&sandbox.path("out/manifests/app.yaml")), APP.as_bytes());
        assert_eq!(bytes(&sandbox.path("out/files/notes.txt")), b"read me\n");
        assert_eq!(bytes(&sandbox.path("out/files/empty")), b"");
    }
    let lock = fs::read_to_string(sandbox.path("x.lock")).unwrap();
    assert!(
        lock.contains("\n[[file]]\nrole = \"manifest\"\nname = \"app.yaml\"\n"),
        "{lock}"
    );
}

/// Packs `y.run` with these flags.
fn pack(sandbox: &Sandbox, flags: &[&str]) -> Outcome {
    let parts = SampleParts::make(&sandbox.path("parts"), false);
    let stub = format!("--stub={}", sandbox.stub().display());
    let flags = flags.iter().map(|flag| (*flag).to_owned());
    let arguments = ["pack".to_owned(), "-o=y.run".to_owned(), stub].into_iter();
    sandbox.packager(arguments.chain(parts.flags()).chain(flags))
}

#[test]
fn a_file_that_cannot_be_carried_is_named() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.path("a")).unwrap();
    for (path, content) in [
        ("values.yaml", "replicas: 3\n"),
        ("broken.yaml", "apiVersion: v1\nkind: [\n"),
        ("app.yaml", APP),
        ("a/app.yaml", "apiVersion: v1\nkind: Namespace\n"),
        ("my notes.txt", ""),
    ] {
        fs::write(sandbox.path(path), content).unwrap();
    }
    for (flags, says) in [
        (
            &["--manifest=values.yaml"][..],
            "`values.yaml` is no Kubernetes manifest: its object 1 has no `apiVersion`",
        ),
        (
            &["--manifest=broken.yaml"],
            "`broken.yaml` is no Kubernetes manifest: line ",
        ),
        (&["--manifest=none.yaml"], "cannot read `none.yaml`"),
        (&["--include=a"], "`a` should be a file; it is a directory"),
        (
            &["--include=my notes.txt"],
            "`my notes.txt` has a name that a bundle cannot carry",
        ),
        (
            &["--manifest=app.yaml", "--manifest=a/app.yaml"],
            "there are two different parts for the manifest `app.yaml`: `a/app.yaml` and `app.yaml`",
        ),
        (
            &["--manifest=app.yaml", "--offline"],
            "`app.yaml` names the image `registry.example/app:1`, which is not given for linux/arm64",
        ),
    ] {
        let outcome = pack(&sandbox, flags);
        assert_eq!(outcome.status, 2, "{outcome:?}");
        assert!(!sandbox.path("y.run").exists());
        assert!(outcome.stderr.contains(says), "{says} in {outcome:?}");
    }
}

#[test]
fn a_lock_holds_the_files_too() {
    let sandbox = Sandbox::new();
    packed(&sandbox);
    fs::write(sandbox.path("notes.txt"), "read us\n").unwrap();
    fs::copy(sandbox.path("x.lock"), sandbox.path("y.lock")).unwrap();
    let image = format!("--image=docker-archive:{}", sandbox.path("app.tar").display());
    let flags = [
        "--locked",
        "--manifest=app.yaml",
        "--include=notes.txt",
        "--include=empty",
        &image,
    ];
    let outcome = pack(&sandbox, &flags);
    assert_eq!(outcome.status, 4, "{outcome:?}");
    let lock = fs::read_to_string(sandbox.path("y.lock")).unwrap();
    let mut tables = lock.lines().enumerate().filter(|(_, line)| *line == "[[file]]");
    let (line, _) = tables.nth(2).expect("three files");
    let says = format!("the file `notes.txt` (line {}): the lock has sha256:", line + 1);
    assert!(outcome.stderr.contains(&says), "{says} in {outcome:?}");
}

#[test]
fn an_image_that_a_node_always_pulls_is_told_of() {
    let sandbox = Sandbox::new();
    fs::write(sandbox.path("app.yaml"), APP.replace("app:1", "app")).unwrap();
    let archive = sandbox.path("app.tar");
    write_archive(&archive, "registry.example/app:latest", &[b"app".to_vec()]);
    let image = format!("--image=docker-archive:{}", archive.display());
    let outcome = pack(&sandbox, &[&image, "--manifest=app.yaml"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let says = "`app.yaml`: a node pulls `registry.example/app` whenever it starts it";
    assert!(outcome.stderr.contains(says), "{outcome:?}");
}
