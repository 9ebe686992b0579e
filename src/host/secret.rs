//! A secret that is typed on the terminal and not shown.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

use super::Interruption;
use super::terminal::interruptible;

/// Why nothing was typed.
#[derive(Debug, thiserror::Error)]
pub enum TypedError {
    /// A signal ended the wait.
    #[error(transparent)]
    Interrupted(#[from] Interruption),
    /// There is no terminal, or it is gone.
    #[error(transparent)]
    NoTerminal(#[from] io::Error),
}

/// Asks on the terminal, whatever stdin is, for a line that is not shown. A signal ends
/// the wait; the terminal shows again what is typed.
pub fn typed_secret(prompt: &str) -> Result<String, TypedError> {
    let mut terminal = File::options().read(true).write(true).open("/dev/tty")?;
    // Before the prompt: what is typed at once is not shown either.
    let _hidden = Hidden::on(terminal.try_clone()?)?;
    terminal.write_all(prompt.as_bytes())?;
    let reader = terminal.try_clone()?;
    let typed = interruptible(move || {
        let mut line = String::new();
        let bytes = BufReader::new(reader).read_line(&mut line)?;
        if bytes == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        Ok(line)
    });
    if !matches!(&typed, Ok(Ok(line)) if line.ends_with('\n')) {
        let _ = terminal.write_all(b"\n");
    }
    Ok(typed??.trim_end_matches(['\r', '\n']).to_owned())
}

/// A terminal that does not show what is typed, until this is dropped.
struct Hidden {
    terminal: File,
    before: Termios,
}

impl Hidden {
    fn on(terminal: File) -> io::Result<Self> {
        let before = tcgetattr(&terminal)?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        hidden.local_modes.insert(LocalModes::ECHONL);
        // A shell that takes over meanwhile would show the rest of the line.
        hidden.special_codes[SpecialCodeIndex::VSUSP] = 0;
        tcsetattr(&terminal, OptionalActions::Now, &hidden)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // A terminal that is gone shows nothing.
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}
