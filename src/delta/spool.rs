//! The tar of a bundle, or what is wanted of it, in a file without a name.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::DeltaError;
use crate::bundle::{BundleIndex, Member, member_span};
use crate::host::interrupt;
use crate::progress::Progress;
use crate::verify::VerifiedBundle;

/// Where each member of `index` begins in its tar.
pub(super) fn offsets(index: &BundleIndex) -> Vec<u64> {
    let begin = index.members.iter().scan(0, |next, member| {
        let here = *next;
        *next += member_span(member.size).expect("checked by the index");
        Some(here)
    });
    begin.collect()
}

/// Writes the wanted members where they are in the tar.
pub(super) fn tar_of(
    bundle: &VerifiedBundle,
    wanted: impl Fn(&Member) -> bool + Send,
    directory: &Path,
    progress: &dyn Progress,
) -> Result<File, DeltaError> {
    let index = bundle.index();
    let failed = |source| DeltaError::Write {
        path: directory.to_owned(),
        source,
    };
    let mut spool = tempfile::tempfile_in(directory).map_err(failed)?;
    spool.set_len(index.plain_size()).map_err(failed)?;
    let begin: std::collections::HashMap<&str, u64> = index
        .members
        .iter()
        .map(|member| member.path.as_str())
        .zip(offsets(index))
        .collect();
    let bytes = index.members.iter().filter(|member| wanted(member));
    progress.begin("decode", Some(bytes.map(|member| member.size).sum()));
    let mut buffer = vec![0; 1 << 20];
    let mut members = bundle.members(wanted);
    while let Some(reader) = members.next_member()? {
        let member = reader.member();
        spool
            .seek(SeekFrom::Start(begin[member.path.as_str()]))
            .map_err(failed)?;
        let header = member.tar_header().expect("checked by the index");
        spool.write_all(&header).map_err(failed)?;
        let mut reader = reader.by_its_chunks();
        loop {
            interrupt::check()?;
            let count = reader
                .read(&mut buffer)
                .map_err(|error| DeltaError::from_read(bundle.path(), error))?;
            if count == 0 {
                break;
            }
            spool.write_all(&buffer[..count]).map_err(failed)?;
            progress.advance(count as u64);
        }
    }
    progress.end("");
    Ok(spool)
}

/// The `size` bytes of `file` from `from` on.
pub(super) fn range(file: &File, from: u64, size: u64) -> io::Result<Vec<u8>> {
    let size = usize::try_from(size).map_err(|_| io::ErrorKind::OutOfMemory)?;
    let mut bytes = vec![0; size];
    file.read_exact_at(&mut bytes, from)?;
    Ok(bytes)
}
