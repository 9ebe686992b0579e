//! Takes a `VerifiedBundle`, gives its programs and archives on this machine, and
//! takes them off again; fails when the machine is not fit, a file system is full,
//! or another run is at work.
//!
//! Its step is a file, which has its name when it is whole. A run that was killed is gone
//! on with at the first that is not: its frame is decoded from the start, and what is there of
//! it is compared, and not written again (`tests/README.md`, "What a rerun does again").

mod archive;
mod cache;
mod downgrade;
mod engine_image;
mod error;
mod extract;
mod journal;
mod layout;
mod members;
mod node_volumes;
mod own_files;
mod place;
mod portions;
mod programs;
mod receipt;
mod remove;
mod session;
mod state_directory;
#[cfg(test)]
pub(crate) mod testing;
mod transfer;
mod unfinished;
mod upgrade;
mod whole_archive;

pub use archive::{ArchiveWriter, ImageSet, write_images};
pub use cache::{CacheContents, fill_cache};
pub use downgrade::{DowngradeError, check_serial, other_of_same_serial};
pub use engine_image::{has_id_of, is_image};
pub use error::InstallError;
pub use extract::{cache_directory, extract_to, extract_to_cache};
pub use journal::{Event, Journal, JournalError};
pub use layout::{Layout, LayoutError};
pub use own_files::{PlacedFiles, no_longer_carried, place_own_files};
pub use place::{PlaceError, Placer};
pub(crate) use place::{file_digest, recorded};
pub use portions::{PORTIONS_AT_ONCE, portions};
pub use programs::{Installed, install_programs};
pub use receipt::{InstalledBundle, InstalledProfile, Receipt};
pub use remove::{Removal, Removed, remove_installed, remove_made_by_this_run};
pub use session::Session;
pub use transfer::{TransferError, transfer};
pub use upgrade::{Step, Upgrade, UpgradeState, step};
