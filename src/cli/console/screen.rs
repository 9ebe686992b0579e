//! What stands on the terminal: the stage at work, whom it waits for, and the line that is drawn
//! again and again.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::glyphs::Glyphs;
use super::line::{Standing, Step, line};
use crate::failure::{printable, steers};
use crate::host::Terminal;

/// The version of what `output.schema.json` describes.
const SCHEMA: u32 = 1;

pub(super) const REDRAW: Duration = Duration::from_millis(200);

#[derive(Default)]
pub(super) struct State {
    /// A line of JSON was written: the first one names the schema.
    pub(super) began: bool,
    /// How many stages were begun, and how many there are to be.
    pub(super) stages: Option<(usize, usize)>,
    pub(super) stage: Option<Stage>,
    pub(super) waits_for: Option<Wait>,
    /// Who was waited for: a pipe is told once.
    pub(super) told: BTreeSet<String>,
    pub(super) shown: Option<Instant>,
    /// A line without its end stands on the terminal.
    pub(super) open: bool,
    /// How many times a line was drawn.
    pub(super) frame: usize,
    /// There is a thread that draws while nothing happens.
    pub(super) ticks: bool,
}

pub(super) struct Stage {
    pub(super) name: String,
    pub(super) begun: Instant,
    pub(super) total: Option<u64>,
    pub(super) done: u64,
    /// Where the work inside it is.
    pub(super) step: Option<(String, usize, usize)>,
}

pub(super) struct Wait {
    pub(super) whom: String,
    pub(super) what: String,
    pub(super) since: Instant,
}

impl State {
    /// Shows how far the stage is, how quick, and how long it will take; or what it waits for.
    pub(super) fn draw(&mut self, terminal: Terminal, glyphs: &Glyphs) {
        if self.stage.is_none() && self.waits_for.is_none() {
            return;
        }
        let mut standing = Standing {
            number: self.stages.filter(|(number, count)| number <= count),
            ..Standing::default()
        };
        let step = self.stage.as_ref().and_then(|stage| stage.step.as_ref());
        let step = step.map(|(text, number, count)| (printable(text), *number, *count));
        standing.step = step.as_ref().map(|(text, number, count)| Step {
            text,
            number: *number,
            count: *count,
        });
        let name = self.stage.as_ref().map(|stage| printable(&stage.name));
        if let (Some(stage), Some(name)) = (&self.stage, &name) {
            standing.name = name;
            (standing.done, standing.total) = (stage.done, stage.total);
            standing.elapsed = stage.begun.elapsed();
        }
        let waits_for = self.waits_for.as_ref();
        let texts = waits_for.map(|wait| (printable(&wait.whom), printable(&wait.what)));
        if let (Some(wait), Some((whom, what))) = (waits_for, &texts) {
            standing.waits_for = Some((whom, what));
            standing.elapsed = wait.since.elapsed();
        }
        standing.spinner = glyphs.spinner[self.frame % glyphs.spinner.len()];
        self.frame += 1;
        let _ = write!(io::stderr(), "\r{}\x1b[K", line(&standing, terminal.columns()));
        self.open = true;
        self.shown = Some(Instant::now());
    }

    /// A line of JSON of this type; the run's first one says which schema they follow.
    pub(super) fn json(&mut self, kind: &str, mut value: Value) -> String {
        value["type"] = json!(kind);
        if !std::mem::replace(&mut self.began, true) {
            value["schema"] = json!(SCHEMA);
        }
        json_line(&value)
    }

    pub(super) fn event(&mut self, kind: &str, value: Value) {
        let line = self.json(kind, value);
        let _ = writeln!(io::stdout(), "{line}");
    }

    pub(super) fn is_due(&self) -> bool {
        self.shown.is_none_or(|shown| shown.elapsed() >= REDRAW)
    }

    /// What is written next begins a line; nobody is waited for any more.
    pub(super) fn clear(&mut self) {
        self.waits_for = None;
        if std::mem::take(&mut self.open) {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
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
