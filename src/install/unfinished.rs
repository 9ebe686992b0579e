//! What a run that was killed left of a folder that it was filling.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use super::place::file_digest;
use crate::bundle::Digest;
use crate::host::{AtomicFile, FileError};

/// Which of the `expected` files, by their names below `folder`, are there already;
/// `None` when something else is there, too. A file has its name only when it is whole,
/// and here it must also have its digest.
pub(crate) fn files_there(
    folder: &Path,
    expected: &BTreeMap<String, Digest>,
) -> Result<Option<BTreeSet<String>>, FileError> {
    let mut there = BTreeSet::new();
    let mut folders = vec![String::new()];
    while let Some(inside) = folders.pop() {
        let path = folder.join(&inside);
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
                folders.push(within);
                known
            } else if !kind.is_file() {
                false
            } else if let Some(digest) = expected.get(&name) {
                let same = file_digest(&entry.path())? == Some(*digest);
                there.insert(name);
                same
            } else {
                // It was being written: whoever writes it next takes it up.
                let unfinished = |file: &String| AtomicFile::temporary(&folder.join(file)) == entry.path();
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
    use crate::install::place::test_folder;
    use std::os::unix::fs::symlink;

    #[test]
    fn what_a_killed_run_left_is_told_from_what_anyone_else_did() {
        let folder = test_folder("unfinished");
        let expected: BTreeMap<String, Digest> = ["bin/a", "bin/b", "images/c"]
            .map(|name| (name.to_owned(), Digest::of(name.as_bytes())))
            .into();
        let look = || files_there(&folder, &expected).expect("listed");
        assert_eq!(look(), Some(BTreeSet::new()), "an empty folder");
        fs::create_dir(folder.join("bin")).expect("a folder");
        fs::write(folder.join("bin/a"), "bin/a").expect("a file");
        fs::write(AtomicFile::temporary(&folder.join("bin/b")), "bin").expect("a file");
        assert_eq!(look(), Some(["bin/a".to_owned()].into()));
        for (name, content) in [("bin/d", ""), ("bin/b", "theirs"), (".bin", ""), ("images", "")] {
            fs::write(folder.join(name), content).expect("a file");
            assert_eq!(look(), None, "{name}");
            fs::remove_file(folder.join(name)).expect("ours");
        }
        symlink("a", folder.join("bin/b")).expect("a link");
        assert_eq!(look(), None, "a link");
        fs::remove_file(folder.join("bin/b")).expect("ours");
        fs::create_dir(folder.join("theirs")).expect("a folder");
        assert_eq!(look(), None, "a folder");
        fs::remove_dir_all(&folder).expect("clean up");
        assert_eq!(look(), Some(BTreeSet::new()), "no folder");
        fs::write(&folder, "a file").expect("a file");
        assert_eq!(look(), None, "a file");
        fs::remove_file(folder).expect("clean up");
    }
}
