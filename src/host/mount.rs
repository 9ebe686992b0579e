//! What a path is on.

use std::path::{Path, PathBuf};

use rustix::fs::Access;
use rustix::io::Errno;

use super::{FileError, existing_ancestor};

/// The file systems on which a start works otherwise, or not at all.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FileSystemKind {
    /// FAT or exFAT: neither links nor permissions.
    Fat,
    /// Any other.
    Other,
}

/// What a path is, or will be, on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mount {
    /// The existing directory that was asked.
    pub directory: PathBuf,
    /// What it is.
    pub kind: FileSystemKind,
    /// Whether no program can be run from there.
    pub no_exec: bool,
    /// Whether this user may not write there.
    pub denied: bool,
}

/// Source: Linux, `include/uapi/linux/magic.h`.
const FAT: [u64; 2] = [0x4d44, 0x2011_bab0];

impl Mount {
    /// What `path`, or the nearest directory above it that is there, is on.
    pub fn of(path: &Path) -> Result<Self, FileError> {
        let directory = existing_ancestor(path);
        let failed = |error: Errno| FileError::at("looked at", &directory)(error.into());
        let magic = rustix::fs::statfs(&directory).map_err(failed)?.f_type;
        let flags = rustix::fs::statvfs(&directory).map_err(failed)?.f_flag;
        let fat = u64::try_from(magic).is_ok_and(|magic| FAT.contains(&magic));
        Ok(Self {
            kind: if fat {
                FileSystemKind::Fat
            } else {
                FileSystemKind::Other
            },
            // A file system that nobody can write says something else.
            denied: rustix::fs::access(&directory, Access::WRITE_OK | Access::EXEC_OK) == Err(Errno::ACCESS),
            no_exec: flags.contains(rustix::fs::StatVfsMountFlags::NOEXEC),
            directory,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_is_not_there_yet_is_on_something() {
        let mount = Mount::of(Path::new("/proc/no/such/file")).expect("proc");
        assert_eq!(
            (mount.directory.as_path(), mount.kind),
            (Path::new("/proc"), FileSystemKind::Other)
        );
    }
}
