//! G6: the power is lost. A run on a file system of its own is ended at a call; what that
//! file system has on its medium by then is mounted, and the next run ends in the same
//! state. Nothing that was only in the machine's memory is there any more.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;

use super::medium::{Mounted, command};
use super::strace::{self, Call, Fault};
use super::subjects::{self, Place, Subject};
use super::{Undisturbed, finishes, start, sweep, text, undisturbed};
use crate::effort::{Random, directory, long, report};

/// What is lost.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Lost {
    /// All that was not synced.
    Unsynced,
    /// Contents that were not synced. Another program's `fsync` wrote what the file
    /// system knows of names and lengths, as ext4 and xfs do for all files at once.
    Contents,
}

/// A file system, and what makes it. There is room for a stub that was built for debugging.
struct Kind {
    name: &'static str,
    make: &'static [&'static str],
    bytes: u64,
    options: &'static str,
    /// How many calls are tried in a long run: all, or these.
    calls: usize,
}

/// ext4 commits by itself every 5 s, btrfs every 30: not within a run.
const KINDS: [Kind; 4] = [
    Kind {
        name: "ext4",
        make: &["mke2fs", "-q", "-t", "ext4"],
        bytes: 128 << 20,
        options: "loop,commit=900",
        calls: usize::MAX,
    },
    Kind {
        name: "ext4, data=writeback",
        make: &["mke2fs", "-q", "-t", "ext4"],
        bytes: 128 << 20,
        options: "loop,commit=900,data=writeback,noauto_da_alloc",
        calls: 40,
    },
    Kind {
        name: "xfs",
        make: &["mkfs.xfs", "-q"],
        bytes: 300 << 20,
        options: "loop,nouuid",
        calls: 40,
    },
    Kind {
        name: "btrfs",
        make: &["mkfs.btrfs", "-q"],
        bytes: 256 << 20,
        options: "loop,commit=300",
        calls: 40,
    },
];

impl Kind {
    /// An empty file system in a new file.
    fn make(&self, image: &Path) -> Result<(), String> {
        File::create(image)
            .and_then(|file| file.set_len(self.bytes))
            .expect("an image");
        command(self.make[0], &self.make[1..], &[image])
    }

    /// Whether there is such a file system here.
    fn try_it(&self) -> Result<(), String> {
        let directory = directory();
        let image = directory.path().join("image");
        self.make(&image)?;
        Mounted::new(&image, &directory.path().join("mounted"), self.options).map(drop)
    }
}

/// As the medium is at one moment, whatever the file system still has in memory. It may
/// write by itself: then what was copied is of two moments, and is copied once more.
fn copy(from: &Path, to: &Path) -> Result<(), String> {
    for _ in 0..20 {
        // Holes stay holes.
        command("cp", &["--sparse=always"], &[from, to])?;
        if command("cmp", &["--silent"], &[from, to]).is_ok() {
            return Ok(());
        }
    }
    Err(format!("`{}` does not come to rest", from.display()))
}

fn recovers(
    subject: &dyn Subject,
    right: &Undisturbed,
    kind: &Kind,
    (call, lost): &(Option<Call>, Lost),
) -> Result<(), String> {
    let at = call
        .as_ref()
        .map_or_else(|| "its end".to_owned(), ToString::to_string);
    let what = format!(
        "{} without power at {at}, {}, {lost:?}",
        subject.name(),
        kind.name
    );
    let directory = directory();
    // Others than root go through it.
    fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).expect("ours");
    let [before, after, mounted] = ["before", "after", "mounted"].map(|name| directory.path().join(name));
    let place = mounted.join("place");
    kind.make(&before)?;
    {
        let on = Mounted::new(&before, &mounted, kind.options)?;
        let place = Place::within(&place, subject);
        command("sync", &["--file-system"], &[on.at()])?;
        let ended = match call {
            Some(call) => place.disturb(subject, call, Fault::Kill),
            None => place.run(subject),
        };
        let in_order = match call {
            // On another file system it may make other calls, and come to its end.
            Some(_) => ended.status.signal() == Some(9) || ended.status.success(),
            None => ended.status.success(),
        };
        if !in_order {
            return Err(format!(
                "{what}: it ended with {:?}: {}",
                ended.status,
                text(&ended)
            ));
        }
        if *lost == Lost::Contents {
            File::create(on.at().join("neighbour"))
                .and_then(|file| file.sync_all())
                .map_err(|error| format!("{what}: the neighbour: {error}"))?;
        }
        copy(&before, &after)?;
    }
    let _on = Mounted::new(&after, &mounted, kind.options).map_err(|error| format!("{what}: {error}"))?;
    finishes(subject, &Place::again(&place), right, &what)
}

fn power_cuts(subject: &dyn Subject) {
    let name = subject.name();
    if let Some(reason) = strace::missing() {
        return report(&format!("skipped: `{name}` without power: {reason}"));
    }
    let mut random = Random::new();
    let right = undisturbed(subject);
    let mut calls: Vec<Option<Call>> = right
        .calls
        .iter()
        .filter(|call| call.changes)
        .cloned()
        .map(Some)
        .collect();
    calls.push(None);
    for kind in if long() { &KINDS[..] } else { &KINDS[..1] } {
        if let Err(reason) = kind.try_it() {
            report(&format!(
                "skipped: `{name}` without power on {}: {reason}",
                kind.name
            ));
            continue;
        }
        let mut chosen = calls.clone();
        while chosen.len() > if long() { kind.calls } else { 3 } {
            chosen.swap_remove(random.place(chosen.len()));
        }
        let cases: Vec<(Option<Call>, Lost)> = chosen
            .into_iter()
            .flat_map(|call| [(call.clone(), Lost::Unsynced), (call, Lost::Contents)])
            .collect();
        let tried = sweep(&cases, cases.len(), &mut random, |case| {
            recovers(subject, &right, kind, case)
        });
        report(&format!(
            "{tried} crash images of `{name}` on {}, of {} calls: each rerun ended in the same state (seed {})",
            kind.name,
            calls.len(),
            random.seed()
        ));
    }
}

#[test]
fn extract_to_a_directory_survives_power_cuts() {
    power_cuts(&subjects::Extract::to_directory());
}

#[test]
fn extract_to_a_cache_survives_power_cuts() {
    power_cuts(&subjects::Extract::to_cache());
}

#[cfg(feature = "packager")]
#[test]
fn pack_survives_power_cuts() {
    power_cuts(&subjects::Pack::new());
}

#[cfg(feature = "packager")]
#[test]
fn sign_survives_power_cuts() {
    power_cuts(&subjects::Sign::new());
}

#[test]
fn start_survives_power_cuts() {
    power_cuts(&start::Start::new());
}

#[test]
fn uninstall_survives_power_cuts() {
    power_cuts(&start::Uninstall::new());
}
