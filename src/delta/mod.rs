//! Deltas: what a new bundle has and an older one lacks, and both joined again.
//!
//! See `FORMAT.md` beside this file. `create` and `join` fail when a bundle is not what
//! its index says; nothing has the name that was asked for before it is whole and verified.

mod create;
mod error;
mod file;
mod head;
mod join;
mod limits;
mod output;
mod patch;
mod spool;

pub use create::{Created, create};
pub use error::DeltaError;
pub use head::Identity;
pub use join::{Joined, join};
