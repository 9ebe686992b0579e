//! Faults: flipped bits, hostile bundles, killed runs, full disks, sticks pulled out.
//!
//! Short by default; `tests/long/run.sh` runs it in full. Every test prints what it tried,
//! and its seed where it has one: see `effort`.

#![allow(
    clippy::disallowed_methods,
    reason = "a test runs the programs and sets up the machine"
)]
#![allow(clippy::unwrap_used, missing_docs)]
// Tables: long, and of one expression a line.
#![allow(clippy::semicolon_if_nothing_returned, clippy::too_many_lines)]

mod corpus;
mod failures;
mod flaky;
mod fuzz;
mod library;
mod metadata;
mod payload;
mod second;
#[path = "../support/mod.rs"]
mod shared;
mod stub;
mod sweep;

#[cfg(feature = "packager")]
use shared::parts;
use shared::{draft, effort, parsers, stripped, words};
