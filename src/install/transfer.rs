//! Verified bytes on their way from the bundle to where they are needed.

use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::{panic, thread};

use crate::explain::{Explain, Explanation, Kind};
use crate::host::{Interruption, interrupt};
use crate::verify::VerifyError;

/// Bytes moved at once.
const BUFFER_BYTES: u64 = 256 << 10;

/// How many buffers may wait for the writers.
const BUFFERS_AHEAD: usize = 4;

/// Bytes that did not arrive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransferError {
    /// This run was told to end.
    #[error(transparent)]
    Interrupted(#[from] Interruption),
    /// The bundle cannot be read.
    #[error("the bundle cannot be read")]
    Read(#[source] io::Error),
    /// The bundle is not what it was.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The other side does not take them.
    #[error("what the bundle holds cannot be written")]
    Write(#[source] io::Error),
}

impl TransferError {
    /// An error that reading from the bundle gave.
    #[must_use]
    pub fn read(error: io::Error) -> Self {
        if error
            .get_ref()
            .is_some_and(<dyn std::error::Error + Send + Sync>::is::<VerifyError>)
        {
            let inner = error.into_inner().and_then(|inner| inner.downcast().ok());
            if let Some(verify) = inner {
                return Self::Verify(*verify);
            }
            return Self::Read(io::ErrorKind::InvalidData.into());
        }
        Self::Read(error)
    }
}

impl Explain for TransferError {
    fn explain(&self) -> Explanation {
        match self {
            Self::Interrupted(interruption) => interruption.explain(),
            Self::Verify(error) => error.explain(),
            Self::Read(_) => Kind::Io.hint(
                "copy the bundle to this machine's own disk and run it from there; `minikube-offline verify` checks the copy",
            ),
            Self::Write(source) => Kind::of_io(source).into(),
        }
    }
}

/// Moves all of `reader` to each of `writers`, and tells `moved` how much at a time. While
/// they write, another thread reads, checks and decodes what comes next.
pub fn transfer(
    reader: &mut (impl Read + Send),
    writers: &mut [&mut dyn Write],
    moved: &dyn Fn(u64),
) -> Result<u64, TransferError> {
    thread::scope(|scope| {
        let (filled, full) = sync_channel(BUFFERS_AHEAD);
        let (emptied, empty) = channel();
        let reading = scope.spawn(move || read_ahead(reader, &filled, &empty));
        let mut total = 0;
        // Returning early drops `full`, and the thread ends at its next buffer.
        for buffer in full {
            interrupt::check()?;
            for writer in &mut *writers {
                writer.write_all(&buffer).map_err(TransferError::Write)?;
            }
            moved(buffer.len() as u64);
            total += buffer.len() as u64;
            // Nobody takes it back after the end.
            let _ = emptied.send(buffer);
        }
        match reading.join() {
            Ok(read) => read.map(|()| total).map_err(TransferError::read),
            Err(panicked) => panic::resume_unwind(panicked),
        }
    })
}

/// Reads to the end, or until nobody takes the buffers any more.
fn read_ahead(
    reader: &mut impl Read,
    filled: &SyncSender<Vec<u8>>,
    empty: &Receiver<Vec<u8>>,
) -> io::Result<()> {
    loop {
        let mut buffer = empty.try_recv().unwrap_or_default();
        buffer.clear();
        reader.by_ref().take(BUFFER_BYTES).read_to_end(&mut buffer)?;
        if buffer.is_empty() || filled.send(buffer).is_err() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_writer_gets_every_byte() {
        let (mut one, mut two) = (Vec::new(), Vec::new());
        let bytes = vec![7; 10 * (256 << 10) + 1];
        let total = transfer(&mut bytes.as_slice(), &mut [&mut one, &mut two], &|_| {}).expect("memory");
        assert_eq!(total, bytes.len() as u64);
        assert!(one == bytes && two == bytes);
    }

    #[test]
    fn a_writer_that_fails_ends_the_reading() {
        /// Never ends.
        struct Endless;
        impl Read for Endless {
            fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
                Ok(out.len())
            }
        }
        struct Few(usize);
        impl Write for Few {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::BrokenPipe)?;
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let error = transfer(&mut Endless, &mut [&mut Few(1 << 20)], &|_| {}).expect_err("few");
        assert!(matches!(error, TransferError::Write(_)), "{error}");
    }

    #[test]
    fn what_was_read_before_an_error_is_written() {
        struct Yanked(u64);
        impl Read for Yanked {
            fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
                if self.0 == 0 {
                    return Err(io::Error::other("yanked"));
                }
                let count = io::repeat(7).take(self.0).read(out)?;
                self.0 -= count as u64;
                Ok(count)
            }
        }
        let mut written = Vec::new();
        let error =
            transfer(&mut Yanked(2 * BUFFER_BYTES), &mut [&mut written], &|_| {}).expect_err("yanked");
        assert!(matches!(error, TransferError::Read(_)), "{error}");
        assert_eq!(written.len() as u64, 2 * BUFFER_BYTES);
    }

    #[test]
    fn reading_is_told_from_writing() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let error = transfer(&mut [1u8].as_slice(), &mut [&mut Full], &|_| {}).expect_err("full");
        assert_eq!(error.explain().kind, Kind::NoSpace);
        let yanked = TransferError::read(io::Error::other("yanked"));
        assert_eq!(yanked.explain().kind, Kind::Io);
    }
}
