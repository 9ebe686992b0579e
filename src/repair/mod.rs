//! Takes a damaged bundle and a second copy of it, gives a whole bundle, fails when some
//! run of bytes is bad in both.
//!
//! Only what is bad is written, in its place, and only bytes that have their digest: so a
//! run that is cut short leaves nothing worse, and the next one goes on from there.

mod authority;
mod copy;
mod error;
mod runs;
mod scan;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

pub use error::RepairError;

use crate::bundle::{BundleIndex, volume_path};
use crate::host::{interrupt, sync_directory};
use crate::progress::Progress;
use crate::trust::TrustedKeys;
use authority::Authority;
use copy::Copy;
use runs::Run;
use scan::Finding;

/// What a repair did.
#[derive(Debug)]
pub struct Repaired {
    /// What the bundle says of itself.
    pub index: BundleIndex,
    /// What was taken from the other copy.
    pub taken: Taken,
    /// The files that were too long, and are not any more.
    pub shortened: Vec<PathBuf>,
}

/// What was taken from the other copy.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// How many chunks of the payload.
    pub chunks: u64,
    /// The runs of bytes that are not payload, by what they are.
    pub others: Vec<String>,
    /// All these bytes.
    pub bytes: u64,
}

/// Makes the bundle at `path` whole with what the copy at `from` has. What each byte
/// should be is told by an index that is whole in one of them, and signed with a trusted
/// key where keys count.
pub fn repair(
    path: &Path,
    from: &Path,
    trusted: &TrustedKeys,
    progress: &dyn Progress,
) -> Result<Repaired, RepairError> {
    let mut target = Copy::open_first(path).map_err(RepairError::read(path))?;
    let mut source = Copy::open_any(from).map_err(RepairError::read(from))?;
    refuse_same(path, from)?;
    let authority = Authority::find(&target, &source, trusted)?;
    let index = &authority.index;
    target.open_volumes(index.volumes.len())?;
    source.open_volumes(index.volumes.len())?;

    let runs = authority.runs();
    progress.begin("compare", Some(runs.iter().map(|run| run.place.size).sum()));
    let findings = scan::compare(&target, &runs, progress)?;
    target.misread.tell(progress);
    progress.end("");
    scan::refuse_stranger(path, from, &authority, &runs, &findings)?;
    scan::refuse_other_form(path, from, &authority, &target, &runs, &findings)?;
    scan::refuse_misplaced(path, index, &runs, &findings)?;

    let bad: Vec<&Run> = runs
        .iter()
        .zip(&findings)
        .filter(|(_, finding)| **finding != Finding::Good)
        .map(|(run, _)| run)
        .collect();
    let mut taken = Taken::default();
    let mut lost = Vec::new();
    progress.begin("repair", Some(bad.iter().map(|run| run.place.size).sum()));
    for run in &bad {
        interrupt::check()?;
        match source.find(run, index) {
            Some(bytes) => {
                target.write(run.place, &bytes)?;
                taken.add(run);
            }
            None => lost.push((*run).clone()),
        }
        progress.advance(run.place.size);
    }
    source.misread.tell(progress);
    let shortened = target.shorten(&authority.lengths())?;
    if taken.bytes > 0 || !shortened.is_empty() {
        target.sync()?;
        sync_directory(path.parent().unwrap_or(Path::new("")))?;
    }
    for run in bad.iter().filter(|run| !lost.contains(run)) {
        target.check_kept(run)?;
    }
    progress.end("");
    if lost.is_empty() {
        let index = authority.index;
        return Ok(Repaired {
            index,
            taken,
            shortened,
        });
    }
    Err(RepairError::BadInBoth {
        path: path.to_owned(),
        from: from.to_owned(),
        lost: lost.iter().map(|run| run.describe(path)).collect(),
        taken,
    })
}

impl Taken {
    fn add(&mut self, run: &Run) {
        self.bytes += run.place.size;
        match run.chunk {
            Some(_) => self.chunks += 1,
            None => self.others.push(run.what.clone()),
        }
    }
}

/// Both must be there twice, or nothing could be taken.
fn refuse_same(path: &Path, from: &Path) -> Result<(), RepairError> {
    let identity = |path: &Path| fs::metadata(path).ok().map(|facts| (facts.dev(), facts.ino()));
    // The volumes too: they may be links, where the first files are not.
    let same = |one: &Path, other: &Path| identity(one).is_some_and(|found| identity(other) == Some(found));
    if same(path, from) || same(&volume_path(path, 1), &volume_path(from, 1)) {
        return Err(RepairError::Same {
            path: path.to_owned(),
            from: from.to_owned(),
        });
    }
    Ok(())
}
