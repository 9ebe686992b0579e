//! Opens a path that a person named, when it is a regular file: nothing else is a bundle or
//! a key, and a named pipe would keep us waiting for whoever holds its other end.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

/// The file, for reading, and what the system says of it.
pub fn open_regular(path: &Path) -> io::Result<(File, Metadata)> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let refused = |kind| io::Error::new(kind, "it is not a regular file");
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        // A socket.
        Err(Errno::NXIO) => return Err(refused(io::ErrorKind::Other)),
        opened => File::from(opened?),
    };
    let facts = file.metadata()?;
    match facts.file_type() {
        kind if kind.is_file() => Ok((file, facts)),
        kind if kind.is_dir() => Err(refused(io::ErrorKind::IsADirectory)),
        _ => Err(refused(io::ErrorKind::Other)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn what_is_not_a_regular_file_is_refused_by_its_kind() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name);
        let _socket = UnixListener::bind(path("socket")).expect("a socket");
        rustix::fs::mkfifoat(rustix::fs::CWD, path("pipe"), Mode::RUSR).expect("a pipe");
        for (path, kind) in [
            (directory.path().to_owned(), io::ErrorKind::IsADirectory),
            (path("none"), io::ErrorKind::NotFound),
            (path("pipe"), io::ErrorKind::Other),
            (path("socket"), io::ErrorKind::Other),
        ] {
            let error = open_regular(&path).expect_err("refused");
            assert_eq!(error.kind(), kind, "{}", path.display());
        }
    }
}
