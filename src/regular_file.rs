//! Opens a path that a person named, when it is a regular file: nothing else is a bundle or
//! a key, and a named pipe would keep us waiting for whoever holds its other end.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

/// The file, for reading, and what the system says of it.
pub fn open_regular(path: &Path) -> io::Result<(File, Metadata)> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let facts = file.metadata()?;
    if facts.is_file() {
        Ok((file, facts))
    } else {
        let kind = if facts.is_dir() {
            io::ErrorKind::IsADirectory
        } else {
            io::ErrorKind::Other
        };
        Err(io::Error::new(kind, "it is not a regular file"))
    }
}
