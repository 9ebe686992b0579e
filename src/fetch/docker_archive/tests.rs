use std::fs;
use std::io::Read;

use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::bundle::Arch;
use crate::explain::{Explain, Kind};
use crate::fetch::fixtures::{LayoutWriter, config, docker_archive, gzip, layout_tar, named, on, tar};
use crate::fetch::scratch::Scratch;
use crate::progress::Silent;

const AMD64: Platform = Platform { arch: Arch::Amd64 };

fn open(bytes: &[u8], wanted: Option<&str>) -> (TempDir, Result<Vec<FoundImage>, FetchError>) {
    let directory = tempfile::tempdir().expect("directory");
    let path = directory.path().join("image.tar");
    fs::write(&path, bytes).expect("file");
    let wanted = wanted.map(|name| ImageReference::parse(name).expect(name));
    let scratch = Scratch::beside(&directory.path().join("out"));
    let images = TarIndex::open(&path, &scratch)
        .and_then(|tar| read(&tar, wanted.as_ref(), &[AMD64], Transport::DockerArchive, &Silent));
    (directory, images)
}

fn names(images: &[FoundImage]) -> Vec<String> {
    images
        .iter()
        .map(|image| image.pin.reference.to_string())
        .collect()
}

fn layer(image: &FoundImage, number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (_, blob) = &image.layers[number];
    blob.open()
        .expect("layer")
        .read_to_end(&mut bytes)
        .expect("layer");
    bytes
}

fn refused(bytes: &[u8], wanted: Option<&str>) -> (String, Kind) {
    let (directory, images) = open(bytes, wanted);
    let error = images.expect_err("refused");
    let path = directory.path().display().to_string();
    (error.to_string().replace(&path, "DIR"), error.explain().kind)
}

#[test]
fn every_name_of_every_image_is_taken_or_the_one_asked_for() {
    let archive = docker_archive(&["app:1", "r.example/app:1"], b"layer");
    let (_directory, images) = open(&archive, None);
    let images = images.expect("images");
    assert_eq!(names(&images), ["docker.io/library/app:1", "r.example/app:1"]);
    assert_eq!(layer(&images[0], 0), b"layer");
    let (_directory, images) = open(&archive, Some("r.example/app:1"));
    assert_eq!(names(&images.expect("image")), ["r.example/app:1"]);
}

#[test]
fn linked_compressed_and_new_layers_are_opened() {
    let layers: [&[u8]; 4] = [b"one", b"two", b"three", b"one"];
    let config = config(Arch::Amd64, &layers);
    let config_name = format!("blobs/sha256/{}", Digest::of(&config).hex());
    let zstd = zstd::encode_all(layers[2], 1).expect("memory");
    let long = format!("{}/layer.tar", "x".repeat(180));
    let manifest = json!([{
        "Config": config_name,
        "RepoTags": ["app:1"],
        "Layers": [long, "two.tar.gz", "blobs/sha256/three", "four/layer.tar"],
    }]);
    let link = format!("four/layer.tar -> ../{long}");
    let archive = tar(&[
        ("manifest.json", manifest.to_string().as_bytes()),
        (&link, b""),
        (&long, b"one"),
        ("two.tar.gz", &gzip(layers[1])),
        ("./blobs/sha256/three", &zstd),
        (&config_name, &config),
    ]);
    let (_directory, images) = open(&archive, None);
    let images = images.expect("image");
    for (number, content) in layers.iter().enumerate() {
        assert_eq!(layer(&images[0], number), *content);
    }
}

#[test]
fn an_archive_without_the_tag_lists_those_it_has() {
    let archive = docker_archive(&["app:1", "app:2"], b"layer");
    let (text, kind) = refused(&archive, Some("app:3"));
    assert_eq!(
        text,
        "`DIR/image.tar` does not have docker.io/library/app:3; \
         it has `docker.io/library/app:1`, `docker.io/library/app:2`"
    );
    assert_eq!(kind, Kind::Usage);
}

#[test]
fn an_image_without_a_tag_takes_the_name_that_is_given() {
    let config = config(Arch::Amd64, &[b"layer"]);
    for tags in [json!([]), json!(null), json!(["<none>:<none>"])] {
        let manifest = json!([{ "Config": "c.json", "RepoTags": tags, "Layers": ["l.tar"] }]);
        let manifest = manifest.to_string();
        let archive = tar(&[
            ("c.json", &config),
            ("l.tar", b"layer"),
            ("manifest.json", manifest.as_bytes()),
        ]);
        let (_directory, images) = open(&archive, Some("r.example/app:1"));
        assert_eq!(names(&images.expect("image")), ["r.example/app:1"]);
        let (directory, images) = open(&archive, None);
        let error = images.expect_err("no name");
        let path = directory.path().join("image.tar");
        assert_eq!(
            error.to_string(),
            format!("the image in `{}` has no name", path.display())
        );
        let hint = format!(
            "give it one in full: `docker-archive:{}:registry.example/app:1`; or save it by its name, not by its id",
            path.display()
        );
        assert_eq!(error.explain(), Kind::Usage.hint(hint));
    }
    let other = crate::fetch::fixtures::config(Arch::Amd64, &[b"other"]);
    let manifest = json!([
        { "Config": "c.json", "Layers": ["l.tar"] },
        { "Config": "d.json", "RepoTags": [], "Layers": ["m.tar"] },
    ]);
    let (text, kind) = refused(
        &tar(&[
            ("c.json", &config),
            ("d.json", &other),
            ("l.tar", b"layer"),
            ("m.tar", b"other"),
            ("manifest.json", manifest.to_string().as_bytes()),
        ]),
        Some("app:1"),
    );
    let (first, second) = (Digest::of(&config), Digest::of(&other));
    assert_eq!(
        text,
        format!("`DIR/image.tar` has more than one image: `{first}`, `{second}`")
    );
    assert_eq!(kind, Kind::Usage);
    // A name is not given away where others have one.
    let (text, _) = refused(&docker_archive(&["app:1"], b"layer"), Some("app:3"));
    assert!(text.ends_with("it has `docker.io/library/app:1`"), "{text}");
}

#[test]
fn a_compressed_archive_is_read_as_the_plain_one() {
    let archive = docker_archive(&["app:1"], b"layer");
    for packed in [gzip(&archive), zstd::encode_all(&archive[..], 1).expect("zstd")] {
        let (directory, images) = open(&packed, None);
        let images = images.expect("image");
        assert_eq!(names(&images), ["docker.io/library/app:1"]);
        let given = directory.path().join("image.tar");
        assert_eq!(images[0].place, given.display().to_string());
        let cut = &packed[..packed.len() - 9];
        let (text, kind) = refused(cut, None);
        let what = if packed[0] == 0x1f { "gzip" } else { "zstd" };
        assert_eq!(
            text,
            format!("`DIR/image.tar` is damaged: `its {what} data` cannot be decoded")
        );
        assert_eq!(kind, Kind::Damaged);
    }
}

/// What containerd's store writes for two platforms: all in the index, one in
/// `manifest.json`.
fn of_containerd(layout: &LayoutWriter, layers: &[(Arch, &[u8])], in_manifest: Arch) -> Vec<u8> {
    let mut listed = Vec::new();
    for (arch, layer) in layers {
        let attestation = layout.manifest(b"{}", &[]);
        listed.push(on(layout.image(*arch, layer), arch.name()));
        listed.push(on(attestation, "unknown"));
    }
    let mut index = layout.nested(&listed);
    index["annotations"] = json!({
        "io.containerd.image.name": "docker.io/library/app:1",
        "org.opencontainers.image.ref.name": "1",
    });
    layout.finish(&[index]);
    let (_, layer) = layers
        .iter()
        .find(|(arch, _)| *arch == in_manifest)
        .expect("listed");
    let path = |bytes: &[u8]| format!("blobs/sha256/{}", Digest::of(bytes).hex());
    let manifest = json!([{
        "Config": path(&config(in_manifest, &[layer])),
        "RepoTags": ["app:1"],
        "Layers": [path(&gzip(layer))],
    }]);
    layout_tar(layout, &[("manifest.json", manifest.to_string().as_bytes())])
}

fn platforms_of(bytes: &[u8], wanted: &[Platform]) -> Vec<String> {
    let directory = tempfile::tempdir().expect("directory");
    let path = directory.path().join("image.tar");
    fs::write(&path, bytes).expect("file");
    let scratch = Scratch::beside(&directory.path().join("out"));
    let tar = TarIndex::open(&path, &scratch).expect("tar");
    let images = read(&tar, None, wanted, Transport::DockerArchive, &Silent).expect("images");
    assert!(
        images
            .iter()
            .all(|image| image.pin.origin.transport == Transport::DockerArchive)
    );
    assert!(
        names(&images)
            .iter()
            .all(|name| name == "docker.io/library/app:1")
    );
    images
        .iter()
        .map(|image| image.pin.platform.to_string())
        .collect()
}

#[test]
fn every_wanted_platform_is_found_in_containerds_archive() {
    let arm64 = Platform { arch: Arch::Arm64 };
    let directory = tempfile::tempdir().expect("directory");
    let layout = LayoutWriter::new(directory.path());
    let both: [(Arch, &[u8]); 2] = [(Arch::Amd64, b"one"), (Arch::Arm64, b"two")];
    for in_manifest in [Arch::Amd64, Arch::Arm64] {
        let archive = of_containerd(&layout, &both, in_manifest);
        let mut found = platforms_of(&archive, &[AMD64, arm64]);
        found.sort();
        assert_eq!(found, ["linux/amd64", "linux/arm64"]);
        assert_eq!(platforms_of(&archive, &[AMD64]), ["linux/amd64"]);
        assert_eq!(platforms_of(&archive, &[arm64]), ["linux/arm64"]);
    }
    // The whole index, and the blobs of one platform.
    let archive = of_containerd(&layout, &both, Arch::Amd64);
    let manifest = Digest::of(&config(Arch::Arm64, &[b"two"])).hex();
    fs::remove_file(layout.directory.join("blobs/sha256").join(&manifest)).expect("a blob");
    let partial = layout_tar(&layout, &[("manifest.json", &manifest_of(&archive))]);
    assert_eq!(platforms_of(&partial, &[AMD64, arm64]), ["linux/amd64"]);
}

fn manifest_of(archive: &[u8]) -> Vec<u8> {
    let mut archive = ::tar::Archive::new(archive);
    let entry = archive.entries().expect("tar").map(|entry| entry.expect("entry"));
    let mut found = entry.filter(|entry| entry.path_bytes().as_ref() == b"manifest.json");
    let mut bytes = Vec::new();
    found
        .next()
        .expect("manifest.json")
        .read_to_end(&mut bytes)
        .expect("memory");
    bytes
}

#[test]
fn what_is_of_another_form_is_named_with_its_transport() {
    let directory = tempfile::tempdir().expect("directory");
    let layout = LayoutWriter::new(directory.path());
    layout.finish(&[named(layout.image(Arch::Amd64, b"one"), "app:1")]);
    let (text, kind) = refused(&layout_tar(&layout, &[]), None);
    assert_eq!(
        text,
        "`DIR/image.tar` is an archive of an OCI layout, without docker's `manifest.json`"
    );
    assert_eq!(kind, Kind::Usage);
}

#[test]
fn a_file_that_is_no_archive_is_named_for_what_it_is() {
    let archive = docker_archive(&["app:1"], b"layer");
    for (bytes, expected) in [
        (
            &b"just text\n"[..],
            "should be an archive of images; it is a text file",
        ),
        (b"", "should be an archive of images; it is an empty file"),
        (b"\xfd7zXZ\0\0\x04", "is xz data, which is not unpacked here"),
        (b"BZh91AY&SY", "is bzip2 data, which is not unpacked here"),
        (&gzip(&gzip(&archive)), "is gzip data, which is not unpacked here"),
        (
            &tar(&[("other", b"x")]),
            "should be an archive of images; it is a tar without `manifest.json`",
        ),
        (
            &[0; 2048],
            "should be an archive of images; it is data of an unknown kind",
        ),
    ] {
        let (text, kind) = refused(bytes, None);
        assert_eq!(text, format!("`DIR/image.tar` {expected}"));
        assert_eq!(kind, Kind::Usage);
    }
}

#[test]
fn an_archive_cut_anywhere_is_refused() {
    let layer = vec![7; 5000];
    let archive = docker_archive(&["app:1"], &layer);
    // Two blocks of zeros end it, and the last file's padding is not missed.
    let content = archive.len() - 1024 - 512;
    for length in (512..content).step_by(256) {
        let (text, kind) = refused(&archive[..length], None);
        assert_eq!(
            text,
            format!("`DIR/image.tar` is cut short: it ends after {length} bytes")
        );
        assert_eq!(kind, Kind::Damaged);
    }
}

#[test]
fn a_config_that_is_not_the_one_it_is_named_after_is_refused() {
    let mut archive = docker_archive(&["app:1"], b"layer");
    let at = archive
        .windows(5)
        .position(|window| window == b"linux")
        .expect("os");
    archive[at + 4] = b'y';
    let (text, kind) = refused(&archive, None);
    assert!(text.contains(".json` has sha256:"), "{text}");
    assert_eq!(kind, Kind::Damaged);
}

#[test]
fn layers_that_the_config_does_not_list_are_refused() {
    let config = config(Arch::Amd64, &[b"one"]);
    let manifest = json!([{ "Config": "c.json", "RepoTags": ["app:1"], "Layers": ["a", "a"] }]);
    let manifest = manifest.to_string();
    let (text, kind) = refused(
        &tar(&[
            ("c.json", &config),
            ("a", b"one"),
            ("manifest.json", manifest.as_bytes()),
        ]),
        None,
    );
    assert_eq!(
        text,
        "`DIR/image.tar` is damaged: `c.json` lists 1 layers, and there are 2"
    );
    assert_eq!(kind, Kind::Damaged);
}

#[test]
fn links_in_a_circle_lead_nowhere() {
    let manifest = json!([{ "Config": "a", "RepoTags": ["app:1"], "Layers": [] }]).to_string();
    let archive = tar(&[
        ("a -> b", b""),
        ("b -> a", b""),
        ("manifest.json", manifest.as_bytes()),
    ]);
    let (text, _) = refused(&archive, None);
    assert_eq!(text, "`DIR/image.tar` is damaged: `a` is not there");
}
