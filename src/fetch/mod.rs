//! Takes a `Spec`, gives the `Parts` it asks for, each opened where it lies, hashed and
//! known for what it is; fails when a part is not what it should be, or one is missing.
//!
//! `gather` is the way through: programs, then what they say is needed, then images.

mod blob;
mod cache;
mod daemon;
mod docker_archive;
mod elf;
mod error;
mod estimate;
mod failure;
mod found;
mod gather;
mod hashing;
mod images;
mod local;
mod network;
mod oci_layout;
mod own;
mod packages;
mod parts;
mod plan;
mod programs;
mod remote;
mod room;
mod runtime;
mod scratch;
mod sniff;
mod tar_index;
mod upstream;
mod versions;

#[cfg(test)]
mod fixtures;

pub use cache::Cache;
pub(crate) use elf::ElfHeader;
pub use error::FetchError;
pub use estimate::{Estimate, estimate};
pub use gather::gather;
pub use local::check_local;
pub use parts::{LocalBinary, LocalFile, LocalImage, LocalLayer, Parts};
pub use plan::{Plan, PlannedBlob, PlannedPart, plan};
pub use room::Need;
pub(crate) use upstream::has_addon;
pub use upstream::{Upstream, UpstreamError, known_minikubes};
