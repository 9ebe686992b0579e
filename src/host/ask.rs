//! Asks a program of the connected side something.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;

use rustix::io::Errno;
use tempfile::TempDir;

use super::{Command, Interruption, Output, ProcessError};

/// A program has this long to answer.
const TIMEOUT: Duration = Duration::from_secs(20);

/// An answer has at most this many bytes.
const ANSWER_BYTES: usize = 1 << 20;

/// Helm has this long to render a chart, and this much to write for one: of some, the kinds
/// alone are several megabytes.
const LONG_TIMEOUT: Duration = Duration::from_secs(120);
const LONG_ANSWER_BYTES: usize = 64 << 20;

/// Asks the program with these arguments; the answer is its standard output. The seam
/// at which tests give the answers.
pub(crate) type Ask<'a> = &'a (dyn Fn(&Path, &[&str]) -> Result<String, AskError> + Sync);

/// A program that did not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// It could not be started.
    #[error("it cannot be started")]
    Start(#[source] io::Error),
    /// It ended with an error.
    #[error("it ended with {}: {first_line}", code.map_or_else(|| "a signal".to_owned(), |code| format!("exit status: {code}")))]
    Ended {
        /// Its exit code; `None` when a signal ended it.
        code: Option<i32>,
        /// The first line that it wrote to its standard error.
        first_line: String,
    },
    /// This run was told to end.
    #[error(transparent)]
    Interrupted(Interruption),
    /// What it wrote could not be kept.
    #[error("what it wrote cannot be kept")]
    Write(#[source] io::Error),
    /// It was stopped after a while.
    #[error("it gave no answer within {} seconds", timeout.as_secs())]
    TimedOut {
        /// After how long.
        timeout: Duration,
    },
}

impl From<ProcessError> for AskError {
    fn from(error: ProcessError) -> Self {
        match error {
            ProcessError::Failed { code, stderr, .. } => {
                let first_line = stderr.lines().map(str::trim).find(|line| !line.is_empty());
                let first_line = first_line
                    .unwrap_or("it said nothing")
                    .chars()
                    .take(300)
                    .collect();
                Self::Ended { code, first_line }
            }
            ProcessError::Interrupted(interruption) => Self::Interrupted(interruption),
            ProcessError::NotFound { .. } => Self::Start(Errno::NOENT.into()),
            ProcessError::Spawn { source, .. } => Self::Start(source),
            ProcessError::Untrusted(path) => Self::Start(io::Error::other(path)),
            ProcessError::TimedOut { after, .. } => Self::TimedOut { timeout: after },
        }
    }
}

/// Runs `program` with an environment of its own: an empty home, which is removed
/// afterwards, and no proxies but one that refuses, so that a program which tries the
/// network goes on at once.
pub(crate) fn ask(program: &Path, arguments: &[&str]) -> Result<String, AskError> {
    let (command, _home) = alone(program, arguments)?;
    answer(command, TIMEOUT)
}

/// The same of a program whose answers are long, and so is what it says where it refuses.
pub(crate) fn ask_at_length(program: &Path, arguments: &[&str]) -> Result<Output, AskError> {
    let (command, _home) = alone(program, arguments)?;
    Ok(command.keeping(LONG_ANSWER_BYTES).timeout(LONG_TIMEOUT).run()?)
}

/// The command, and its home, which lives as long as it is held.
fn alone(program: &Path, arguments: &[&str]) -> Result<(Command, TempDir), AskError> {
    let home = tempfile::Builder::new().prefix("minikube-offline-").tempdir();
    let home = home.map_err(AskError::Start)?;
    // A bare name would be looked up in PATH.
    let program = std::path::absolute(program).map_err(AskError::Start)?;
    let command = Command::new(program)
        .args(arguments)
        .alone_in(home.path())
        .env("HOME", home.path())
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        // Port 9 (discard) of this machine, on which nothing listens.
        .env("HTTPS_PROXY", "http://127.0.0.1:9")
        .env("HTTP_PROXY", "http://127.0.0.1:9");
    Ok((command, home))
}

/// Asks the `docker` in PATH, with this program's environment, so that its context and
/// `DOCKER_HOST` hold.
pub(crate) fn ask_docker(arguments: &[&str]) -> Result<String, AskError> {
    answer(Command::new("docker").args(arguments), TIMEOUT)
}

/// The standard output of `command`, which has `timeout` for it.
fn answer(command: Command, timeout: Duration) -> Result<String, AskError> {
    let command = command.keeping(ANSWER_BYTES).timeout(timeout).uninterruptible();
    Ok(command.run()?.require_success()?.stdout)
}

/// Runs the `docker` in PATH as [`ask_docker`] and copies its standard output to `file`,
/// however long that takes.
pub(crate) fn ask_docker_into(arguments: &[&str], mut file: File) -> Result<(), AskError> {
    let mut running = Command::new("docker").args(arguments).run_unread()?;
    if let Some(mut output) = running.take_stdout() {
        io::copy(&mut output, &mut file).map_err(AskError::Write)?;
    }
    running.finish()?.require_success()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn shell(script: &str, timeout: Duration) -> Result<String, AskError> {
        answer(Command::new("/bin/sh").args(["-c", script]), timeout)
    }

    #[test]
    fn a_program_is_asked_in_a_home_of_its_own() {
        let answer = ask(Path::new("/bin/sh"), &["-c", "echo $HOME; echo ${NO_PROXY-none}"]).expect("answer");
        let lines: Vec<&str> = answer.lines().collect();
        assert_eq!(lines[1], "none");
        assert!(!Path::new(lines[0]).try_exists().expect("stat"), "{answer}");
    }

    #[test]
    fn a_program_that_fails_is_quoted() {
        let error = shell("echo >&2; echo 'exec format error' >&2; exit 3", TIMEOUT).expect_err("exit 3");
        assert_eq!(
            error.to_string(),
            "it ended with exit status: 3: exec format error"
        );
        let error = ask(Path::new("/nonexistent/kubeadm"), &[]).expect_err("no program");
        assert!(matches!(error, AskError::Start(_)));
    }

    #[test]
    fn a_program_that_hangs_is_stopped_with_what_it_started() {
        let began = Instant::now();
        let error = shell("sleep 600 & sleep 600", Duration::from_millis(200)).expect_err("hangs");
        assert!(matches!(error, AskError::TimedOut { .. }));
        let answer = shell("sleep 5 & echo 1", Duration::from_secs(10)).expect("its child is not waited for");
        assert_eq!(answer, "1\n");
        assert!(began.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn an_endless_answer_is_cut_off() {
        let error = shell("yes", Duration::from_millis(200)).expect_err("it never ends");
        assert!(matches!(error, AskError::TimedOut { .. }));
    }
}
