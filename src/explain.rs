//! What an error means to a person: its kind, which decides the exit code, and what helps
//! without a network. Each module's errors explain themselves; `cli` makes a failure of it.

use std::error::Error;
use std::fmt;
use std::io;

/// Why a run ended; each kind has one exit code and one stable name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Nothing more precise fits.
    Other,
    /// Whoever was asked said no: nothing went wrong.
    Declined,
    /// What was compared differs: that is the answer, and no error.
    Different,
    /// `status`: the cluster is there and not all of it runs, which is the answer.
    Stopped,
    /// `status`: there is no cluster, which is the answer.
    Absent,
    /// The command line, the spec or a given part is not usable.
    Usage,
    /// The bundle is not signed by a key that this machine trusts.
    NotAuthentic,
    /// The bundle, or a part given to `pack`, is damaged.
    Damaged,
    /// Reading or writing failed.
    Io,
    /// A file system is too small.
    NoSpace,
    /// Another run holds the lock.
    Locked,
    /// The bundle is older than what is installed.
    Downgrade,
    /// This machine is not fit to run the cluster.
    Unfit,
    /// minikube ran and the cluster did not start.
    Cluster,
    /// SIGINT.
    Interrupted,
    /// SIGTERM.
    Terminated,
}

impl Kind {
    /// The exit code of the process.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Other | Self::Declined | Self::Different => 1,
            Self::Usage => 2,
            Self::NotAuthentic => 3,
            Self::Damaged => 4,
            Self::Io => 5,
            Self::NoSpace => 6,
            Self::Locked => 7,
            Self::Downgrade => 8,
            Self::Unfit => 9,
            Self::Cluster => 10,
            Self::Stopped => 11,
            Self::Absent => 12,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// Whether the result was the answer: nothing failed.
    #[must_use]
    pub fn is_answer(self) -> bool {
        matches!(self, Self::Different | Self::Stopped | Self::Absent)
    }

    /// The name in `--output json`; stable API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Other => "other",
            Self::Declined => "declined",
            Self::Different => "different",
            Self::Usage => "usage",
            Self::NotAuthentic => "not-authentic",
            Self::Damaged => "damaged",
            Self::Io => "io",
            Self::NoSpace => "no-space",
            Self::Locked => "locked",
            Self::Downgrade => "downgrade",
            Self::Unfit => "unfit",
            Self::Cluster => "cluster",
            Self::Stopped => "stopped",
            Self::Absent => "absent",
            Self::Interrupted => "interrupted",
            Self::Terminated => "terminated",
        }
    }

    /// The kind that an operating system error stands for.
    #[must_use]
    pub fn of_io(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Self::NoSpace
            }
            _ => Self::Io,
        }
    }
}

/// The kind of an error, and what helps.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Explanation {
    /// Decides the exit code.
    pub kind: Kind,
    /// Each is one sentence that helps without a network, the best first.
    pub hints: Vec<String>,
}

impl Kind {
    /// This kind, with what helps.
    pub fn hint(self, hint: impl Into<String>) -> Explanation {
        Explanation {
            kind: self,
            hints: vec![hint.into()],
        }
    }
}

impl Explanation {
    /// The same kind with `hint` instead.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        self.kind.hint(hint)
    }
}

impl From<Kind> for Explanation {
    fn from(kind: Kind) -> Self {
        let hints = Vec::new();
        Self { kind, hints }
    }
}

/// An error that knows its kind and what helps.
pub trait Explain: Error {
    /// The kind, and what helps.
    fn explain(&self) -> Explanation;
}

impl<E: Explain + ?Sized> Explain for Box<E>
where
    Box<E>: Error,
{
    fn explain(&self) -> Explanation {
        (**self).explain()
    }
}

/// The same error with other hints.
#[derive(Debug)]
pub struct Advised<E> {
    /// The error.
    pub error: E,
    /// What helps.
    pub hints: Vec<String>,
}

impl<E: fmt::Display> fmt::Display for Advised<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<E: Error> Error for Advised<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

impl<E: Explain> Explain for Advised<E> {
    fn explain(&self) -> Explanation {
        Explanation {
            kind: self.error.explain().kind,
            hints: self.hints.clone(),
        }
    }
}

/// The messages of the causes of `error`, outermost first, without its own.
#[must_use]
pub fn causes(error: &dyn Error) -> Vec<String> {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    causes
}

/// The message of `error` and of its causes, in one line.
#[must_use]
pub fn in_one_line(error: &dyn Error) -> String {
    let mut messages = vec![error.to_string()];
    messages.extend(causes(error));
    messages.join(": ")
}

/// An error that is one of several modules' errors, each with its own message.
macro_rules! one_of {
    ($(#[$about:meta])* pub enum $name:ident { $($variant:ident($error:ty),)* }) => {
        $(#[$about])*
        #[derive(Debug, thiserror::Error)]
        #[non_exhaustive]
        pub enum $name {
            $(
                #[doc = concat!("A `", stringify!($error), "`.")]
                #[error(transparent)]
                $variant(#[from] $error),
            )*
        }

        impl $crate::explain::Explain for $name {
            fn explain(&self) -> $crate::explain::Explanation {
                match self {
                    $(Self::$variant(error) => error.explain(),)*
                }
            }
        }
    };
}
pub(crate) use one_of;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_a_broken_one() {
        assert_eq!(Kind::of_io(&io::Error::from_raw_os_error(28)), Kind::NoSpace);
        assert_eq!(Kind::of_io(&io::Error::from_raw_os_error(5)), Kind::Io);
    }
}
