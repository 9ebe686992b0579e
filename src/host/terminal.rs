//! The terminal on stderr and stdin: how wide it is, and what is typed there.

use std::io::{self, BufRead, IsTerminal};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::tcgetwinsize;

use super::{Environment, Interruption, interrupt};

/// For a terminal that does not know how wide it is.
const COLUMNS: usize = 80;

/// A signal is noticed after this time at most.
const TICK: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 200_000_000,
};

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

/// A line from stdin, or nothing at its end. A signal ends the wait: a read that was begun
/// would go on after it.
pub fn typed_line() -> Result<Option<String>, Interruption> {
    let stdin = io::stdin();
    let mut input = stdin.lock();
    loop {
        interrupt::check()?;
        let ready = {
            let mut there = [PollFd::new(&stdin, PollFlags::IN)];
            // An error is told by the read, but for a signal's.
            !matches!(
                poll(&mut there, Some(&TICK)),
                Ok(0) | Err(rustix::io::Errno::INTR)
            )
        };
        if ready {
            let mut line = String::new();
            let bytes = input.read_line(&mut line).unwrap_or(0);
            interrupt::check()?;
            return Ok((bytes > 0).then_some(line));
        }
    }
}
