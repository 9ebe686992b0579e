//! `inspect --sbom`.

use cyclonedx_bom::prelude::*;
use minikube_offline::bundle::{Arch, Digest};
use serde_json::Value;

use crate::support::parts::{SampleParts, write_archive_of};
use crate::support::program::Sandbox;

#[test]
fn a_page_shows_every_part_and_loads_nothing() {
    let sandbox = Sandbox::new();
    sandbox.sample_bundle("b.run");
    let outcome = sandbox.packager(["inspect", "b.run", "--html", "b.html"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let page = std::fs::read_to_string(sandbox.path("b.html")).unwrap();
    let list = sandbox.packager(["list", "b.run", "--no-header"]);
    for line in list.stdout.lines() {
        let name = line.split_whitespace().nth(1).unwrap();
        assert!(page.contains(name), "{name} in {page}");
    }
    for absent in ["<script", "src=", "href=", "url(", "@import"] {
        assert!(!page.contains(absent), "{absent} in {page}");
    }
    // Beneath a file nothing can be written.
    let outcome = sandbox.packager(["inspect", "b.run", "--html", "b.run/b.html"]);
    assert_eq!(outcome.status, 5, "{outcome:?}");
    assert!(outcome.stderr.contains("b.html"), "{outcome:?}");
}

#[test]
fn the_bill_of_materials_names_every_part_and_is_valid() {
    let sandbox = Sandbox::new();
    sandbox.sample_bundle("b.run");
    let outcome = sandbox.packager(["inspect", "b.run", "--sbom"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(outcome.stderr.contains("not signed"), "{outcome:?}");
    let bom = Bom::parse_from_json_v1_5(outcome.stdout.as_bytes()).expect("CycloneDX");
    let judged = bom.validate_version(SpecVersion::V1_5);
    assert!(judged.passed(), "{judged:#?}");

    let value: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    let listed = sandbox.packager(["list", "b.run", "--no-header"]).stdout;
    let components = value["components"].as_array().expect("components");
    assert_eq!(components.len(), listed.lines().count());
    for line in listed.lines() {
        let cells: Vec<&str> = line.split('\t').collect();
        let found = components.iter().any(|component| {
            let named = component["bom-ref"]
                .as_str()
                .is_some_and(|named| named.starts_with(cells[1]));
            let hex = Digest::parse(cells[3]).expect("a digest").hex();
            named && component.to_string().contains(&hex)
        });
        assert!(found, "{line}");
    }
    // Twice the same, and one object of a line for a program.
    assert_eq!(
        sandbox.packager(["inspect", "b.run", "--sbom"]).stdout,
        outcome.stdout
    );
    let json = sandbox.packager(["inspect", "b.run", "--sbom", "--output", "json"]);
    let last: Value = serde_json::from_str(json.stdout.lines().last().expect("a line")).expect("JSON");
    assert_eq!((&last["type"], &last["sbom"]), (&"result".into(), &value));
}

/// An image as Debian's are: os-release, dpkg's database, a file of copyright.
pub(crate) fn debian_layer() -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, text) in [
        ("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n"),
        (
            "var/lib/dpkg/status",
            "Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:1.2.13\n",
        ),
        ("usr/share/doc/zlib1g/copyright", "License: Zlib or other\n"),
        ("var/lib/rpm/rpmdb.sqlite", "SQLite"),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, path, text.as_bytes())
            .expect("memory");
    }
    tar.into_inner().expect("memory")
}

#[test]
fn packages_inside_images_are_listed_with_their_licenses() {
    let sandbox = Sandbox::new();
    write_archive_of(
        Arch::Arm64,
        &sandbox.path("app.tar"),
        "registry.example/app:1",
        &[debian_layer()],
    );
    let parts = SampleParts::make(&sandbox.path("parts"), false);
    let image = "--image=docker-archive:app.tar";
    sandbox.pack_with(&parts, "b.run", &[image]);
    let outcome = sandbox.packager(["inspect", "b.run", "--sbom"]);
    let bom = Bom::parse_from_json_v1_5(outcome.stdout.as_bytes()).expect("CycloneDX");
    let judged = bom.validate_version(SpecVersion::V1_5);
    assert!(judged.passed(), "{judged:#?}");
    let value: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    let components = value["components"].as_array().expect("components");
    let app = components
        .iter()
        .find(|component| component["name"] == "registry.example/app");
    let app = app.expect("the image");
    let expected = serde_json::json!([{
        "bom-ref": "registry.example/app:1 linux/arm64 pkg:deb/debian/zlib1g@1:1.2.13?arch=amd64&distro=debian-12",
        "type": "library",
        "name": "zlib1g",
        "version": "1:1.2.13",
        "purl": "pkg:deb/debian/zlib1g@1:1.2.13?arch=amd64&distro=debian-12",
        "licenses": [{ "license": { "name": "Zlib or other" } }],
    }]);
    assert_eq!(app["components"], expected);
    assert!(
        app["properties"].to_string().contains("var/lib/rpm/rpmdb.sqlite"),
        "{app}"
    );

    let outcome = sandbox.packager(["inspect", "b.run", "--sbom=spdx"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let value: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    assert_eq!(value["spdxVersion"], "SPDX-2.3");
    let packages = value["packages"].as_array().expect("packages");
    let zlib = packages
        .iter()
        .find(|package| package["name"] == "zlib1g")
        .expect("zlib1g");
    let license = zlib["licenseDeclared"].as_str().expect("a licence");
    assert!(license.starts_with("LicenseRef-Zlib-or-other-"), "{license}");
    let named = value["hasExtractedLicensingInfos"].as_array().expect("licences");
    assert!(
        named
            .iter()
            .any(|named| named["licenseId"] == license && named["name"] == "Zlib or other")
    );
    // Each element is in exactly one other, and the document describes the bundle.
    let relations = value["relationships"].as_array().expect("relationships");
    assert_eq!(relations.len(), packages.len());
    for package in packages {
        let inside = relations
            .iter()
            .filter(|relation| relation["relatedSpdxElement"] == package["SPDXID"]);
        assert_eq!(inside.count(), 1, "{package}");
    }
    // The second reader takes the bundle, and finds the list where the index has it.
    let read = sandbox.packager(["verify", "--deep", "b.run"]);
    assert_eq!(read.status, 0, "{read:?}");
}
