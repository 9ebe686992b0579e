//! What a program says when it cannot go on, and the exit code it ends with.
//!
//! Each module has an error enum of its own; `From` makes a [`Failure`] of it at
//! the edge, with the kind (which decides the exit code) and a hint that helps
//! without a network.

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
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
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

/// One error for a person: what happened, what caused it, what to do.
#[derive(Debug)]
pub struct Failure {
    /// Decides the exit code.
    pub kind: Kind,
    /// What happened, with its chain of causes.
    pub error: Box<dyn Error + Send + Sync>,
    /// One sentence that helps without a network.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure of `kind`, with neither cause nor hint unless `error` has them.
    pub fn new(kind: Kind, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            kind,
            error: error.into(),
            hint: None,
        }
    }

    /// The same failure with `hint`.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The messages of the causes, outermost first, without the failure's own.
    #[must_use]
    pub fn causes(&self) -> Vec<String> {
        let mut causes = Vec::new();
        let mut next = self.error.source();
        while let Some(cause) = next {
            causes.push(cause.to_string());
            next = cause.source();
        }
        causes
    }
}

/// The whole message as it stands on stderr: error, causes, hint.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = printable(&self.error.to_string());
        if self.kind == Kind::Declined {
            let hint = self.hint.as_deref().map(printable).unwrap_or_default();
            return write!(f, "{error}: {hint}");
        }
        write!(f, "error: {error}")?;
        for cause in self.causes() {
            write!(f, "\n  caused by: {}", printable(&cause))?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n\nhint: {}", printable(hint))?;
        }
        Ok(())
    }
}

pub use crate::bundle::steers;

/// `text` with characters that steer a terminal, but line ends and tabs, made visible:
/// names in a bundle, and what other programs say, are somebody else's.
#[must_use]
pub fn printable(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut out, c| {
            if steers(c) && c != '\n' && c != '\t' {
                out.extend(c.escape_default());
            } else {
                out.push(c);
            }
            out
        })
}

/// `text` with `***` for what may be a name and a password in an address (RFC 3986,
/// section 3.2.1): a message repeats what was typed, and is kept in logs.
#[must_use]
pub fn masked(text: &str) -> String {
    let words = text.split_inclusive([' ', '\n', '`', '\'', '"']);
    words.map(mask_word).collect()
}

fn mask_word(word: &str) -> String {
    // A name by its digest has an `@`, too.
    let (address, digest) = word.split_at(word.rfind("@sha256:").unwrap_or(word.len()));
    let Some((before, host)) = address.rsplit_once('@') else {
        return word.to_owned();
    };
    let scheme = before.find("//").map(|at| at + 2);
    let begin = scheme.or_else(|| before.find('=').map(|at| at + 1)).unwrap_or(0);
    if scheme.is_none() && before[begin..].contains('/') {
        return word.to_owned(); // a path
    }
    format!("{}***@{host}{digest}", &before[..begin])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_an_address_is_not_repeated() {
        for (text, shown) in [
            (
                "`docker://me:secret@r.io/app:1` is",
                "`docker://***@r.io/app:1` is",
            ),
            ("'https://me:se/cret@r.io/'", "'https://***@r.io/'"),
            ("docker.io=me:secret@r.io/k8s", "docker.io=***@r.io/k8s"),
            ("me:secret@r.io", "***@r.io"),
            ("docker://app:1@sha256:00", "docker://app:1@sha256:00"),
            (
                "docker://me:secret@r.io/app:1@sha256:00",
                "docker://***@r.io/app:1@sha256:00",
            ),
            ("/home/me@work/b.run", "/home/me@work/b.run"),
            ("nothing to hide", "nothing to hide"),
        ] {
            assert_eq!(masked(text), shown);
        }
    }

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        let failure = Failure::new(Kind::Damaged, "part `\u{1b}[2J` is missing").hint("copy it again");
        assert_eq!(
            failure.to_string(),
            "error: part `\\u{1b}[2J` is missing\n\nhint: copy it again"
        );
    }

    #[test]
    fn no_character_steers_what_is_shown() {
        let steering = "a\u{7}\u{1b}[2J\u{9b}31m\r\u{7f}\u{202e}\u{2066}\u{200f}z";
        let shown = printable(steering);
        assert!(
            shown.is_ascii() && !shown.chars().any(char::is_control),
            "{shown}"
        );
        assert_eq!(printable("one\n\ttwo ä 漢"), "one\n\ttwo ä 漢");
    }

    #[test]
    fn a_full_disk_is_told_from_a_broken_one() {
        assert_eq!(Kind::of_io(&io::Error::from_raw_os_error(28)), Kind::NoSpace);
        assert_eq!(Kind::of_io(&io::Error::from_raw_os_error(5)), Kind::Io);
    }
}
