//! The directory of the journal: what is made on a machine is in the journal before it is
//! there, and so is this directory.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process;

use super::journal::{Event, Journal, JournalError};
use crate::host::{AtomicFile, FileError, existing_ancestor, remove_if_there, sync_directory, try_hold};

/// How often it is tried again when another run takes away what is built upon.
const TRIES: usize = 100;

/// Makes the directory of the file `journal`, with a journal in it that names this directory and
/// those above it that were not there; whether there was any. They are made under another
/// name and get their own with all that is in them, so that a run which is killed leaves
/// none without its record.
pub(crate) fn make_state_directory(journal: &Path) -> Result<bool, JournalError> {
    let state = journal.parent().unwrap_or(Path::new("/"));
    let mut tries = 0;
    loop {
        let existing = existing_ancestor(state);
        let mut missing: Vec<PathBuf> = state
            .ancestors()
            .take_while(|directory| *directory != existing)
            .map(Path::to_owned)
            .collect();
        missing.reverse();
        if missing.is_empty() {
            return Ok(false);
        }
        tries += 1;
        match make(journal, &existing, &missing) {
            Err(JournalError::File(error))
                if error.source.kind() == io::ErrorKind::NotFound && tries < TRIES => {}
            Ok(false) if tries < TRIES => {}
            made => return made,
        }
    }
}

/// Makes the `missing` directories, the upmost first; `false` when another run was quicker.
fn make(journal: &Path, existing: &Path, missing: &[PathBuf]) -> Result<bool, JournalError> {
    let top = &missing[0];
    remove_drafts(existing, top)?;
    let draft = Draft::create(top)?;
    let place = draft.path.join(journal.strip_prefix(top).unwrap_or(journal));
    let directory = place.parent().unwrap_or(&draft.path);
    fs::create_dir_all(directory).map_err(FileError::at("made", directory))?;
    let mut records = Journal::open(&place)?;
    for path in missing {
        let path = path.clone();
        records.record(Event::Directory { path })?;
    }
    match fs::rename(&draft.path, top) {
        Ok(()) => {
            sync_directory(existing)?;
            Ok(true)
        }
        Err(_) if fs::symlink_metadata(top).is_ok_and(|facts| facts.is_dir()) => Ok(false),
        Err(error) => Err(FileError::at("made", top)(error).into()),
    }
}

/// Removes the files `journal` and `lock`, and the directories around them, of those that are
/// `ours`, in which there is nothing else. The upmost of these gets the name of a draft
/// first: a run that is killed leaves directories with their record, or what the next run
/// removes.
pub(crate) fn remove_state_directory(journal: &Path, lock: &Path, ours: &[&Path]) -> Result<(), FileError> {
    let directories = directories_of_nothing_else(journal, lock, ours)?;
    let Some(top) = directories.last() else {
        remove_if_there(journal)?;
        return remove_if_there(lock);
    };
    let draft = own_draft(top);
    // Other runs leave it to this one.
    let held = File::open(top).map_err(FileError::at("opened", top))?;
    let _ = try_hold(&held);
    fs::rename(top, &draft).map_err(FileError::at("removed", top))?;
    // Once more, where a call failed: what stays under that name stays until the next run.
    let remove = || remove_draft(&draft, top, &[journal, lock], &directories);
    remove().or_else(|_| remove())?;
    sync_directory(top.parent().unwrap_or(Path::new("/")))
}

/// Removes `files` and `directories`, the inner ones first, where `top` is now `draft`.
fn remove_draft(draft: &Path, top: &Path, files: &[&Path], directories: &[&Path]) -> Result<(), FileError> {
    let now = |path: &Path| match path.strip_prefix(top) {
        Ok(below) if !below.as_os_str().is_empty() => draft.join(below),
        _ => draft.to_owned(),
    };
    for file in files {
        remove_if_there(&now(file))?;
    }
    for directory in directories {
        match fs::remove_dir(now(directory)) {
            // Somebody put something there just now.
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                return fs::rename(draft, top).map_err(FileError::at("put back", top));
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(FileError::at("removed", directory)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The directories around the files `journal` and `lock`, the inner ones first, that are
/// `ours` and hold nothing but these files and one another.
fn directories_of_nothing_else<'a>(
    journal: &'a Path,
    lock: &Path,
    ours: &[&Path],
) -> Result<Vec<&'a Path>, FileError> {
    let mut directories = Vec::new();
    let mut expected = vec![journal, lock];
    for directory in journal
        .ancestors()
        .skip(1)
        .take_while(|directory| ours.contains(directory))
    {
        let listed = fs::read_dir(directory).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let listed = listed.map_err(FileError::at("listed", directory))?;
        if listed.iter().any(|entry| !expected.contains(&&*entry.path())) {
            break;
        }
        directories.push(directory);
        expected = vec![directory];
    }
    Ok(directories)
}

/// Directories in the making, which are gone when it is dropped before they have their name.
struct Draft {
    path: PathBuf,
    /// Tells other runs that somebody is at work on it.
    _lock: Option<File>,
}

impl Draft {
    fn create(top: &Path) -> Result<Self, FileError> {
        let path = own_draft(top);
        fs::create_dir(&path).map_err(FileError::at("made", &path))?;
        // Where directories cannot be locked, two first runs at once may hinder one another.
        let lock = File::open(&path)
            .ok()
            .filter(|directory| try_hold(directory).unwrap_or_default());
        Ok(Self { path, _lock: lock })
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Nothing better can be done in a drop; the next run removes it, too.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// How the names of drafts of `top` begin; the process follows.
fn prefix(top: &Path) -> OsString {
    let mut name = AtomicFile::temporary(top).into_os_string();
    name.push("-");
    name
}

/// The draft of this process.
fn own_draft(top: &Path) -> PathBuf {
    let mut name = prefix(top);
    name.push(process::id().to_string());
    name.into()
}

/// Removes the drafts of killed runs.
fn remove_drafts(directory: &Path, top: &Path) -> Result<(), FileError> {
    let prefix = prefix(top);
    let listed = FileError::at("listed", directory);
    let entries: Result<Vec<_>, _> = fs::read_dir(directory)
        .and_then(Iterator::collect)
        .map_err(listed);
    for entry in entries? {
        let path = entry.path();
        let draft = path
            .as_os_str()
            .as_encoded_bytes()
            .starts_with(prefix.as_encoded_bytes());
        if draft && File::open(&path).is_ok_and(|directory| try_hold(&directory).unwrap_or_default()) {
            fs::remove_dir_all(&path).map_err(FileError::at("removed", &path))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::place::test_directory;

    #[test]
    fn the_journal_names_the_directories_that_it_lies_in() {
        let home = test_directory("state");
        let journal = home.join(".local/state/minikube-offline/journal.jsonl");
        let directories = [".local/state/minikube-offline", ".local/state", ".local"];
        let listing = || fs::read_dir(&home).expect("listed").count();
        // What a killed run left, and what another is at work on.
        let stale = PathBuf::from(format!("{}1", prefix(&home.join(".local")).display()));
        fs::create_dir_all(stale.join("state")).expect("a directory");
        assert!(make_state_directory(&journal).expect("made"));
        assert_eq!(listing(), 1);
        let receipt = Journal::peek(&journal).expect("a journal");
        assert_eq!(receipt.directories(), directories.map(|name| home.join(name)));
        assert!(!make_state_directory(&journal).expect("there"));
        assert_eq!(Journal::peek(&journal).expect("a journal"), receipt);
        fs::remove_dir_all(home).expect("clean up");
    }

    #[test]
    fn what_holds_something_else_stays() {
        let home = test_directory("no state");
        let (top, state) = (home.join("a"), home.join("a/b/c"));
        let journal = state.join("journal.jsonl");
        let lock = state.join("lock");
        let make = |others: &[PathBuf]| {
            fs::create_dir_all(&state).expect("directories");
            for file in others.iter().chain([&journal, &lock]) {
                fs::write(file, "").expect("a file");
            }
        };
        let ours = [state.clone(), home.join("a/b"), top.clone()];
        let ours = ours.each_ref().map(PathBuf::as_path);
        make(&[]);
        remove_state_directory(&journal, &lock, &ours).expect("removed");
        assert_eq!(fs::read_dir(&home).expect("listed").count(), 0);
        make(&[home.join("a/theirs")]);
        remove_state_directory(&journal, &lock, &ours).expect("removed");
        assert!(top.join("theirs").exists() && !top.join("b").exists());
        make(&[state.join("theirs")]);
        remove_state_directory(&journal, &lock, &ours).expect("removed");
        assert!(state.join("theirs").exists() && !journal.exists() && !lock.exists());
        make(&[]);
        remove_state_directory(&journal, &lock, &ours[1..]).expect("removed");
        assert!(state.exists() && !journal.exists());
        fs::remove_dir_all(home).expect("clean up");
    }
}
