//! What a person reads, whole: every `--help`, every verb's output as text and as JSON, and
//! the errors that one meets first. `make snapshots` writes them again after a change.

mod errors;
mod help;
mod outputs;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;
use snapbox::data::{Data, DataFormat};

use crate::support::program::{Outcome, Sandbox};

/// The snapshots of one kind: a directory, in which each has a file.
struct Snapshots {
    directory: PathBuf,
    seen: BTreeSet<String>,
    wrong: Vec<String>,
    /// What differs from run to run, and what stands there instead.
    redactions: Vec<(Regex, &'static str)>,
}

impl Snapshots {
    fn of(kind: &str) -> Self {
        let patterns = [
            (r"\b[0-9a-f]{64}\b", "[DIGEST]"),
            (r"\b[0-9A-F]{16}\b", "[KEY ID]"),
            (r"\bRW[A-Za-z0-9+/]{54}", "[KEY]"),
            (r"\b(sha256:)[0-9a-f]{12}\b", "${1}[DIGEST]"),
            (r"\b(bytes )[0-9]+( to )[0-9]+", "${1}[N]${2}[N]"),
            (r"\b(should be )[0-9]+", "${1}[N]"),
            (r"\b(owner )[0-9]+", "${1}[N]"),
            // What a host, the fake engine and the stand-in's log bring in.
            (r#"\b(and this program under )[^ "\n]+"#, "${1}[KERNEL]"),
            (
                r"`[^`]*`( ended with exit code 1)|\bdocker network create [^`]*?: exit status: 1",
                "[COMMAND]${1}",
            ),
            (r"this engine knows no `[^`]*`", "[FAKE ENGINE]"),
            (
                r#" *\b[IWEF][0-9]{4} [0-9:.]+ +[0-9]+ standin\](?:\\"|[^"\n\\])*"#,
                "[LOG LINE]",
            ),
            (r"\b(ratio )[0-9.]+", "${1}[RATIO]"),
            (
                r#"("[a-z0-9_]*(?:bytes|size|milliseconds|_ms|blake3|sha256|ratio)":)[0-9.]+"#,
                "${1}0",
            ),
            (
                r"\b[0-9][0-9.]*( ?(?:bytes|B|kB|MB|GB|TB|KiB|MiB|GiB|MB/s|GB/s)\b)",
                "[N]${1}",
            ),
            (r"\b[0-9][0-9.]*( (?:s|ms|min)\b)", "[N]${1}"),
            (
                r"\b20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(?:\.[0-9]+)?Z",
                "[TIME]",
            ),
            (r"\b20[0-9]{2}-[0-9]{2}-[0-9]{2}\b", "[DATE]"),
            // A terminal would be right of it; columns move with the sizes.
            (r" +(\[N\])", " ${1}"),
        ]
        .map(|(pattern, instead)| (Regex::new(pattern).expect("a pattern"), instead));
        Self {
            directory: Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("tests/snapshots")
                .join(kind),
            seen: BTreeSet::new(),
            wrong: Vec::new(),
            redactions: patterns.into(),
        }
    }

    /// Compares what a run in `sandbox` did with its snapshot.
    fn run(&mut self, name: &str, command: &str, sandbox: &Sandbox, outcome: &Outcome) {
        let Outcome {
            status,
            stdout,
            stderr,
        } = outcome;
        let mut text = format!("$ {command}\nexit code: {status}\n--- stdout\n{stdout}--- stderr\n{stderr}");
        // The sandbox as it is, as a shell quotes it, and as JSON quotes that.
        let own = sandbox
            .path("")
            .to_string_lossy()
            .trim_end_matches('/')
            .to_owned();
        let quoted = own.replace('\'', r"'\''");
        for spelling in [quoted.replace('\\', r"\\"), quoted, own] {
            text = text.replace(&spelling, "[DIR]");
        }
        // How many there are depends on the time that it takes.
        let lines = text
            .split_inclusive('\n')
            .filter(|line| !line.contains(r#""type":"progress""#));
        self.text(name, &lines.collect::<String>());
    }

    /// Compares a text with its snapshot.
    fn text(&mut self, name: &str, text: &str) {
        let mut text = text.to_owned();
        for (pattern, instead) in &self.redactions {
            text = pattern.replace_all(&text, *instead).into_owned();
        }
        let file = format!("{name}.txt");
        let path = self.directory.join(&file);
        assert!(self.seen.insert(file), "`{name}` is there twice");
        let expected = Data::read_from(&path, Some(DataFormat::Text)).raw();
        let assert = snapbox::Assert::new().action_env("SNAPSHOTS");
        if let Err(error) = assert.try_eq(Some(&name), Data::text(text), expected) {
            self.wrong.push(error.to_string());
        }
    }

    /// All of the kind were compared: no file is left over, and none is wrong.
    fn end(self) {
        for entry in fs::read_dir(&self.directory).expect("the snapshots") {
            let path = entry.expect("an entry").path();
            if !self
                .seen
                .contains(&*path.file_name().expect("a name").to_string_lossy())
            {
                if std::env::var_os("SNAPSHOTS").is_some_and(|action| action == "overwrite") {
                    fs::remove_file(&path).expect("ours");
                } else {
                    panic!("`{}` belongs to no test: run `make snapshots`", path.display());
                }
            }
        }
        let wrong = self.wrong.join("\n");
        assert!(
            wrong.is_empty(),
            "{wrong}\nRead each difference; when all are meant, run `make snapshots`."
        );
    }
}
