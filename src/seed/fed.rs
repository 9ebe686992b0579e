//! The end of a program that is fed an archive by its standard input.

use std::io;

use super::SeedError;
use crate::docker::EngineError;
use crate::host::Running;
use crate::install::TransferError;

/// Ends a program that was fed. When it went away while it was written to, its own
/// words say why; when the bundle could not be read, it must not take what it got
/// for the whole.
pub(crate) fn finish(running: Running, written: Result<(), TransferError>) -> Result<(), SeedError> {
    match written {
        Ok(()) | Err(TransferError::Write(_)) => {}
        Err(error) => {
            running.abort();
            return Err(error.into());
        }
    }
    let output = running.finish().map_err(EngineError::from)?;
    output.require_success().map_err(EngineError::from)?;
    match written {
        // It had seen the end of the archive before we had written all of its padding;
        // what it took is compared by its ids.
        Err(TransferError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}
