//! G2: every flipped bit of the payload is found in the chunk that it is in, and no
//! wrong byte is given out.

use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use minikube_offline::bundle::Digest;
use minikube_offline::bundle::limits::CHUNK_BYTES;
use minikube_offline::progress::Silent;
use minikube_offline::trust::TrustedKeys;
use minikube_offline::verify::{OpenedBundle, VerifiedBundle, VerifyError};

use crate::draft::{Contents, Draft, Key};
use crate::effort::{Random, directory, report, rounds};
use crate::stub;

/// A bundle of a whole chunk and a short one, in which one frame ends and the next one
/// lies: most bits can be tried without hashing a MiB.
fn bundle(random: &mut Random) -> Vec<u8> {
    let mut contents = Contents::small();
    contents.layers[0] = random.bytes(700_000);
    contents.layers[1] = random.bytes(352_000);
    contents.programs = [10_000, 20_000, 25_000, 2_000].map(|size| random.bytes(size));
    Draft::of(&contents).finish(&Key::new())
}

fn open(path: &Path) -> VerifiedBundle {
    OpenedBundle::open(path, &TrustedKeys::none())
        .and_then(|opened| opened.verify(&Silent))
        .expect("a sound bundle")
}

/// The places to flip in one chunk: both its borders, and as many more as asked.
fn places(chunk: u64, payload_bytes: u64, count: u64, random: &mut Random) -> Vec<u64> {
    let start = chunk * CHUNK_BYTES;
    let end = payload_bytes.min(start + CHUNK_BYTES);
    let borders = (start..start + 8).chain(end - 8..end);
    let more: Vec<u64> = (16..count).map(|_| start + random.below(end - start)).collect();
    borders.chain(more).collect()
}

/// The contents of a bundle's members.
type Truth = Vec<(String, Vec<u8>)>;

fn read_all(bundle: &VerifiedBundle) -> Truth {
    let mut members = bundle.members(|_| true);
    let mut truth = Vec::new();
    while let Some(mut reader) = members.next_member().expect("a member") {
        let mut content = Vec::new();
        reader.read_to_end(&mut content).expect("its content");
        truth.push((reader.member().path.clone(), content));
    }
    truth
}

/// Reads the frame that holds the stored byte at `place`; whether it is refused for
/// the chunk that the byte is in. All that comes before must be right.
fn is_found(bundle: &VerifiedBundle, truth: &Truth, place: u64) -> bool {
    let index = bundle.index();
    let (mut end, mut first, mut last) = (0, 0, 0);
    for frame in &index.frames {
        end += frame.size;
        first = last;
        last += usize::try_from(frame.members).unwrap();
        if place < end {
            break;
        }
    }
    let wanted = &truth[first..last];
    let mut members = bundle.members(|member| wanted.iter().any(|(path, _)| *path == member.path));
    let error = loop {
        let mut reader = match members.next_member() {
            Ok(Some(reader)) => reader,
            Ok(None) => return false,
            Err(error) => break error,
        };
        let mut given = Vec::new();
        let ended = reader.read_to_end(&mut given);
        let (path, right) = wanted
            .iter()
            .find(|(path, _)| *path == reader.member().path)
            .unwrap();
        assert!(
            right.starts_with(&given),
            "wrong bytes of `{path}` were given out"
        );
        if let Err(error) = ended {
            break error.downcast::<VerifyError>().expect("an error of ours");
        }
    };
    let chunk = index.payload_offset() + place - place % CHUNK_BYTES;
    matches!(error, VerifyError::Damaged(damage) if damage.offset == chunk)
}

#[test]
fn no_flipped_bit_of_the_payload_is_missed_and_no_wrong_byte_given_out() {
    let directory = directory();
    let mut random = Random::new();
    let content = bundle(&mut random);
    let path = directory.path().join("x.run");
    fs::write(&path, &content).unwrap();
    let sound = open(&path);
    let payload = sound.index().payload_offset();
    let chunks = sound.index().chunks.len() as u64;
    assert_eq!(chunks, 2);
    let counts = [rounds(300, 100_000), rounds(600, 900_000)];
    let workers = thread::available_parallelism().map_or(1, usize::from) as u64;
    let tried = AtomicU64::new(0);
    let work = |worker: u64| {
        let mut random = random.fork(worker);
        // Its own copy: flips of one worker are not another's.
        let path: PathBuf = directory.path().join(format!("{worker}.run"));
        fs::write(&path, &content).unwrap();
        let medium: File = OpenOptions::new().write(true).open(&path).unwrap();
        let bundle = open(&path);
        let truth = read_all(&bundle);
        for chunk in 0..chunks {
            for place in places(
                chunk,
                bundle.index().payload_size(),
                counts[usize::try_from(chunk).unwrap()] / workers,
                &mut random,
            ) {
                let at = payload + place;
                let byte = content[usize::try_from(at).unwrap()];
                medium.write_all_at(&[byte ^ (1 << random.below(8))], at).unwrap();
                assert!(
                    is_found(&bundle, &truth, place),
                    "byte {at} (seed {})",
                    random.seed()
                );
                medium.write_all_at(&[byte], at).unwrap();
                tried.fetch_add(1, Ordering::Relaxed);
            }
        }
        open(&path);
    };
    thread::scope(|scope| {
        for worker in 0..workers {
            let work = &work;
            scope.spawn(move || work(worker));
        }
    });
    report(&format!(
        "{} flipped bits of the payload, {chunks} chunks with both borders: 0 missed, 0 wrong bytes given out (seed {})",
        tried.into_inner(),
        random.seed()
    ));
}

#[test]
fn the_program_misses_no_flipped_bit_and_leaves_no_wrong_file() {
    let directory = directory();
    let mut random = Random::new();
    let path = directory.path().join("x.run");
    // A real bundle where the script made one.
    match std::env::var_os("MINIKUBE_OFFLINE_TEST_BUNDLE") {
        Some(real) => drop(fs::copy(real, &path).expect("a bundle")),
        None => fs::write(&path, bundle(&mut random)).unwrap(),
    }
    let sound = open(&path);
    let (payload, size) = (sound.index().payload_offset(), sound.index().payload_size());
    let chunks = sound.index().chunks.len();
    let out = directory.path().join("out");
    let medium = OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let extract = || {
        let mut command = stub::on(&path);
        stub::ended(command.args(["extract", "--to"]).arg(&out), directory.path())
    };
    let count = rounds(12, 500);
    for _ in 0..count {
        let at = payload + random.below(size);
        let mut byte = [0];
        medium.read_exact_at(&mut byte, at).unwrap();
        medium
            .write_all_at(&[byte[0] ^ (1 << random.below(8))], at)
            .unwrap();
        let (status, stderr) = extract();
        assert_eq!(status, Some(4), "byte {at} (seed {}): {stderr}", random.seed());
        assert!(!out.exists(), "byte {at}: something was extracted");
        medium.write_all_at(&byte, at).unwrap();
    }
    let (status, stderr) = extract();
    assert_eq!(status, Some(0), "{stderr}");
    for binary in &sound.index().binaries {
        let there = fs::read(out.join("bin").join(binary.role.name())).expect("every program");
        assert_eq!(Digest::of(&there), binary.sha256, "{}", binary.role);
    }
    report(&format!(
        "{count} flipped bits in a payload of {size} bytes ({chunks} chunks), by the program: 0 missed, 0 files written (seed {})",
        random.seed()
    ));
}
