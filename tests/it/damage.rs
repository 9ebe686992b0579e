//! Damage: whatever happens to a bundle is found before anything of it is used.

use std::fs;
use std::path::Path;

use minikube_offline::bundle::{TAIL_HEADER_BYTES, Trailer};
use minikube_offline::failure::{Failure, Kind};
use minikube_offline::progress::Silent;
use minikube_offline::trust::TrustedKeys;
use minikube_offline::verify::OpenedBundle;

use crate::support::effort::report;
use crate::support::program::{Sandbox, bytes};

/// What a check of the file says; `None` when it finds nothing wrong.
fn kind_of(path: &Path) -> Option<Kind> {
    let checked =
        OpenedBundle::open(path, &TrustedKeys::none()).and_then(|bundle| bundle.verify(&Silent).map(|_| ()));
    checked.err().map(|error| Failure::from(error).kind)
}

#[test]
fn a_flipped_bit_anywhere_is_found() {
    let sandbox = Sandbox::new();
    let bundle = sandbox.sample_bundle("x.run");
    let mut content = bytes(&bundle);
    assert_eq!(kind_of(&bundle), None);
    let opened = OpenedBundle::open(&bundle, &TrustedKeys::none()).expect("a bundle");
    let payload = opened.index().payload_offset();
    let tail = payload + opened.index().payload_size();
    // The bytes around each border, and some of all the others; `tests/faults` has all.
    let length = content.len() as u64;
    let borders = [
        0,
        opened.index().header.size,
        payload,
        tail,
        tail + TAIL_HEADER_BYTES as u64,
        length,
    ];
    let near = borders
        .iter()
        .flat_map(|border| border.saturating_sub(9)..border + 9);
    let sampled = (0..length).step_by(content.len() / 50);
    let damaged = sandbox.path("damaged.run");
    let mut tried = 0;
    for offset in near.chain(sampled).filter(|offset| *offset < length) {
        let at = usize::try_from(offset).unwrap();
        let bit = 1 << (offset % 8);
        content[at] ^= bit;
        fs::write(&damaged, &content).unwrap();
        assert_eq!(kind_of(&damaged), Some(Kind::Damaged), "byte {offset}");
        content[at] ^= bit;
        tried += 1;
    }
    report(&format!("{tried} flipped bits, each found"));
}

#[test]
fn a_bundle_cut_short_or_too_long_is_told_by_its_length() {
    let sandbox = Sandbox::new();
    let bundle = sandbox.sample_bundle("x.run");
    let content = bytes(&bundle);
    let whole = content.len();
    let damaged = sandbox.path("damaged.run");
    let cuts = (0..whole).step_by(4096).chain(whole - Trailer::BYTES - 2..whole);
    for length in cuts {
        fs::write(&damaged, &content[..length]).unwrap();
        assert_eq!(kind_of(&damaged), Some(Kind::Damaged), "{length} bytes");
    }
    for more in [1, 79, 80, 4096] {
        let mut longer = content.clone();
        longer.resize(whole + more, 0);
        fs::write(&damaged, &longer).unwrap();
        assert_eq!(kind_of(&damaged), Some(Kind::Damaged), "{more} bytes more");
    }
    fs::write(&damaged, &content[..whole - 5000]).unwrap();
    let outcome = sandbox.packager(["verify", "damaged.run"]);
    assert_eq!(outcome.status, 4);
    let expected = format!("is {} bytes long and should be {whole}", whole - 5000);
    assert!(outcome.stderr.contains(&expected), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("damaged.run"), "{}", outcome.stderr);
}

#[test]
fn a_damaged_chunk_is_named_with_its_place() {
    let sandbox = Sandbox::new();
    let bundle = sandbox.sample_bundle("x.run");
    let mut content = bytes(&bundle);
    let opened = OpenedBundle::open(&bundle, &TrustedKeys::none()).expect("a bundle");
    let payload = usize::try_from(opened.index().payload_offset()).unwrap();
    content[payload + 100_000] ^= 1;
    fs::write(sandbox.path("damaged.run"), content).unwrap();
    let outcome = sandbox.packager(["verify", "damaged.run"]);
    assert_eq!(outcome.status, 4);
    assert!(
        outcome.stderr.contains("damaged.run` is damaged: chunk 0 of "),
        "{}",
        outcome.stderr
    );
    assert!(
        outcome.stderr.contains("copy the file again"),
        "{}",
        outcome.stderr
    );
}
