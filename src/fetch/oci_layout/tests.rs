use std::fs;
use std::io::Read;

use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::bundle::Arch;
use crate::explain::{Explain, Explanation, Kind};
use crate::fetch::fixtures::{LayoutWriter, config, docker_archive, layout_tar, named, on};
use crate::fetch::scratch::Scratch;
use crate::fetch::tar_index::TarIndex;
use crate::oci::{CONTAINERD_NAME, REF_NAME};
use crate::progress::Silent;

const AMD64: Platform = Platform { arch: Arch::Amd64 };

fn layout() -> (TempDir, LayoutWriter) {
    let directory = tempfile::tempdir().expect("directory");
    let layout = LayoutWriter::new(&directory.path().join("layout"));
    (directory, layout)
}

fn read_one(layout: &LayoutWriter, wanted: Option<&str>) -> Result<FoundImage, FetchError> {
    let images = read(Place::Directory(&layout.directory), wanted, &[AMD64], &Silent)?;
    Ok(images.into_iter().next().expect("one at least"))
}

fn name(layout: &LayoutWriter, wanted: Option<&str>) -> Result<String, FetchError> {
    read_one(layout, wanted).map(|image| image.pin.reference.to_string())
}

fn refused(layout: &LayoutWriter, wanted: Option<&str>) -> (String, Kind) {
    let error = read_one(layout, wanted).expect_err("refused");
    let directory = layout.directory.display().to_string();
    (error.to_string().replace(&directory, "DIR"), error.explain().kind)
}

#[test]
fn an_image_is_found_by_tag_and_by_full_name() {
    let (_directory, layout) = layout();
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
    let (_directory, layout) = layout();
    let mut image = layout.image(Arch::Amd64, b"one");
    image["annotations"] = json!({ REF_NAME: "1", CONTAINERD_NAME: "docker.io/library/app:1" });
    layout.finish(&[image]);
    for wanted in [None, Some("1"), Some("app:1")] {
        assert_eq!(name(&layout, wanted).expect("image"), "docker.io/library/app:1");
    }
}

#[test]
fn an_image_without_a_name_must_be_given_one() {
    let (_directory, layout) = layout();
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
    let (_directory, layout) = layout();
    let (arm64, amd64) = (
        layout.image(Arch::Arm64, b"arm64"),
        layout.image(Arch::Amd64, b"amd64"),
    );
    let index = layout.nested(&[on(arm64.clone(), "arm64"), on(amd64.clone(), "amd64")]);
    layout.finish(&[named(layout.nested(&[index]), "1")]);
    let image = read_one(&layout, None).expect("image");
    assert_eq!(image.pin.platform, AMD64);
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
    assert_eq!(read_one(&layout, Some("1")).expect("image").pin.platform, AMD64);

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
    let (_directory, layout) = layout();
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
    let (_directory, layout) = layout();
    let image = layout.image(Arch::Amd64, b"one");
    layout.finish(&[named(image.clone(), "1")]);
    let digest = image["digest"]
        .as_str()
        .expect("digest")
        .trim_start_matches("sha256:");
    let path = layout.directory.join("blobs/sha256").join(digest);
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
    let lacks = format!("`DIR` lists an image for linux/amd64, and does not have its blob `sha256:{digest}`");
    assert_eq!(refused(&layout, None), (lacks, Kind::Usage));

    fs::write(layout.directory.join("index.json"), "{").expect("file");
    assert!(refused(&layout, None).0.contains("is not an OCI image index"));
    fs::remove_file(layout.directory.join("oci-layout")).expect("file");
    assert_eq!(
        refused(&layout, None).0,
        "`DIR` is not an OCI image layout: it has no `oci-layout`"
    );
}

#[test]
fn a_layout_in_an_archive_is_read_as_in_a_directory() {
    let (directory, layout) = layout();
    layout.finish(&[named(layout.image(Arch::Amd64, b"one"), "1")]);
    let bytes = layout_tar(&layout, &[]);
    let packed = zstd::encode_all(&bytes[..], 1).expect("zstd");
    for (name, bytes, called) in [
        ("app.tar", &bytes, "docker.io/library/app:1"),
        ("app.oci.tar.zst", &packed, "docker.io/library/app:1"),
        (
            "b.tgz",
            &crate::fetch::fixtures::gzip(&bytes),
            "docker.io/library/b:1",
        ),
    ] {
        let path = directory.path().join(name);
        fs::write(&path, bytes).expect("file");
        let scratch = Scratch::beside(&directory.path().join("out"));
        let tar = TarIndex::open(&path, &scratch).expect("tar");
        let read = |wanted| read(Place::Archive(&tar), wanted, &[AMD64], &Silent).expect("image");
        let images = read(None);
        assert_eq!(images[0].pin.reference.to_string(), called);
        assert_eq!(
            (images[0].pin.origin.transport, images[0].place.as_str()),
            (crate::bundle::Transport::OciArchive, path.to_str().expect("text"))
        );
        assert_eq!(
            read(Some("r.example/x:1"))[0].pin.reference.to_string(),
            "r.example/x:1"
        );
        let mut layer = Vec::new();
        let blob = images[0].layers[0].1.open();
        blob.expect("layer").read_to_end(&mut layer).expect("layer");
        assert_eq!(layer, b"one");
    }
}

#[test]
fn nameless_images_of_several_platforms_take_one_name() {
    let (_directory, layout) = layout();
    let of = |arch: Arch, layer| on(layout.image(arch, layer), arch.name());
    let attestation = on(layout.manifest(b"{}", &[]), "unknown");
    layout.finish(&[of(Arch::Amd64, b"one"), of(Arch::Arm64, b"two"), attestation]);
    let both = [AMD64, Platform { arch: Arch::Arm64 }];
    let images = read(
        Place::Directory(&layout.directory),
        Some("r.example/app:1"),
        &both,
        &Silent,
    );
    let images: Vec<String> = images
        .expect("images")
        .iter()
        .map(|image| format!("{} {}", image.pin.reference, image.pin.platform))
        .collect();
    assert_eq!(
        images,
        ["r.example/app:1 linux/amd64", "r.example/app:1 linux/arm64"]
    );
}

#[test]
fn what_is_no_layout_is_named_with_its_transport() {
    let (directory, layout) = layout();
    let refused = |place: Place<'_>| {
        let error = read(place, None, &[AMD64], &Silent).expect_err("no layout");
        let Explanation { kind, hints } = error.explain();
        let text = format!("{error}; {}", hints.concat());
        let dir = directory.path().display().to_string();
        (text.replace(&dir, "DIR"), kind)
    };
    let path = directory.path().join("app.tar");
    fs::write(&path, docker_archive(&["app:1"], b"layer")).expect("file");
    let tar = TarIndex::open(&path, &Scratch::beside(&path)).expect("tar");
    let expected = "`DIR/app.tar` is an archive as `docker save` writes it, without an OCI layout; \
                    give it as `docker-archive:DIR/app.tar`";
    assert_eq!(refused(Place::Archive(&tar)), (expected.to_owned(), Kind::Usage));
    layout.finish(&[named(layout.image(Arch::Amd64, b"one"), "1")]);
    fs::write(&path, layout_tar(&layout, &[])).expect("file");
    let expected =
        "`DIR/app.tar` is an archive, not a layout's directory; give it as `oci-archive:DIR/app.tar`";
    assert_eq!(
        refused(Place::Directory(&path)),
        (expected.to_owned(), Kind::Usage)
    );
}
