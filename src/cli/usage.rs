//! A command line that is refused: what was meant, and what to type instead.

mod flags;
mod nearest;
mod verbs;

pub(super) use nearest::nearest;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error};
use serde_json::json;

use super::appearance::{Appearance, OutputFormat};
use super::command::{COLUMNS, is_bundle};
use super::console::Console;
use super::defaults::{Defaults, verb_of};
use super::examples::examples;
use super::wrap::wrapped;
use crate::failure::{Failure, Kind, masked, printable};
use crate::host::{Environment, Terminal};

/// A command line as it was typed, and the verb that it names.
struct Typed<'a> {
    /// All that the program takes.
    program: &'a Command,
    /// What the verb takes, or the program where none is named.
    verb: &'a Command,
    /// `trust add`; empty where none is named.
    verb_name: String,
    line: &'a [OsString],
}

/// Says why clap refuses `line`, or shows the help or version that it asks for.
pub(super) fn refuse(error: &Error, program: &Command, defaults: &Defaults) -> ExitCode {
    let line = &defaults.line;
    let console = Console::new(Appearance::plain(
        format_of(line),
        &Environment::of_this_process(),
    ));
    if !error.use_stderr() {
        return show(error, program, &console);
    }
    let typed = Typed::of(program, line);
    let flag = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(flag)) => flag.as_str(),
        _ => "",
    };
    if defaults.has(flag) {
        console.failure(&defaults.blame(flag, from_text(error)));
    } else if let Some(failure) = typed.explain(error) {
        console.failure(&failure);
    } else if console.is_json() {
        console.failure(&from_text(error));
    } else {
        let is_help = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
        let text = fitted(text_of(error), is_help);
        let _ = io::stderr().write_all(text.as_bytes());
    }
    ExitCode::from(Kind::Usage.exit_code())
}

/// The help, or the version.
fn show(error: &Error, program: &Command, console: &Console) -> ExitCode {
    let text = fitted(text_of(error), true);
    if console.is_json() {
        let value = match error.kind() {
            ErrorKind::DisplayVersion => {
                json!({ "version": program.get_version().unwrap_or_default() })
            }
            _ => json!({ "help": text }),
        };
        let _ = console.result("", &value);
    } else {
        let _ = io::stdout().write_all(text.as_bytes());
    }
    ExitCode::SUCCESS
}

/// Wrapped at the width of the terminal. Without one an error stays on its line, which a
/// program may search.
fn fitted(text: String, is_help: bool) -> String {
    match Terminal::on_stderr(&Environment::of_this_process()) {
        Some(terminal) => wrapped(&text, terminal.columns().clamp(40, COLUMNS)),
        None if is_help => wrapped(&text, COLUMNS),
        None => text,
    }
}

/// It names what was typed, and the bundle's file, which somebody else named.
fn text_of(error: &Error) -> String {
    masked(&printable(&error.render().to_string()))
}

/// The same failure where it is not read by a person: the first line, and what follows.
fn from_text(error: &Error) -> Failure {
    let text = text_of(error);
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("For more information"))
        .collect();
    let (first, rest) = lines
        .split_first()
        .map_or(("", &[][..]), |(first, rest)| (*first, rest));
    let message = first.trim_start_matches("error: ").to_owned();
    Failure::new(Kind::Usage, message).hint(rest.join("; "))
}

/// How to answer a line that clap could not read.
pub(super) fn format_of(line: &[OsString]) -> OutputFormat {
    let words = line.iter().map(|word| word.to_str().unwrap_or_default());
    let words: Vec<&str> = words.take_while(|word| *word != "--").collect();
    if words.contains(&"--json") {
        return OutputFormat::Json;
    }
    let last = words
        .iter()
        .enumerate()
        .rev()
        .find_map(|(at, word)| match word.strip_prefix("--output") {
            Some("") => words.get(at + 1).copied(),
            Some(value) => value.strip_prefix('='),
            None => None,
        });
    if last == Some("json") {
        OutputFormat::Json
    } else {
        OutputFormat::Text
    }
}

impl<'a> Typed<'a> {
    fn of(program: &'a Command, line: &'a [OsString]) -> Self {
        let (verb, verb_name) = verb_of(program, line);
        Self {
            program,
            verb,
            verb_name,
            line,
        }
    }

    /// The program's name, as it was typed.
    fn program_name(&self) -> String {
        if cfg!(feature = "packager") && self.program.get_name() == "minikube-offline" {
            return "minikube-offline".to_owned();
        }
        let name = self.line.first().map(OsString::as_os_str).unwrap_or_default();
        format!("./{}", name.to_string_lossy())
    }

    /// Whether it is the program inside a bundle.
    fn is_stub(&self) -> bool {
        is_bundle(self.program)
    }

    fn explain(&self, error: &Error) -> Option<Failure> {
        let said = |kind| match error.get(kind) {
            Some(ContextValue::String(word)) => Some(word.as_str()),
            _ => None,
        };
        match error.kind() {
            ErrorKind::InvalidSubcommand => Some(self.unknown_verb(said(ContextKind::InvalidSubcommand)?)),
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                if format_of(self.line) == OutputFormat::Json =>
            {
                Some(usage("no verb is given", self.verbs_hint()))
            }
            ErrorKind::MissingRequiredArgument => {
                let Some(ContextValue::Strings(missing)) = error.get(ContextKind::InvalidArg) else {
                    return None;
                };
                let example = examples(&self.verb_name, self.is_stub()).into_iter().next()?;
                let missing = shown(&missing.join(" and "));
                Some(usage(
                    format!("`{}` needs {missing}", self.verb_name),
                    format!("such as: {} {example}", self.program_name()),
                ))
            }
            ErrorKind::UnknownArgument => {
                let word = said(ContextKind::InvalidArg)?;
                Some(if word.starts_with('-') {
                    self.unknown_flag(word)
                } else if self.verb_name.is_empty() {
                    self.unknown_verb(word)
                } else {
                    self.stray_word(word)
                })
            }
            ErrorKind::InvalidValue if said(ContextKind::InvalidArg)?.starts_with("--output ") => {
                let value = said(ContextKind::InvalidValue)?;
                let file = if self.verb_name == "pack" {
                    format!("; the bundle is `-o {}`", shown(value))
                } else {
                    String::new()
                };
                let message = format!("`--output` takes `text` or `json`, and not `{}`", shown(value));
                Some(usage(
                    message,
                    format!("it is the format of results and progress{file}"),
                ))
            }
            _ => None,
        }
    }

    /// A word that neither the verb nor a flag of it takes.
    fn stray_word(&self, word: &str) -> Failure {
        let (verb, program) = (&self.verb_name, self.program_name());
        let hint = if self.is_stub() && Path::new(word).exists() {
            format!("the verb is about this bundle itself: {program} {verb}")
        } else {
            format!("`{program} {verb} --help` says what it takes")
        };
        usage(format!("`{verb}` does not take `{}`", shown(word)), hint)
    }
}

pub(super) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Failure {
    Failure::new(Kind::Usage, message.into()).hint(hint)
}

/// A word after `pack` or `resolve` that is not a TOML file.
#[cfg(feature = "packager")]
pub(super) fn not_a_spec(word: &str) -> Failure {
    let word = shown(word);
    let digits = word.trim_start_matches('v');
    let hint = if digits.starts_with(|c: char| c.is_ascii_digit()) {
        format!("a version is named by its flag: --kubernetes-version {word}")
    } else if digits.contains(':') {
        format!("an image is named by its flag: --image {word}")
    } else {
        "the word after the verb is a TOML file, whose name ends in .toml; everything else is a flag"
            .to_owned()
    };
    usage(format!("cannot use `{word}`: it is not a TOML file"), hint)
}

/// Somebody else's word.
fn shown(word: &str) -> String {
    masked(&printable(word))
}

/// `; did you mean `start`?`, where there is something like it.
fn did_you_mean(near: Option<&str>) -> String {
    near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_of_a_refused_line_is_the_last_that_it_names() {
        for (line, json) in [
            ("x list", false),
            ("x list --output json", true),
            ("x --output=json nothing", true),
            ("x --output json --output text", false),
            ("x --json list", true),
            ("x --json --output text", true),
            ("x -- --json", false),
            ("x --output", false),
            ("x -- --output json", false),
            ("x --outputs json", false),
        ] {
            let line: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert_eq!(format_of(&line) == OutputFormat::Json, json, "{line:?}");
        }
    }
}
