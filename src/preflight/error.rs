//! Why this host cannot be checked.

use crate::docker::EngineError;
use crate::explain::one_of;
use crate::host::{FileError, Interruption, UntrustedPath};
use crate::install::{JournalError, LayoutError};

one_of! {
    /// Something that a check needs and that cannot be read.
    pub enum PreflightError {
        Engine(EngineError),
        File(FileError),
        Interrupted(Interruption),
        Journal(JournalError),
        Layout(LayoutError),
        Untrusted(UntrustedPath),
    }
}
