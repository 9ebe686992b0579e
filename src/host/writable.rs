//! Whether a file can be read and written where it is, or made.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::Access;
use rustix::io::Errno;

/// Why a file cannot be written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Unwritable {
    /// A directory has its name.
    Directory,
    /// This user may not: the file, or the directory in which it would be made, and its owner.
    Denied {
        /// What denies it.
        path: PathBuf,
        /// The owner's user id.
        owner: u32,
    },
    /// A file is where a directory above it should be.
    NotADirectory(PathBuf),
    /// Nothing is written to its file system.
    ReadOnly(PathBuf),
    /// It is a link to what is not there, in a directory that is not there.
    Dangling(PathBuf),
}

/// Why this user cannot read and write the file `path`, or make it and the directories above
/// it; `None` when nothing speaks against that.
#[must_use]
pub fn why_unwritable(path: &Path) -> Option<Unwritable> {
    match fs::metadata(path) {
        Ok(facts) if facts.is_dir() => return Some(Unwritable::Directory),
        Ok(_) => return denied(path, Access::READ_OK | Access::WRITE_OK),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        // A directory above it may not be looked into, or is a file: found below.
        Err(_) => {}
    }
    if let Ok(target) = fs::read_link(path) {
        let target = path.parent().unwrap_or(Path::new("/")).join(target);
        return match target.parent() {
            Some(directory) if directory.is_dir() => denied(directory, Access::WRITE_OK | Access::EXEC_OK),
            _ => Some(Unwritable::Dangling(target)),
        };
    }
    for above in path.ancestors().skip(1) {
        match fs::metadata(above) {
            Ok(facts) if facts.is_dir() => return denied(above, Access::WRITE_OK | Access::EXEC_OK),
            Ok(_) => return Some(Unwritable::NotADirectory(above.to_owned())),
            Err(_) => {}
        }
    }
    None
}

fn denied(path: &Path, access: Access) -> Option<Unwritable> {
    match rustix::fs::access(path, access) {
        Err(Errno::ACCESS | Errno::PERM) => Some(Unwritable::Denied {
            path: path.to_owned(),
            owner: fs::metadata(path).map_or(0, |facts| facts.uid()),
        }),
        Err(Errno::ROFS) => Some(Unwritable::ReadOnly(path.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn each_reason_is_told_apart() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name);
        fs::write(path("file"), "").expect("a file");
        fs::create_dir(path("directory")).expect("a directory");
        symlink("new", path("fine")).expect("a link");
        symlink("no/where", path("dangling")).expect("a link");
        for (name, why) in [
            ("file", None),
            ("new", None),
            ("new/.kube/config", None),
            ("fine", None),
            ("directory", Some(Unwritable::Directory)),
            ("file/config", Some(Unwritable::NotADirectory(path("file")))),
            ("dangling", Some(Unwritable::Dangling(path("no/where")))),
        ] {
            assert_eq!(why_unwritable(&path(name)), why, "{name}");
        }
        // /proc takes no new file from anyone, and an ordinary user may write to neither.
        if !rustix::process::geteuid().is_root() {
            for (name, path) in [
                ("/etc/passwd", "/etc/passwd"),
                ("/etc/kubernetes-x/admin.conf", "/etc"),
            ] {
                let (path, owner) = (PathBuf::from(path), 0);
                assert_eq!(
                    why_unwritable(Path::new(name)),
                    Some(Unwritable::Denied { path, owner })
                );
            }
        }
    }
}
