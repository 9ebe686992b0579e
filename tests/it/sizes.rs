//! G4: payloads around 2^31, 2^32 and 2^33 bytes are hashed to their last byte.
//!
//! The files are sparse and the payload is zeros but for its last byte: the index holds
//! the digests that follow from that. What is decoded from it does not matter here.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use minikube_offline::bundle::limits::CHUNK_BYTES;
use minikube_offline::bundle::{
    Blake3, BundleIndex, Digest, Extent, Signature, TAIL_HEADER_BYTES, Trailer, chunk_count, tail_header,
    volume_path,
};
use minikube_offline::progress::Progress;
use minikube_offline::trust::TrustedKeys;
use minikube_offline::verify::{OpenedBundle, VerifyError};

use crate::support::effort::{directory, long, report};
use crate::support::program::{Sandbox, bytes};

/// Counts the bytes that were hashed.
#[derive(Default)]
struct Counter(AtomicU64);

impl Progress for Counter {
    fn begin(&self, _: &str, _: Option<u64>) {}
    fn advance(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
    fn note(&self, _: &str) {}
    fn end(&self, _: &str) {}
}

/// A real bundle's header and stub, and its index.
struct Sample {
    front: Vec<u8>,
    index: BundleIndex,
}

impl Sample {
    fn make(sandbox: &Sandbox) -> Self {
        let bundle = sandbox.sample_bundle("sample.run");
        let opened = OpenedBundle::open(&bundle, &TrustedKeys::none()).expect("a bundle");
        let index = opened.index().clone();
        let mut front = bytes(&bundle);
        front.truncate(usize::try_from(index.payload_offset()).unwrap());
        Self { front, index }
    }
}

/// The last byte of the payload.
const LAST: u8 = 0x5a;

/// Writes a bundle with a payload of `payload` bytes; in volumes of `volume` bytes where
/// that is given. Gives the file and the offset of the payload's last byte.
fn create(sample: &Sample, path: &Path, payload: u64, volume: Option<u64>) -> (PathBuf, u64) {
    let mut index = sample.index.clone();
    let stored = index.payload_size();
    let last_frame = index.frames.last_mut().expect("a frame");
    last_frame.size += payload - stored;
    let count = usize::try_from(chunk_count(payload)).unwrap();
    let zeros = Blake3::of(&vec![0; usize::try_from(CHUNK_BYTES).unwrap()]);
    let mut last = vec![0; usize::try_from(payload - (count as u64 - 1) * CHUNK_BYTES).unwrap()];
    *last.last_mut().expect("not empty") = LAST;
    index.chunks = vec![zeros; count];
    index.chunks[count - 1] = Blake3::of(&last);
    if let Some(size) = volume {
        let full = payload / size;
        let sizes = (0..full)
            .map(|_| size)
            .chain((!payload.is_multiple_of(size)).then_some(payload % size));
        // Nobody hashes them as a whole here.
        let sha256 = Digest::of(b"");
        index.volumes = sizes.map(|size| Extent { size, sha256 }).collect();
    }
    let json = index.encode().expect("an index");
    let index_offset = index.tail_offset() + TAIL_HEADER_BYTES as u64;
    let run = Signature::UNSIGNED;
    let trailer = Trailer {
        total_bytes: index_offset + (json.len() + run.len() + Trailer::BYTES) as u64,
        index_offset,
        index_bytes: json.len() as u64,
        sealed_sha256: Trailer::seal(&json, &run),
    };
    let head = tail_header(trailer.total_bytes - index_offset);
    let tail = [head.as_slice(), &json, &run, &trailer.encode()].concat();
    let file = File::create(path).unwrap();
    file.write_all_at(&sample.front, 0).unwrap();
    file.write_all_at(&tail, index.tail_offset()).unwrap();
    for (number, volume) in (1..).zip(&index.volumes) {
        File::create(volume_path(path, number))
            .unwrap()
            .set_len(volume.size)
            .unwrap();
    }
    let place = index.chunk_place(count as u64 - 1).expect("the last chunk");
    let file = match place.file {
        0 => path.to_owned(),
        number => volume_path(path, number),
    };
    let offset = place.offset + place.size - 1;
    put(&file, offset, LAST);
    (file, offset)
}

fn put(path: &Path, offset: u64, byte: u8) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(&[byte], offset).unwrap();
}

/// Verifies a bundle of this size, and again with its last byte flipped; how many bytes
/// were hashed.
fn check(sample: &Sample, path: &Path, payload: u64, volume: Option<u64>) -> u64 {
    let (file, offset) = create(sample, path, payload, volume);
    let verify = || {
        let counter = Counter::default();
        let opened = OpenedBundle::open(path, &TrustedKeys::none()).expect("a bundle");
        let result = opened.verify(&counter).map(drop);
        (result, counter.0.into_inner())
    };
    let mut hashed = 0;
    // The short run takes the flipped one alone: that tells as much.
    if long() {
        let (result, all) = verify();
        result.unwrap_or_else(|error| panic!("{payload} bytes: {error}"));
        assert_eq!(all, payload, "every byte is hashed, and once");
        hashed += all;
    }
    put(&file, offset, LAST ^ 1);
    let (result, more) = verify();
    match result {
        Err(VerifyError::Damaged(damage)) => {
            assert_eq!(damage.path, file);
            assert_eq!(damage.offset + damage.size, offset + 1, "{payload} bytes");
            assert_eq!(more, payload, "every byte is hashed, and once");
        }
        found => panic!("{payload} bytes, the last one flipped: {found:?}"),
    }
    hashed + more
}

#[test]
fn payloads_around_powers_of_two_are_hashed_to_their_last_byte() {
    let sandbox = Sandbox::new();
    let sample = Sample::make(&sandbox);
    // In memory, what was never written is read from one page of zeros.
    let directory = directory();
    let path = directory.path().join("x.run");
    let mut cases = vec![((1 << 31) + 1, None)];
    if long() {
        let sizes = (31..=33).flat_map(|power| [(1u64 << power) - 1, 1 << power, (1 << power) + 1]);
        cases = sizes.map(|payload| (payload, None)).collect();
        // Volumes whose border lies at the power or just before it, and those for FAT32.
        cases.extend((31..=33).map(|power| ((1 << power) + 1, Some(1 << (power - 1)))));
        cases.extend([
            ((1 << 32) + 1, Some(4000 << 20)),
            ((1 << 33) - 1, Some(4000 << 20)),
        ]);
    }
    let hashed: u64 = cases
        .iter()
        .map(|(payload, volume)| check(&sample, &path, *payload, *volume))
        .sum();
    report(&format!(
        "{} payloads around powers of two, {} to {} bytes: the flip of the last byte found in each, all other \
         bytes hashed once ({hashed} in all)",
        cases.len(),
        cases.iter().map(|case| case.0).min().unwrap_or(0),
        cases.iter().map(|case| case.0).max().unwrap_or(0),
    ));
}
