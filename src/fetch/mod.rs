//! From a `Spec` by way of a `Plan` to the `Parts` that it asks for.
//!
//! [`resolve`] finds out what they are: a part on this machine is opened where it lies, hashed
//! and known for what it is; of one elsewhere its publisher says which digest it has. That is
//! the `Plan`, which a lock can also be. [`fetch`] brings what is not here. Both fail when a
//! part is not what it should be, or one is missing.

mod blob;
mod cache;
mod charts;
mod daemon;
mod docker_archive;
mod download;
mod elf;
mod error;
mod estimate;
mod failure;
mod found;
mod hashing;
mod helm;
mod images;
mod local;
mod locked;
mod minikube;
mod network;
mod oci_layout;
mod own;
mod packages;
mod parts;
mod plan;
mod programs;
mod remote;
mod resolve;
mod room;
mod runtime;
mod scratch;
mod sniff;
mod tar_index;
mod toolbox;
mod upstream;
mod versions;

#[cfg(test)]
mod fixtures;

pub use cache::Cache;
pub use download::fetch;
pub(crate) use elf::ElfHeader;
pub use error::FetchError;
pub use estimate::{Estimate, estimate};
pub use local::check_local;
pub use parts::{LocalBinary, LocalFile, LocalImage, LocalLayer, Parts};
pub use plan::{Plan, PlannedBlob, PlannedPart};
pub use resolve::{Then, resolve};
pub use room::Need;
pub use upstream::{Upstream, UpstreamError, known_minikubes};
