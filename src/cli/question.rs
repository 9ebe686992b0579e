//! Questions to whoever sits at the terminal.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::failure::printable;

/// Whether there is somebody to be asked.
pub(super) fn somebody_is_there() -> bool {
    io::stdin().is_terminal()
}

/// Asks, and says whether the answer is yes; what the return key alone stands for is
/// `by_return`. The end of the input is no answer.
pub(super) fn agrees(question: &str, by_return: bool) -> bool {
    let choice = if by_return { "[Y/n]" } else { "[y/N]" };
    let _ = write!(io::stderr(), "{}? {choice} ", printable(question));
    let mut answer = String::new();
    let _ = io::stdin().lock().read_line(&mut answer);
    match answer.trim().to_ascii_lowercase().as_str() {
        "" => by_return && answer.ends_with('\n'),
        "y" | "yes" => true,
        _ => false,
    }
}
