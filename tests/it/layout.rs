//! The files of the project: that what one names is there.

#![allow(clippy::case_sensitive_file_extension_comparisons)] // names of this repository

use std::fs;
use std::path::Path;

use crate::shared::effort::may_be_skipped;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn every_script_of_the_makefile_is_there() {
    let makefile = fs::read_to_string(Path::new(ROOT).join("Makefile")).expect("a file");
    let scripts: Vec<&str> = makefile
        .split_whitespace()
        .filter(|word| word.starts_with("tests/") && word.ends_with(".sh"))
        .collect();
    assert!(scripts.len() > 10, "{scripts:?}");
    for script in scripts {
        assert!(Path::new(ROOT).join(script).is_file(), "{script}");
    }
}

#[test]
fn tests_holds_directories_and_a_readme() {
    let entries = fs::read_dir(Path::new(ROOT).join("tests")).expect("a directory");
    let files: Vec<_> = entries
        .map(|entry| entry.expect("an entry"))
        .filter(|entry| entry.file_type().expect("a type").is_file())
        .map(|entry| entry.file_name())
        .collect();
    assert_eq!(files, ["README.md"]);
}

#[test]
fn a_skip_is_allowed_in_ci_only_by_name() {
    assert!(may_be_skipped("cosign is not installed"));
    for reason in [
        "there is no strace that works here",
        "dash is not here",
        "minisign is not here",
    ] {
        assert!(!may_be_skipped(reason), "{reason}");
    }
}
