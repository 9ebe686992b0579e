//! What packages of this program hold besides it: completions and manual pages.

use std::path::PathBuf;

use clap::Command;
use clap_complete::Shell;
use serde_json::json;

use super::console::Console;
use super::path_value::path_value;
use crate::failure::Failure;
use crate::host::FileError;

#[derive(clap::Args, Debug)]
pub(super) struct CompletionsArgs {
    /// Shell to complete for
    shell: Shell,
}

#[derive(clap::Args, Debug)]
pub(super) struct ManArgs {
    /// Existing directory to write to
    directory: PathBuf,
}

/// Writes a script that completes the command line.
pub(super) fn completions(
    args: &CompletionsArgs,
    mut command: Command,
    console: &Console,
) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "minikube-offline", &mut script);
    let script = String::from_utf8_lossy(&script);
    let value = json!({ "shell": args.shell.to_string(), "script": script });
    console.result(&script, &value)
}

/// Writes a manual page for the program, and one for each verb.
pub(super) fn man(args: &ManArgs, command: Command, console: &Console) -> Result<(), Failure> {
    clap_mangen::generate_to(command, &args.directory).map_err(FileError::at("written", &args.directory))?;
    let text = format!("the manual pages are in `{}`", args.directory.display());
    console.result(&text, &json!({ "directory": path_value(&args.directory) }))
}
