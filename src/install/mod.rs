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
mod extract;
mod journal;
mod kubeconfig;
mod layout;
mod members;
mod network;
mod nodes;
mod options;
mod own_files;
mod place;
mod portions;
mod preflight;
mod profile;
mod programs;

mod receipt;
mod remove;
mod session;
mod settings;
mod state_folder;
#[cfg(test)]
pub(crate) mod testing;
mod transfer;
mod typed;
mod unfinished;
mod whole_archive;

pub use archive::{ArchiveWriter, ImageSet, write_images};
pub use cache::{CacheContents, CacheError, fill_cache};
pub use downgrade::{DowngradeError, check_serial, other_of_same_serial};
pub use engine_image::{has_id_of, is_image};
pub use extract::{ExtractError, Extracted, cache_folder, extract_to, extract_to_cache};
pub use journal::{Event, Journal, JournalError};
pub use kubeconfig::kubeconfig;
pub use layout::{Cache, Layout, LayoutError, last_start_log};
pub use network::{named_network, needs_more_than_the_cache};
pub use nodes::may_be_node_of;
pub use options::{SiteOptions, Way, WayError};
pub use own_files::{PlacedFiles, no_longer_carried, place_own_files};
pub use place::{Existing, PlaceError, Placer};
pub use portions::{PORTIONS_AT_ONCE, portions};
pub use preflight::{Finding, Report, Severity, preflight};
pub use profile::{KubernetesConfig, NodeConfig, ProfileConfig};
pub use programs::{Installed, install_programs};
pub use receipt::{InstalledBundle, InstalledProfile, Receipt, SeededVolume};
pub use remove::{Removal, remove_installed, remove_made_by_this_run, sync_removed};
pub use session::Session;
pub use settings::MinikubeSettings;
pub use transfer::{TransferError, transfer};
