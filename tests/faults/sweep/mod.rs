//! G5 and G7: a run is killed, or refused by the system, at each call with which it
//! changes something. What comes after always ends in the same state.

mod flaky;
mod hashed;
mod medium;
mod power;
mod random;
mod redone;
mod short;
mod start;
mod strace;
mod subjects;
mod tree;
mod yank;

use std::os::unix::process::ExitStatusExt;
use std::process::Output;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use self::strace::{Call, Fault};
use self::subjects::{Place, Subject};
use self::tree::Tree;
use crate::effort::{Random, long, report};

/// What came of a subject's run without a fault.
struct Undisturbed {
    before: Tree,
    after: Tree,
    calls: Vec<Call>,
}

fn undisturbed(subject: &dyn Subject) -> Undisturbed {
    let place = Place::of(subject);
    let before = place.tree(subject);
    let (output, calls) = place.list(subject);
    assert!(output.status.success(), "{}: {}", subject.name(), text(&output));
    let after = place.tree(subject);
    // Twice the same, or nothing can be compared.
    let again = Place::of(subject);
    again.run(subject);
    assert_eq!(
        again.tree(subject).differences(&after),
        Vec::<String>::new(),
        "{}",
        subject.name()
    );
    Undisturbed { before, after, calls }
}

/// The state that a run without a fault leaves.
fn undisturbed_state(subject: &dyn Subject) -> Tree {
    let place = Place::of(subject);
    let output = place.run(subject);
    assert!(output.status.success(), "{}: {}", subject.name(), text(&output));
    place.tree(subject)
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Does `case` for each of `calls`, or for some of them in a short run, on all cores;
/// gives how many, and what went wrong.
fn sweep<T: Sync>(
    cases: &[T],
    short: usize,
    random: &mut Random,
    case: impl Fn(&T) -> Result<(), String> + Sync,
) -> usize {
    let mut chosen: Vec<&T> = cases.iter().collect();
    while !long() && chosen.len() > short {
        chosen.swap_remove(random.place(chosen.len()));
    }
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(chosen) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(error) = case(chosen) {
                        wrong.lock().unwrap().push(error);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        chosen.len(),
        wrong.join("\n")
    );
    chosen.len()
}

/// Runs the subject again where a run ended badly: the same end as if nothing had been.
fn finishes(subject: &dyn Subject, place: &Place, right: &Undisturbed, what: &str) -> Result<(), String> {
    let again = place.run(subject);
    if !again.status.success() {
        return Err(format!(
            "{what}: the next run ended with {:?}: {}",
            again.status.code(),
            text(&again)
        ));
    }
    let differences = place.tree(subject).differences(&right.after);
    if !differences.is_empty() {
        return Err(format!(
            "{what}: the next run left another state: {differences:?}"
        ));
    }
    is_undone(subject, place, right, what)
}

/// Takes back what the subject did: nothing is left of it.
fn is_undone(subject: &dyn Subject, place: &Place, right: &Undisturbed, what: &str) -> Result<(), String> {
    let Some(undone) = place.undo(subject) else {
        return Ok(());
    };
    if !undone.status.success() {
        return Err(format!("{what}: it could not be undone: {}", text(&undone)));
    }
    let left = place.tree(subject).differences(&right.before);
    if left.is_empty() {
        return Ok(());
    }
    Err(format!("{what}: undone, it left {left:?}"))
}

fn killed(subject: &dyn Subject, right: &Undisturbed, call: &Call) -> Result<(), String> {
    let what = format!("{} killed at {call}", subject.name());
    let place = Place::of(subject);
    let output = place.disturb(subject, call, Fault::Kill);
    if output.status.signal() != Some(9) {
        return Err(format!(
            "{what}: it was not, but ended with {:?}",
            output.status.code()
        ));
    }
    // Half of them are given up at once, and not finished first.
    if call.number.is_multiple_of(2) {
        is_undone(subject, &place, right, &what)?;
    }
    finishes(subject, &place, right, &what)
}

fn refused(
    subject: &dyn Subject,
    right: &Undisturbed,
    call: &Call,
    errno: &'static str,
) -> Result<(), String> {
    let what = format!("{} with {errno} at {call}", subject.name());
    let place = Place::of(subject);
    let output = place.disturb(subject, call, Fault::Error(errno));
    let wanted = if ["ENOSPC", "EDQUOT"].contains(&errno) {
        6
    } else {
        5
    };
    ended_in_order(subject, &output, wanted, &what)?;
    // Not everything is needed: a run may succeed without, and where there are no hard
    // links it takes symbolic ones.
    if output.status.success() && call.name == "linkat" {
        return Ok(());
    }
    left_in_order(subject, &place, right, &output, &what)?;
    finishes(subject, &place, right, &what)
}

/// Whether a run ended well, or with the exit code for what was in its way.
fn ended_in_order(subject: &dyn Subject, output: &Output, wanted: i32, what: &str) -> Result<(), String> {
    let code = output.status.code();
    let accepted = code == Some(0) || code == Some(wanted) || subject.also_ends_with(code);
    if !accepted || text(output).contains("panicked") {
        return Err(format!("{what}: it ended with {code:?}: {}", text(output)));
    }
    Ok(())
}

/// Whether there is nothing but what should be there after a run that ended so.
fn left_in_order(
    subject: &dyn Subject,
    place: &Place,
    right: &Undisturbed,
    output: &Output,
    what: &str,
) -> Result<(), String> {
    let after = place.tree(subject);
    let said = text(output);
    let wrong = if output.status.success() {
        let mut wrong = after.differences(&right.after);
        // A cluster needs no link to its programs, but who has none is told.
        wrong.retain(|difference| {
            let link = difference
                .strip_prefix("`home/.local/bin/")
                .and_then(|rest| rest.split_once('`'));
            link.is_none_or(|(name, _)| !said.contains(&format!("no command `{name}`: ")))
        });
        wrong
    } else {
        after.strangers(&right.before, &right.after)
    };
    if wrong.is_empty() {
        return Ok(());
    }
    let code = output.status.code();
    Err(format!("{what}: it ended with {code:?} and left {wrong:?}"))
}

const ERRORS: [&str; 6] = ["ENOSPC", "EIO", "EDQUOT", "EROFS", "EMFILE", "ENOMEM"];

/// Which errors a call can end with. Source: the manual page of each.
fn errors_of(call: &Call) -> impl Iterator<Item = &'static str> {
    let name = call.name.clone();
    ERRORS.into_iter().filter(move |errno| match *errno {
        "EMFILE" => name.starts_with("open"),
        "ENOMEM" | "EROFS" => !name.contains("write") && !name.contains("read") && !name.contains("sync"),
        "ENOSPC" | "EDQUOT" => !name.contains("read") && !name.starts_with("unlink"),
        _ => true,
    })
}

fn kills(subject: &dyn Subject) {
    if let Some(reason) = strace::missing() {
        report(&format!("skipped: kills of `{}`: {reason}", subject.name()));
        return;
    }
    let mut random = Random::new();
    let right = undisturbed(subject);
    let calls: Vec<Call> = right.calls.iter().filter(|call| call.changes).cloned().collect();
    assert!(!calls.is_empty(), "nothing is changed");
    let tried = sweep(&calls, 10, &mut random, |call| killed(subject, &right, call));
    report(&format!(
        "{tried} of {} calls at which `{}` was killed: each rerun ended in the same state (seed {})",
        calls.len(),
        subject.name(),
        random.seed()
    ));
}

fn refusals(subject: &dyn Subject) {
    if let Some(reason) = strace::missing() {
        report(&format!("skipped: refusals of `{}`: {reason}", subject.name()));
        return;
    }
    let mut random = Random::new();
    let right = undisturbed(subject);
    let cases: Vec<(Call, &'static str)> = right
        .calls
        .iter()
        .flat_map(|call| errors_of(call).map(|errno| (call.clone(), errno)))
        .collect();
    let tried = sweep(&cases, 16, &mut random, |(call, errno)| {
        refused(subject, &right, call, errno)
    });
    report(&format!(
        "{tried} of {} refused calls of `{}` ({}): a clean end, nothing half done, the retry succeeds (seed {})",
        cases.len(),
        subject.name(),
        ERRORS.join(", "),
        random.seed()
    ));
}

#[test]
fn extract_to_a_directory_survives_kills() {
    kills(&subjects::Extract::to_directory());
}

#[test]
fn extract_to_a_directory_survives_refusals() {
    refusals(&subjects::Extract::to_directory());
}

#[test]
fn extract_to_a_cache_survives_kills() {
    kills(&subjects::Extract::to_cache());
}

#[test]
fn extract_to_a_cache_survives_refusals() {
    refusals(&subjects::Extract::to_cache());
}

#[cfg(feature = "packager")]
#[test]
fn join_survives_kills() {
    kills(&subjects::Join::new());
}

#[cfg(feature = "packager")]
#[test]
fn join_survives_refusals() {
    refusals(&subjects::Join::new());
}

#[cfg(feature = "packager")]
#[test]
fn pack_survives_kills() {
    kills(&subjects::Pack::new());
}

#[cfg(feature = "packager")]
#[test]
fn pack_survives_refusals() {
    refusals(&subjects::Pack::new());
}

#[cfg(feature = "packager")]
#[test]
fn sign_survives_kills() {
    kills(&subjects::Sign::new());
}

#[cfg(feature = "packager")]
#[test]
fn sign_survives_refusals() {
    refusals(&subjects::Sign::new());
}

#[test]
fn start_survives_kills() {
    kills(&start::Start::new());
}

#[test]
fn start_survives_refusals() {
    refusals(&start::Start::new());
}

#[test]
fn uninstall_survives_kills() {
    kills(&start::Uninstall::new());
}

#[test]
fn uninstall_survives_refusals() {
    refusals(&start::Uninstall::new());
}
