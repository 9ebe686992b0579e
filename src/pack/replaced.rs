//! The bundle whose place a new one takes: its serial is counted on from there.
//!
//! There is no central place that counts. But who replaces a bundle has it there, and a site
//! that has the older one is to take the new one, and not the older one again.

use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::bundle::{BundleIndex, Trailer};
use crate::host::open_regular;
use crate::progress::Progress;

/// The index of the bundle at `path`, where there is one. Nobody vouches for it.
pub(super) fn index_of(path: &Path) -> Option<BundleIndex> {
    // What else lies there, such as a pipe, is not waited for.
    let (file, facts) = open_regular(path).ok()?;
    let length = facts.len();
    let mut bytes = [0; Trailer::BYTES];
    file.read_exact_at(&mut bytes, length.checked_sub(Trailer::BYTES as u64)?)
        .ok()?;
    let trailer = Trailer::parse(&bytes, length).ok()?;
    let mut json = vec![0; usize::try_from(trailer.index_bytes).ok()?];
    file.read_exact_at(&mut json, trailer.index_offset).ok()?;
    BundleIndex::parse(&json).ok()
}

/// The serial of the bundle `new`, which goes to `path`: what was `asked` for, else that of
/// the bundle of its name there when it holds the same, and one more when it does not.
pub(super) fn serial(path: &Path, new: &BundleIndex, asked: Option<u64>, progress: &dyn Progress) -> u64 {
    let Some(before) = index_of(path).filter(|before| before.name == new.name) else {
        return asked.unwrap_or(1);
    };
    if holds_the_same(&before, new) {
        return asked.unwrap_or(before.serial);
    }
    let shown = format!("`{}` with serial {}", path.display(), before.serial);
    let serial = asked.unwrap_or_else(|| before.serial.saturating_add(1));
    if serial <= before.serial {
        let refused = if serial < before.serial {
            "sites that have that one refuse this one as older"
        } else {
            "sites cannot tell which of the two is the newer"
        };
        progress.note(&format!(
            "the bundle gets serial {serial} and takes the place of {shown}: {refused}"
        ));
    } else if asked.is_none() {
        progress.note(&format!(
            "the bundle takes the place of {shown}, and gets serial {serial}"
        ));
    }
    let (now, then) = (
        &new.cluster.kubernetes_version,
        &before.cluster.kubernetes_version,
    );
    if now < then && serial > before.serial {
        progress.note(&format!(
            "its Kubernetes {now} is older than {then} of the one before: sites take it anyway"
        ));
    }
    serial
}

/// Whether both hold the same, however it is compressed and cut into volumes.
fn holds_the_same(one: &BundleIndex, other: &BundleIndex) -> bool {
    let BundleIndex {
        format,
        name: _,
        serial: _,
        packer,
        resolved: _,
        cluster,
        header: _,
        stubs,
        volumes: _,
        chunks: _,
        frames: _,
        members,
        binaries,
        images,
        image_indexes,
        files,
        applications,
        packages,
    } = one;
    (*format, packer, cluster, stubs, members)
        == (
            other.format,
            &other.packer,
            &other.cluster,
            &other.stubs,
            &other.members,
        )
        && (binaries, images) == (&other.binaries, &other.images)
        && (image_indexes, files, applications, packages)
            == (
                &other.image_indexes,
                &other.files,
                &other.applications,
                &other.packages,
            )
}
