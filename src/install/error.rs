//! Why a bundle's parts are not on this machine, or not off it.

use super::cache::CacheError;
use super::downgrade::DowngradeError;
use super::extract::ExtractError;
use super::journal::JournalError;
use super::layout::LayoutError;
use super::place::PlaceError;
use super::transfer::TransferError;
use crate::docker::EngineError;
use crate::explain::one_of;
use crate::host::{ClaimError, FileError, LockError, ProcessError, UntrustedPath};
use crate::verify::VerifyError;

one_of! {
    /// What was not installed, or not removed, and why.
    pub enum InstallError {
        Cache(CacheError),
        Claim(ClaimError),
        Downgrade(DowngradeError),
        Engine(EngineError),
        Extract(ExtractError),
        File(FileError),
        Journal(JournalError),
        Layout(LayoutError),
        Locked(LockError),
        Place(PlaceError),
        Process(ProcessError),
        Transfer(TransferError),
        Untrusted(UntrustedPath),
        Verify(VerifyError),
    }
}
