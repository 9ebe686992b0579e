//! What a run that was killed left of a directory that it was filling.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use super::place::file_digest;
use crate::bundle::Digest;
use crate::host::{AtomicFile, FileError};

/// Which of the `expected` files, by their names below `directory`, are there already;
/// `None` when something else is there, too. A file has its name only when it is whole,
/// and here it must also have its digest.
pub(crate) fn files_there(
    directory: &Path,
    expected: &BTreeMap<String, Digest>,
) -> Result<Option<BTreeSet<String>>, FileError> {
    let mut there = BTreeSet::new();
    let mut directories = vec![String::new()];
    while let Some(inside) = directories.pop() {
        let path = directory.join(&inside);
        let entries = match fs::read_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && inside.is_empty() => break,
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(None),
            other => other.map_err(FileError::at("listed", &path))?,
        };
        for entry in entries {
            let entry = entry.map_err(FileError::at("listed", &path))?;
            let Ok(name) = entry.file_name().into_string() else {
                return Ok(None);
            };
            let name = format!("{inside}{name}");
            let kind = entry
                .file_type()
                .map_err(FileError::at("looked at", &entry.path()))?;
            let known = if kind.is_dir() {
                let within = format!("{name}/");
                let known = expected.keys().any(|file| file.starts_with(&within));
                directories.push(within);
                known
            } else if !kind.is_file() {
                false
            } else if let Some(digest) = expected.get(&name) {
                let same = file_digest(&entry.path())? == Some(*digest);
                there.insert(name);
                same
            } else {
                // It was being written: whoever writes it next takes it up.
                let unfinished = |file: &String| AtomicFile::temporary(&directory.join(file)) == entry.path();
                expected.keys().any(unfinished)
            };
            if !known {
                return Ok(None);
            }
        }
    }
    Ok(Some(there))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::place::test_directory;
    use std::os::unix::fs::symlink;

    #[test]
    fn what_a_killed_run_left_is_told_from_what_anyone_else_did() {
        let directory = test_directory("unfinished");
        let expected: BTreeMap<String, Digest> = ["bin/a", "bin/b", "images/c"]
            .map(|name| (name.to_owned(), Digest::of(name.as_bytes())))
            .into();
        let look = || files_there(&directory, &expected).expect("listed");
        assert_eq!(look(), Some(BTreeSet::new()), "an empty directory");
        fs::create_dir(directory.join("bin")).expect("a directory");
        fs::write(directory.join("bin/a"), "bin/a").expect("a file");
        fs::write(AtomicFile::temporary(&directory.join("bin/b")), "bin").expect("a file");
        assert_eq!(look(), Some(["bin/a".to_owned()].into()));
        for (name, content) in [("bin/d", ""), ("bin/b", "theirs"), (".bin", ""), ("images", "")] {
            fs::write(directory.join(name), content).expect("a file");
            assert_eq!(look(), None, "{name}");
            fs::remove_file(directory.join(name)).expect("ours");
        }
        symlink("a", directory.join("bin/b")).expect("a link");
        assert_eq!(look(), None, "a link");
        fs::remove_file(directory.join("bin/b")).expect("ours");
        fs::create_dir(directory.join("theirs")).expect("a directory");
        assert_eq!(look(), None, "a directory");
        fs::remove_dir_all(&directory).expect("clean up");
        assert_eq!(look(), Some(BTreeSet::new()), "no directory");
        fs::write(&directory, "a file").expect("a file");
        assert_eq!(look(), None, "a file");
        fs::remove_file(directory).expect("clean up");
    }
}
