//! What stands for a flag that is not given: a variable of the environment, then, for verbs of
//! the host, the user's config file. Neither can weaken a check.

mod flags;

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;

use clap::{Arg, Command};

use super::command::is_bundle;
use super::config_file::{ConfigFile, Value};
use super::site;
use super::usage::{nearest, usage};
use crate::failure::{Failure, masked, printable};
use crate::host::Environment;
pub(super) use flags::verb_of;
use flags::{flags, given, has, is_known, is_list, rivals, takes_value};

pub(super) const PREFIX: &str = "MINIKUBE_OFFLINE_";

/// Flags that have neither variable nor key, and why. Also no flag whose name has one of
/// [`WEAKENING`] in it has one.
const COMMAND_LINE_ONLY: [(&str, &str); 12] = [
    ("all", "it removes every download"),
    ("binary-upstream", "it replaces the server that is compared with"),
    ("ca", "it trusts more certificate authorities"),
    ("from", "it is about one run"),
    ("key", "it decides whose signatures count"),
    (
        "registry-upstream",
        "it replaces the server that is compared with",
    ),
    ("release-upstream", "it replaces the server that is compared with"),
    ("system", "it changes the keys of every user"),
    ("trusted-root", "it decides whose certificates count"),
    ("version", "it is about one run"),
    ("help", "it is about one run"),
    ("yes", "it answers questions"),
];

/// Words of flags that allow what is refused without them.
const WEAKENING: [&str; 8] = [
    "accept",
    "allow",
    "force",
    "insecure",
    "skip",
    "unsigned",
    "unverified",
    "untrusted",
];

/// Flags of `verify` that only the packager has.
const OF_THE_PACKAGER: [&str; 1] = ["attestations"];

/// A flag that only counts beside another, on verbs that have both.
const NEEDS: (&str, &str) = ("container-runtime", "to-cache");

/// Why `flag` counts on the command line alone.
fn command_line_only(flag: &str) -> Option<&'static str> {
    let listed = COMMAND_LINE_ONLY.iter().find(|(name, _)| *name == flag);
    let weakens = || flag.split('-').any(|word| WEAKENING.contains(&word));
    listed
        .map(|(_, why)| *why)
        .or_else(|| weakens().then_some("it allows what is refused otherwise"))
}

pub(super) fn is_command_line_only(flag: &str) -> bool {
    command_line_only(flag).is_some()
}

/// `MINIKUBE_OFFLINE_CPUS` for `cpus`.
pub(super) fn variable_of(flag: &str) -> String {
    PREFIX.to_owned() + &flag.to_ascii_uppercase().replace('-', "_")
}

/// Where the value of a flag comes from that was not typed.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Origin {
    Variable(String),
    Key { file: PathBuf, line: usize },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "the variable {name}"),
            Self::Key { file, line } => write!(f, "line {line} of `{}`", file.display()),
        }
    }
}

/// A command line with what stands for flags that were not typed.
pub(super) struct Defaults {
    pub(super) line: Vec<OsString>,
    /// By flag.
    origins: Vec<(String, Origin)>,
    /// A variable or a key that cannot be used.
    pub(super) failure: Option<Failure>,
}

impl Defaults {
    /// Adds them to `line`, in which the verb comes first. `program` is built.
    pub(super) fn of(program: &Command, line: Vec<OsString>, environment: &Environment) -> Self {
        let (verb, path) = verb_of(program, &line);
        let depth = path.split(' ').filter(|word| !word.is_empty()).count();
        let rest = &line[(1 + depth).min(line.len())..];
        let mut draft = Draft {
            program,
            verb,
            given: given(verb, rest),
            words: Vec::new(),
            origins: Vec::new(),
        };
        let mut failure = None;
        let mut keep = |result: Result<(), Failure>| {
            if let Err(error) = result {
                failure.get_or_insert(error);
            }
        };
        let is_help = draft
            .given
            .iter()
            .any(|flag| flag == "help" || flag == "version" && !has(verb, "from"));
        for (name, value) in environment.with_prefix(PREFIX) {
            let flag = name[PREFIX.len()..].to_ascii_lowercase().replace('_', "-");
            if !is_help || flag == "json" || flag == "output" {
                keep(draft.variable(&name, &flag, value));
            }
        }
        draft
            .given
            .extend(draft.origins.iter().map(|(flag, _)| flag.clone()));
        let starts = path.is_empty() && is_bundle(program);
        if !is_help && (starts || site::is_of_host(&path)) {
            match ConfigFile::load(environment) {
                Ok(Some(file)) => keep(draft.file(&file)),
                Ok(None) => {}
                Err(error) => keep(Err(error)),
            }
        }
        let (mut words, origins) = (draft.words, draft.origins);
        let mut line = line;
        let at = (1 + depth).min(line.len());
        line.splice(at..at, words.drain(..));
        Self {
            line,
            origins,
            failure,
        }
    }

    /// What is wrong with a default that clap refused: `flag` is `--level <LEVEL>`.
    pub(super) fn blame(&self, flag: &str, failure: Failure) -> Failure {
        let name = flag
            .trim_start_matches('-')
            .split([' ', '='])
            .next()
            .unwrap_or_default();
        match self.origins.iter().find(|(flag, _)| flag == name) {
            Some((_, origin)) => Failure {
                error: format!("cannot use {origin}: {}", failure.error).into(),
                ..failure
            },
            None => failure,
        }
    }

    /// Whether that flag's value was not typed.
    pub(super) fn has(&self, flag: &str) -> bool {
        let name = flag
            .trim_start_matches('-')
            .split([' ', '='])
            .next()
            .unwrap_or_default();
        self.origins.iter().any(|(flag, _)| flag == name)
    }
}

struct Draft<'a> {
    program: &'a Command,
    verb: &'a Command,
    /// The flags that count already.
    given: Vec<String>,
    words: Vec<OsString>,
    origins: Vec<(String, Origin)>,
}

impl Draft<'_> {
    fn variable(&mut self, name: &str, flag: &str, value: &OsStr) -> Result<(), Failure> {
        if ["help", "version", "from", "all"].contains(&flag) {
            return Ok(()); // too common a name to be meant
        }
        if let Some(why) = command_line_only(flag).filter(|_| is_known(self.program, flag)) {
            let message =
                format!("cannot use the variable {name}: `--{flag}` only counts on the command line");
            return Err(usage(message, format!("{why}; unset {name}")));
        }
        let Some(arg) = self.verb.get_arguments().find(|arg| arg.get_long() == Some(flag)) else {
            return self.other(name, flag);
        };
        let value = match value.to_str() {
            None => vec![value.to_owned()],
            Some(text) if !takes_value(arg) => match text.to_ascii_lowercase().as_str() {
                "1" | "true" | "yes" | "on" => vec![OsString::new()],
                "0" | "false" | "no" | "off" => Vec::new(),
                _ => {
                    let message = format!(
                        "cannot use the variable {name}: expected true or false, got `{}`",
                        shown(text)
                    );
                    return Err(usage(
                        message,
                        format!("set it to true or false, or unset {name}"),
                    ));
                }
            },
            Some(text) if is_list(arg) => text.split(',').map(|one| one.trim().into()).collect(),
            Some(text) => vec![text.into()],
        };
        self.add(arg, value, &Origin::Variable(name.to_owned()));
        Ok(())
    }

    /// A variable for a flag that the verb does not have.
    fn other(&self, name: &str, flag: &str) -> Result<(), Failure> {
        if is_known(self.program, flag) {
            return Ok(());
        }
        // Of the packager's flags a bundle knows none, such as `image` beside its `image-load`:
        // only what is nearly a flag is a mistake.
        let near = nearest(flag, flags(self.program).into_iter());
        let begins = |near: &str| near.strip_prefix(flag).is_some_and(|rest| rest.starts_with('-'));
        let Some(near) = near.filter(|near| !is_bundle(self.program) || !begins(near)) else {
            return Ok(());
        };
        let message = format!(
            "there is no variable {}; did you mean {}?",
            shown(name),
            variable_of(near)
        );
        Err(usage(message, format!("correct it, or unset {}", shown(name))))
    }

    fn file(&mut self, file: &ConfigFile) -> Result<(), Failure> {
        let mut first = Ok(());
        for entry in &file.entries {
            let added = self.entry(file, &entry.key, &entry.value, entry.line);
            first = first.and(added);
        }
        first
    }

    fn entry(&mut self, file: &ConfigFile, key: &str, value: &Value, line: usize) -> Result<(), Failure> {
        let place = format!("`{}`, line {line}", file.path.display());
        if let Some(why) = command_line_only(key).filter(|_| is_known(self.program, key)) {
            let message = format!("{place}: `{key}` only counts on the command line");
            return Err(usage(message, format!("{why}; remove the line")));
        }
        let known = host_flags(self.program);
        if !known.contains(&key) && !OF_THE_PACKAGER.contains(&key) {
            let near = nearest(key, known.into_iter());
            let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            let message = format!("{place}: unknown key `{}`{near}", shown(key));
            return Err(usage(
                message,
                "the keys are the flags of the verbs of the host; `guide reference` lists them",
            ));
        }
        let Some(arg) = self.verb.get_arguments().find(|arg| arg.get_long() == Some(key)) else {
            return Ok(());
        };
        let value = match value {
            Value::Bool(true) if !takes_value(arg) => vec![OsString::new()],
            Value::Bool(false) if !takes_value(arg) => Vec::new(),
            Value::Text(text) if takes_value(arg) => vec![text.into()],
            Value::List(list) if is_list(arg) => list.iter().map(OsString::from).collect(),
            _ => {
                let expected = match (takes_value(arg), is_list(arg)) {
                    (false, _) => "true or false",
                    (true, false) => "a string or a number",
                    (true, true) => "an array of strings",
                };
                return Err(usage(
                    format!("{place}: `{key}`: expected {expected}"),
                    "correct the line",
                ));
            }
        };
        self.add(
            arg,
            value,
            &Origin::Key {
                file: file.path.clone(),
                line,
            },
        );
        Ok(())
    }

    /// Adds the flag, unless it or one that excludes it counts already.
    fn add(&mut self, arg: &Arg, values: Vec<OsString>, origin: &Origin) {
        let flag = arg.get_long().unwrap_or_default();
        let counts = |name: &str| self.given.iter().any(|given| given == name);
        let needs = NEEDS.0 == flag && has(self.verb, NEEDS.1) && !counts(NEEDS.1);
        if counts(flag) || needs || rivals(self.verb, arg).iter().any(|rival| counts(rival)) {
            return;
        }
        for value in values {
            let mut word = OsString::from(format!("--{flag}"));
            if takes_value(arg) {
                word.push("=");
                word.push(value);
            }
            self.words.push(word);
        }
        self.origins.push((flag.to_owned(), origin.clone()));
    }
}

/// The flags of the verbs of the host, as far as they have a key.
fn host_flags(program: &Command) -> Vec<&str> {
    let verbs = program
        .get_subcommands()
        .filter(|verb| site::is_of_host(verb.get_name()));
    let all = verbs.flat_map(Command::get_arguments).filter_map(Arg::get_long);
    all.filter(|flag| !is_command_line_only(flag)).collect()
}

fn shown(text: &str) -> String {
    masked(&printable(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guide_names_each_flag_that_has_no_variable() {
        let guide = include_str!("../../templates/guide/automation.md");
        for (flag, _) in COMMAND_LINE_ONLY.iter().filter(|(flag, _)| *flag != "help") {
            assert!(guide.contains(&format!("`--{flag}`")), "{flag}");
        }
    }
}
