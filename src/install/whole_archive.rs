//! Whether a file is, byte for byte, the archive of some images that this bundle would give:
//! then it need not be written again, whoever wrote it.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use super::archive::{ArchiveWriter, ImageSet};
use crate::bundle::{Hasher, Member};
use crate::host::FileError;

/// Bytes hashed at once.
const BUFFER_BYTES: usize = 256 << 10;

/// Takes what is written only when the file has it at this very place.
struct Compared(BufReader<File>);

impl Write for Compared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut there = vec![0; bytes.len()];
        self.0.read_exact(&mut there)?;
        if there == bytes {
            Ok(bytes.len())
        } else {
            Err(io::ErrorKind::InvalidData.into())
        }
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether the regular file `path` is the archive of `set`, whose blobs are among
/// `members`, which are in the payload's order. Each blob is hashed again.
pub(crate) fn is_archive_of(path: &Path, set: &ImageSet<'_>, members: &[Member]) -> Result<bool, FileError> {
    match compare(path, set, members) {
        Ok(()) => Ok(true),
        Err(error) if [io::ErrorKind::InvalidData, io::ErrorKind::UnexpectedEof].contains(&error.kind()) => {
            Ok(false)
        }
        Err(error) => Err(FileError::at("read", path)(error)),
    }
}

fn compare(path: &Path, set: &ImageSet<'_>, members: &[Member]) -> io::Result<()> {
    let file = File::open(path)?;
    if file.metadata()?.len() != set.archive_bytes() {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut archive = ArchiveWriter::new(Compared(BufReader::with_capacity(BUFFER_BYTES, file)));
    archive.documents(set)?;
    for member in members.iter().filter(|member| set.wants(member)) {
        archive.begin_blob(member.sha256, member.size)?;
        let file = archive.content(member.size).0.by_ref();
        let mut hasher = Hasher::new();
        if io::copy(&mut file.take(member.size), &mut hasher)? != member.size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if hasher.finish() != member.sha256 {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    // Its length was compared: nothing stands behind the end.
    archive.finish().map(|_| ())
}
