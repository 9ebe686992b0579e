//! `guide reference`: every verb and flag, from clap's definition.

use std::fmt::Write as _;

use clap::{Arg, Command};

use super::command::COLUMNS;
use super::defaults::{is_command_line_only, variable_of};
use super::site;
use super::wrap::wrapped;

/// The reference of `program`, which is built.
pub(super) fn reference(program: &Command) -> String {
    let mut text =
        "# Reference\n\nEvery verb of this program, with its flags. A flag counts first on the command \
                    line, then as the variable named here, then as a key of the config file.\n"
            .to_owned();
    text += "\n## Flags of every verb\n\n";
    for arg in program.get_arguments().filter(|arg| arg.is_global_set()) {
        flag(&mut text, arg, true);
    }
    for verb in verbs(program) {
        chapter(&mut text, verb, verb.get_name());
        for below in verbs(verb) {
            chapter(
                &mut text,
                below,
                &format!("{} {}", verb.get_name(), below.get_name()),
            );
        }
    }
    wrapped(&text, COLUMNS)
}

fn verbs(command: &Command) -> impl Iterator<Item = &Command> {
    let shown = command.get_subcommands().filter(|verb| !verb.is_hide_set());
    shown.filter(|verb| verb.get_name() != "help")
}

fn chapter(text: &mut String, verb: &Command, path: &str) {
    if verb.has_subcommands() {
        return;
    }
    let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
    let usage = verb.clone().render_usage().to_string();
    let _ = write!(
        text,
        "\n## {path}\n\n{about}.\n\n    {}\n\n",
        usage.trim_start_matches("Usage: ")
    );
    let own = verb
        .get_arguments()
        .filter(|arg| !arg.is_global_set() && !arg.is_hide_set());
    for arg in own.filter(|arg| arg.get_long() != Some("help")) {
        flag(text, arg, site::is_of_host(path));
    }
}

/// A flag, or an argument without one.
fn flag(text: &mut String, arg: &Arg, has_key: bool) {
    let mut name = match (arg.get_short(), arg.get_long()) {
        (Some(short), Some(long)) => format!("-{short}, --{long}"),
        (None, Some(long)) => format!("--{long}"),
        _ => String::new(),
    };
    if arg.get_action().takes_values() {
        let values: Vec<String> = arg
            .get_value_names()
            .unwrap_or_default()
            .iter()
            .map(|value| format!("<{value}>"))
            .collect();
        let values = values.join(" ");
        name = if name.is_empty() {
            values
        } else {
            format!("{name} {values}")
        };
    }
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let _ = writeln!(text, "  {name}\n      {}", help.replace('\n', " "));
    let possible: Vec<String> = arg
        .get_possible_values()
        .iter()
        .map(|value| value.get_name().to_owned())
        .collect();
    let default: Vec<_> = arg
        .get_default_values()
        .iter()
        .map(|value| value.to_string_lossy())
        .collect();
    let takes = arg.get_action().takes_values();
    if takes && !possible.is_empty() {
        let _ = writeln!(text, "      values: {}", possible.join(", "));
    }
    if takes && !default.is_empty() {
        let _ = writeln!(text, "      default: {}", default.join(", "));
    }
    if let Some(long) = arg.get_long().filter(|long| !is_command_line_only(long)) {
        let key = if has_key {
            format!("; key: {long}")
        } else {
            String::new()
        };
        let _ = writeln!(text, "      variable: {}{key}", variable_of(long));
    }
}
