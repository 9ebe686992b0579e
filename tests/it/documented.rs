//! The commands that README and the guides show: their flags exist, and those that need
//! neither a network nor an engine end well on a sample bundle.

#![allow(clippy::case_sensitive_file_extension_comparisons)] // names of this repository

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::effort::report;
use crate::support::program::{Outcome, Sandbox, copy};

/// A command of a document, without the program's name.
#[derive(Debug)]
struct Shown {
    place: String,
    is_bundle: bool,
    words: Vec<String>,
}

/// What runs on a sample bundle as it stands.
const RUNS: [&str; 8] = [
    "init", "lint", "list", "inspect", "verify", "extract", "guide", "status",
];

/// Flags and paths of what the sandbox does not have.
const NEEDS_MORE: [&str; 4] = ["--attestations", "--trusted-root", "--key", "/media/stick"];

/// README, CONTRIBUTING and the guides, with their names.
fn documents() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guides = fs::read_dir(root.join("templates/guide")).expect("the guides");
    let mut paths: Vec<_> = guides.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.insert(0, root.join("README.md"));
    let named = paths.into_iter().map(|path| {
        let name = path.strip_prefix(root).expect("inside").display().to_string();
        (name, fs::read_to_string(path).expect("text"))
    });
    named.collect()
}

/// The commands in blocks of code and in single words of it.
fn shown() -> Vec<Shown> {
    let mut shown = Vec::new();
    for (name, text) in documents() {
        let joined = text.replace("\\\n", " ");
        let mut fenced = false;
        for (number, line) in joined.lines().enumerate() {
            let place = format!("{name}, about line {}", number + 1);
            if line.starts_with("```") {
                fenced = !fenced;
            } else if fenced || line.starts_with("    ") {
                shown.extend(command(&place, line));
            } else {
                for code in line
                    .split('`')
                    .skip(1)
                    .step_by(2)
                    .filter(|code| code.contains(' '))
                {
                    shown.extend(command(&place, code));
                }
            }
        }
    }
    shown
}

fn command(place: &str, line: &str) -> Option<Shown> {
    let line = line.trim().trim_start_matches("$ ");
    let line = line.split(" # ").next().unwrap_or_default();
    // A pattern of commands, not one.
    if ["VERB", "TOPIC"].iter().any(|word| line.contains(word)) || line.contains('|') || line.contains("$(") {
        return None;
    }
    let mut words = line.split_whitespace().skip_while(|word| {
        *word == "sudo" || word.split_once('=').is_some_and(|(name, _)| is_variable(name))
    });
    let program = words.next()?;
    let is_bundle = program.starts_with("./") && program.ends_with(".run");
    let words: Vec<String> = words
        .filter(|word| !["…", "..."].contains(word))
        .map(str::to_owned)
        .collect();
    (is_bundle || program == "minikube-offline").then(|| Shown {
        place: place.to_owned(),
        is_bundle,
        words,
    })
}

fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|letter| letter.is_ascii_uppercase() || letter == '_')
}

fn run(sandbox: &Sandbox, is_bundle: bool, words: &[String]) -> Outcome {
    let bundle = sandbox.path("minikube-offline-v1.37.run");
    let program = if is_bundle {
        bundle.as_path()
    } else {
        Path::new(env!("CARGO_BIN_EXE_minikube-offline"))
    };
    sandbox.run(Command::new(program).args(words))
}

/// With `--help` the flags before it are read, and nothing is done.
fn parses(sandbox: &Sandbox, shown: &Shown) -> Outcome {
    let mut words = shown.words.clone();
    let end = words.iter().position(|word| word == "--").unwrap_or(words.len());
    words.truncate(end);
    words.push("--help".to_owned());
    run(sandbox, shown.is_bundle, &words)
}

#[test]
fn every_documented_command_is_one_and_runs_where_it_can() {
    let sandbox = Sandbox::new();
    let runnable = sandbox.runnable_bundle("minikube-offline-v1.37.run");
    copy(&runnable, &sandbox.path("bundle.run"));
    let wrong = Shown {
        place: "this test".to_owned(),
        is_bundle: false,
        words: ["verify", "x.run", "--no-such-flag"].map(str::to_owned).into(),
    };
    assert_eq!(parses(&sandbox, &wrong).status, 2, "a wrong flag is not noticed");
    let (mut parsed, mut ran, mut failed) = (0, 0, Vec::new());
    for shown in shown() {
        let outcome = parses(&sandbox, &shown);
        parsed += 1;
        if outcome.status != 0 {
            failed.push(format!("{}: {:?}: {}", shown.place, shown.words, outcome.stderr));
            continue;
        }
        let verb = shown.words.first().map(String::as_str).unwrap_or_default();
        let needs_more = |word: &String| NEEDS_MORE.contains(&word.as_str());
        if RUNS.contains(&verb) && !shown.words.iter().any(needs_more) {
            let outcome = run(&sandbox, shown.is_bundle, &shown.words);
            ran += 1;
            if outcome.status != 0 {
                failed.push(format!("{}: {:?}: {}", shown.place, shown.words, outcome.stderr));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    report(&format!(
        "{parsed} documented commands, of which {ran} ran on a sample bundle"
    ));
    assert!(parsed >= 20 && ran >= 3, "{parsed} commands, of which {ran} ran");
}
