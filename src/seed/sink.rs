//! A program in the seed that is fed with a tar.

use std::io::{self, Write};

use super::SeedError;
use super::fed::finish;
use crate::bundle::Digest;
use crate::host::Running;
use crate::install::{ArchiveWriter, ImageSet, TransferError};

/// The program, and what it was given.
pub(crate) struct Sink {
    archive: ArchiveWriter<Running>,
    broken: bool,
}

/// The program when it has got its whole tar, and works on it.
pub(crate) struct Fed {
    running: Running,
    ended: io::Result<()>,
}

/// Why the feeding ended early.
pub(crate) enum Stop {
    /// For a reason of its own.
    Failed(SeedError),
    /// A sink took no more; it knows which it is, and its program says why.
    Written(io::Error),
}

impl Sink {
    pub(crate) fn new(running: Running) -> Self {
        Self {
            archive: ArchiveWriter::new(running),
            broken: false,
        }
    }

    pub(crate) fn begin(&mut self, name: &str, size: u64, mode: u32) -> io::Result<()> {
        let begun = self.archive.begin(name, size, mode);
        self.noticed(begun)
    }

    pub(crate) fn begin_blob(&mut self, digest: Digest, size: u64) -> io::Result<()> {
        let begun = self.archive.begin_blob(digest, size);
        self.noticed(begun)
    }

    pub(crate) fn documents(&mut self, set: &ImageSet<'_>) -> io::Result<()> {
        let written = self.archive.documents(set);
        self.noticed(written)
    }

    /// Whether this is the one that took no more.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Ends the tar.
    pub(crate) fn end(self) -> Fed {
        let (running, ended) = self.archive.end();
        Fed { running, ended }
    }

    /// What its program says of the error that writing to it gave.
    pub(crate) fn explain(self, error: io::Error) -> Result<(), SeedError> {
        finish(self.archive.into_inner(), Err(TransferError::Write(error)))
    }

    fn noticed<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        self.broken |= result
            .as_ref()
            .is_err_and(|error| error.kind() != io::ErrorKind::Interrupted);
        result
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.archive.write(bytes);
        self.noticed(written)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.archive.flush()
    }
}

impl Fed {
    /// Waits until the program has done its work.
    pub(crate) fn finish(self) -> Result<(), SeedError> {
        finish(self.running, self.ended.map_err(TransferError::Write))
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Written(error)
    }
}

impl From<SeedError> for Stop {
    fn from(error: SeedError) -> Self {
        Self::Failed(error)
    }
}

impl From<TransferError> for Stop {
    fn from(error: TransferError) -> Self {
        match error {
            TransferError::Write(error) => Self::Written(error),
            error => Self::Failed(error.into()),
        }
    }
}
