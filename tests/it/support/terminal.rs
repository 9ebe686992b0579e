//! A program at a terminal: what a person would see, and type.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::effort::report;
use super::program::Sandbox;

/// A busy machine is slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// A shell script at a terminal of its own, made by script(1).
pub(crate) struct Terminal {
    child: Child,
    keyboard: Option<ChildStdin>,
    screen: Arc<(Mutex<Vec<u8>>, Condvar)>,
}

impl Terminal {
    /// Runs `line` in `sandbox` on a terminal of `columns`; `path` comes before the usual
    /// one. `None`, after saying so, where there is no script(1).
    pub(crate) fn run(
        sandbox: &Sandbox,
        columns: usize,
        term: &str,
        path: &Path,
        line: &str,
    ) -> Option<Self> {
        if Command::new("script").arg("--version").output().is_err() {
            report("skipped: script(1) is not here");
            return None;
        }
        let mut command = Command::new("script");
        command
            .args([
                "-qefc",
                &format!("stty cols {columns} rows 24; {line}"),
                "/dev/null",
            ])
            .current_dir(sandbox.path(""))
            .env_clear()
            .env("HOME", sandbox.path("home"))
            .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", path.display()))
            .env("SHELL", "/bin/sh")
            .env("TERM", term)
            .env("PACKAGER", env!("CARGO_BIN_EXE_minikube-offline"));
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().expect("script(1) starts");
        let mut output = child.stdout.take().expect("a pipe");
        let screen = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
        let shared = Arc::clone(&screen);
        thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut piece) {
                shared
                    .0
                    .lock()
                    .expect("no panic")
                    .extend_from_slice(&piece[..count]);
                shared.1.notify_all();
            }
        });
        let keyboard = child.stdin.take();
        Some(Self {
            child,
            keyboard,
            screen,
        })
    }

    /// All that was written until now.
    pub(crate) fn screen(&self) -> String {
        String::from_utf8_lossy(&self.screen.0.lock().expect("no panic")).into_owned()
    }

    /// Waits until `text` was written.
    pub(crate) fn shows(&self, text: &str) {
        let until = Instant::now() + PATIENCE;
        let mut screen = self.screen.0.lock().expect("no panic");
        while !String::from_utf8_lossy(&screen).contains(text) {
            assert!(
                Instant::now() < until,
                "no `{text}`: {}",
                String::from_utf8_lossy(&screen)
            );
            let waited = self.screen.1.wait_timeout(screen, Duration::from_millis(100));
            screen = waited.expect("no panic").0;
        }
    }

    /// Types `keys`.
    pub(crate) fn types(&mut self, keys: &str) {
        let keyboard = self.keyboard.as_mut().expect("it is open");
        keyboard.write_all(keys.as_bytes()).expect("a terminal");
        keyboard.flush().expect("a terminal");
    }

    /// Types `keys` until it ends: its exit code, and all that was written.
    pub(crate) fn ends_by(&mut self, keys: &str) -> (i32, String) {
        let until = Instant::now() + PATIENCE;
        while self.child.try_wait().expect("a child").is_none() && Instant::now() < until {
            self.types(keys);
            thread::sleep(Duration::from_millis(100));
        }
        self.ends()
    }

    /// Waits for its end: its exit code, and all that was written.
    pub(crate) fn ends(&mut self) -> (i32, String) {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                thread::sleep(Duration::from_millis(50)); // for the last that it wrote
                return (status.code().unwrap_or(-1), self.screen());
            }
            assert!(Instant::now() < until, "it does not end: {}", self.screen());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        drop(self.keyboard.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
