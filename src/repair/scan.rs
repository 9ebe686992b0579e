//! What is bad in the copy that is to be repaired, and what makes a repair unwise.

use std::collections::BTreeSet;
use std::path::Path;

use super::RepairError;
use super::authority::Authority;
use super::copy::Copy;
use super::runs::Run;
use crate::bundle::{BundleIndex, Checksum, volume_path};
use crate::host::{Interruption, cpu_count, interrupt, try_in_parallel};
use crate::progress::Progress;
use crate::verify::{MisplacedVolume, VerifyError};

/// What a run of bytes was found to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Finding {
    Good,
    /// It has this other digest.
    Other(Checksum),
    /// It cannot be read, or is not there.
    Unreadable,
}

/// Compares every run with its digest, on all cores.
pub(super) fn compare(
    copy: &Copy,
    runs: &[Run],
    progress: &dyn Progress,
) -> Result<Vec<Finding>, Interruption> {
    try_in_parallel(cpu_count(), runs, |run| {
        interrupt::check()?;
        let found = finding(copy, run);
        progress.advance(run.place.size);
        Ok(found)
    })
}

fn finding(copy: &Copy, run: &Run) -> Finding {
    match copy.read_twice(run.place, run.digest) {
        Ok((_, found)) if found == run.digest => Finding::Good,
        Ok((_, found)) => Finding::Other(found),
        Err(_) => Finding::Unreadable,
    }
}

/// A file whose own index is not whole must have something of the payload, or it is
/// something else, and would be written over.
pub(super) fn refuse_stranger(
    path: &Path,
    from: &Path,
    authority: &Authority,
    runs: &[Run],
    findings: &[Finding],
) -> Result<(), RepairError> {
    let mut chunks = runs.iter().zip(findings).filter(|(run, _)| run.chunk.is_some());
    if authority.own || chunks.any(|(_, finding)| *finding == Finding::Good) {
        return Ok(());
    }
    Err(RepairError::Stranger {
        path: path.to_owned(),
        from: from.to_owned(),
    })
}

/// What the other copy's index says of volumes holds for those of its own length: others,
/// without an index that is whole, would all seem to have one another's names.
pub(super) fn refuse_other_form(
    path: &Path,
    from: &Path,
    authority: &Authority,
    target: &Copy,
    runs: &[Run],
    findings: &[Finding],
) -> Result<(), RepairError> {
    let Some(first) = authority.index.volumes.first() else {
        return Ok(());
    };
    let longer = target.length(1).is_some_and(|length| length > first.size);
    if authority.own || !longer || misplaced(path, &authority.index, runs, findings).is_empty() {
        return Ok(());
    }
    Err(RepairError::OtherForm {
        path: path.to_owned(),
        from: from.to_owned(),
    })
}

/// A volume under another's name is not bad, and must not be written over.
pub(super) fn refuse_misplaced(
    path: &Path,
    index: &BundleIndex,
    runs: &[Run],
    findings: &[Finding],
) -> Result<(), RepairError> {
    let volumes = misplaced(path, index, runs, findings);
    if volumes.is_empty() {
        return Ok(());
    }
    Err(RepairError::Verify(VerifyError::Misplaced { volumes }))
}

/// The volumes that hold a chunk of another one's which is not where it should be. A second
/// copy of what is there may be written over.
fn misplaced(path: &Path, index: &BundleIndex, runs: &[Run], findings: &[Finding]) -> Vec<MisplacedVolume> {
    let good: BTreeSet<u64> = runs
        .iter()
        .zip(findings)
        .filter(|(_, finding)| **finding == Finding::Good)
        .filter_map(|(run, _)| run.chunk)
        .collect();
    let mut volumes: Vec<MisplacedVolume> = Vec::new();
    for (run, finding) in runs.iter().zip(findings) {
        let (Some(chunk), Finding::Other(Checksum::Blake3(found)), number @ 1..) =
            (run.chunk, finding, run.place.file)
        else {
            continue;
        };
        let within = chunk - index.first_chunk(number);
        let is = |other: &usize| {
            let chunk = index.first_chunk(*other) + within;
            let place = usize::try_from(chunk).ok();
            place.and_then(|place| index.chunks.get(place)) == Some(found) && !good.contains(&chunk)
        };
        let file = volume_path(path, number);
        if let Some(other) = (1..=index.volumes.len()).find(is)
            && volumes.iter().all(|volume| volume.path != file)
        {
            volumes.push(MisplacedVolume {
                path: file,
                number: other,
                twice: false,
            });
        }
    }
    volumes
}
