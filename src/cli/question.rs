//! Questions to whoever sits at the terminal.

use std::io::{self, IsTerminal};

use super::console::Console;
use crate::failure::{Failure, Kind};
use crate::host::typed_line;

/// Whether there is somebody to be asked.
pub(super) fn somebody_is_there() -> bool {
    io::stdin().is_terminal()
}

/// Asks, and says whether the answer is yes; what the return key alone stands for is
/// `by_return`. The end of the input is a no. Nothing was changed yet: a signal says so.
pub(super) fn agrees(console: &Console, question: &str, by_return: bool) -> Result<bool, Failure> {
    let choice = if by_return { "[Y/n]" } else { "[y/N]" };
    let mut why = "";
    loop {
        console.prompt(&format!("{why}{question}? {choice} "));
        let typed = typed_line().map_err(|interruption| {
            console.prompt("\n"); // the signal's `^C` stands there
            Failure::from(interruption).hint("nothing was changed")
        })?;
        let Some(typed) = typed else {
            console.prompt("\n");
            return Ok(false);
        };
        match typed.trim().to_ascii_lowercase().as_str() {
            "" => return Ok(by_return),
            "y" | "yes" => return Ok(true),
            "n" | "no" => return Ok(false),
            _ => why = "answer y or n: ",
        }
    }
}

/// The end of a run whose user said no.
pub(super) fn declined(message: &str, hint: &str) -> Failure {
    Failure::new(Kind::Declined, message).hint(hint)
}
