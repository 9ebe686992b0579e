//! What a rerun does again: what was whole is neither decoded nor written a second time, and
//! what was not is written from where it ended.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use minikube_offline::bundle::limits::CHUNK_BYTES;

use super::strace::{self, Call, Fault};
use super::subjects::{Extract, Place, Subject};
use super::text;
use crate::effort::{report, rounds};

/// The files below a directory that have their names, with what tells a file from another that
/// was written in its place.
fn written(root: &Path) -> BTreeMap<PathBuf, (u64, i64)> {
    let entries = walkdir::WalkDir::new(root)
        .into_iter()
        .map(|entry| entry.expect("an entry"));
    let files = entries.filter(|entry| entry.file_type().is_file());
    let whole = files.filter(|entry| !entry.file_name().to_string_lossy().ends_with("-partial"));
    whole
        .map(|entry| {
            let facts = fs::metadata(entry.path()).expect("a file");
            (entry.path().to_owned(), (facts.ino(), facts.ctime_nsec()))
        })
        .collect()
}

#[test]
fn what_was_whole_when_a_run_was_killed_is_not_written_again() {
    if let Some(reason) = strace::missing() {
        return report(&format!("skipped: what a rerun does again: {reason}"));
    }
    let mut lines = Vec::new();
    for (subject, first) in [
        (Extract::to_directory(), "images/"),
        // The image whose blobs come first in the payload, whole before the others are.
        (Extract::to_cache(), "cache/kic/"),
    ] {
        let place = Place::of(&subject);
        let (output, calls) = place.list(&subject);
        assert!(output.status.success(), "{}", text(&output));
        let all = written(place.directory()).len();
        let named = |name: &str| -> Vec<Call> {
            let calls = calls.iter().filter(|call| call.name == name && call.changes);
            calls.cloned().collect()
        };
        let (second, last) = (named("rename")[1].clone(), named("write").pop().expect("writes"));
        for (call, whole) in [(second, 1), (last, all - 1)] {
            let place = Place::of(&subject);
            let killed = place.disturb(&subject, &call, Fault::Kill);
            assert_eq!(killed.status.signal(), Some(9), "{}", text(&killed));
            let there = written(place.directory());
            assert_eq!(there.len(), whole, "{} at {call}: {there:#?}", subject.name());
            let is_first = |path: &PathBuf| path.to_string_lossy().contains(first);
            assert!(
                there.keys().any(is_first),
                "{} at {call}: {there:#?}",
                subject.name()
            );
            for _ in 0..2 {
                let again = place.run(&subject);
                assert!(again.status.success(), "{}", text(&again));
                let after = written(place.directory());
                assert_eq!(after.len(), all);
                for (path, file) in &there {
                    assert_eq!(
                        after.get(path),
                        Some(file),
                        "{} was written again",
                        path.display()
                    );
                }
            }
            lines.push(format!("`{}` at {call}: {whole} of {all} files", subject.name()));
        }
    }
    report(&format!(
        "killed, with what was whole by then, and was not written again: {}",
        lines.join("; ")
    ));
}

#[test]
fn an_archive_that_is_not_what_it_should_be_is_written_again() {
    let subject = Extract::to_cache();
    let place = Place::of(&subject);
    assert!(place.run(&subject).status.success());
    let right = place.tree(&subject);
    let archives: Vec<PathBuf> = written(place.directory())
        .into_keys()
        .filter(|path| !path.starts_with(place.directory().join("home/.minikube/cache/linux")))
        .collect();
    assert_eq!(archives.len(), 3, "{archives:#?}");
    let mut tried = 0;
    for archive in &archives {
        let content = fs::read(archive).expect("an archive");
        // Headers, documents, blobs, padding and the end: a tar is made of blocks of 512.
        let flipped = (0..content.len()).step_by(256).map(|at| {
            let mut content = content.clone();
            content[at] ^= 1;
            content
        });
        let lengths = [
            &content[..content.len() - 1],
            &[&content[..], b"\0"].concat(),
            b"",
        ]
        .map(<[u8]>::to_vec);
        for wrong in flipped.chain(lengths) {
            fs::write(archive, wrong).expect("ours");
            assert!(place.run(&subject).status.success());
            assert_eq!(place.tree(&subject).differences(&right), Vec::<String>::new());
            tried += 1;
        }
    }
    report(&format!(
        "{tried} archives of a cache that were flipped, cut or longer: each was written again"
    ));
}

/// The bytes below a directory, those with two names once.
fn bytes(root: &Path) -> u64 {
    let entries = walkdir::WalkDir::new(root).into_iter();
    let facts = entries.map(|entry| entry.expect("an entry").metadata().expect("there"));
    let files = facts.filter(fs::Metadata::is_file);
    let by_inode: BTreeMap<u64, u64> = files.map(|facts| (facts.ino(), facts.len())).collect();
    by_inode.values().sum()
}

/// Runs the subject to its end; gives the bytes that it wrote anywhere, which only root may
/// know of a program that was begun from memory.
fn bytes_written(place: &Place, subject: &dyn Subject) -> io::Result<u64> {
    let mut child = place.spawn(subject);
    let of_process = |file: &str| fs::read_to_string(format!("/proc/{}/{file}", child.id()));
    // Its figures are there until somebody asks for its end.
    let figures = loop {
        match of_process("stat") {
            Ok(stat) if stat.contains(") Z ") => break of_process("io"),
            Ok(_) => thread::sleep(Duration::from_millis(5)),
            Err(error) => break Err(error),
        }
    };
    assert!(child.wait().expect("ended").success());
    let figures = figures?;
    let written = figures.lines().find_map(|line| line.strip_prefix("wchar: "));
    Ok(written.expect("proc(5)").parse().expect("a number"))
}

#[test]
fn at_most_a_chunk_of_what_a_killed_run_wrote_is_written_again() {
    if let Some(reason) = strace::missing() {
        return report(&format!("skipped: what is written again: {reason}"));
    }
    let mut lines = Vec::new();
    for subject in [Extract::of_noise("--to"), Extract::of_noise("--to-cache")] {
        let place = Place::of(&subject);
        let first = match bytes_written(&place, &subject) {
            Ok(first) => first,
            Err(error) => return report(&format!("skipped: what is written again: /proc/PID/io: {error}")),
        };
        let all = bytes(place.directory());
        let right = place.tree(&subject);
        // Its own copy in memory, and what it says.
        let besides = bytes_written(&place, &subject).expect("as before");
        assert!(
            (all..all + 4096).contains(&(first - besides)),
            "{first} {besides} {all}"
        );
        let (_, calls) = Place::of(&subject).list(&subject);
        let writes: Vec<&Call> = calls
            .iter()
            .filter(|call| call.name == "write" && call.changes)
            .collect();
        let kills = usize::try_from(rounds(2, 60)).expect("few");
        let (mut kept, mut again) = (0, 0);
        for kill in 1..=kills {
            let call = writes[(writes.len() - 1) * kill / kills];
            let place = Place::of(&subject);
            let killed = place.disturb(&subject, call, Fault::Kill);
            assert_eq!(killed.status.signal(), Some(9), "{}", text(&killed));
            let there = bytes(place.directory());
            let written = bytes_written(&place, &subject)
                .expect("as before")
                .saturating_sub(besides);
            assert_eq!(place.tree(&subject).differences(&right), Vec::<String>::new());
            let twice = (there + written).saturating_sub(all);
            assert!(
                twice <= CHUNK_BYTES,
                "{} at {call}: {there} and {written} of {all}",
                subject.name()
            );
            kept += there;
            again = again.max(twice);
        }
        lines.push(format!(
            "`{}` of {} MB, {kills} times killed: {} MB were kept, {again} bytes at most written twice",
            subject.name(),
            all >> 20,
            kept >> 20
        ));
    }
    report(&lines.join("; "));
}
