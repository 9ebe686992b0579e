//! Words that this project does not use; `CONTRIBUTING.md` names what it uses instead.

#![allow(clippy::case_sensitive_file_extension_comparisons)] // names of this repository

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use regex::Regex;

/// In no file at all.
const NOWHERE: &str = r"\b(?i:folders?|mend(?:s|ed|ing)?|anew)\b|\bfor ever\b|\ball the same\b|\bbehind `--`";

/// Not where a person who uses the program reads it: messages, help, guides.
const NOT_SHOWN: &str = r"\b(?i:nobody|somebody|whoever|who packs|who packed)\b|\bany more\b|\bown-image\b|\b(?:left|leaves? (?:it|them)) away\b|\b(?:is|are) told of\b";

/// What has such a word for a reason, or until it is written again.
const ALLOWED: [&str; 3] = [
    "CHANGELOG.md",
    "src/cli/inspect.rs: own-image",
    "tests/it/words.rs",
];

#[test]
fn no_file_has_a_word_that_the_glossary_replaces() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .expect("git");
    let listed = String::from_utf8(listed.stdout).expect("text");
    let [nowhere, not_shown] = [NOWHERE, NOT_SHOWN].map(|words| Regex::new(words).expect("a pattern"));
    let mut found = Vec::new();
    let mut files = 0;
    for name in listed.lines() {
        let frozen = ["tests/golden/", "tests/corpus/", "LICENSE"];
        let Ok(text) = fs::read_to_string(root.join(name)) else {
            continue; // no text, or removed
        };
        if frozen.iter().any(|start| name.starts_with(start)) || name.ends_with(".lock") {
            continue;
        }
        files += 1;
        for (number, line) in text.lines().enumerate() {
            if name.ends_with(".rs") && line.starts_with("mod tests {") {
                break;
            }
            let words = nowhere.find(line).or_else(|| {
                let hit = not_shown.find(line)?;
                is_shown(name, line).then_some(hit)
            });
            let Some(word) = words.map(|hit| hit.as_str()) else {
                continue;
            };
            let allowed = |entry: &str| entry == name || entry == format!("{name}: {word}");
            if !ALLOWED.iter().any(|entry| allowed(entry)) {
                found.push(format!("{name}:{}: {word}: {}", number + 1, line.trim()));
            }
        }
    }
    assert!(files > 300, "{files} files were read");
    assert!(
        found.is_empty(),
        "{} findings:\n{}",
        found.len(),
        found.join("\n")
    );
}

/// Whether a person who uses the program reads this line.
fn is_shown(name: &str, line: &str) -> bool {
    let line = line.trim_start();
    let is_comment = line.starts_with("//") || (name.ends_with(".sh") && line.starts_with('#'));
    match name.split('/').next() {
        Some("src") => !is_comment && !line.contains("expect"),
        Some("templates" | "packaging") => !is_comment,
        Some("README.md" | ".github") => true,
        Some("tests") => name.starts_with("tests/snapshots/"),
        _ => false,
    }
}
