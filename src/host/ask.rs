//! Runs a program of the connected side to ask it something.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

/// A program has this long to answer.
const TIMEOUT: Duration = Duration::from_secs(20);

/// An answer has at most this many bytes.
const ANSWER_BYTES: u64 = 1 << 20;

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
    #[error("it ended with {status}: {first_line}")]
    Ended {
        /// How it ended.
        status: ExitStatus,
        /// The first line that it wrote to its standard error.
        first_line: String,
    },
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

/// Runs `program` with an environment of its own: an empty home, which is removed
/// afterwards, and no proxies but one that refuses, so that a program which tries the
/// network goes on at once.
pub(crate) fn ask(program: &Path, arguments: &[&str]) -> Result<String, AskError> {
    let home = tempfile::Builder::new().prefix("minikube-offline-").tempdir();
    let home = home.map_err(AskError::Start)?;
    // A bare name would be looked up in PATH.
    let program = std::path::absolute(program).map_err(AskError::Start)?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        // Port 9 (discard) of this machine, on which nothing listens.
        .env("HTTPS_PROXY", "http://127.0.0.1:9")
        .env("HTTP_PROXY", "http://127.0.0.1:9")
        .current_dir(home.path());
    output_of(command, TIMEOUT)
}

/// Asks the `docker` in PATH, with this program's environment, so that its context and
/// `DOCKER_HOST` hold.
pub(crate) fn ask_docker(arguments: &[&str]) -> Result<String, AskError> {
    let mut command = Command::new("docker");
    command.args(arguments);
    output_of(command, TIMEOUT)
}

/// Runs `command` and returns its standard output; kills it, with what it started, after
/// `timeout`.
fn output_of(mut command: Command, timeout: Duration) -> Result<String, AskError> {
    command.process_group(0);
    let mut running = Running::of(command)?;
    let deadline = Some((Instant::now() + timeout, timeout));
    let output = drain(running.child.stdout.take());
    let errors = drain(running.child.stderr.take());
    let answer = received(&output, deadline)?;
    running.end(&errors, deadline)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Runs the `docker` in PATH as [`ask_docker`] and copies its standard output to `file`,
/// however long that takes: Ctrl-C reaches it as it reaches this program.
pub(crate) fn ask_docker_into(arguments: &[&str], mut file: File) -> Result<(), AskError> {
    let mut command = Command::new("docker");
    command.args(arguments);
    let mut running = Running::of(command)?;
    let errors = drain(running.child.stderr.take());
    if let Some(mut output) = running.child.stdout.take() {
        io::copy(&mut output, &mut file).map_err(AskError::Write)?;
    }
    running.end(&errors, None)
}

/// A started program, with its process group; neither outlives this.
struct Running {
    child: Child,
    /// Its id is the system's again, and must not be signalled any more.
    reaped: bool,
}

impl Running {
    fn of(mut command: Command) -> Result<Self, AskError> {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = command.spawn().map_err(AskError::Start)?;
        Ok(Self { child, reaped: false })
    }

    /// Waits for its end, and fails when that is an error.
    fn end(&mut self, errors: &Drained, deadline: Option<(Instant, Duration)>) -> Result<(), AskError> {
        let complaint = received(errors, deadline)?;
        let status = self.wait(deadline)?;
        if status.success() {
            return Ok(());
        }
        let complaint = String::from_utf8_lossy(&complaint);
        let first_line = complaint.lines().map(str::trim).find(|line| !line.is_empty());
        Err(AskError::Ended {
            status,
            first_line: first_line
                .unwrap_or("it said nothing")
                .chars()
                .take(300)
                .collect(),
        })
    }

    fn wait(&mut self, deadline: Option<(Instant, Duration)>) -> Result<ExitStatus, AskError> {
        let Some((deadline, timeout)) = deadline else {
            let status = self.child.wait().map_err(AskError::Start)?;
            self.reaped = true;
            return Ok(status);
        };
        loop {
            if let Some(status) = self.child.try_wait().map_err(AskError::Start)? {
                self.reaped = true;
                return Ok(status);
            }
            if Instant::now() >= deadline {
                return Err(AskError::TimedOut { timeout });
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.reaped {
            return;
        }
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // It fails when they ended meanwhile, or share this program's group.
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

type Drained = mpsc::Receiver<Vec<u8>>;

/// Reads a pipe in a thread of its own, so that neither pipe can block the program.
fn drain(pipe: Option<impl Read + Send + 'static>) -> Drained {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(pipe) = pipe {
            // What was read before an error is an answer as well.
            let _ = pipe.take(ANSWER_BYTES).read_to_end(&mut bytes);
        }
        let _ = sender.send(bytes);
    });
    receiver
}

fn received(drained: &Drained, deadline: Option<(Instant, Duration)>) -> Result<Vec<u8>, AskError> {
    let Some((deadline, timeout)) = deadline else {
        return Ok(drained.recv().unwrap_or_default());
    };
    let left = deadline.saturating_duration_since(Instant::now());
    drained
        .recv_timeout(left)
        .map_err(|_| AskError::TimedOut { timeout })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, timeout: Duration) -> Result<String, AskError> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        output_of(command, timeout)
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
        let error = shell("sleep 600 & exit 0", Duration::from_millis(200)).expect_err("its child hangs");
        assert!(matches!(error, AskError::TimedOut { .. }));
        assert!(began.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn an_endless_answer_is_cut() {
        let error = shell("yes", TIMEOUT).expect_err("killed by its pipe");
        assert!(matches!(error, AskError::Ended { .. }));
    }
}
