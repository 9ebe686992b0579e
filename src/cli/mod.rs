//! The verbs, as a person types them: takes arguments, gives an exit code.
//!
//! The verbs of the site are the same in both programs, `minikube-offline VERB
//! bundle.run` and `./bundle.run VERB`; only the packager packs.

mod appearance;
#[cfg(feature = "packager")]
mod asked;
#[cfg(feature = "packager")]
mod attestations;
mod authenticity;
mod columns;
mod command;
#[cfg(feature = "packager")]
mod completions;
mod config_file;
mod console;
#[cfg(feature = "packager")]
mod copy;
mod defaults;
#[cfg(feature = "packager")]
mod diff;
mod examples;
mod extract;
mod ground;
mod guide;
mod html;
#[cfg(feature = "packager")]
mod init;
mod inspect;
mod inspect_page;
#[cfg(feature = "packager")]
mod join;
#[cfg(feature = "packager")]
mod lint;
#[cfg(feature = "packager")]
mod lock;
#[cfg(feature = "packager")]
mod locked;
mod log_file;
mod machine;
#[cfg(feature = "packager")]
mod pack;
mod path_value;
mod provenance;
mod question;
mod reference;
#[cfg(feature = "packager")]
mod rehearse;
mod repair;
mod report;
#[cfg(feature = "packager")]
mod resolve;
mod sandbox;
mod sbom;
#[cfg(feature = "packager")]
mod self_update;
#[cfg(feature = "packager")]
mod sign;
mod site;
#[cfg(feature = "packager")]
mod sources;
mod start;
#[cfg(feature = "packager")]
mod store;
#[cfg(feature = "packager")]
mod trust;
mod usage;
mod verb_first;
mod verify;
mod version;
mod volumes;
mod wrap;

#[cfg(feature = "packager")]
mod packager;
mod platform;
mod preflight;
mod stub;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

#[cfg(feature = "packager")]
pub use packager::main as packager_main;
pub use stub::main as stub_main;

use appearance::Appearance;
use clap::{Command, FromArgMatches};
use console::Console;
use defaults::Defaults;

use crate::failure::{Failure, Kind};
use crate::host::Environment;

/// The command line of a program with its defaults, read; or how the run ended instead.
fn read_line<C: FromArgMatches>(
    mut program: Command,
    arguments: impl Iterator<Item = OsString>,
) -> Result<(C, Vec<OsString>), ExitCode> {
    program.build();
    let environment = Environment::of_this_process();
    let typed = verb_first::verb_first(&program, arguments);
    let mut defaults = Defaults::of(&program, typed, &environment);
    if let Some(failure) = defaults.failure.take() {
        let console = Console::new(Appearance::plain(usage::format_of(&defaults.line), &environment));
        return Err(finish(&console, Err(failure)));
    }
    let parsed = program
        .try_get_matches_from_mut(&defaults.line)
        .and_then(|matches| C::from_arg_matches(&matches));
    match parsed {
        Ok(read) => Ok((read, defaults.line)),
        Err(error) => Err(usage::refuse(&error, &program, &defaults)),
    }
}

/// Opens the log that the flags name, of which the first line is what was typed.
fn open_log(console: &mut Console, path: Option<&Path>, line: &[OsString]) -> Result<(), Failure> {
    let Some(path) = path else { return Ok(()) };
    console.log_to(path)?;
    let words: Vec<_> = line.iter().skip(1).map(|word| word.to_string_lossy()).collect();
    console.log(
        "run",
        &format!(
            "minikube-offline {}: {}",
            env!("CARGO_PKG_VERSION"),
            words.join(" ")
        ),
    );
    Ok(())
}

/// Says how a run ended, and gives its exit code.
fn finish(console: &Console, result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.kind.is_answer() {
                console.failure(&failure);
            }
            ExitCode::from(failure.kind.exit_code())
        }
    }
}

/// From here on SIGINT and SIGTERM end a run between two steps, with nothing half done.
fn catch_signals() -> Result<(), Failure> {
    crate::host::interrupt::catch()
        .map_err(|error| Failure::new(Kind::Other, format!("signals cannot be caught: {error}")))
}
