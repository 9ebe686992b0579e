//! G7: a part of a write. A disk that gets full, as a file that gets too long, takes the
//! bytes for which there is room, and refuses the rest; `strace` refuses a call as a whole.
//! Every file of a run is cut at N bytes, and the next run ends in the same state.

use std::fs;
use std::ops::Range;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use super::start::{Newer, Start, Uninstall};
use super::strace;
use super::subjects::{self, Place, Subject, spawn, start, through};
use super::{Undisturbed, ended_in_order, finishes, is_undone, left_in_order, sweep, text, undisturbed};
use crate::effort::{Random, report};

/// What a run gets for the first byte that is too many. Source: setrlimit(2),
/// `RLIMIT_FSIZE`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Beyond {
    /// `EFBIG`, as the signal is ignored.
    Refused,
    /// SIGXFSZ, which ends it.
    Killed,
    /// `EFBIG`, and soon there is room again, as where what was made is removed: only then can
    /// the run put a record behind half of another.
    RefusedOnce,
}

/// The program, none of whose files may be longer than `bytes`.
fn limiting(program: &Command, bytes: u64, beyond: Beyond) -> Command {
    let most = if beyond == Beyond::RefusedOnce {
        String::new()
    } else {
        bytes.to_string()
    };
    // No core of a killed run among its files.
    let limits = [format!("--fsize={bytes}:{most}"), "--core=0:0".to_owned()];
    match beyond {
        Beyond::Killed => through("prlimit", &limits, program),
        Beyond::Refused | Beyond::RefusedOnce => {
            let ignoring = ["-c", r#"trap '' XFSZ && exec prlimit "$@""#, "sh"].map(str::to_owned);
            through("sh", &[&ignoring[..], &limits].concat(), program)
        }
    }
}

/// How long each write to the journal waits where there is room again soon: first that of
/// the rest of a record, for which there is none, then that of the next.
const STEP: Duration = Duration::from_millis(20);

/// The program, slow in that.
fn slow(program: &Command, directory: &Path) -> Command {
    // The program keeps the id of the process that is started.
    let mut arguments = ["-D", "-qq", "-o", "/dev/null", "-e", "trace=write", "-P"]
        .map(str::to_owned)
        .to_vec();
    let delay = format!("inject=write:delay_enter={}", STEP.as_micros());
    arguments.extend([
        directory.join(JOURNAL).display().to_string(),
        "-e".to_owned(),
        delay,
    ]);
    through("strace", &arguments, program)
}

/// Waits until the journal of `run` is as long as it may be; a little later it may be longer.
fn make_room(subject: &dyn Subject, run: &mut Child, directory: &Path, bytes: u64) {
    let full = || fs::metadata(directory.join(JOURNAL)).is_ok_and(|facts| facts.len() == bytes);
    while !full() {
        if run.try_wait().expect("ours").is_some() {
            return;
        }
        thread::sleep(Duration::from_micros(50));
    }
    thread::sleep(STEP * 3 / 2);
    // As who started it: not even root may, where it is not root of the machine.
    let mut room = Command::new("prlimit");
    room.args(["--fsize=unlimited", "--pid"])
        .arg(run.id().to_string());
    subject.user(&mut room);
    // The run may have ended.
    let _ = room.stderr(Stdio::null()).status();
}

/// Why files cannot be limited here.
fn missing() -> Option<String> {
    let tried = limiting(&Command::new("true"), 0, Beyond::Refused).output();
    match tried {
        Err(error) => Some(format!("sh: {error}")),
        Ok(output) if !output.status.success() => Some(format!("prlimit: {}", text(&output).trim())),
        Ok(_) => None,
    }
}

const JOURNAL: &str = "home/.local/state/minikube-offline/journal.jsonl";

/// What has a name of its own until it gets its place, or while another file has that.
const HIDDEN: [&str; 2] = [".minikube-offline-partial", ".minikube-offline-earlier"];

/// The files in a place, with their lengths.
fn lengths(place: &Place) -> Vec<(PathBuf, u64)> {
    let entries = walkdir::WalkDir::new(place.directory()).into_iter();
    let entries = entries.map(|entry| entry.expect("an entry"));
    let files = entries.filter(|entry| entry.file_type().is_file());
    files
        .map(|file| (file.path().to_owned(), file.metadata().expect("there").len()))
        .collect()
}

/// The lengths at which something is cut: `count` of them over the journal, as far as a
/// run makes it longer, a third of that over the longest file that it makes, and the few
/// bytes of a lock; and before them, what the run makes of the journal.
fn limits(subject: &dyn Subject, count: u64) -> (Range<u64>, Vec<u64>) {
    let place = Place::of(subject);
    let before = lengths(&place);
    let journal = place.directory().join(JOURNAL);
    let begun = fs::metadata(&journal).map_or(0, |facts| facts.len());
    // It has another name when the run removed it.
    let another = place.directory().join("journal");
    let known = fs::hard_link(&journal, &another).is_ok();
    let output = place.run(subject);
    assert!(output.status.success(), "{}", text(&output));
    let ended = fs::metadata(if known { another } else { journal }).map_or(0, |facts| facts.len());
    let after = lengths(&place).into_iter().filter(|file| !before.contains(file));
    let longest = after.map(|(_, bytes)| bytes).max().unwrap_or(0);
    let over = |first: u64, last: u64, count: u64| {
        (0..=count).map(move |step| first + (last - first) * step / count)
    };
    let mut limits: Vec<u64> = over(begun, ended, count)
        .chain(over(0, longest, count / 3))
        .chain(0..8)
        .collect();
    limits.sort_unstable();
    limits.dedup();
    (begun..ended, limits)
}

fn cut(subject: &dyn Subject, right: &Undisturbed, bytes: u64, beyond: Beyond) -> Result<bool, String> {
    let what = format!("{} with files of {bytes} bytes, {beyond:?}", subject.name());
    let place = Place::of(subject);
    let command = place.command(subject);
    let output = if beyond == Beyond::RefusedOnce {
        let slow = slow(&command, place.directory());
        let mut run = spawn(&mut limiting(&slow, bytes, beyond), subject);
        make_room(subject, &mut run, place.directory(), bytes);
        run.wait_with_output().expect("ours")
    } else {
        start(&mut limiting(&command, bytes, beyond), subject)
    };
    let said = text(&output);
    let killed = output.status.signal() == Some(Signal::XFSZ.as_raw());
    if killed && beyond != Beyond::Killed {
        return Err(format!("{what}: it was killed"));
    }
    if !killed {
        ended_in_order(subject, &output, 6, &what)?;
        let named = format!("`{}/", place.directory().display());
        if output.status.code() == Some(6) && !said.contains(&named) {
            return Err(format!("{what}: no file is named: {said}"));
        }
    }
    if output.status.success() {
        left_in_order(subject, &place, right, &output, &what)?;
    } else {
        let mut wrong = place.tree(subject).strangers(&right.before, &right.after);
        if killed || said.contains("not everything could be removed again") {
            wrong.retain(|path| !HIDDEN.iter().any(|ending| path.ends_with(ending)));
        }
        if !wrong.is_empty() {
            return Err(format!("{what}: it left {wrong:?}: {said}"));
        }
    }
    // Half of them are given up at once, and not finished first.
    if bytes.is_multiple_of(2) {
        is_undone(subject, &place, right, &what)?;
    }
    finishes(subject, &place, right, &what)?;
    Ok(!output.status.success())
}

fn short_writes(subject: &dyn Subject, count: u64) {
    let name = subject.name();
    if let Some(reason) = missing() {
        return report(&format!("skipped: short writes of `{name}`: {reason}"));
    }
    let mut random = Random::new();
    let right = undisturbed(subject);
    let untraced = strace::missing();
    if let Some(reason) = &untraced {
        report(&format!(
            "skipped: short writes of `{name}` where there is room again: {reason}"
        ));
    }
    let (journal, limits) = limits(subject, count);
    let mut cases = Vec::new();
    for bytes in limits {
        cases.extend([(bytes, Beyond::Refused), (bytes, Beyond::Killed)]);
        if journal.contains(&bytes) && untraced.is_none() {
            cases.push((bytes, Beyond::RefusedOnce));
        }
    }
    let ended = AtomicUsize::new(0);
    let tried = sweep(&cases, 10, &mut random, |(bytes, beyond)| {
        let early = cut(subject, &right, *bytes, *beyond)?;
        ended.fetch_add(usize::from(early), Ordering::Relaxed);
        Ok(())
    });
    report(&format!(
        "{tried} of {} limits to the length of files of `{name}`, which ended {} runs in the middle of a write: nothing half done, each rerun ended in the same state (seed {})",
        cases.len(),
        ended.into_inner(),
        random.seed()
    ));
}

#[test]
fn extract_to_a_directory_survives_short_writes() {
    short_writes(&subjects::Extract::to_directory(), 60);
}

#[test]
fn extract_to_a_cache_survives_short_writes() {
    short_writes(&subjects::Extract::to_cache(), 60);
}

#[test]
fn start_survives_short_writes() {
    short_writes(&Start::new(), 120);
}

#[test]
fn uninstall_survives_short_writes() {
    short_writes(&Uninstall::new(), 60);
}

#[test]
fn a_start_of_a_newer_bundle_survives_short_writes() {
    short_writes(&Newer::new(), 90);
}
