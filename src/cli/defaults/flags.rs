//! What clap's definition says of a verb's flags, and a line of those that were typed.

use std::ffi::OsString;

use clap::{Arg, ArgAction, Command};

/// Flags of which one replaces the other, although both may be given.
const RIVALS: [(&str, &str); 2] = [("json", "output"), ("quiet", "verbose")];

/// The verb that `line` names, and its names: `trust add`.
pub(in crate::cli) fn verb_of<'a>(program: &'a Command, line: &[OsString]) -> (&'a Command, String) {
    let (mut verb, mut names) = (program, Vec::new());
    for word in line.iter().skip(1).map_while(|word| word.to_str()) {
        let Some(below) = verb.find_subcommand(word) else {
            break;
        };
        verb = below;
        names.push(below.get_name());
    }
    (verb, names.join(" "))
}

/// The flags in `words`, by their long names.
pub(super) fn given(verb: &Command, words: &[OsString]) -> Vec<String> {
    let mut given = Vec::new();
    for word in words
        .iter()
        .map(|word| word.to_string_lossy())
        .take_while(|word| word != "--")
    {
        if let Some(long) = word.strip_prefix("--") {
            given.push(long.split('=').next().unwrap_or_default().to_owned());
        } else if let Some(letters) = word.strip_prefix('-') {
            for letter in letters.chars() {
                let Some(arg) = verb.get_arguments().find(|arg| arg.get_short() == Some(letter)) else {
                    break;
                };
                given.extend(arg.get_long().map(str::to_owned));
                if takes_value(arg) {
                    break;
                }
            }
        }
    }
    given
}

/// The flags that exclude `arg`.
pub(super) fn rivals<'a>(verb: &'a Command, arg: &Arg) -> Vec<&'a str> {
    let flag = arg.get_long().unwrap_or_default();
    let mut rivals: Vec<&str> = Vec::new();
    for (one, other) in RIVALS {
        if one == flag {
            rivals.push(other);
        } else if other == flag {
            rivals.push(one);
        }
    }
    if arg.is_global_set() {
        return rivals;
    }
    let is_arg = |other: &&Arg| other.get_id() == arg.get_id();
    for other in verb.get_arguments().filter(|other| !other.is_global_set()) {
        let refuses = |one: &Arg, other: &Arg| {
            verb.get_arg_conflicts_with(one)
                .iter()
                .any(|arg| arg.get_id() == other.get_id())
        };
        let in_group = verb.get_groups().any(|group| {
            let ids: Vec<_> = group.get_args().collect();
            !group.clone().is_multiple() && ids.contains(&arg.get_id()) && ids.contains(&other.get_id())
        });
        if !is_arg(&other) && (in_group || refuses(arg, other) || refuses(other, arg)) {
            rivals.extend(other.get_long());
        }
    }
    rivals
}

/// Every flag of `command` and of what is below it.
pub(super) fn flags(command: &Command) -> Vec<&str> {
    let below = command.get_subcommands().flat_map(flags);
    command
        .get_arguments()
        .filter_map(Arg::get_long)
        .chain(below)
        .collect()
}

pub(super) fn is_known(program: &Command, flag: &str) -> bool {
    flags(program).contains(&flag)
}

pub(super) fn has(verb: &Command, flag: &str) -> bool {
    verb.get_arguments().any(|arg| arg.get_long() == Some(flag))
}

pub(super) fn takes_value(arg: &Arg) -> bool {
    arg.get_action().takes_values()
}

pub(super) fn is_list(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Append)
}
