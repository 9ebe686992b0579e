//! The terminal, or the program, that listens: progress, results and failures.

mod glyphs;
mod line;
mod screen;
mod stages;

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use serde_json::{Value, json};

use super::appearance::{Appearance, Detail, OutputFormat};
use super::log_file::LogFile;
use crate::bundle::hashed_bytes;
use crate::failure::{Failure, printable};
use crate::host::{Environment, Terminal};
use crate::progress::Progress;
use crate::shown::human_duration;
use glyphs::Glyphs;
use screen::{REDRAW, State};

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

/// Colors of labels (ECMA-48, "select graphic rendition").
const RED: &str = "31";
const YELLOW: &str = "33";
const GREEN: &str = "32";

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

/// The last object of a run, with the bytes that the run hashed, where it hashed any.
fn counted(mut last: Value) -> Value {
    let hashed = hashed_bytes();
    if let (Value::Object(object), true) = (&mut last, hashed.blake3 + hashed.sha256 > 0) {
        object.insert("hashed_bytes".to_owned(), json!(hashed));
    }
    last
}
