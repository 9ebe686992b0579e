//! The program inside a bundle.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use super::appearance::{Appearance, AppearanceArgs, OutputFormat};
use super::console::Console;
use super::site::{BundleVerb, MachineVerb, Trusting};
use super::start::StartArgs;
use super::{command, finish, open_log, read_line};
use crate::bundle::limits;
use crate::failure::{Failure, Kind, printable};
use crate::host::{self, Environment};

/// What `pack` looks for in a stub: it must read the format that is written. The
/// line is printed by `--probe`, so that no optimizer can drop it.
const MARKER: &str = "minikube-offline-stub format 1\n";
const _: () = assert!(limits::FORMAT == 1, "the marker names the format");

/// A Kubernetes cluster in one verified file. Without a command, `start` is run.
#[derive(Debug, Parser)]
#[command(name = "bundle.run", version, args_conflicts_with_subcommands = true)]
struct StubCli {
    #[command(subcommand)]
    verb: Option<StubVerb>,
    #[command(flatten)]
    start: Trusting<StartArgs>,
    // The last: its heading is for what follows.
    #[command(flatten)]
    appearance: AppearanceArgs,
}

#[derive(Debug, Subcommand)]
enum StubVerb {
    #[command(flatten)]
    Bundle(BundleVerb),
    #[command(flatten)]
    Machine(MachineVerb),
}

/// Runs the stub. The header calls it as `stub --probe`, to see whether programs run
/// from the directory that it chose, and then as `stub --bundle PATH ARGUMENT...`.
#[must_use]
pub fn main(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let program = arguments.next().unwrap_or_default();
    let first = arguments.next();
    match first.as_deref().and_then(|first| first.to_str()) {
        Some("--probe") => {
            let _ = std::io::Write::write_all(&mut std::io::stdout(), MARKER.as_bytes());
            ExitCode::SUCCESS
        }
        Some("--bundle") => {
            host::remove_own_copy();
            let bundle = PathBuf::from(arguments.next().unwrap_or_default());
            run(&bundle, arguments)
        }
        _ => {
            let console = Console::new(Appearance::plain(
                OutputFormat::Text,
                &Environment::of_this_process(),
            ));
            let name = program.to_string_lossy();
            let failure = Failure::new(
                Kind::Usage,
                format!("`{name}` is the program inside a bundle and is not run by itself"),
            );
            finish(
                &console,
                Err(failure.hint("run the bundle, or `minikube-offline VERB bundle.run`")),
            )
        }
    }
}

fn run(bundle: &Path, arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let name = bundle.file_name().unwrap_or(bundle.as_os_str()).to_owned();
    let typed = format!("./{}", printable(&name.to_string_lossy()));
    let definition = || command::complete(StubCli::command(), &typed);
    let (cli, line) = match read_line::<StubCli>(definition(), [name].into_iter().chain(arguments)) {
        Ok(read) => read,
        Err(ended) => return ended,
    };
    let mut console = Console::new(cli.appearance.appearance(&Environment::of_this_process()));
    let verb = cli.verb.unwrap_or(StubVerb::Bundle(BundleVerb::Start(cli.start)));
    let ground = match &verb {
        StubVerb::Bundle(verb) => verb.ground(bundle),
        StubVerb::Machine(verb) => Ok(verb.ground()),
    };
    let log_file = cli.appearance.log_file();
    let prepared = ground.and_then(|ground| ground.logging(log_file).prepare());
    let prepared = prepared.and_then(|()| open_log(&mut console, log_file, &line));
    let result = prepared.and_then(|()| match verb {
        StubVerb::Bundle(verb) => verb.run(bundle, &console),
        StubVerb::Machine(verb) => verb.run(Some(bundle), definition, &console),
    });
    finish(&console, result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        StubCli::command().debug_assert();
    }

    #[test]
    fn start_is_what_is_done_when_nothing_is_asked() {
        for line in [
            &["x.run"][..],
            &["x.run", "-y", "--profile", "verify"],
            &["x.run", "--key", "verify", "-y"],
            &["x.run", "--", "verify"],
        ] {
            assert!(
                StubCli::try_parse_from(line).expect("start").verb.is_none(),
                "{line:?}"
            );
        }
        assert!(
            StubCli::try_parse_from(["x.run", "verify"])
                .expect("verify")
                .verb
                .is_some()
        );
        assert!(
            StubCli::try_parse_from(["x.run", "list", "--output", "json"])
                .expect("list")
                .verb
                .is_some()
        );
    }
}
