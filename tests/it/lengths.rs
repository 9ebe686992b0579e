//! G3: whatever is cut off, appended, exchanged or doubled is found.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use minikube_offline::bundle::limits::CHUNK_BYTES;
use minikube_offline::progress::Silent;
use minikube_offline::trust::TrustedKeys;
use minikube_offline::verify::{OpenedBundle, VerifyError};

use crate::support::effort::{Random, report, rounds};
use crate::support::parts::SampleParts;
use crate::support::program::{Sandbox, bytes};

/// A bundle of five chunks, the last one short, and what it holds.
fn bundle(sandbox: &Sandbox) -> (PathBuf, Vec<u8>) {
    let parts = SampleParts::make_large(&sandbox.path("parts"));
    let path = sandbox.pack(&parts, "x.run");
    let content = bytes(&path);
    (path, content)
}

fn verified(path: &Path) -> Result<(), VerifyError> {
    let opened = OpenedBundle::open(path, &TrustedKeys::none())?;
    opened.verify(&Silent).map(drop)
}

fn medium(path: &Path) -> File {
    let opened = OpenOptions::new().read(true).write(true).open(path);
    opened.expect("the file was written")
}

/// Whether it is refused for its length alone, before anything of it is parsed.
fn refused_by_length(path: &Path) -> bool {
    matches!(
        OpenedBundle::open_to_show(path, &TrustedKeys::none()),
        Err(VerifyError::CutShort { .. } | VerifyError::Trailer { .. })
    )
}

#[test]
fn no_length_but_the_right_one_is_accepted() {
    let sandbox = Sandbox::new();
    let mut random = Random::new();
    let (path, content) = bundle(&sandbox);
    verified(&path).expect("a sound bundle");
    let medium = medium(&path);
    let whole = content.len() as u64;
    // From the longest to the shortest: what is cut off need not come back.
    let mut lengths: Vec<u64> = (0..whole).step_by(4096).collect();
    let last = rounds(4 << 10, 64 << 10);
    lengths.extend(whole.saturating_sub(last)..whole);
    lengths.sort_unstable();
    lengths.dedup();
    for length in lengths.iter().rev() {
        medium.set_len(*length).unwrap();
        assert!(refused_by_length(&path), "{length} of {whole} bytes");
    }
    fs::write(&path, &content).unwrap();
    // Appended: zeros, noise, the bundle's own last bytes, a trailer that moved along.
    let mut appended = 0;
    let all_small = 1..=rounds(100, 4096);
    let large = (13..=20).flat_map(|power| [(1u64 << power) - 1, 1 << power, (1 << power) + 1]);
    for more in all_small.chain(large).filter(|more| *more <= 1 << 20) {
        let size = usize::try_from(more).unwrap();
        let own = content.iter().rev().take(size).rev().copied().collect();
        for tail in [vec![0; size], random.bytes(size), own] {
            medium.set_len(whole).unwrap();
            medium.write_all_at(&tail, whole).unwrap();
            assert!(
                refused_by_length(&path),
                "{more} bytes more (seed {})",
                random.seed()
            );
            appended += 1;
        }
    }
    medium.set_len(whole).unwrap();
    verified(&path).expect("sound again");
    report(&format!(
        "{} truncations (each 4 KiB, each of the last {last} bytes) and {appended} appended runs of 1 byte to \
         1 MiB: 0 accepted (seed {})",
        lengths.len(),
        random.seed()
    ));
}

#[test]
fn no_chunk_is_accepted_in_the_place_of_another() {
    let sandbox = Sandbox::new();
    let mut random = Random::new();
    let (path, content) = bundle(&sandbox);
    let index = OpenedBundle::open(&path, &TrustedKeys::none())
        .expect("a bundle")
        .index()
        .clone();
    let medium = medium(&path);
    let count = rounds(30, 1000);
    for round in 0..count {
        let [one, other] = two_chunks(&mut random, index.chunks.len() as u64);
        let places = [one, other].map(|number| index.chunk_place(number).expect("a chunk"));
        let size = usize::try_from(places[0].size.min(places[1].size)).unwrap();
        let bytes = places.map(|place| {
            let start = usize::try_from(place.offset).unwrap();
            &content[start..start + size]
        });
        medium.write_all_at(bytes[1], places[0].offset).unwrap();
        // Every second time both change places, else one is there twice.
        if round % 2 == 0 {
            medium.write_all_at(bytes[0], places[1].offset).unwrap();
        }
        match verified(&path) {
            Err(VerifyError::Damaged(damage)) => {
                let named = if round % 2 == 0 { one.min(other) } else { one };
                let place = index.chunk_place(named).expect("a chunk");
                assert_eq!((damage.offset, damage.size), (place.offset, place.size));
            }
            found => panic!("chunks {one} and {other} (seed {}): {found:?}", random.seed()),
        }
        for (place, bytes) in places.iter().zip(bytes) {
            medium.write_all_at(bytes, place.offset).unwrap();
        }
    }
    verified(&path).expect("sound again");
    report(&format!(
        "{count} chunks of {} bytes exchanged or doubled: 0 accepted, each named with its place (seed {})",
        CHUNK_BYTES,
        random.seed()
    ));
}

fn two_chunks(random: &mut Random, count: u64) -> [u64; 2] {
    let one = random.below(count);
    let other = (one + 1 + random.below(count - 1)) % count;
    [one, other]
}
