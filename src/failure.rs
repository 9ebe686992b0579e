//! How a run that could not go on ends: made by `cli`, of the errors of all others, which
//! explain themselves.

use std::error::Error;
use std::fmt;

use crate::explain::{self, Explain, Explanation};

pub use crate::explain::Kind;
pub use crate::shown::{masked, printable, steers};

/// One error for a person: what happened, what caused it, what to do.
#[derive(Debug)]
pub struct Failure {
    /// Decides the exit code.
    pub kind: Kind,
    /// What happened, with its chain of causes.
    pub error: Box<dyn Error + Send + Sync>,
    /// Each is one sentence that helps without a network, the best first.
    pub hints: Vec<String>,
}

impl Failure {
    /// A failure of `kind`, with neither cause nor hint unless `error` has them.
    pub fn new(kind: Kind, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            kind,
            error: error.into(),
            hints: Vec::new(),
        }
    }

    /// The same failure with `hint` instead.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints = vec![hint.into()];
        self
    }

    /// The messages of the causes, outermost first, without the failure's own.
    #[must_use]
    pub fn causes(&self) -> Vec<String> {
        explain::causes(&*self.error)
    }
}

impl<E: Explain + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        let Explanation { kind, hints } = error.explain();
        let error = Box::new(error);
        Self { kind, error, hints }
    }
}

/// The whole message as it stands on stderr: error, causes, hints.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = printable(&self.error.to_string());
        if self.kind == Kind::Declined {
            return write!(f, "{error}: {}", printable(&self.hints.join("; ")));
        }
        write!(f, "error: {error}")?;
        for cause in self.causes() {
            write!(f, "\n  caused by: {}", printable(&cause))?;
        }
        for (number, hint) in self.hints.iter().enumerate() {
            let gap = if number == 0 { "\n" } else { "" };
            write!(f, "{gap}\nhint: {}", printable(hint))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        let failure = Failure::new(Kind::Damaged, "part `\u{1b}[2J` is missing").hint("copy it again");
        assert_eq!(
            failure.to_string(),
            "error: part `\\u{1b}[2J` is missing\n\nhint: copy it again"
        );
    }

    #[test]
    fn each_hint_has_a_line() {
        let mut failure = Failure::new(Kind::Unfit, "no engine").hint("install one");
        failure.hints.push("start it".to_owned());
        assert_eq!(
            failure.to_string(),
            "error: no engine\n\nhint: install one\nhint: start it"
        );
    }
}
