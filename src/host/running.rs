//! A program while it runs: its pipes, its end, and who ends it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
#[cfg(feature = "packager")]
use std::process::ChildStdout;
use std::process::{Child, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process_group};

use super::parallel::held;
use super::{Command, Interruption, Output, ProcessError, ProcessIdentity};

/// How much of a program's output is kept: its end says why it failed.
pub(super) const TAIL_BYTES: usize = 64 << 10;

/// A longer line is given in pieces.
const LINE_BYTES: u64 = 1 << 20;

/// How long a full pipe is waited for before it is looked whether the program still runs.
const PAUSE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};

/// How long a program may take to end after it was told to.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running program. What is written to it goes to its input. Dropped before it is
/// finished, it is ended.
#[derive(Debug)]
pub struct Running {
    command: String,
    child: Child,
    input: Option<File>,
    sender: Sender<Message>,
    messages: Receiver<Message>,
    open_pipes: usize,
    stdout: Arc<Mutex<Tail>>,
    stderr: Arc<Mutex<Tail>>,
    watch: Arc<Watch>,
    watchdog: Option<JoinHandle<()>>,
    /// The file that it is run from by its descriptor, which a script's interpreter opens again.
    _program: Option<File>,
}

#[derive(Debug)]
enum Message {
    Line(String),
    Ended,
}

/// What the watchdog and the waiting thread share.
#[derive(Debug)]
struct Watch {
    deadline: Option<(Instant, Duration)>,
    uninterruptible: bool,
    state: Mutex<WatchState>,
}

#[derive(Debug, Default)]
struct WatchState {
    reaped: bool,
    ended_by: Option<Ended>,
}

#[derive(Clone, Copy, Debug)]
enum Ended {
    Signal(Interruption),
    Timeout(Duration),
}

impl Running {
    /// `command` as it runs, with its stdout still to be read.
    pub(super) fn of(command: &Command, mut child: Child, program: Option<File>) -> Self {
        let (sender, messages) = channel();
        let tail = || Arc::new(Mutex::new(Tail::of(command.kept_bytes)));
        let (stdout, stderr) = (tail(), tail());
        let mut open_pipes = 0;
        if let Some(pipe) = child.stderr.take() {
            let (tail, sender) = (Arc::clone(&stderr), sender.clone());
            thread::spawn(move || read_tail(pipe, &tail, &sender));
            open_pipes += 1;
        }
        let watch = Arc::new(Watch {
            deadline: command.timeout.map(|timeout| (Instant::now() + timeout, timeout)),
            uninterruptible: command.uninterruptible,
            state: Mutex::default(),
        });
        let watchdog = {
            let (watch, group) = (Arc::clone(&watch), group_of(&child));
            thread::spawn(move || watch.guard(group))
        };
        Self {
            command: command.short(),
            input: child.stdin.take().map(|stdin| File::from(OwnedFd::from(stdin))),
            child,
            sender,
            messages,
            open_pipes,
            stdout,
            stderr,
            watch,
            watchdog: Some(watchdog),
            _program: program,
        }
    }

    /// The same, with its stdout read as it comes.
    pub(super) fn reading(mut self) -> Self {
        if let Some(pipe) = self.child.stdout.take() {
            let (tail, sender) = (Arc::clone(&self.stdout), self.sender.clone());
            thread::spawn(move || read_lines(pipe, &tail, &sender));
            self.open_pipes += 1;
        }
        self
    }

    /// Its stdout, where nothing reads it.
    #[cfg(feature = "packager")]
    pub(super) fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Which process it is, also when it ended by now; `None` where `/proc` does not tell.
    #[must_use]
    pub fn identity(&self) -> Option<ProcessIdentity> {
        ProcessIdentity::of_child(self.child.id())
    }

    /// Ends its stdin, and gives it what is written from `pipe`, which may be one that does
    /// not block.
    pub(super) fn take_input_from(&mut self, pipe: File) {
        self.input = Some(pipe);
    }

    /// Ends its input: it got all.
    pub fn end_input(&mut self) {
        drop(self.input.take());
    }

    /// Whether it ended; an error in asking is for `finish` to tell.
    pub(super) fn has_ended(&mut self) -> bool {
        !matches!(self.try_reap(), Ok(None))
    }

    /// Ends its input and waits until it ends, whatever its exit code.
    pub fn finish(self) -> Result<Output, ProcessError> {
        self.finish_lines(&mut |_| {})
    }

    /// The same, with each line of stdout given to `on_line` as it comes.
    pub fn finish_lines(mut self, on_line: &mut dyn FnMut(&str)) -> Result<Output, ProcessError> {
        self.end_input();
        let status = self.wait(on_line)?;
        match held(&self.watch.state).ended_by {
            Some(Ended::Signal(interruption)) => return Err(interruption.into()),
            Some(Ended::Timeout(after)) => {
                return Err(ProcessError::TimedOut {
                    command: self.command.clone(),
                    after,
                });
            }
            None => {}
        }
        Ok(Output {
            command: self.command.clone(),
            code: status.code(),
            stdout: held(&self.stdout).text(),
            stderr: held(&self.stderr).text(),
        })
    }

    /// Ends it without regard to its work.
    pub fn abort(self) {
        drop(self);
    }

    fn wait(&mut self, on_line: &mut dyn FnMut(&str)) -> Result<ExitStatus, ProcessError> {
        let mut exit: Option<(ExitStatus, Instant)> = None;
        loop {
            match self.messages.recv_timeout(Duration::from_millis(20)) {
                Ok(Message::Line(line)) => {
                    on_line(&line);
                    continue;
                }
                Ok(Message::Ended) => self.open_pipes = self.open_pipes.saturating_sub(1),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => thread::sleep(Duration::from_millis(5)),
            }
            if exit.is_none() {
                exit = self.try_reap()?.map(|status| (status, Instant::now()));
            }
            match exit {
                // A program that outlives its parent may hold the pipes open.
                Some((status, at)) if self.open_pipes == 0 || at.elapsed() > Duration::from_millis(500) => {
                    return Ok(status);
                }
                _ => {}
            }
        }
    }

    /// The lock keeps the watchdog from signalling a number that was given away.
    fn try_reap(&mut self) -> Result<Option<ExitStatus>, ProcessError> {
        let mut state = held(&self.watch.state);
        let status = self.child.try_wait().map_err(|source| ProcessError::Spawn {
            command: self.command.clone(),
            source,
        })?;
        state.reaped = status.is_some();
        Ok(status)
    }
}

/// Writing fails with `BrokenPipe` when the program ended early: then `finish` says
/// why it did.
impl Write for Running {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            let Some(input) = &mut self.input else {
                return Err(io::ErrorKind::BrokenPipe.into());
            };
            match input.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    poll(&mut [PollFd::new(input, PollFlags::OUT)], Some(&PAUSE))?;
                }
                written => return written,
            }
            if self.has_ended() {
                self.end_input();
            }
        }
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut state = held(&self.watch.state);
        if !state.reaped {
            signal(group_of(&self.child), Signal::KILL);
            state.reaped = self.child.wait().is_ok();
        }
        drop(state);
        if let Some(watchdog) = self.watchdog.take() {
            watchdog.thread().unpark();
        }
    }
}

impl Watch {
    /// Ends the group when this run is told to end or the time is up; a write to the
    /// program's stdin that hangs then fails, too.
    fn guard(&self, group: Option<Pid>) {
        let mut told: Option<Instant> = None;
        loop {
            thread::park_timeout(Duration::from_millis(50));
            let mut state = held(&self.state);
            if state.reaped {
                return;
            }
            let signal_received = super::signals::received().filter(|_| !self.uninterruptible);
            let reason = signal_received.map(Ended::Signal).or_else(|| {
                self.deadline
                    .filter(|(at, _)| Instant::now() >= *at)
                    .map(|(_, timeout)| Ended::Timeout(timeout))
            });
            match (reason, told) {
                (Some(reason), None) => {
                    state.ended_by = Some(reason);
                    told = Some(Instant::now());
                    signal(group, Signal::TERM);
                }
                (_, Some(at)) if at.elapsed() > PATIENCE => signal(group, Signal::KILL),
                _ => {}
            }
        }
    }
}

fn group_of(child: &Child) -> Option<Pid> {
    Pid::from_raw(child.id().cast_signed())
}

fn signal(group: Option<Pid>, signal: Signal) {
    if let Some(group) = group {
        // It may just have ended.
        let _ = kill_process_group(group, signal);
    }
}

fn read_lines(pipe: impl Read, tail: &Mutex<Tail>, sender: &Sender<Message>) {
    let mut pipe = BufReader::new(pipe);
    loop {
        let mut line = Vec::new();
        match pipe.by_ref().take(LINE_BYTES).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
        held(tail).push(&line);
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        let _ = sender.send(Message::Line(text));
    }
    let _ = sender.send(Message::Ended);
}

fn read_tail(mut pipe: impl Read, tail: &Mutex<Tail>, sender: &Sender<Message>) {
    let mut buffer = [0; 8192];
    loop {
        match pipe.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => held(tail).push(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    let _ = sender.send(Message::Ended);
}

/// The last bytes of what was pushed.
#[derive(Debug)]
struct Tail {
    bytes: Vec<u8>,
    most: usize,
}

impl Tail {
    fn of(most: usize) -> Self {
        let bytes = Vec::new();
        Self { bytes, most }
    }

    fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() > 2 * self.most {
            self.bytes.drain(..self.bytes.len() - self.most);
        }
    }

    fn text(&self) -> String {
        let start = self.bytes.len().saturating_sub(self.most);
        String::from_utf8_lossy(&self.bytes[start..]).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_ends_early_says_why() {
        let mut running = Command::new("sh")
            .args(["-c", "echo no space >&2; exit 1"])
            .spawn()
            .expect("sh");
        let written = io::copy(&mut io::repeat(7).take(1 << 30), &mut running);
        assert_eq!(
            written.expect_err("nobody reads").kind(),
            io::ErrorKind::BrokenPipe
        );
        let output = running.finish().expect("waited");
        assert_eq!((output.code, output.stderr.as_str()), (Some(1), "no space\n"));
    }

    #[test]
    fn what_is_written_arrives_and_lines_come_one_by_one() {
        let mut running = Command::new("cat").spawn().expect("cat");
        running.write_all(b"one\ntwo\n").expect("write");
        let mut lines = Vec::new();
        let output = running
            .finish_lines(&mut |line| lines.push(line.to_owned()))
            .expect("cat");
        assert!(output.success());
        assert_eq!(lines, ["one", "two"]);
    }

    #[test]
    fn a_program_that_hangs_is_ended_with_its_children() {
        let begun = Instant::now();
        let error = Command::new("sh")
            .args(["-c", "sleep 60; true"])
            .timeout(Duration::from_millis(200))
            .run();
        assert!(matches!(error, Err(ProcessError::TimedOut { .. })), "{error:?}");
        assert!(begun.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn only_the_end_of_the_output_is_kept() {
        let mut tail = Tail::of(TAIL_BYTES);
        for _ in 0..100 {
            tail.push(&[b'x'; 4096]);
        }
        tail.push(b"end");
        assert_eq!(tail.text().len(), TAIL_BYTES);
        assert!(tail.text().ends_with("end"));
    }
}
