//! G12: the stick is pulled out. From some read on, or beyond some place, every read
//! fails; the run ends at once with the exit code for that, and goes on after replugging.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};

use super::medium::{Mounted, command};
use super::strace::{self, Call};
use super::subjects::{Extract, Place};
use super::{Fault, text};
use crate::effort::{Random, directory, report, rounds};

/// An end in order, and no waiting.
const PATIENCE: Duration = Duration::from_secs(if cfg!(debug_assertions) { 60 } else { 5 });

fn ended_in_order(output: &Output, took: Duration, what: &str) {
    // A signal, SIGBUS above all, leaves no exit code.
    assert_eq!(output.status.code(), Some(5), "{what}: {}", text(output));
    assert!(took < PATIENCE, "{what}: it took {took:?}");
    let said = text(output);
    assert!(
        said.contains("put it back and run the same command again"),
        "{what}: {said}"
    );
}

#[test]
fn a_stick_that_is_pulled_out_ends_a_run_in_order_whichever_read_fails() {
    if let Some(reason) = strace::missing() {
        return report(&format!(
            "skipped: a stick that is pulled out at each read: {reason}"
        ));
    }
    let subject = Extract::of_noise("--to");
    let place = Place::of(&subject);
    let (output, calls) = place.list(&subject);
    assert!(output.status.success(), "{}", text(&output));
    let right = place.tree(&subject);
    let mut reads: Vec<Call> = calls.into_iter().filter(|call| call.name == "pread64").collect();
    let mut random = Random::new();
    let wanted = usize::try_from(rounds(6, 50)).unwrap();
    assert!(reads.len() >= wanted, "there are only {} reads", reads.len());
    while reads.len() > wanted {
        reads.swap_remove(random.place(reads.len()));
    }
    for call in &reads {
        let place = Place::of(&subject);
        let begun = Instant::now();
        let output = place.disturb(&subject, call, Fault::Gone);
        ended_in_order(&output, begun.elapsed(), &call.to_string());
        let again = place.run(&subject);
        assert!(again.status.success(), "after {call}: {}", text(&again));
        assert_eq!(
            place.tree(&subject).differences(&right),
            Vec::<String>::new(),
            "after {call}"
        );
    }
    report(&format!(
        "{} places where every read fails from there on: exit code 5 each time, and the rerun ended well (seed {})",
        reads.len(),
        random.seed()
    ));
}

/// An image with the files in `content` on it.
fn image(directory: &Path, content: &Path, bytes: u64) -> Result<PathBuf, String> {
    let image = directory.join("pristine");
    fs::File::create(&image)
        .and_then(|file| file.set_len(bytes))
        .expect("an image");
    command("mke2fs", &["-q", "-t", "ext2", "-d"], &[content, &image])?;
    Ok(image)
}

/// A copy of the image, mounted at `mounted`.
fn plug_in(directory: &Path, pristine: &Path) -> Result<Mounted, String> {
    let stick = directory.join("stick");
    fs::copy(pristine, &stick).expect("an image");
    Mounted::new(&stick, &directory.join("mounted"), "loop,ro")
}

/// Nothing can be read any more of the stick beyond `place`.
fn pull_out(directory: &Path, place: u64) {
    let file = OpenOptions::new().write(true).open(directory.join("stick"));
    file.and_then(|file| file.set_len(place)).expect("cut off");
}

#[test]
fn a_real_file_system_that_is_gone_ends_a_run_in_order() {
    let directory = directory();
    let content = directory.path().join("content");
    fs::create_dir(&content).unwrap();
    let subject = Extract::of_noise("--to");
    fs::copy(subject.bundle(), content.join("x.run")).unwrap();
    let size = fs::metadata(subject.bundle()).unwrap().len();
    let plugged = image(directory.path(), &content, size * 5 / 4 + (1 << 20))
        .and_then(|pristine| plug_in(directory.path(), &pristine).map(|_| pristine));
    let pristine = match plugged {
        Ok(pristine) => pristine,
        Err(reason) => return report(&format!("skipped: a stick in a loop device: {reason}")),
    };
    let mut random = Random::new();
    let count = rounds(3, 50);
    let on_stick = subject.at(&directory.path().join("mounted/x.run"));
    for _ in 0..count {
        let place = Place::of(&on_stick);
        {
            let _stick = plug_in(directory.path(), &pristine).unwrap();
            // Not so early that the file system itself is not found.
            let at = size / 4 + random.below(size / 2);
            pull_out(directory.path(), at - at % 4096);
            let begun = Instant::now();
            let output = place.run(&on_stick);
            ended_in_order(
                &output,
                begun.elapsed(),
                &format!("cut at {at} (seed {})", random.seed()),
            );
        }
        let _stick = plug_in(directory.path(), &pristine).unwrap();
        let output = place.run(&on_stick);
        assert!(output.status.success(), "replugged: {}", text(&output));
    }
    report(&format!(
        "{count} times a mounted stick was gone beyond some place: exit code 5, no SIGBUS, and replugged the rerun ended well (seed {})",
        random.seed()
    ));
}
