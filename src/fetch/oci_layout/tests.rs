use std::io::Read;

use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::bundle::Arch;
use crate::failure::{Failure, Kind};
use crate::fetch::fixtures::{LayoutWriter, config, named, on};

const AMD64: Platform = Platform { arch: Arch::Amd64 };

fn layout() -> (TempDir, LayoutWriter) {
    let folder = tempfile::tempdir().expect("folder");
    let layout = LayoutWriter::new(&folder.path().join("layout"));
    (folder, layout)
}

fn name(layout: &LayoutWriter, wanted: Option<&str>) -> Result<String, FetchError> {
    read(&layout.folder, wanted, AMD64).map(|image| image.reference.to_string())
}

fn refused(layout: &LayoutWriter, wanted: Option<&str>) -> (String, Kind) {
    let failure = Failure::from(read(&layout.folder, wanted, AMD64).expect_err("refused"));
    let folder = layout.folder.display().to_string();
    (failure.error.to_string().replace(&folder, "DIR"), failure.kind)
}

#[test]
fn an_image_is_found_by_tag_and_by_full_name() {
    let (_folder, layout) = layout();
    let (one, two) = (
        layout.image(Arch::Amd64, b"one"),
        layout.image(Arch::Amd64, b"two"),
    );
    layout.finish(&[named(one, "tag"), named(two, "r.example/two:2")]);
    assert_eq!(
        name(&layout, Some("tag")).expect("tag"),
        "docker.io/library/layout:tag"
    );
    assert_eq!(
        name(&layout, Some("r.example/one:tag")).expect("tag"),
        "r.example/one:tag"
    );
    assert_eq!(
        name(&layout, Some("r.example/two:2")).expect("name"),
        "r.example/two:2"
    );
    assert_eq!(name(&layout, Some("2")).expect("tag of name"), "r.example/two:2");
    let (text, kind) = refused(&layout, Some("3"));
    assert_eq!(text, "`DIR` does not have 3; it has `tag`, `r.example/two:2`");
    assert_eq!(kind, Kind::Usage);
    let (text, _) = refused(&layout, Some("r.example/other:2"));
    assert!(
        text.starts_with("`DIR` does not have r.example/other:2"),
        "{text}"
    );
    let (text, _) = refused(&layout, None);
    assert_eq!(text, "`DIR` has more than one image: `tag`, `r.example/two:2`");
}

#[test]
fn containerds_annotation_is_the_full_name() {
    let (_folder, layout) = layout();
    let mut image = layout.image(Arch::Amd64, b"one");
    image["annotations"] = json!({ REF_NAME: "1", CONTAINERD_NAME: "docker.io/library/app:1" });
    layout.finish(&[image]);
    for wanted in [None, Some("1"), Some("app:1")] {
        assert_eq!(name(&layout, wanted).expect("image"), "docker.io/library/app:1");
    }
}

#[test]
fn an_image_without_a_name_must_be_given_one() {
    let (_folder, layout) = layout();
    layout.finish(&[layout.image(Arch::Amd64, b"one")]);
    assert_eq!(
        name(&layout, Some("r.example/app:1")).expect("image"),
        "r.example/app:1"
    );
    let (text, _) = refused(&layout, None);
    assert_eq!(text, "the image in `DIR` has no name");
    let (text, _) = refused(&layout, Some("1"));
    assert_eq!(text, "`DIR` does not have 1; it has none with a name");
}

#[test]
fn an_index_leads_to_the_platforms_image() {
    let (_folder, layout) = layout();
    let (arm64, amd64) = (
        layout.image(Arch::Arm64, b"arm64"),
        layout.image(Arch::Amd64, b"amd64"),
    );
    let index = layout.nested(&[on(arm64.clone(), "arm64"), on(amd64.clone(), "amd64")]);
    layout.finish(&[named(layout.nested(&[index]), "1")]);
    let image = read(&layout.folder, None, AMD64).expect("image");
    assert_eq!(image.platform, AMD64);
    let mut bytes = Vec::new();
    let (diff_id, blob) = &image.layers[0];
    blob.open()
        .expect("layer")
        .read_to_end(&mut bytes)
        .expect("layer");
    assert_eq!(
        (bytes.as_slice(), *diff_id),
        (&b"amd64"[..], Digest::of(b"amd64"))
    );

    layout.finish(&[
        named(on(arm64.clone(), "arm64"), "1"),
        named(on(amd64, "amd64"), "1"),
    ]);
    assert_eq!(
        read(&layout.folder, Some("1"), AMD64).expect("image").platform,
        AMD64
    );

    layout.finish(&[named(layout.nested(&[on(arm64, "arm64")]), "1")]);
    let (text, kind) = refused(&layout, None);
    assert_eq!(
        text,
        "`DIR` does not have an image for linux/amd64; it has `linux/arm64`"
    );
    assert_eq!(kind, Kind::Usage);
}

#[test]
fn what_is_no_image_with_layers_of_its_own_is_refused() {
    let (_folder, layout) = layout();
    let foreign = layout.blob("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", b"x");
    layout.finish(&[named(
        layout.manifest(&config(Arch::Amd64, &[b"x"]), &[foreign]),
        "1",
    )]);
    let (text, kind) = refused(&layout, None);
    assert!(
        text.ends_with("rootfs.foreign.diff.tar.gzip`, which cannot be carried"),
        "{text}"
    );
    assert_eq!(kind, Kind::Usage);

    let mut image = layout.image(Arch::Amd64, b"one");
    image["digest"] = json!(format!("sha512:{}", "0".repeat(128)));
    layout.finish(&[named(image.clone(), "1")]);
    assert!(refused(&layout, None).0.contains("which is not a SHA-256 digest"));
    image["digest"] = json!("sha256:../../../../etc/passwd");
    layout.finish(&[named(image, "1")]);
    assert!(refused(&layout, None).0.contains("which is not a SHA-256 digest"));
}

#[test]
fn damaged_blobs_are_named() {
    let (_folder, layout) = layout();
    let image = layout.image(Arch::Amd64, b"one");
    layout.finish(&[named(image.clone(), "1")]);
    let digest = image["digest"]
        .as_str()
        .expect("digest")
        .trim_start_matches("sha256:");
    let path = layout.folder.join("blobs/sha256").join(digest);
    let good = fs::read(&path).expect("manifest");

    let mut flipped = good.clone();
    flipped[5] ^= 1;
    fs::write(&path, &flipped).expect("file");
    let (text, kind) = refused(&layout, None);
    assert!(text.contains(&format!("`sha256:{digest}` has sha256:")), "{text}");
    assert_eq!(kind, Kind::Damaged);

    fs::write(&path, &good[1..]).expect("file");
    let (text, kind) = refused(&layout, None);
    let (found, expected) = (good.len() - 1, good.len());
    assert!(
        text.ends_with(&format!("has {found} bytes instead of {expected}")),
        "{text}"
    );
    assert_eq!(kind, Kind::Damaged);

    fs::remove_file(&path).expect("file");
    assert!(
        refused(&layout, None)
            .0
            .starts_with("cannot read `DIR/blobs/sha256/")
    );

    fs::write(layout.folder.join("index.json"), "{").expect("file");
    assert!(refused(&layout, None).0.contains("is not an OCI image index"));
    fs::remove_file(layout.folder.join("oci-layout")).expect("file");
    assert_eq!(
        refused(&layout, None).0,
        "`DIR` is not an OCI image layout: it has no `oci-layout`"
    );
}
