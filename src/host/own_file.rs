//! A file of this run's own at a name that others can foresee: never opened through a link,
//! and never one that somebody else could have written, or can.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::process::geteuid;

use super::FileError;

/// How often somebody may put something in its place before it is given up.
const TRIES: usize = 100;

/// Whether it is a regular file that is this user's alone: its own, without a second name,
/// and without a way in for others.
pub(super) fn is_own(facts: &Metadata) -> bool {
    facts.is_file() && facts.uid() == geteuid().as_raw() && facts.nlink() == 1 && facts.mode() & 0o7022 == 0
}

/// Opens the file `path` for reading and writing, whatever is in it, or makes it. What is there
/// and is not this user's alone is removed.
pub fn open_own(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .mode(0o600)
        .custom_flags(flags.bits().cast_signed());
    for _ in 0..TRIES {
        match options.create_new(false).open(path) {
            Ok(file) if is_own(&file.metadata()?) => return Ok(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) if keeps(&error) => return Err(error),
            _ => remove(path)?,
        }
        match options.create_new(true).open(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made,
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Writes `bytes` as the whole file `path`, which is opened in that way. What is read there
/// after a loss of power is not sure.
pub fn write_own(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let write = || {
        let mut file = open_own(path)?;
        file.set_len(0)?;
        file.write_all(bytes)
    };
    write().map_err(FileError::at("written", path))
}

/// Errors that say nothing about what is there: a medium that fails, a file system without space.
fn keeps(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let of_what_is_there = [Errno::LOOP, Errno::ACCESS, Errno::NXIO, Errno::TXTBSY];
    !Errno::from_io_error(error).is_some_and(|errno| of_what_is_there.contains(&errno))
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::PathBuf;

    use super::*;

    fn directory(name: &str) -> PathBuf {
        let directory = std::env::temp_dir().join(format!("minikube-offline-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).expect("directory");
        directory
    }

    #[test]
    fn own_file_keeps_what_this_user_left() {
        let directory = directory("own-file");
        let path = directory.join("lock");
        write_own(&path, b"one two").expect("made");
        write_own(&path, b"three").expect("again");
        assert_eq!(fs::read(&path).expect("there"), b"three");
        let facts = open_own(&path).expect("ours").metadata().expect("open");
        assert_eq!((facts.len(), facts.mode() & 0o7777), (5, 0o600));
        fs::remove_dir_all(directory).expect("clean up");
    }

    #[test]
    fn own_file_replaces_what_others_can_reach() {
        let directory = directory("own-file-others");
        let (path, theirs) = (directory.join("lock"), directory.join("theirs"));
        fs::write(&theirs, "theirs").expect("a file");
        let fifo = |path: &Path| {
            rustix::fs::mknodat(
                rustix::fs::CWD,
                path,
                rustix::fs::FileType::Fifo,
                rustix::fs::Mode::RWXU,
                0,
            )
        };
        for case in ["link", "dangling", "second name", "group", "fifo"] {
            let _ = fs::remove_file(&path);
            match case {
                "link" => symlink(&theirs, &path).expect("a link"),
                "dangling" => symlink(directory.join("none"), &path).expect("a link"),
                "second name" => fs::hard_link(&theirs, &path).expect("a name"),
                "fifo" => fifo(&path).expect("a pipe"),
                _ => {
                    fs::write(&path, "old").expect("a file");
                    fs::set_permissions(&path, Permissions::from_mode(0o664)).expect("ours");
                }
            }
            write_own(&path, b"new").expect(case);
            assert!(is_own(&fs::symlink_metadata(&path).expect("there")), "{case}");
            assert_eq!(fs::read(&theirs).expect("there"), b"theirs", "{case}");
            assert!(!directory.join("none").exists(), "{case}");
        }
        fs::remove_file(&path).expect("ours");
        fs::create_dir(&path).expect("a directory");
        assert!(open_own(&path).is_err(), "a directory is nothing to be removed");
        fs::remove_dir_all(directory).expect("clean up");
    }
}
