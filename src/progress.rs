//! How long work tells how far it is, whoever listens.

use std::fmt;
use std::sync::Arc;

/// Told of progress; shown on a terminal, written as JSON, or dropped.
///
/// One stage at a time: `begin` ends the stage before it.
pub trait Progress: Sync {
    /// The run will have `count` stages from now on, unless it ends early.
    fn stages(&self, _count: usize) {}

    /// A stage begins. `total_bytes` is what [`Progress::advance`] will add up
    /// to, where that is known.
    fn begin(&self, stage: &str, total_bytes: Option<u64>);

    /// `bytes` more of the stage's total are done.
    fn advance(&self, bytes: u64);

    /// From now until the next call `whom` is waited for ("asking Docker Engine"), `what` for
    /// ("for its version"), inside a stage or not.
    fn waits_for(&self, _whom: &str, _what: &str) {}

    /// The work inside the stage counts its own steps, and is at step `number` of `count`.
    fn step(&self, text: &str, _number: usize, _count: usize) {
        self.note(text);
    }

    /// Something worth a line of its own happened inside the stage.
    fn note(&self, text: &str);

    /// A line for `-v` and for the log: a file, a request, a command line.
    fn detail(&self, _text: &str) {}

    /// The same of something that may need an answer: a person is told that it is a warning.
    fn warn(&self, text: &str) {
        self.note(&format!("warning: {text}"));
    }

    /// The stage ended well, with `outcome` in a few words ("already there").
    fn end(&self, outcome: &str);
}

/// Nobody listens.
#[derive(Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _: &str, _: Option<u64>) {}
    fn advance(&self, _: u64) {}
    fn note(&self, _: &str) {}
    fn end(&self, _: &str) {}
}

/// Told of every request before it is sent: those who send them know no [`Progress`].
#[derive(Clone, Default)]
pub struct Listener(Option<Arc<Hear>>);

type Hear = dyn Fn(&str, &str) + Send + Sync;

impl Listener {
    /// Tells `hear` whom a request goes to, and what for.
    pub fn new(hear: impl Fn(&str, &str) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(hear)))
    }

    /// A request to `host` for `what` is about to be sent.
    pub fn contacts(&self, host: &str, what: &str) {
        if let Some(hear) = &self.0 {
            hear(&format!("contacting {host}"), &format!("for {what}"));
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Listener").field(&self.0.is_some()).finish()
    }
}
