//! What each verb hashes: a stored byte by BLAKE3 whenever it is read, and by SHA-256 only what
//! the verb has to compare with a name that others gave. Where a processor has no instructions
//! for SHA-256, this is what a start takes.

use std::fs;
use std::path::Path;
use std::process::Command;

use minikube_offline::bundle::{BinaryRole, BundleIndex, Signature};
use minikube_offline::trust::TrustedKeys;
use minikube_offline::verify::OpenedBundle;
use serde_json::Value;

use super::start::{Start, on};
use super::subjects::{Place, at_home, start};
use super::text;
use crate::effort::report;

/// Bytes by BLAKE3, and by SHA-256.
type Hashed = (u64, u64);

/// A bundle whose images are most of it, and what opening it hashes by SHA-256: header, stub,
/// index and signature.
struct Sample {
    subject: Start,
    place: Place,
    index: BundleIndex,
    front: u64,
}

impl Sample {
    fn new() -> Self {
        let subject = Start::of_large_images();
        let place = Place::of(&subject);
        let opened = OpenedBundle::open(&place.directory().join("x.run"), &TrustedKeys::none());
        let opened = opened.expect("a bundle");
        let index = opened.index().clone();
        let sealed = opened.trailer().index_bytes + Signature::RUN_BYTES as u64;
        let front = index.payload_offset() + sealed;
        Self {
            subject,
            place,
            index,
            front,
        }
    }

    /// What the verb hashed, as its last object has it.
    fn hashed(&self, mut command: Command) -> Hashed {
        command.arg("--output=json");
        let output = start(&mut at_home(command, self.place.directory()), &self.subject);
        let said = text(&output);
        assert!(output.status.success(), "{said}");
        let last = String::from_utf8_lossy(&output.stdout)
            .lines()
            .last()
            .unwrap()
            .to_owned();
        let last: Value = serde_json::from_str(&last).expect("JSON");
        let bytes = |name: &str| last["hashed_bytes"][name].as_u64().expect("a count");
        (bytes("blake3"), bytes("sha256"))
    }

    fn verb(&self, arguments: &[&str]) -> Hashed {
        let mut command = on(self.place.directory(), "x.run");
        command.args(arguments);
        self.hashed(command)
    }

    fn stored(&self) -> u64 {
        self.index.payload_size()
    }

    fn members(&self, wanted: impl Fn(&str) -> bool) -> u64 {
        let members = self.index.members.iter();
        members
            .filter(|member| wanted(&member.path))
            .map(|member| member.size)
            .sum()
    }

    fn binary(&self, role: BinaryRole) -> u64 {
        let mut binaries = self.index.binaries.iter();
        binaries
            .find(|binary| binary.role == role)
            .expect("each is there")
            .size
    }

    /// The archives in the cache of a minikube home.
    fn archives(&self, home: &str) -> u64 {
        let cache = self.place.directory().join(home).join("cache");
        let kept = ["kic", "images"].map(|name| bytes_below(&cache.join(name)));
        kept.iter().sum()
    }
}

/// Whether a member is of an image.
fn is_blob(path: &str) -> bool {
    path.starts_with("images/blobs/")
}

/// Whether it is a binary, or a file of whoever packed it.
fn is_placed(path: &str) -> bool {
    ["bin/", "manifests/", "files/"]
        .iter()
        .any(|directory| path.starts_with(directory))
}

fn bytes_below(directory: &Path) -> u64 {
    let files = walkdir::WalkDir::new(directory)
        .into_iter()
        .filter_map(Result::ok);
    let sizes = files.filter(|entry| entry.file_type().is_file());
    sizes.map(|entry| entry.metadata().expect("ours").len()).sum()
}

#[test]
fn verify_hashes_each_stored_byte_once() {
    let sample = Sample::new();
    assert_eq!(sample.verb(&["verify"]), (sample.stored(), sample.front));
    // And once more while it decodes.
    let deep = (2 * sample.stored(), sample.front + sample.members(|_| true));
    assert_eq!(sample.verb(&["verify", "--deep"]), deep);
}

#[test]
fn extract_hashes_all_that_a_person_gets() {
    let sample = Sample::new();
    let (blake3, sha256) = sample.verb(&["extract", "--to=parts"]);
    let written = sample.members(|path| is_blob(path) || is_placed(path));
    assert_eq!(blake3, 2 * sample.stored());
    let parts = sample.place.directory().join("parts/images");
    let documents = ["index.json", "manifest.json", "oci-layout"].map(|name| fs::metadata(parts.join(name)));
    let documents: u64 = documents
        .into_iter()
        .map(|facts| facts.expect("ours").len())
        .sum();
    // The documents are compared with what an earlier run wrote, and have a digest of their own.
    assert_eq!(sha256, sample.front + written + 2 * documents);
}

#[test]
fn filling_a_cache_hashes_only_binaries_by_sha256() {
    let sample = Sample::new();
    let home = sample.place.directory().join("other");
    let (blake3, sha256) = sample.verb(&["extract", &format!("--to-cache={}", home.display())]);
    let binaries = BinaryRole::KUBERNETES.map(|role| sample.binary(role));
    assert_eq!(sha256, sample.front + binaries.iter().sum::<u64>());
    // The stored bytes when they are verified and when they decode, and the archives.
    let archives = sample.archives("other/.minikube");
    assert!(archives > sample.members(is_blob), "{archives}");
    assert_eq!(blake3, 2 * sample.stored() + archives);
}

#[test]
fn a_start_hashes_only_binaries_and_files_by_sha256() {
    let sample = Sample::new();
    let (blake3, sha256) = sample.hashed(sample.place.command(&sample.subject));
    // When they are verified, and by the four passes that decode them: the node image, binaries,
    // files, and the cache.
    let archives = sample.archives("home/.minikube");
    assert_eq!(blake3, 5 * sample.stored() + archives);
    let images = sample.members(is_blob);
    let small = sample.members(is_placed);
    let rest = sha256 - sample.front;
    report(&format!(
        "a start of {} stored bytes, {images} of them images: {rest} by SHA-256 but for header, stub and index",
        sample.stored()
    ));
    // Texts that are hashed for a name, and binaries that are looked at again.
    assert!(
        rest >= small && rest < 5 * small + 20_000 && rest < images / 10,
        "{rest}"
    );
}
