//! Progress, shown: drawn on a terminal, told line by line in a pipe, or as JSON.

use std::io::{self, Write};
use std::time::Instant;

use serde_json::json;

use super::screen::{Stage, Wait};
use super::{Console, GREEN};
use crate::cli::appearance::Detail;
use crate::failure::printable;
use crate::progress::Progress;
use crate::shown::{human_bytes, human_duration};

impl Progress for Console {
    fn stages(&self, count: usize) {
        self.state().stages = Some((0, count));
    }

    fn step(&self, text: &str, number: usize, count: usize) {
        if self.terminal.is_none() || self.appearance.detail == Detail::Verbose {
            return self.note(text);
        }
        self.log("note", text);
        let mut screen = self.state();
        if let Some(stage) = screen.stage.as_mut() {
            stage.step = Some((text.to_owned(), number, count));
        }
        self.draw(&mut screen);
    }

    fn begin(&self, name: &str, total_bytes: Option<u64>) {
        self.log("begin", name);
        let mut screen = self.state();
        if self.is_json() && !self.is_quiet() {
            let begin = json!({ "stage": name, "total_bytes": total_bytes });
            screen.event("begin", begin);
        }
        screen.waits_for = None;
        screen.shown = Some(Instant::now());
        if let Some((number, _)) = &mut screen.stages {
            *number += 1;
        }
        screen.stage = Some(Stage {
            name: name.to_owned(),
            begun: Instant::now(),
            total: total_bytes,
            done: 0,
            step: None,
        });
        self.draw(&mut screen);
    }

    fn advance(&self, bytes: u64) {
        let mut screen = self.state();
        screen.waits_for = None;
        let due = screen.is_due();
        let Some(stage) = screen.stage.as_mut() else {
            return;
        };
        stage.done += bytes;
        if !due {
            return;
        }
        if self.is_json() && self.appearance.progress {
            let progress = json!({ "stage": stage.name, "bytes": stage.done });
            screen.shown = Some(Instant::now());
            screen.event("progress", progress);
        } else if !self.is_json() {
            self.draw(&mut screen);
        }
    }

    fn waits_for(&self, whom: &str, what: &str) {
        let mut screen = self.state();
        let is_new = |wait: &Wait| (&*wait.whom, &*wait.what) != (whom, what);
        if screen.waits_for.as_ref().is_none_or(is_new) {
            drop(screen);
            self.detail(&format!("{whom} {what}"));
            screen = self.state();
        }
        screen.waits_for = Some(Wait {
            whom: whom.to_owned(),
            what: what.to_owned(),
            since: Instant::now(),
        });
        if self.terminal.is_some() {
            if !screen.open || screen.is_due() {
                self.draw(&mut screen);
            }
        } else if !self.is_json()
            && self.appearance.detail == Detail::Normal
            && screen.told.insert(whom.to_owned())
        {
            let _ = writeln!(io::stderr(), "{}", printable(whom));
        }
    }

    fn note(&self, text: &str) {
        self.remark("note", text);
    }

    fn warn(&self, text: &str) {
        self.remark("warning", text);
    }

    fn detail(&self, text: &str) {
        if self.appearance.detail == Detail::Verbose {
            self.remark("detail", text);
        } else {
            self.log("detail", text);
        }
    }

    fn end(&self, outcome: &str) {
        let mut screen = self.state();
        screen.clear();
        let Some(stage) = screen.stage.take() else {
            return;
        };
        drop(screen);
        let took = stage.begun.elapsed();
        self.log("end", &format!("{}: {outcome}", stage.name));
        if self.is_quiet() {
            return;
        }
        if self.is_json() {
            let end = json!({
                "stage": stage.name,
                "outcome": outcome,
                "bytes": stage.done,
                "milliseconds": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            });
            self.state().event("end", end);
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
        let mark = match self.terminal {
            Some(_) => self.label(self.glyphs.done, GREEN) + " ",
            None => String::new(),
        };
        let _ = writeln!(
            io::stderr(),
            "{mark}{} ({moved}{})",
            printable(&line),
            human_duration(took)
        );
    }
}
