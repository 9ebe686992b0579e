//! G10: the parsers take anything. Inputs are kept in `tests/corpus`; a run changes them
//! at random, keeps what makes a parser say something new, and tries that, too.

use std::collections::HashSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use minikube_offline::bundle::Digest;

use crate::draft::{Draft, Key};
use crate::effort::{Random, directory, report, rounds};
use crate::parsers::{PARSERS, Parser};

/// An input is cut off beyond this.
const LARGEST: usize = 64 << 10;

/// Inputs that are kept in memory for their new words.
const POPULATION: usize = 2_000;

/// What a number, a length or a name may be instead.
const WORDS: [&str; 24] = [
    "0",
    "-1",
    "1",
    "255",
    "65536",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "18446744073709551615",
    "18446744073709551616",
    "1e999",
    "null",
    "true",
    "{}",
    "[]",
    "\"\"",
    "\\u0000",
    "\n",
    "..",
    "/",
    "sha256:",
    "\u{1b}[2J",
    "é",
    "\0",
];

fn corpus(parser: &str) -> Vec<Vec<u8>> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/corpus")
        .join(parser);
    let mut files: Vec<PathBuf> = fs::read_dir(&directory)
        .map(|entries| entries.map(|entry| entry.expect("an entry").path()).collect())
        .unwrap_or_default();
    files.sort();
    let mut inputs: Vec<Vec<u8>> = files.iter().map(|path| fs::read(path).expect("a file")).collect();
    // What is right today, and what the other tests know to be wrong.
    let sound = Draft::sound();
    let key = Key::new();
    match parser {
        "bundle" => {
            inputs.push(sound.finish(&key));
            inputs.extend(
                crate::corpus::cases()
                    .iter()
                    .map(|case| case.bytes(&sound, &key))
                    .filter(|bytes| bytes.len() < LARGEST),
            );
        }
        "index" => inputs.push(sound.json().into_bytes()),
        "payload" => inputs.push(sound.stored[1].clone()),
        _ => {}
    }
    assert!(!inputs.is_empty(), "nothing in {}", directory.display());
    inputs
}

/// Changes `input` here and there.
fn mutate(input: &mut Vec<u8>, others: &[Vec<u8>], random: &mut Random) {
    for _ in 0..=random.below(4) {
        if input.is_empty() {
            input.push(0);
        }
        let at = random.place(input.len());
        let span = at..input.len().min(at + 1 + random.place(16));
        match random.below(9) {
            0 => input[at] ^= 1 << random.below(8),
            1 => input[at] = [0, 1, 0x7f, 0x80, 0xff][random.place(5)],
            2 => drop(input.drain(span)),
            3 => {
                let copy = input[span].to_vec();
                input.splice(at..at, copy);
            }
            4 => drop(input.splice(at..at, random.bytes(4))),
            5 => drop(input.splice(span, WORDS[random.place(WORDS.len())].bytes())),
            6 => {
                let other = &others[random.place(others.len())];
                if let Some(tail) = (!other.is_empty()).then(|| &other[random.place(other.len())..]) {
                    input.splice(at.., tail.iter().copied());
                }
            }
            7 => {
                // A number becomes another one.
                let digits = |b: &u8| b.is_ascii_digit();
                if let Some(start) = input[at..].iter().position(digits).map(|more| at + more) {
                    let length = input[start..].iter().take_while(|b| digits(b)).count();
                    input.splice(start..start + length, WORDS[random.place(11)].bytes());
                }
            }
            _ => input.truncate(at),
        }
    }
    input.truncate(LARGEST);
}

/// The words of a parser, without the numbers and names in them.
fn kind_of(said: &str) -> String {
    said.chars().filter(|c| !c.is_ascii_digit()).take(120).collect()
}

fn try_out((name, parse): &Parser, input: &[u8], scratch: &Path, seed: u64) -> String {
    catch_unwind(AssertUnwindSafe(|| parse(input, scratch))).unwrap_or_else(|_| {
        let kept =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", Digest::of(input).hex()));
        fs::write(&kept, input).expect("a place for what was found");
        panic!(
            "`{name}` panicked (seed {seed}): the input is `{}`, for tests/corpus/{name}",
            kept.display()
        )
    })
}

fn fuzz(parser: &Parser, executions: u64) {
    let directory = directory();
    let scratch = directory.path().join("scratch");
    let mut random = Random::new();
    let mut inputs = corpus(parser.0);
    let given = inputs.len();
    let mut kinds = HashSet::new();
    for input in &inputs {
        kinds.insert(kind_of(&try_out(parser, input, &scratch, random.seed())));
    }
    for _ in 0..executions {
        let mut input = inputs[random.place(inputs.len())].clone();
        mutate(&mut input, &inputs, &mut random);
        let kind = kind_of(&try_out(parser, &input, &scratch, random.seed()));
        if inputs.len() < POPULATION && kinds.insert(kind) {
            inputs.push(input);
        }
    }
    report(&format!(
        "{executions} inputs of the parser `{}`, from {given}, with {} different answers: 0 panics (seed {})",
        parser.0,
        kinds.len(),
        random.seed()
    ));
}

/// Together more than a million in a long run.
fn executions(parser: &str) -> u64 {
    match parser {
        "bundle" | "payload" => rounds(1_000, 100_000),
        _ => rounds(2_000, 250_000),
    }
}

#[test]
fn no_parser_panics() {
    std::thread::scope(|scope| {
        for parser in PARSERS {
            scope.spawn(move || fuzz(parser, executions(parser.0)));
        }
    });
}

/// What `tests/fuzz/run.sh` starts from: the inputs of each parser as files.
#[test]
#[ignore = "a part of `make fuzz`, which names a directory by MINIKUBE_OFFLINE_TEST_CORPUS"]
fn the_corpus_as_files() {
    let directory = PathBuf::from(std::env::var_os("MINIKUBE_OFFLINE_TEST_CORPUS").expect("a directory"));
    for (name, _) in PARSERS {
        let directory = directory.join(name);
        fs::create_dir_all(&directory).expect("a directory");
        for input in corpus(name) {
            fs::write(directory.join(Digest::of(&input).hex()), input).expect("a file");
        }
    }
}
