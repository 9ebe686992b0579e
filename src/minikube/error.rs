//! How minikube failed.

use std::fs;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use crate::explain::{Explain, Explanation, Kind};

/// What a failure shows of minikube's log.
const LOG_END_LINES: usize = 5;
const LOG_END_BYTES: u64 = 8 << 10;
const LOG_LINE_CHARACTERS: usize = 300;

/// A cluster that minikube did not start, or a request that it refused.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct MinikubeError(Box<Failed>);

/// How minikube ended.
#[derive(Debug, thiserror::Error)]
#[error("minikube could not {verb}\n  reason: {}{}\n  exit code: {}{}",
    reason(name, message), advice_text(advice), code.map_or_else(|| "none, a signal ended it".to_owned(), |code| code.to_string()), log_text(log.as_deref(), log_end))]
pub(super) struct Failed {
    /// What it was to do: `start the cluster`.
    pub(super) verb: &'static str,
    /// The name of its reason, where it has one.
    pub(super) name: String,
    /// What it said.
    pub(super) message: String,
    /// What it advised.
    pub(super) advice: String,
    /// Its exit code.
    pub(super) code: Option<i32>,
    /// Where its log is, when it wrote one.
    pub(super) log: Option<PathBuf>,
    /// The last lines of its log.
    pub(super) log_end: Vec<String>,
    /// What helps without a network.
    pub(super) hint: &'static str,
}

impl From<Failed> for MinikubeError {
    fn from(failed: Failed) -> Self {
        Self(Box::new(failed))
    }
}

fn reason(name: &str, message: &str) -> String {
    match (name, message.trim()) {
        ("", "") => "it gave none".to_owned(),
        ("", message) => message.to_owned(),
        (name, message) => format!("`{name}`: {message}"),
    }
}

fn advice_text(advice: &str) -> String {
    match advice.trim() {
        "" => String::new(),
        advice => format!("\n  it advises: {advice}"),
    }
}

fn log_text(log: Option<&Path>, end: &[String]) -> String {
    let Some(log) = log else {
        return String::new();
    };
    let end = end.iter().map(|line| format!("\n    {line}"));
    format!("\n  log: `{}`{}", log.display(), end.collect::<String>())
}

/// The last `most` bytes of the file at `path`, as text.
pub(crate) fn read_end(path: &Path, most: u64) -> io::Result<String> {
    let mut file = fs::File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(io::SeekFrom::Start(length.saturating_sub(most)))?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The last lines of the log at `path`, as far as it can be read.
pub(super) fn end_of(path: &Path) -> Vec<String> {
    let text = read_end(path, LOG_END_BYTES).unwrap_or_default();
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let last = &lines[lines.len().saturating_sub(LOG_END_LINES)..];
    let cut = |line: &&str| line.chars().take(LOG_LINE_CHARACTERS).collect();
    last.iter().map(cut).collect()
}

impl MinikubeError {
    /// The same, where its log is at `place` by now.
    pub(crate) fn move_log(&mut self, place: PathBuf) {
        self.0.log = Some(place);
    }
}

impl Explain for MinikubeError {
    fn explain(&self) -> Explanation {
        Kind::Cluster.hint(self.0.hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_five_lines_of_a_log_are_shown() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("log");
        let long = "x".repeat(400);
        fs::write(
            &path,
            format!(
                "{}one\ntwo\nthree\n\nfour\nfive\n{long}\n\n",
                "early\n".repeat(5000)
            ),
        )
        .expect("a file");
        let end = end_of(&path);
        assert_eq!(end, ["two", "three", "four", "five", &long[..300]]);
        assert!(end_of(&directory.path().join("none")).is_empty());
    }

    #[test]
    fn a_failure_has_reason_code_and_log() {
        let error = MinikubeError::from(Failed {
            verb: "start the cluster",
            name: "GUEST_PROVISION".into(),
            message: "no node".into(),
            advice: String::new(),
            code: Some(80),
            log: Some("/root/.minikube/logs/lastStart.txt".into()),
            log_end: vec!["I1130 one".into(), "E1130 two".into()],
            hint: "look",
        });
        assert_eq!(error.explain(), Kind::Cluster.hint("look"));
        assert_eq!(
            error.to_string(),
            "minikube could not start the cluster\n  reason: `GUEST_PROVISION`: no node\n  \
             exit code: 80\n  log: `/root/.minikube/logs/lastStart.txt`\n    I1130 one\n    E1130 two"
        );
    }
}
