//! G15: a file that another process changes while it is read.
//!
//! Whatever is given out has its digest: a chunk is hashed in the memory that it is used
//! from. The writer is a process of its own, this very program run again.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use minikube_offline::bundle::{Digest, Hasher};
use minikube_offline::progress::Silent;
use minikube_offline::trust::TrustedKeys;
use minikube_offline::verify::{OpenedBundle, VerifyError};

use crate::support::effort::{Random, report, rounds};
use crate::support::parts::SampleParts;
use crate::support::program::Sandbox;

/// The variable that makes this program the writer, with the file to write to.
const WRITER: &str = "MINIKUBE_OFFLINE_TEST_WRITER";

/// What the writer says when it begins.
const BEGUN: &str = "it writes";

struct Writer(Child);

impl Writer {
    fn start(path: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args([
                "--exact",
                "race::writes_until_it_is_killed",
                "--ignored",
                "--nocapture",
            ])
            .env(WRITER, path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().expect("the writer");
        let mut lines = BufReader::new(child.stdout.as_mut().expect("piped")).lines();
        let begun = lines.any(|line| line.is_ok_and(|line| line.ends_with(BEGUN)));
        assert!(begun, "the writer ended");
        Self(child)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What one round came to.
#[derive(Debug, Default)]
struct Outcomes {
    refused: u64,
    cut_off: u64,
    whole: u64,
}

#[test]
#[ignore = "the other process of the test below"]
fn writes_until_it_is_killed() {
    let Some(path) = std::env::var_os(WRITER) else {
        return;
    };
    let medium = OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let index = OpenedBundle::open(Path::new(&path), &TrustedKeys::none())
        .expect("a bundle")
        .index()
        .clone();
    let (start, size) = (index.payload_offset(), index.payload_size());
    let mut random = Random::new();
    println!("{BEGUN}");
    loop {
        let count = 1 + random.place(5000);
        let at = start + random.below(size - count as u64);
        let mut right = vec![0; count];
        medium.read_exact_at(&mut right, at).unwrap();
        let wrong: Vec<u8> = right.iter().map(|byte| byte ^ 0x55).collect();
        // A while in which it is wrong, and one in which it is whole: some readings end well.
        for bytes in [wrong, right] {
            medium.write_all_at(&bytes, at).unwrap();
            (0..random.below(400)).for_each(|_| thread::yield_now());
        }
    }
}

/// One reading of all that is in the bundle, as an installation does it.
fn read(path: &Path, outcomes: &mut Outcomes, seed: u64) {
    let opened = OpenedBundle::open(path, &TrustedKeys::none()).expect("only the payload changes");
    let bundle = match opened.verify(&Silent) {
        Ok(bundle) => bundle,
        Err(VerifyError::Damaged(_)) => {
            outcomes.refused += 1;
            return;
        }
        Err(error) => panic!("{error} (seed {seed})"),
    };
    let mut members = bundle.members(|_| true);
    loop {
        let mut reader = match members.next_member() {
            Ok(Some(reader)) => reader,
            Ok(None) => break,
            Err(VerifyError::Damaged(_)) => {
                outcomes.cut_off += 1;
                return;
            }
            Err(error) => panic!("{error} (seed {seed})"),
        };
        let member = reader.member();
        let mut hasher = Hasher::new();
        let mut buffer = vec![0; 64 << 10];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => hasher.update(&buffer[..count]),
                Err(error) => {
                    let error = error.downcast::<VerifyError>().expect("an error of ours");
                    assert!(matches!(error, VerifyError::Damaged(_)), "{error} (seed {seed})");
                    outcomes.cut_off += 1;
                    return;
                }
            }
        }
        let accepted: Digest = hasher.finish();
        assert_eq!(
            accepted, member.sha256,
            "`{}` was accepted (seed {seed})",
            member.path
        );
    }
    outcomes.whole += 1;
}

#[test]
fn bytes_that_change_while_they_are_read_are_never_accepted() {
    let sandbox = Sandbox::new();
    let seed = Random::new().seed();
    let path = sandbox.pack(&SampleParts::make_large(&sandbox.path("parts")), "x.run");
    let count = rounds(40, 1000);
    let mut outcomes = Outcomes::default();
    let writer = Writer::start(&path);
    for _ in 0..count {
        read(&path, &mut outcomes, seed);
    }
    drop(writer);
    let Outcomes {
        refused,
        cut_off,
        whole,
    } = outcomes;
    assert!(
        refused + cut_off > 0,
        "the writer never came between: {outcomes:?}"
    );
    report(&format!(
        "{count} readings of a bundle that another process writes to: {refused} refused, {cut_off} ended \
         at a changed chunk, {whole} whole, 0 wrong bytes accepted (seed {seed})"
    ));
}
