//! The way for bytes into the seed: by named pipes in a directory that the machine and the
//! seed both see. By a program's stdin they would pass the engine's client, the engine, and
//! two more pipes: that takes as long as it takes the runtime to load them.

use std::cell::Cell;
use std::fs::{self, DirBuilder};
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::SeedError;
use crate::bundle::Digest;
use crate::docker::Engine;
use crate::host::{FileError, NamedPipe, Running};
use crate::progress::Progress;

/// Where the seed sees the directory.
const INSIDE: &str = "/minikube-offline";

/// How long a few bytes may take through a pipe before another way is taken.
const PATIENCE: Duration = Duration::from_secs(10);

/// The directory of the pipes; it goes when this is dropped.
pub(crate) struct Pipes(PathBuf);

/// How programs in the seed get their input.
pub(crate) struct Inlet<'a> {
    engine: &'a Engine,
    container: String,
    /// The directory; without one they get it on stdin.
    pipes: Option<&'a Pipes>,
    started: Cell<u32>,
}

impl Pipes {
    /// An empty directory, where there can be one.
    pub(crate) fn make(directory: PathBuf) -> Option<Self> {
        // What a killed run left.
        let _ = fs::remove_dir_all(&directory);
        DirBuilder::new().mode(0o700).create(&directory).ok()?;
        Some(Self(directory))
    }

    /// What `docker container run --mount` needs to show it to the seed, in the form of
    /// comma-separated values (RFC 4180).
    pub(crate) fn mount(&self) -> String {
        let source = format!("source={}", self.0.display()).replace('"', "\"\"");
        format!("type=bind,\"{source}\",target={INSIDE}")
    }

    /// A new pipe, and where the seed sees it.
    fn pipe(&self, name: &str) -> Result<(NamedPipe, String), FileError> {
        let pipe = NamedPipe::create(&self.0.join(name))?;
        Ok((pipe, Path::new(INSIDE).join(name).display().to_string()))
    }
}

impl Drop for Pipes {
    fn drop(&mut self) {
        // The next run removes it, or uninstall.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl<'a> Inlet<'a> {
    /// The way into `container`: the pipes when a word that is written into one comes out
    /// there. The engine may be on another machine, or in one of its own.
    pub(crate) fn open(
        engine: &'a Engine,
        container: String,
        pipes: Option<&'a Pipes>,
        progress: &dyn Progress,
    ) -> Self {
        let inlet = Self {
            engine,
            container,
            pipes,
            started: Cell::new(0),
        };
        if pipes.is_some_and(|pipes| inlet.echoes(pipes)) {
            return inlet;
        }
        progress.note("Docker Engine does not see this user's files: the images go through its client, which takes longer");
        Self { pipes: None, ..inlet }
    }

    fn echoes(&self, pipes: &Pipes) -> bool {
        let word = Digest::of(self.container.as_bytes()).hex();
        let echo = || {
            let (pipe, inside) = pipes.pipe("probe").ok()?;
            let arguments = ["container", "exec", &self.container, "cat", &inside];
            let reader = self.engine.docker(arguments).timeout(PATIENCE).spawn().ok()?;
            let mut reader = pipe.feed(reader).ok()?;
            reader.write_all(word.as_bytes()).ok()?;
            reader.finish().ok()
        };
        echo().is_some_and(|output| output.success() && output.stdout == word)
    }

    /// Starts a shell's `script` in the seed. What is written to it is its stdin.
    pub(crate) fn start(&self, script: &str) -> Result<Running, SeedError> {
        let Some(pipes) = self.pipes else {
            return Ok(self.engine.exec(&self.container, &["/bin/sh", "-c", script])?);
        };
        self.started.set(self.started.get() + 1);
        let (pipe, inside) = pipes.pipe(&self.started.get().to_string())?;
        let script = format!("exec <{inside}; {script}");
        let running = self.engine.exec(&self.container, &["/bin/sh", "-c", &script])?;
        Ok(pipe.feed(running)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_directory_can_be_shown_and_is_gone_in_the_end() {
        let directory = std::env::temp_dir().join(format!("a, \"b\" {}", std::process::id()));
        let pipes = Pipes::make(directory.clone()).expect("a directory");
        let mount = pipes.mount();
        assert!(
            mount.contains("a, \"\"b\"\" ") && mount.ends_with("\",target=/minikube-offline"),
            "{mount}"
        );
        let (pipe, inside) = pipes.pipe("1").expect("a pipe");
        assert_eq!(inside, "/minikube-offline/1");
        drop(pipe);
        drop(pipes);
        assert!(!directory.exists());
    }
}
