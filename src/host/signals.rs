//! SIGINT, SIGTERM and SIGHUP: the first asks the work to end in order, the second
//! ends the process at once.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag;

use crate::explain::{Explain, Explanation, Kind};

static RECEIVED: OnceLock<Arc<AtomicUsize>> = OnceLock::new();

/// The signal that ended the work.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Interruption {
    /// SIGINT, as Ctrl-C sends it.
    #[error("interrupted")]
    Interrupt,
    /// SIGTERM, or SIGHUP when the terminal went away.
    #[error("told to end by a signal")]
    Terminate,
}

impl Explain for Interruption {
    fn explain(&self) -> Explanation {
        let kind = match self {
            Self::Interrupt => Kind::Interrupted,
            Self::Terminate => Kind::Terminated,
        };
        kind.hint("run the same command again: it goes on where it stopped")
    }
}

/// Catches the signals from now on. Called once, by the program's entry.
pub fn catch() -> io::Result<()> {
    let received = Arc::clone(RECEIVED.get_or_init(Arc::default));
    let again = Arc::new(AtomicBool::new(false));
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        // First, so that it sees the flag as it was before this signal.
        flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&again))?;
        flag::register(signal, Arc::clone(&again))?;
        flag::register_usize(signal, Arc::clone(&received), signal.unsigned_abs() as usize)?;
    }
    // A file that may not grow any more (setrlimit(2)) is then an error of the write, and
    // not the end of the process.
    flag::register(SIGXFSZ, Arc::default())?;
    Ok(())
}

/// The signal that came, if one did.
#[must_use]
pub fn received() -> Option<Interruption> {
    match RECEIVED.get()?.load(Ordering::Relaxed) {
        0 => None,
        signal if signal == SIGINT.unsigned_abs() as usize => Some(Interruption::Interrupt),
        _ => Some(Interruption::Terminate),
    }
}

/// An error once a signal came.
pub fn check() -> Result<(), Interruption> {
    received().map_or(Ok(()), Err)
}
