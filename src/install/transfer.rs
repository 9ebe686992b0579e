//! Verified bytes on their way from the bundle to where they are needed.

use std::io::{self, Read, Write};

use crate::failure::{Failure, Kind};
use crate::host::{Interruption, interrupt};
use crate::verify::VerifyError;

/// Bytes moved at once.
const BUFFER_BYTES: usize = 256 << 10;

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

impl From<TransferError> for Failure {
    fn from(error: TransferError) -> Self {
        match error {
            TransferError::Interrupted(interruption) => interruption.into(),
            TransferError::Verify(error) => error.into(),
            TransferError::Read(_) => Self::new(Kind::Io, error).hint(
                "copy the bundle to this machine's own disk and run it from there; `minikube-offline verify` checks the copy",
            ),
            TransferError::Write(ref source) => Self::new(Kind::of_io(source), error),
        }
    }
}

/// Moves all of `reader` to each of `writers`, and tells `moved` how much at a time.
pub fn transfer(
    reader: &mut impl Read,
    writers: &mut [&mut dyn Write],
    moved: &dyn Fn(u64),
) -> Result<u64, TransferError> {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut total = 0;
    loop {
        interrupt::check()?;
        let count = match reader.read(&mut buffer) {
            Ok(0) => return Ok(total),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(TransferError::read(error)),
        };
        for writer in &mut *writers {
            writer.write_all(&buffer[..count]).map_err(TransferError::Write)?;
        }
        moved(count as u64);
        total += count as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_writer_gets_every_byte() {
        let (mut one, mut two) = (Vec::new(), Vec::new());
        let bytes = vec![7; BUFFER_BYTES + 1];
        let total = transfer(&mut bytes.as_slice(), &mut [&mut one, &mut two], &|_| {}).expect("memory");
        assert_eq!(total, bytes.len() as u64);
        assert!(one == bytes && two == bytes);
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
        assert_eq!(Failure::from(error).kind, Kind::NoSpace);
        assert_eq!(
            Failure::from(TransferError::read(io::Error::other("yanked"))).kind,
            Kind::Io
        );
    }
}
