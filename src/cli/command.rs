//! What both programs add to clap's definition of them: examples, variables, exit codes.

use std::fmt::Write as _;

use clap::{Arg, Command};

use super::defaults::{is_command_line_only, variable_of};
use super::examples::examples;
use super::site;

/// The columns that help fits into.
pub(super) const COLUMNS: usize = 80;

const EXIT_CODES: &str = "\
Exit codes:
  0  success                            8    older than what is installed
  1  other error; diff: they differ     9    this host cannot run the cluster
  2  wrong usage or input               10   the cluster failed
  3  not signed with a trusted key      11   status: the cluster is stopped
  4  damaged                            12   status: there is no cluster
  5  reading or writing failed          130  interrupted
  6  not enough space                   143  terminated
  7  another run is at work";

/// `program` with all of that, where `name` is typed to run it. A flag may be given twice.
pub(super) fn complete(program: Command, name: &str) -> Command {
    let program = program.args_override_self(true).term_width(COLUMNS);
    let names: Vec<String> = program
        .get_subcommands()
        .map(|verb| verb.get_name().to_owned())
        .collect();
    let of_bundle = is_bundle(&program);
    let help = |verb: Command, path: &str| {
        let mut text = examples_of(path, name, of_bundle);
        if !verb.has_subcommands() {
            text += &variables(&verb, site::is_of_host(path));
        }
        verb.after_help(text.trim_end().to_owned())
    };
    let mut text = examples_of("", name, of_bundle);
    let _ = write!(text, "{EXIT_CODES}\n\n{}", variables(&program, of_bundle));
    let mut program = program.after_help(text.trim_end().to_owned());
    for verb in names {
        program = program.mut_subcommand(&verb, |command| {
            let below: Vec<String> = command
                .get_subcommands()
                .map(|verb| verb.get_name().to_owned())
                .collect();
            below.iter().fold(help(command, &verb), |command, name| {
                command.mut_subcommand(name, |below| help(below, &format!("{verb} {name}")))
            })
        });
    }
    program
}

/// Whether it is the program inside a bundle.
pub(super) fn is_bundle(program: &Command) -> bool {
    program.find_subcommand("pack").is_none()
}

fn examples_of(path: &str, name: &str, of_bundle: bool) -> String {
    let mut text = String::new();
    for line in examples(path, of_bundle) {
        if text.is_empty() {
            text += "Examples:\n";
        }
        let _ = writeln!(text, "  {name} {line}");
    }
    text + "\n"
}

/// Which flags have a variable.
fn variables(verb: &Command, has_keys: bool) -> String {
    let flags = || {
        verb.get_arguments()
            .filter(|arg| !arg.is_hide_set())
            .filter_map(Arg::get_long)
    };
    let example = flags()
        .find(|flag| !is_command_line_only(flag))
        .unwrap_or("output");
    let not: Vec<String> = flags()
        .filter(|flag| is_command_line_only(flag))
        .map(|flag| format!("--{flag}"))
        .collect();
    let except = if not.is_empty() {
        String::new()
    } else {
        format!(", except {}", not.join(", "))
    };
    let variable = variable_of(example);
    if has_keys {
        format!("Variables and keys of config.toml:\n  {variable} and `{example}`; so for every flag{except}")
    } else {
        format!("Variables:\n  {variable} for --{example}; so for every flag{except}")
    }
}
