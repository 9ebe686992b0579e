//! Images of file systems, and how they are mounted.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

/// Runs a program to its end.
pub(super) fn command(program: &str, flags: &[&str], paths: &[&Path]) -> Result<(), String> {
    let output = Command::new(program)
        .args(flags)
        .args(paths)
        .output()
        .map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "{program}: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    ))
}

/// A file system that is mounted; unmounted when it is dropped.
pub(super) struct Mounted(PathBuf);

impl Mounted {
    /// Mounts `image` at the directory `at`, which is made.
    pub(super) fn new(image: &Path, at: &Path, options: &str) -> Result<Self, String> {
        fs::create_dir_all(at).expect("a directory");
        command("mount", &["-o", options], &[image, at])?;
        Ok(Self(at.to_owned()))
    }

    pub(super) fn at(&self) -> &Path {
        &self.0
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // What a killed run started may not have ended yet.
        for _ in 0..100 {
            if command("umount", &[], &[&self.0]).is_ok() {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        let _ = command("umount", &["--lazy"], &[&self.0]);
    }
}
