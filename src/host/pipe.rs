//! A pipe with a name, by which a program reads what this one writes, although it was not
//! started with it: in a container, for one.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat, open};
use rustix::io::Errno;
use rustix::pipe::fcntl_setpipe_size;

use super::{FileError, Running};

/// What the kernel lets anyone have (`/proc/sys/fs/pipe-max-size`): the fewer turns writer
/// and reader take, the quicker they are.
const CAPACITY: usize = 1 << 20;

/// How long until it is looked again whether there is a reader.
const PAUSE: Duration = Duration::from_millis(5);

/// A pipe that nobody has opened yet. Its name goes when it is opened, or dropped.
#[derive(Debug)]
pub struct NamedPipe(PathBuf);

impl NamedPipe {
    /// Makes one that only this user can open.
    pub fn create(path: &Path) -> Result<Self, FileError> {
        mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)
            .map_err(|error| FileError::at("made", path)(error.into()))?;
        Ok(Self(path.to_owned()))
    }

    /// Makes it the input of `reader`, which opens the other end. Gives `reader` back as it
    /// is when it ended before it did.
    pub fn feed(self, mut reader: Running) -> Result<Running, FileError> {
        loop {
            match open(
                &self.0,
                OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC,
                Mode::empty(),
            ) {
                Ok(pipe) => {
                    // Some users have all their pipes' room taken: then it is slower.
                    let _ = fcntl_setpipe_size(&pipe, CAPACITY);
                    reader.take_input_from(File::from(pipe));
                    return Ok(reader);
                }
                Err(Errno::NXIO) if !reader.has_ended() => thread::sleep(PAUSE),
                Err(Errno::NXIO) => return Ok(reader),
                Err(error) => return Err(FileError::at("opened", &self.0)(io::Error::from(error))),
            }
        }
    }
}

impl Drop for NamedPipe {
    fn drop(&mut self) {
        // Whoever removes the directory that it is in removes it, too.
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;
    use crate::host::Command;

    fn pipe(name: &str) -> (PathBuf, NamedPipe) {
        let path = std::env::temp_dir().join(format!("minikube-offline-pipe-{name}-{}", std::process::id()));
        let pipe = NamedPipe::create(&path).expect("a pipe");
        (path, pipe)
    }

    fn reader(script: &str, path: &Path) -> Running {
        Command::new("sh")
            .args(["-c", script])
            .arg(path)
            .spawn()
            .expect("sh")
    }

    #[test]
    fn what_is_written_arrives_by_the_pipe() {
        let (path, pipe) = pipe("arrives");
        let mut running = pipe
            .feed(reader("sleep 0.1; wc -c <\"$0\"", &path))
            .expect("opened");
        assert!(!path.exists(), "its name is no longer needed");
        io::copy(&mut io::repeat(7).take(5 << 20), &mut running).expect("written");
        assert_eq!(
            running.finish().expect("waited").stdout.trim(),
            (5 << 20).to_string()
        );
    }

    #[test]
    fn a_reader_that_ends_before_or_meanwhile_says_why() {
        for (name, script) in [
            ("before", "echo no >&2; exit 3"),
            ("meanwhile", "exec <\"$0\"; echo no >&2; exit 3"),
        ] {
            let (path, pipe) = pipe(name);
            let mut running = pipe.feed(reader(script, &path)).expect("no error of ours");
            let written = io::copy(&mut io::repeat(7).take(5 << 20), &mut running);
            assert_eq!(
                written.expect_err("nobody reads").kind(),
                io::ErrorKind::BrokenPipe,
                "{name}"
            );
            let output = running.finish().expect("waited");
            assert_eq!((output.code, output.stderr.trim()), (Some(3), "no"), "{name}");
        }
    }

    #[test]
    fn a_reader_that_is_gone_while_another_holds_the_pipe_is_noticed() {
        let (path, pipe) = pipe("held");
        // As in a container, where the client is ended and the program that it started is not.
        let script = "setsid sh -c 'exec <\"$0\"; sleep 5' \"$0\" >/dev/null 2>&1 & sleep 0.3; exit 3";
        let mut running = pipe.feed(reader(script, &path)).expect("opened");
        let begun = std::time::Instant::now();
        let error = loop {
            if let Err(error) = running.write_all(&[7; 4096]) {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        assert!(
            begun.elapsed() < Duration::from_secs(3),
            "it waited for the one that sleeps"
        );
    }
}
