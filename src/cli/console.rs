//! The terminal, or the program, that listens: progress, results and failures.

mod glyphs;
mod line;

use std::collections::BTreeSet;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::appearance::{Appearance, Detail, OutputFormat};
use super::log_file::LogFile;
use crate::bundle::hashed_bytes;
use crate::failure::{Failure, printable, steers};
use crate::host::{Environment, Terminal};
use crate::progress::Progress;
use crate::shown::{human_bytes, human_duration};
use glyphs::Glyphs;
use line::{Standing, Step, line};

/// Where a verb writes. Results go to stdout, everything else to stderr, so that a
/// result can be piped.
#[derive(Clone)]
pub(super) struct Console {
    appearance: Appearance,
    log: Option<Arc<LogFile>>,
    /// Where a line can be drawn again and again.
    terminal: Option<Terminal>,
    glyphs: &'static Glyphs,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// A line of JSON was written: the first one names the schema.
    began: bool,
    /// How many stages were begun, and how many there are to be.
    stages: Option<(usize, usize)>,
    stage: Option<Stage>,
    waits_for: Option<Wait>,
    /// Who was waited for: a pipe is told once.
    told: BTreeSet<String>,
    shown: Option<Instant>,
    /// A line without its end stands on the terminal.
    open: bool,
    /// How many times a line was drawn.
    frame: usize,
    /// There is a thread that draws while nothing happens.
    ticks: bool,
}

struct Stage {
    name: String,
    begun: Instant,
    total: Option<u64>,
    done: u64,
    /// Where the work inside it is.
    step: Option<(String, usize, usize)>,
}

struct Wait {
    whom: String,
    what: String,
    since: Instant,
}

/// The version of what `output.schema.json` describes.
const SCHEMA: u32 = 1;

/// Colors of labels (ECMA-48, "select graphic rendition").
const RED: &str = "31";
const YELLOW: &str = "33";
const GREEN: &str = "32";

const REDRAW: Duration = Duration::from_millis(200);

impl Console {
    pub(super) fn new(appearance: Appearance) -> Self {
        let drawn = appearance.format == OutputFormat::Text && appearance.progress;
        let environment = Environment::of_this_process();
        Self {
            appearance,
            log: None,
            terminal: drawn.then(|| Terminal::on_stderr(&environment)).flatten(),
            glyphs: Glyphs::of(&environment),
            state: Arc::default(),
        }
    }

    /// From now on every line also goes to the file `path`.
    pub(super) fn log_to(&mut self, path: &Path) -> Result<(), Failure> {
        self.log = Some(Arc::new(LogFile::open(path)?));
        Ok(())
    }

    /// Writes a line to the log alone.
    pub(super) fn log(&self, level: &str, text: &str) {
        let failed = self.log.as_ref().and_then(|log| log.write(level, text));
        if let Some(failed) = failed {
            self.warn(&failed);
        }
    }

    fn is_quiet(&self) -> bool {
        self.appearance.detail == Detail::Quiet
    }

    /// The signs that this terminal shows.
    pub(super) fn glyphs(&self) -> &'static Glyphs {
        self.glyphs
    }

    pub(super) fn is_json(&self) -> bool {
        self.appearance.format == OutputFormat::Json
    }

    /// Shows whom each request goes to.
    #[cfg(feature = "packager")]
    pub(super) fn listener(&self) -> crate::progress::Listener {
        let console = self.clone();
        crate::progress::Listener::new(move |whom, what| console.waits_for(whom, what))
    }

    /// The same at a terminal; a script that looks for a release every day is told nothing.
    #[cfg(feature = "packager")]
    pub(super) fn listener_at_terminal(&self) -> crate::progress::Listener {
        match self.terminal {
            Some(_) => self.listener(),
            None => crate::progress::Listener::default(),
        }
    }

    /// A result: `text` for a person, `value` for a program.
    pub(super) fn result(&self, text: &str, value: &Value) -> Result<(), Failure> {
        if self.is_json() {
            self.log("result", &value.to_string());
        } else {
            self.log("result", text);
        }
        let mut state = self.state();
        state.clear();
        let line = if self.is_json() {
            state.json("result", counted(value.clone()))
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
        self.log("error", &failure.to_string());
        let mut state = self.state();
        state.clear();
        let broken_off = state.stage.take().filter(|_| self.terminal.is_some());
        if let Some(stage) = broken_off {
            let took = human_duration(stage.begun.elapsed());
            let failed = self.label(self.glyphs.failed, RED);
            let _ = writeln!(io::stderr(), "{failed} {} ({took})", printable(&stage.name));
        }
        if self.is_json() {
            let last = json!({
                "kind": failure.kind.name(),
                "message": failure.error.to_string(),
                "causes": failure.causes(),
                "hint": (!failure.hints.is_empty()).then(|| failure.hints.join("\n")),
            });
            state.event("error", counted(last));
        } else {
            let text = failure.to_string();
            let text = match text.strip_prefix("error:") {
                Some(rest) => self.label("error:", RED) + rest,
                None => text,
            };
            let _ = writeln!(io::stderr(), "{text}");
        }
    }

    /// `text` in a color, where stderr has colors.
    fn label(&self, text: &str, color: &str) -> String {
        if self.appearance.colors(io::stderr().is_terminal()) {
            format!("\x1b[1;{color}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// A question, behind which the answer is typed.
    pub(super) fn prompt(&self, text: &str) {
        self.state().clear();
        let _ = write!(io::stderr(), "{}", printable(text));
    }

    fn remark(&self, level: &str, text: &str) {
        self.log(level, text);
        if self.is_quiet() && level != "warning" {
            return;
        }
        let mut screen = self.state();
        screen.clear();
        if self.is_json() {
            screen.event("note", json!({ "level": level, "message": text }));
            return;
        }
        let label = if level == "warning" {
            self.label("warning: ", YELLOW)
        } else {
            String::new()
        };
        let _ = writeln!(io::stderr(), "  {label}{}", printable(text));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Draws the line, and from now on again and again.
    fn draw(&self, state: &mut State) {
        let Some(terminal) = self.terminal else {
            return;
        };
        let glyphs = self.glyphs;
        state.draw(terminal, glyphs);
        // Not before something is to be drawn: a sandbox is entered by a single thread.
        if !std::mem::replace(&mut state.ticks, true) {
            let shared = Arc::clone(&self.state);
            thread::spawn(move || {
                loop {
                    thread::sleep(REDRAW);
                    let mut state = shared.lock().unwrap_or_else(PoisonError::into_inner);
                    if state.is_due() {
                        state.draw(terminal, glyphs);
                    }
                }
            });
        }
    }
}

impl State {
    /// Shows how far the stage is, how quick, and how long it will take; or what it waits for.
    fn draw(&mut self, terminal: Terminal, glyphs: &Glyphs) {
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
    fn json(&mut self, kind: &str, mut value: Value) -> String {
        value["type"] = json!(kind);
        if !std::mem::replace(&mut self.began, true) {
            value["schema"] = json!(SCHEMA);
        }
        json_line(&value)
    }

    fn event(&mut self, kind: &str, value: Value) {
        let line = self.json(kind, value);
        let _ = writeln!(io::stdout(), "{line}");
    }

    fn is_due(&self) -> bool {
        self.shown.is_none_or(|shown| shown.elapsed() >= REDRAW)
    }

    /// What is written next begins a line; nobody is waited for any more.
    fn clear(&mut self) {
        self.waits_for = None;
        if std::mem::take(&mut self.open) {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
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
