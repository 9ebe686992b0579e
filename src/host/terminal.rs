//! The terminal on stderr and stdin: how wide it is, and what is typed there.

use std::io::{self, IsTerminal};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rustix::termios::tcgetwinsize;

use super::{Environment, Interruption, interrupt};

/// For a terminal that does not know how wide it is.
const COLUMNS: usize = 80;

/// A signal is noticed after this time at most.
const TICK: Duration = Duration::from_millis(50);

/// A terminal on stderr on which a line can be written again.
#[derive(Clone, Copy, Debug)]
pub struct Terminal(());

impl Terminal {
    /// The one on stderr, unless it takes no escape sequences.
    #[must_use]
    pub fn on_stderr(environment: &Environment) -> Option<Self> {
        let dumb = environment.variable("TERM").is_some_and(|term| term == "dumb");
        (io::stderr().is_terminal() && !dumb).then_some(Self(()))
    }

    /// How many characters fit into a line now: a window changes.
    #[must_use]
    pub fn columns(self) -> usize {
        tcgetwinsize(io::stderr())
            .ok()
            .map(|size| usize::from(size.ws_col))
            .filter(|columns| *columns > 0)
            .unwrap_or(COLUMNS)
    }
}

/// A line from stdin, or nothing at its end. A signal ends the wait.
pub fn typed_line() -> Result<Option<String>, Interruption> {
    interruptible(|| {
        let mut line = String::new();
        let bytes = io::stdin().read_line(&mut line).unwrap_or(0);
        (bytes > 0).then_some(line)
    })
}

/// What `read` returns, or the signal that came before. The read has a thread of its own: no
/// signal falls between a look at the flag and a read that does not return. After a signal
/// the program ends, and that thread with it.
pub(super) fn interruptible<T: Send + 'static>(
    read: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Interruption> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let _ = sender.send(read());
    });
    loop {
        interrupt::check()?;
        match receiver.recv_timeout(TICK) {
            Ok(typed) => return interrupt::check().map(|()| typed),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => unreachable!("it sends before it ends"),
        }
    }
}
