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
mod draft;
mod effort;
mod failures;
mod flaky;
mod fuzz;
mod library;
mod metadata;
mod parsers;
#[cfg(feature = "packager")]
#[allow(dead_code)]
#[path = "../it/support/parts.rs"]
mod parts;
mod payload;
mod second;
#[allow(dead_code)]
#[path = "../it/support/stripped.rs"]
mod stripped;
mod stub;
mod sweep;
mod words;
