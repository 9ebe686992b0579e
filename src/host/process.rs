//! Other programs: an argument vector, never a shell.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use super::running::TAIL_BYTES;
use super::trusted_path::by_descriptor;
use super::{Environment, Interruption, ProcessIdentity, Running, Trusted, UntrustedPath};
use crate::explain::{Explain, Explanation, Kind};

/// A program with its arguments and what is changed in its environment.
#[derive(Clone, Debug)]
pub struct Command {
    program: OsString,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, Option<OsString>)>,
    directory: Option<PathBuf>,
    bare: bool,
    installed: bool,
    pub(super) timeout: Option<Duration>,
    pub(super) uninterruptible: bool,
    pub(super) kept_bytes: usize,
}

/// What a program left when it ended.
#[derive(Clone, Debug, Default)]
pub struct Output {
    /// The program with its first arguments, for messages.
    pub command: String,
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// The end of what it wrote to stdout.
    pub stdout: String,
    /// The end of what it wrote to stderr.
    pub stderr: String,
}

/// A program that did not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// It ran and said no.
    #[error("`{command}` ended with {}{}", exit_text(*code), said(stderr))]
    Failed {
        /// The program with its first arguments.
        command: String,
        /// Its exit code; `None` when a signal ended it.
        code: Option<i32>,
        /// The end of its stderr.
        stderr: String,
    },
    /// This run was told to end.
    #[error(transparent)]
    Interrupted(#[from] Interruption),
    /// There is no such program.
    #[error("there is no program `{program}` on this machine's PATH")]
    NotFound {
        /// The program.
        program: String,
    },
    /// It cannot be started, or its pipes cannot be used.
    #[error("`{command}` cannot be run")]
    Spawn {
        /// The program with its first arguments.
        command: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Root would run what another user can change.
    #[error(transparent)]
    Untrusted(Box<UntrustedPath>),
    /// It took too long and was ended.
    #[error("`{command}` did not end within {} s", after.as_secs())]
    TimedOut {
        /// The program with its first arguments.
        command: String,
        /// How long it had.
        after: Duration,
    },
}

fn exit_text(code: Option<i32>) -> String {
    code.map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}"))
}

/// The last line that says something; Docker's client ends with where its usage is told.
fn said(stderr: &str) -> String {
    let lines = stderr.lines().map(str::trim);
    let mut telling = lines.filter(|line| !line.is_empty() && !line.contains(" --help'"));
    match telling.next_back() {
        Some(line) => format!(": {}", shortened(line)),
        None => String::new(),
    }
}

/// What another program said in one line, for a message: a person reads no more of it.
pub(crate) fn shortened(line: &str) -> String {
    const SHOWN: usize = 1000;
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

impl Explain for ProcessError {
    fn explain(&self) -> Explanation {
        match self {
            Self::Interrupted(interruption) => interruption.explain(),
            Self::NotFound { .. } => Kind::Unfit.into(),
            Self::Untrusted(path) => path.explain(),
            Self::Spawn { source, .. } => Kind::of_io(source).into(),
            _ => Kind::Other.into(),
        }
    }
}

impl Output {
    /// Whether the exit code is 0.
    #[must_use]
    pub fn success(&self) -> bool {
        self.code == Some(0)
    }

    /// Itself, or an error with the exit code and stderr.
    pub fn require_success(self) -> Result<Self, ProcessError> {
        if self.success() {
            Ok(self)
        } else {
            Err(ProcessError::Failed {
                command: self.command,
                code: self.code,
                stderr: self.stderr,
            })
        }
    }
}

impl Command {
    /// The program `program`, looked for on PATH unless it has a slash.
    #[must_use]
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            arguments: Vec::new(),
            environment: Vec::new(),
            directory: None,
            bare: false,
            installed: false,
            timeout: None,
            uninterruptible: false,
            kept_bytes: TAIL_BYTES,
        }
    }

    /// The program `program`, which was installed by a run of this user. Root runs the very file
    /// that was looked at, when nobody else could have put it there.
    #[must_use]
    pub fn installed(program: &Path) -> Self {
        Self {
            installed: true,
            ..Self::new(program)
        }
    }

    /// With one more argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// With more arguments.
    #[must_use]
    pub fn args<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(mut self, arguments: I) -> Self {
        self.arguments
            .extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// With a variable set.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment
            .push((name.as_ref().to_owned(), Some(value.as_ref().to_owned())));
        self
    }

    /// Without a variable.
    #[must_use]
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.as_ref().to_owned(), None));
        self
    }

    /// In `directory`, with the variables alone that are set for it.
    #[cfg(feature = "packager")]
    #[must_use]
    pub(super) fn alone_in(mut self, directory: &Path) -> Self {
        self.directory = Some(directory.to_owned());
        self.bare = true;
        self
    }

    /// With the last `bytes` bytes of its stdout and of its stderr kept.
    #[cfg(feature = "packager")]
    #[must_use]
    pub(super) fn keeping(mut self, bytes: usize) -> Self {
        self.kept_bytes = bytes;
        self
    }

    /// Ended when it takes longer.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Run to its end although this run was told to end: for tidying up.
    #[must_use]
    pub fn uninterruptible(mut self) -> Self {
        self.uninterruptible = true;
        self
    }

    /// The arguments, for messages and tests.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        self.arguments
            .iter()
            .map(|argument| argument.to_string_lossy().into_owned())
            .collect()
    }

    /// What is changed in the environment: `None` is a removed variable.
    #[must_use]
    pub fn environment(&self) -> &[(OsString, Option<OsString>)] {
        &self.environment
    }

    /// Runs it with an empty stdin until it ends, whatever its exit code.
    pub fn run(&self) -> Result<Output, ProcessError> {
        self.start(Stdio::null())?.reading().finish()
    }

    /// Runs it with an empty stdin, and leaves it to the caller to read its stdout.
    #[cfg(feature = "packager")]
    pub(super) fn run_unread(&self) -> Result<Running, ProcessError> {
        self.start(Stdio::null())
    }

    /// Runs it and gives each line of stdout to `on_line` as it comes. Only the end of
    /// stderr is kept. `on_start` learns who it is before it does anything of note.
    pub fn run_lines<E: From<ProcessError>>(
        &self,
        on_start: impl FnOnce(Option<ProcessIdentity>) -> Result<(), E>,
        on_line: &mut dyn FnMut(&str),
    ) -> Result<Output, E> {
        let running = self.start(Stdio::null())?.reading();
        if let Err(error) = on_start(running.identity()) {
            running.abort();
            return Err(error);
        }
        Ok(running.finish_lines(on_line)?)
    }

    /// Starts it with a pipe to its stdin, to be written to and then finished.
    pub fn spawn(&self) -> Result<Running, ProcessError> {
        Ok(self.start(Stdio::piped())?.reading())
    }

    fn start(&self, stdin: Stdio) -> Result<Running, ProcessError> {
        if !self.uninterruptible {
            super::signals::check()?;
        }
        let environment = Environment::of_this_process();
        let held = if self.installed && environment.is_root() {
            let opened = Trusted::by(0).open("the program", Path::new(&self.program));
            opened.map_err(|error| ProcessError::Untrusted(Box::new(error)))?
        } else {
            None
        };
        let program = held.as_ref().and_then(by_descriptor);
        let mut command = std::process::Command::new(program.as_deref().unwrap_or(Path::new(&self.program)));
        command
            .arg0(&self.program)
            .args(&self.arguments)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own: the terminal's Ctrl-C reaches us alone, and we end
            // the program with all that it started.
            .process_group(0);
        if self.bare {
            command.env_clear();
        }
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        let changes = environment.changes().into_iter().filter(|_| !self.bare);
        let own = self.environment.iter();
        let own = own.map(|(name, value)| (name.as_os_str(), value.as_deref()));
        for (name, value) in changes.map(|(name, value)| (OsStr::new(name), value)).chain(own) {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let child = command.spawn().map_err(|source| {
            if source.kind() == io::ErrorKind::NotFound {
                ProcessError::NotFound {
                    program: self.program.to_string_lossy().into_owned(),
                }
            } else {
                ProcessError::Spawn {
                    command: self.short(),
                    source,
                }
            }
        })?;
        Ok(Running::of(self, child, held))
    }

    /// The program's name and its first words: `docker image inspect`.
    pub(super) fn short(&self) -> String {
        let name = std::path::Path::new(&self.program)
            .file_name()
            .unwrap_or(&self.program);
        std::iter::once(name.to_string_lossy().into_owned())
            .chain(
                self.arguments()
                    .into_iter()
                    .take_while(|argument| !argument.starts_with('-'))
                    .take(2),
            )
            .collect::<Vec<_>>()
            .join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_stderr_says_why() {
        let output = Command::new("sh")
            .args(["-c", "echo out; echo first >&2; echo because >&2; exit 3"])
            .run()
            .expect("sh runs");
        assert_eq!(
            (output.code, output.stdout.as_str()),
            (Some(3), "out\n"),
            "{output:?}"
        );
        let error = output.require_success().expect_err("exit code 3");
        assert_eq!(error.to_string(), "`sh` ended with exit code 3: because");
    }

    #[test]
    fn usage_hints_of_docker_do_not_hide_the_reason() {
        const REASON: &str = "docker: Error response from daemon: no such namespace";
        for usage in [
            "Run 'docker run --help' for more information",
            "See 'docker run --help'.",
        ] {
            assert_eq!(said(&format!("{REASON}\n\n{usage}\n")), format!(": {REASON}"));
        }
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = Command::new("no-such-program-anywhere")
            .run()
            .expect_err("missing");
        assert!(
            error.to_string().contains("`no-such-program-anywhere`"),
            "{error}"
        );
        assert_eq!(error.explain().kind, Kind::Unfit);
    }

    #[test]
    fn the_environment_is_changed_as_asked() {
        let output = Command::new("sh")
            .args(["-c", "echo \"$ONE-${HOME-none}\""])
            .env("ONE", "1")
            .env_remove("HOME")
            .run()
            .expect("sh runs");
        assert_eq!(output.stdout, "1-none\n");
    }
}
