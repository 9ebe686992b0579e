//! This very program, as a file.

use std::path::PathBuf;
use std::{fs, io};

use super::FileError;

/// Where this program lies.
pub fn own_program() -> Result<PathBuf, FileError> {
    std::env::current_exe().map_err(FileError::at("found", std::path::Path::new("/proc/self/exe")))
}

/// Removes the copy of the stub that the shell header made for this run, and its
/// directory: a running program needs no name. Whatever is no such copy stays.
pub fn remove_own_copy() {
    let _ = remove_copy();
}

fn remove_copy() -> io::Result<()> {
    let program = std::env::current_exe()?;
    let directory = program.parent().ok_or(io::ErrorKind::NotFound)?;
    let made_by_header = program.file_name().is_some_and(|name| name == "stub")
        && directory
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("minikube-offline."));
    if made_by_header {
        fs::remove_file(&program)?;
        fs::remove_dir(directory)?;
    }
    Ok(())
}
