//! The archives that `docker save`, go-containerregistry and minikube write.

use std::path::Path;

use serde::Deserialize;

use super::FetchError;
use super::found::FoundImage;
use super::tar_index::TarIndex;
use crate::bundle::{Digest, ImageReference, limits};

/// Large enough for thousands of images.
const MANIFEST_BYTES: u64 = 16 << 20;

/// An image in `manifest.json`. Source: moby, image/tarexport; the layers are plain
/// (`<id>/layer.tar`, `blobs/sha256/<hex>`) or compressed (`<hex>.tar.gz`).
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Option<Vec<String>>,
}

impl Entry {
    /// The names by which the image can be carried.
    fn references(&self) -> impl Iterator<Item = ImageReference> {
        let tags = self.repo_tags.as_deref().unwrap_or_default();
        tags.iter().filter_map(|tag| ImageReference::parse(tag).ok())
    }
}

/// The images in the archive `path`: the one named `wanted`, or every one with all its
/// names. Layers are found, not read.
pub(super) fn read(
    path: &Path,
    wanted: Option<&ImageReference>,
    transport: &'static str,
) -> Result<Vec<FoundImage>, FetchError> {
    let tar = TarIndex::open(path)?;
    let entries = entries(&tar)?;
    let mut images = Vec::new();
    for entry in &entries {
        let names: Vec<ImageReference> = entry
            .references()
            .filter(|name| wanted.is_none_or(|wanted| wanted == name))
            .collect();
        if names.is_empty() && wanted.is_none() {
            return Err(FetchError::WithoutTag {
                path: path.to_owned(),
            });
        }
        for name in names {
            images.push(found(&tar, entry, name, transport)?);
        }
    }
    if images.is_empty() {
        let there = entries.iter().flat_map(Entry::references);
        return Err(FetchError::NoSuchImage {
            path: path.to_owned(),
            wanted: wanted.map_or_else(|| "any image".to_owned(), ToString::to_string),
            there: there.map(|name| name.to_string()).collect(),
        });
    }
    Ok(images)
}

fn entries(tar: &TarIndex) -> Result<Vec<Entry>, FetchError> {
    let blob = tar.need("manifest.json")?;
    let json = blob.read_small(MANIFEST_BYTES)?;
    serde_json::from_slice(&json).map_err(|error| blob.damaged(format!("is not a list of images: {error}")))
}

fn found(
    tar: &TarIndex,
    entry: &Entry,
    name: ImageReference,
    transport: &'static str,
) -> Result<FoundImage, FetchError> {
    let config = tar.need(&entry.config)?;
    let json = config.read_small(limits::IMAGE_CONFIG_BYTES)?;
    if let Some(expected) = digest_in(&entry.config) {
        let found = Digest::of(&json);
        if found != expected {
            return Err(config.damaged(format!("has {found}")));
        }
    }
    let layers = entry.layers.as_deref().unwrap_or_default();
    let layers = layers
        .iter()
        .map(|layer| tar.need(layer))
        .collect::<Result<_, _>>()?;
    FoundImage::new(name, &config, json, layers, transport)
}

/// The digest in the name of a config: `<hex>.json`, `sha256:<hex>`,
/// `blobs/sha256/<hex>`; `None` for other names, such as skopeo never writes but
/// others may.
fn digest_in(name: &str) -> Option<Digest> {
    let base = name.rsplit('/').next()?;
    Digest::parse(base.strip_suffix(".json").unwrap_or(base)).ok()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read;

    use serde_json::json;
    use tempfile::TempDir;

    use super::*;
    use crate::bundle::Arch;
    use crate::failure::{Failure, Kind};
    use crate::fetch::fixtures::{config, docker_archive, gzip, tar};

    fn open(bytes: &[u8], wanted: Option<&str>) -> (TempDir, Result<Vec<FoundImage>, FetchError>) {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("image.tar");
        fs::write(&path, bytes).expect("file");
        let wanted = wanted.map(|name| ImageReference::parse(name).expect(name));
        let images = read(&path, wanted.as_ref(), "docker-archive");
        (folder, images)
    }

    fn names(images: &[FoundImage]) -> Vec<String> {
        images.iter().map(|image| image.reference.to_string()).collect()
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
        let (folder, images) = open(bytes, wanted);
        let failure = Failure::from(images.expect_err("refused"));
        let text = failure.error.to_string();
        let path = folder.path().display().to_string();
        (text.replace(&path, "DIR"), failure.kind)
    }

    #[test]
    fn every_name_of_every_image_is_taken_or_the_one_asked_for() {
        let archive = docker_archive(&["app:1", "r.example/app:1"], b"layer");
        let (_folder, images) = open(&archive, None);
        let images = images.expect("images");
        assert_eq!(names(&images), ["docker.io/library/app:1", "r.example/app:1"]);
        assert_eq!(layer(&images[0], 0), b"layer");
        let (_folder, images) = open(&archive, Some("r.example/app:1"));
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
        let (_folder, images) = open(&archive, None);
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
        let (text, _) = refused(&docker_archive(&[], b"layer"), None);
        assert_eq!(text, "`DIR/image.tar` has an image without a tag");
        let (text, _) = refused(&docker_archive(&[], b"layer"), Some("app:3"));
        assert!(text.ends_with("it has none with a name"), "{text}");
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
            (&gzip(&archive), "is gzip data, not a plain tar"),
            (
                &[0; 2048],
                "should be an archive of images; it is data of an unknown kind",
            ),
        ] {
            let (text, kind) = refused(bytes, None);
            assert_eq!(text, format!("`DIR/image.tar` {expected}"));
            assert_eq!(kind, Kind::Usage);
        }
        let (text, kind) = refused(&tar(&[("other", b"x")]), None);
        assert_eq!(text, "`DIR/image.tar` is damaged: `manifest.json` is not there");
        assert_eq!(kind, Kind::Damaged);
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
}
