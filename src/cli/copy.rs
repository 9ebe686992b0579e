//! `copy`: a bundle to a medium that is carried, and the copy read back.

use std::path::PathBuf;
use std::time::Instant;

use serde_json::json;

use super::console::Console;
use super::path_value::path_value;
use super::sandbox;
use super::site::Trusting;
use crate::copy;
use crate::failure::Failure;
use crate::host::Sandbox;
use crate::shown::{human_bytes, human_duration};

#[derive(clap::Args, Debug)]
pub(super) struct CopyArgs {
    /// Bundle to copy, with its volumes
    bundle: PathBuf,
    /// Directory to copy it to, such as a mounted stick
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

pub(super) fn run(args: &Trusting<CopyArgs>, console: &Console) -> Result<(), Failure> {
    let trusted = args.trusted()?;
    let CopyArgs { bundle, directory } = args.args();
    sandbox::enter(Sandbox::reading().filling(directory), console);
    let begun = Instant::now();
    let copied = copy::copy(bundle, directory, &trusted, console)?;
    let what = if copied.changed { "copied" } else { "already there" };
    let text = format!(
        "`{}`: {what}, and read back whole ({}, {})",
        copied.files[0].display(),
        human_bytes(copied.bytes),
        human_duration(begun.elapsed())
    );
    let files: Vec<_> = copied.files.iter().map(path_value).collect();
    console.result(
        &text,
        &json!({
            "bundle": path_value(bundle),
            "files": files,
            "total_bytes": copied.bytes,
            "changed": copied.changed,
        }),
    )
}
