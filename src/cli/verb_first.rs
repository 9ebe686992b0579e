//! A command line as a person types it, where flags stand before their verb or behind
//! it, becomes one that clap reads.

use std::ffi::OsString;

use clap::{Arg, Command};

/// The same command line with its verb in front: `--key K.pub verify` is
/// `verify --key K.pub`. A line without a verb stays as it is; of one that asks for help, only
/// the verbs do, and how to write it.
pub(super) fn verb_first(command: &Command, arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.collect();
    let mut at = 1;
    while let Some(word) = arguments.get(at).and_then(|word| word.to_str()) {
        if word == "--" {
            break;
        }
        if !word.starts_with('-') {
            if word == "help" {
                return for_help(&arguments, at);
            }
            if command.find_subcommand(word).is_some() {
                arguments[1..=at].rotate_right(1);
            }
            break;
        }
        at += if takes_the_next(command, word) { 2 } else { 1 };
    }
    arguments
}

/// The verbs behind `help`, as a flag of theirs; `help` itself takes none.
fn for_help(arguments: &[OsString], at: usize) -> Vec<OsString> {
    let is_output = |word: &OsString| {
        let word = word.to_str().unwrap_or_default();
        word == "--json" || word.starts_with("--output")
    };
    let mut line = vec![arguments[0].clone()];
    let mut behind = arguments[at + 1..].iter();
    while let Some(word) = behind.next() {
        if word == "--output" {
            behind.next();
        } else if !word.to_string_lossy().starts_with('-') {
            line.push(word.clone());
        }
    }
    line.push("--help".into());
    let at_output = arguments.iter().position(is_output);
    if let Some(output) = at_output {
        let value = usize::from(arguments[output] == "--output");
        line.extend(arguments[output..].iter().take(1 + value).cloned());
    }
    line
}

/// Whether the word behind `flag` is its value.
fn takes_the_next(command: &Command, flag: &str) -> bool {
    if let Some(long) = flag.strip_prefix("--") {
        return takes_value(command, |arg| arg.get_long() == Some(long));
    }
    // `-yp NAME`: the first that takes a value takes what is left.
    let mut letters = flag.chars().skip(1);
    let taker = letters.find(|letter| takes_value(command, |arg| arg.get_short() == Some(*letter)));
    taker.is_some() && letters.next().is_none()
}

/// Whether such a flag, of the program or of any verb, takes a value.
fn takes_value(command: &Command, wanted: impl Fn(&Arg) -> bool) -> bool {
    std::iter::once(command)
        .chain(command.get_subcommands())
        .flat_map(Command::get_arguments)
        .any(|arg| wanted(arg) && arg.get_action().takes_values())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command() -> Command {
        let key = || Arg::new("key").long("key");
        let yes = Arg::new("yes")
            .short('y')
            .long("yes")
            .action(clap::ArgAction::SetTrue);
        let profile = Arg::new("profile").short('p').long("profile");
        Command::new("x.run")
            .args([yes, profile, key(), Arg::new("output").long("output")])
            .subcommand(Command::new("verify").arg(key()))
            .subcommand(Command::new("extract").arg(Arg::new("to").long("to")))
    }

    #[test]
    fn the_verb_is_found_behind_flags_and_their_values() {
        for (line, expected) in [
            ("x.run", "x.run"),
            ("x.run verify --key k", "x.run verify --key k"),
            ("x.run --key k verify", "x.run verify --key k"),
            ("x.run --key=k verify", "x.run verify --key=k"),
            ("x.run --to parts extract", "x.run extract --to parts"),
            ("x.run -y help", "x.run --help"),
            ("x.run help", "x.run --help"),
            ("x.run help verify", "x.run verify --help"),
            ("x.run --output json help", "x.run --help --output json"),
            (
                "x.run help extract --output=json",
                "x.run extract --help --output=json",
            ),
            // Values, and words that are not verbs.
            ("x.run --key verify -y", "x.run --key verify -y"),
            ("x.run -yp verify", "x.run -yp verify"),
            ("x.run -pverify verify", "x.run verify -pverify"),
            ("x.run -y -- verify", "x.run -y -- verify"),
            ("x.run -y nothing verify", "x.run -y nothing verify"),
            ("x.run --key", "x.run --key"),
        ] {
            let words = line.split(' ').map(OsString::from);
            let found: Vec<_> = verb_first(&command(), words)
                .into_iter()
                .map(|word| word.into_string().expect("text"))
                .collect();
            assert_eq!(found.join(" "), expected, "{line}");
        }
    }
}
