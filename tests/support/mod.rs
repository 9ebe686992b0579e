//! What more than one program of tests stands on. Each includes all of it, by the one
//! `#[path]` of its root; `tests/fuzz` and `tests/mutants` only the files that they need.

#![allow(dead_code, clippy::too_many_lines)]

pub(crate) mod draft;
pub(crate) mod effort;
pub(crate) mod parsers;
#[cfg(feature = "packager")]
pub(crate) mod parts;
pub(crate) mod stripped;
pub(crate) mod words;
