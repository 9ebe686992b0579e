//! The terminal, or the program, that listens: progress, results and failures.

use std::io::{self, IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::size::{human_bytes, human_duration};
use crate::bundle::hashed_bytes;
use crate::failure::{Failure, printable, steers};
use crate::progress::Progress;

/// How results and progress are written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
pub enum OutputFormat {
    /// Text for a person; progress goes to stderr.
    #[default]
    Human,
    /// One JSON object a line on stdout, the last one with `kind`.
    Json,
}

/// Where a verb writes. Results go to stdout, everything else to stderr, so that a
/// result can be piped.
pub(super) struct Console {
    format: OutputFormat,
    terminal: bool,
    stage: Mutex<Option<Stage>>,
}

struct Stage {
    name: String,
    begun: Instant,
    total: Option<u64>,
    done: u64,
    shown: Instant,
    /// A line without its end stands on the terminal.
    open: bool,
}

const REDRAW: Duration = Duration::from_millis(200);

impl Console {
    pub(super) fn new(format: OutputFormat) -> Self {
        let terminal = format == OutputFormat::Human && io::stderr().is_terminal();
        Self {
            format,
            terminal,
            stage: Mutex::new(None),
        }
    }

    pub(super) fn is_json(&self) -> bool {
        self.format == OutputFormat::Json
    }

    /// A result: `text` for a person, `value` for a program.
    pub(super) fn result(&self, text: &str, value: &Value) -> Result<(), Failure> {
        let line = if self.is_json() {
            json_line(&counted(value.clone()))
        } else {
            printable(text.trim_end())
        };
        match writeln!(io::stdout(), "{line}") {
            // Whoever reads has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written.map_err(|error| {
                Failure::new(
                    crate::failure::Kind::of_io(&error),
                    format!("writing to stdout: {error}"),
                )
            }),
        }
    }

    /// The last words of a run that failed.
    pub(super) fn failure(&self, failure: &Failure) {
        let mut stage = self.stage();
        self.close_line(stage.as_mut());
        *stage = None;
        if self.is_json() {
            let last = counted(json!({
                "kind": failure.kind.name(),
                "message": failure.error.to_string(),
                "causes": failure.causes(),
                "hint": failure.hint,
            }));
            let _ = writeln!(io::stdout(), "{}", json_line(&last));
        } else {
            let _ = writeln!(io::stderr(), "{failure}");
        }
    }

    fn stage(&self) -> std::sync::MutexGuard<'_, Option<Stage>> {
        self.stage
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn close_line(&self, stage: Option<&mut Stage>) {
        if let Some(stage) = stage
            && self.terminal
            && std::mem::take(&mut stage.open)
        {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

fn event(event: &Value) {
    let _ = writeln!(io::stdout(), "{}", json_line(event));
}

/// The last object of a run, with the bytes that the run hashed, where it hashed any.
fn counted(mut last: Value) -> Value {
    let hashed = hashed_bytes();
    if let (Value::Object(object), true) = (&mut last, hashed.blake3 + hashed.sha256 > 0) {
        object.insert("hashed_bytes".to_owned(), json!(hashed));
    }
    last
}

/// JSON without a character that steers a terminal: it may be looked at, too.
fn json_line(value: &Value) -> String {
    let mut line = String::new();
    for c in value.to_string().chars() {
        if steers(c) {
            // It stands in a string; none of them needs two units of UTF-16.
            line.extend(format!("\\u{:04x}", u32::from(c)).chars());
        } else {
            line.push(c);
        }
    }
    line
}

/// Shows how far the stage is, how quick, and how long it will take.
fn redraw(stage: &mut Stage) {
    #[allow(clippy::cast_precision_loss)] // shown with three digits
    let (done, total) = (stage.done as f64, stage.total.unwrap_or(0) as f64);
    let rate = done / stage.begun.elapsed().as_secs_f64().max(0.001);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // not negative
    let per_second = human_bytes(rate as u64);
    let done_bytes = human_bytes(stage.done);
    let name = printable(&stage.name);
    let line = match stage.total {
        Some(bytes) if rate > 0.0 && total >= done => {
            let left = Duration::from_secs_f64(((total - done) / rate).min(86_400.0));
            let (of, left) = (human_bytes(bytes), human_duration(left));
            format!("{name}: {done_bytes} of {of}, {per_second}/s, {left} left")
        }
        _ => format!("{name}: {done_bytes}, {per_second}/s"),
    };
    let _ = write!(io::stderr(), "\r{line}\x1b[K");
    stage.open = true;
    stage.shown = Instant::now();
}

impl Progress for Console {
    fn begin(&self, name: &str, total_bytes: Option<u64>) {
        if self.is_json() {
            event(&json!({ "event": "begin", "stage": name, "total_bytes": total_bytes }));
        }
        let now = Instant::now();
        let (name, total) = (name.to_owned(), total_bytes);
        *self.stage() = Some(Stage {
            name,
            begun: now,
            total,
            done: 0,
            shown: now,
            open: false,
        });
    }

    fn advance(&self, bytes: u64) {
        if let Some(stage) = self.stage().as_mut() {
            stage.done += bytes;
            if stage.shown.elapsed() < REDRAW {
                return;
            }
            if self.terminal {
                redraw(stage);
            } else if self.is_json() {
                stage.shown = Instant::now();
                event(&json!({ "event": "progress", "stage": stage.name, "bytes": stage.done }));
            }
        }
    }

    fn note(&self, text: &str) {
        self.close_line(self.stage().as_mut());
        if self.is_json() {
            event(&json!({ "event": "note", "message": text }));
        } else {
            let _ = writeln!(io::stderr(), "  {}", printable(text));
        }
    }

    fn end(&self, outcome: &str) {
        let Some(mut stage) = self.stage().take() else {
            return;
        };
        self.close_line(Some(&mut stage));
        let took = stage.begun.elapsed();
        if self.is_json() {
            event(&json!({
                "event": "end",
                "stage": stage.name,
                "outcome": outcome,
                "bytes": stage.done,
                "milliseconds": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            }));
            return;
        }
        let mut line = stage.name;
        if !outcome.is_empty() {
            line = format!("{line}: {outcome}");
        }
        let moved = if stage.done > 0 {
            format!("{}, ", human_bytes(stage.done))
        } else {
            String::new()
        };
        let _ = writeln!(
            io::stderr(),
            "{} ({moved}{})",
            printable(&line),
            human_duration(took)
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_that_is_looked_at_steers_no_terminal_and_says_the_same() {
        let value = json!({ "name": "a\u{1b}[2J\u{9b}31m\u{7f}\u{202e}\\ü" });
        let line = json_line(&value);
        assert!(!line.chars().any(steers), "{line}");
        assert_eq!(serde_json::from_str::<Value>(&line).expect("JSON"), value);
    }
}
