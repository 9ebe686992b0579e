//! G1: no flipped bit of header, stub, index, signature or trailer is accepted, with a
//! key that counts and without one, and sealed again or not.

use std::fs::{self, File, OpenOptions};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

use minikube_offline::bundle::{Digest, Signature, Trailer};
use minikube_offline::trust::TrustedKeys;
use minikube_offline::verify::{OpenedBundle, VerifyError};

use crate::draft::{Draft, Key};
use crate::effort::{Random, directory, long, report};
use crate::stub;

/// Where the runs of a bundle lie.
struct Runs {
    /// Header and stub.
    front: Range<usize>,
    /// The header of the tail, index, signature and trailer.
    tail: Range<usize>,
    index: Range<usize>,
    signature: Range<usize>,
}

impl Runs {
    fn of(draft: &Draft, length: usize) -> Self {
        let front = draft.header.len() + draft.stub.len();
        let signature = length - Trailer::BYTES - Signature::RUN_BYTES;
        let index = signature - draft.json().len();
        Self {
            front: 0..front,
            tail: index - 8..length,
            index: index..signature,
            signature: signature..length - Trailer::BYTES,
        }
    }

    /// Every bit, or every bit that is fixed in size and one of each other byte.
    fn bits(&self, random: &mut Random) -> Vec<(usize, u8)> {
        let whole = |range: Range<usize>| range.flat_map(|byte| (0..8).map(move |bit| (byte, 1 << bit)));
        if long() {
            return whole(self.front.clone())
                .chain(whole(self.tail.clone()))
                .collect();
        }
        let sampled = self.front.clone().step_by(7).chain(self.index.clone());
        let mut bits: Vec<_> = sampled.map(|byte| (byte, 1 << random.below(8))).collect();
        bits.extend(whole(self.tail.start..self.index.start));
        bits.extend(whole(self.signature.start..self.tail.end));
        bits
    }
}

/// The bundle in a file, a bit of which is changed and changed back.
struct Medium(File);

impl Medium {
    fn create(path: &Path, content: &[u8]) -> Self {
        fs::write(path, content).expect("a file");
        let file = OpenOptions::new().read(true).write(true).open(path);
        Self(file.expect("a file"))
    }

    fn put(&self, content: &[u8], at: usize) {
        self.0.write_all_at(content, at as u64).expect("written");
    }
}

#[test]
fn no_flipped_bit_of_the_metadata_is_accepted() {
    let directory = directory();
    let path = directory.path().join("x.run");
    let key = Key::new();
    let draft = Draft::sound();
    let content = draft.finish(&key);
    let medium = Medium::create(&path, &content);
    let readers = [TrustedKeys::none(), key.trusted()];
    for reader in &readers {
        OpenedBundle::open(&path, reader).expect("a sound bundle");
    }
    let mut random = Random::new();
    let runs = Runs::of(&draft, content.len());
    let (mut tried, mut forged) = (0, 0);
    for (byte, bit) in runs.bits(&mut random) {
        medium.put(&[content[byte] ^ bit], byte);
        for reader in &readers {
            let opened = OpenedBundle::open(&path, reader);
            assert!(
                opened.is_err(),
                "byte {byte}, bit {bit:08b} (seed {})",
                random.seed()
            );
            tried += 1;
        }
        // A forger seals it again: then only the signature tells.
        if byte >= runs.index.start && byte < runs.signature.end {
            let mut sealed = content.clone();
            sealed[byte] ^= bit;
            let end = content.len() - 32;
            let seal = Digest::of(&sealed[runs.index.start..runs.signature.end]);
            medium.put(seal.as_bytes(), end);
            match OpenedBundle::open(&path, &readers[1]) {
                Err(VerifyError::NotAuthentic { .. } | VerifyError::Signature { .. }) => forged += 1,
                other => panic!("byte {byte}, bit {bit:08b}, sealed again: {other:?}"),
            }
            medium.put(&content[end..], end);
        }
        medium.put(&content[byte..=byte], byte);
    }
    OpenedBundle::open(&path, &readers[1]).expect("sound again");
    report(&format!(
        "{tried} flipped bits of header, stub, index, signature and trailer, {forged} sealed again: 0 accepted (seed {})",
        random.seed()
    ));
}

#[test]
fn the_installed_program_finds_a_flipped_bit_in_the_stub_of_a_bundle() {
    let directory = directory();
    let path = directory.path().join("x.run");
    let key = Key::new();
    let draft = Draft::sound();
    let content = draft.finish(&key);
    let medium = Medium::create(&path, &content);
    let verify = || {
        let mut command = stub::on(&path);
        stub::ended(command.args(["verify", "--key", &key.base64()]), directory.path())
    };
    assert_eq!(verify().0, Some(0));
    let mut random = Random::new();
    let stub = draft.header.len()..draft.header.len() + draft.stub.len();
    let places: Vec<usize> = if long() {
        stub.clone().step_by(4).collect()
    } else {
        stub.clone().step_by(128).collect()
    };
    for byte in &places {
        medium.put(&[content[*byte] ^ (1 << random.below(8))], *byte);
        let (status, stderr) = verify();
        assert_eq!(status, Some(4), "byte {byte}: {stderr}");
        assert!(stderr.contains("the stub for linux/"), "byte {byte}: {stderr}");
        medium.put(&content[*byte..=*byte], *byte);
    }
    report(&format!(
        "{} flipped bits of a stub, by the program: each found (seed {})",
        places.len(),
        random.seed()
    ));
}
