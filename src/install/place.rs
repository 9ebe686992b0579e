//! Files, directories and links, each in the journal before it has its name.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use super::journal::{Event, Journal, JournalError};
use super::receipt::Receipt;
use super::transfer::{TransferError, transfer};
use crate::bundle::{Blake3Hasher, Checksum, Digest, Hasher};
use crate::explain::one_of;
use crate::host::{AtomicFile, FileError, remove_if_there, sync_directory};

/// What is at a path already.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Existing {
    /// Something that we did not put there, or that was changed since.
    Foreign,
    /// A file of ours with other content.
    Ours,
    /// The very file.
    Same,
    /// Nothing.
    Absent,
}

one_of! {
    /// Something that was not put in its place: the file cannot be made, the journal cannot be
    /// written, or the bytes did not arrive.
    pub enum PlaceError {
        File(FileError),
        Journal(JournalError),
        Transfer(TransferError),
    }
}

/// Puts things on the machine, and into the journal where there is one.
#[derive(Debug)]
pub struct Placer<'a> {
    journal: Option<&'a mut Journal>,
}

impl<'a> Placer<'a> {
    /// What it makes is ours, to be removed by `uninstall`.
    pub fn journalled(journal: &'a mut Journal) -> Self {
        Self {
            journal: Some(journal),
        }
    }

    /// What it makes is the user's, who asked for it.
    #[must_use]
    pub fn unrecorded() -> Self {
        Self { journal: None }
    }

    /// Whether what it makes is ours.
    #[must_use]
    pub fn is_journalled(&self) -> bool {
        self.journal.is_some()
    }

    /// Makes `directory` and those above it.
    pub fn directory(&mut self, directory: &Path) -> Result<(), PlaceError> {
        if fs::metadata(directory).is_ok_and(|facts| facts.is_dir()) {
            return Ok(());
        }
        if let Some(parent) = directory.parent() {
            self.directory(parent)?;
        }
        let path = directory.to_owned();
        self.record(Event::Directory { path })?;
        fs::create_dir(directory).map_err(FileError::at("made", directory))?;
        Ok(())
    }

    /// What is at `path`, which is to have the content `sha256`.
    pub fn existing(&self, path: &Path, sha256: Digest) -> Result<Existing, PlaceError> {
        Ok(match file_digest(path)? {
            None if fs::symlink_metadata(path).is_err() => Existing::Absent,
            Some(digest) if digest == sha256 => Existing::Same,
            Some(_) if self.recorded(path)?.is_some() => Existing::Ours,
            None | Some(_) => Existing::Foreign,
        })
    }

    /// The digest under which we wrote the file `path`, if it is as we wrote it.
    pub fn recorded(&self, path: &Path) -> Result<Option<Checksum>, FileError> {
        match &self.journal {
            Some(journal) => recorded(journal.receipt(), path),
            None => Ok(None),
        }
    }

    /// Starts a file, or takes up what a killed run left of it. Its directory is made when it is
    /// not there.
    pub fn create(&mut self, path: &Path) -> Result<AtomicFile, PlaceError> {
        if let Some(directory) = path.parent() {
            self.directory(directory)?;
        }
        let begun = path.to_owned();
        self.record(Event::FileBegun { path: begun })?;
        Ok(AtomicFile::resume(path)?)
    }

    /// Gives a file with this digest its name. An older one of ours that has it is kept until
    /// the run ends well.
    pub fn commit(
        &mut self,
        file: AtomicFile,
        path: &Path,
        mode: u32,
        digest: Checksum,
    ) -> Result<(), PlaceError> {
        self.keep_earlier(path, digest)?;
        let path = path.to_owned();
        self.record(Event::File { path, digest })?;
        Ok(file.commit(mode)?)
    }

    /// Gives the file that is at `path`, when it is an older one of ours, a second name.
    fn keep_earlier(&mut self, path: &Path, new: Checksum) -> Result<(), PlaceError> {
        let kept = earlier(path);
        let Some(digest) = self.recorded(path)?.filter(|digest| *digest != new) else {
            return Ok(());
        };
        // One that is kept already is older, from a run that did not end well.
        if fs::symlink_metadata(&kept).is_ok() {
            return Ok(());
        }
        self.record(Event::File {
            path: kept.clone(),
            digest,
        })?;
        Ok(fs::hard_link(path, &kept).map_err(FileError::at("made", &kept))?)
    }

    /// Gives every file that was replaced its name back.
    pub fn put_back(&mut self) -> Result<(), PlaceError> {
        for (path, kept) in self.kept() {
            if fs::symlink_metadata(&kept).is_ok() {
                fs::rename(&kept, &path).map_err(FileError::at("put back", &path))?;
                // A file that was not replaced yet has both names, and rename(2) leaves them.
                remove_if_there(&kept)?;
            }
            let what = kept.display().to_string();
            self.record(Event::Forgotten { what })?;
        }
        Ok(())
    }

    /// Removes every file that was replaced: the run ended well.
    pub fn drop_earlier(&mut self) -> Result<(), PlaceError> {
        for (_, kept) in self.kept() {
            remove_if_there(&kept)?;
            let what = kept.display().to_string();
            self.record(Event::Forgotten { what })?;
        }
        Ok(())
    }

    /// The files that were replaced, each with the name under which the older one is kept.
    fn kept(&self) -> Vec<(PathBuf, PathBuf)> {
        let journal = self.journal.iter();
        let paths = journal.flat_map(|journal| journal.receipt().files().keys());
        let kept = paths.filter_map(|kept| {
            let name = kept.file_name()?.to_str()?;
            let name = name.strip_prefix('.')?.strip_suffix(EARLIER)?;
            Some((kept.with_file_name(name), kept.clone()))
        });
        kept.collect()
    }

    /// Writes all of `reader`, which has the digest `sha256` or ends in an error, as the file
    /// `path`.
    pub fn file(
        &mut self,
        path: &Path,
        (reader, sha256): (&mut (impl io::Read + Send), Digest),
        mode: u32,
        moved: &dyn Fn(u64),
    ) -> Result<(), PlaceError> {
        let mut file = self.create(path)?;
        transfer(reader, &mut [&mut file as &mut dyn Write], moved).map_err(|error| match error {
            TransferError::Write(source) => FileError::at("written", path)(source).into(),
            other => PlaceError::from(other),
        })?;
        self.commit(file, path, mode, Checksum::Sha256(sha256))
    }

    /// Makes `path` another name of the file `original`: a hard link, or a symbolic one
    /// across file systems, so that it takes no space.
    pub fn second_name(&mut self, original: &Path, path: &Path, sha256: Digest) -> Result<(), PlaceError> {
        let inode = |path: &Path| fs::metadata(path).map(|facts| (facts.dev(), facts.ino())).ok();
        if inode(original).is_some() && inode(original) == inode(path) {
            return Ok(());
        }
        if let Some(directory) = path.parent() {
            self.directory(directory)?;
        }
        let begun = path.to_owned();
        self.record(Event::FileBegun { path: begun })?;
        let temporary = AtomicFile::temporary(path);
        let _ = fs::remove_file(&temporary);
        if let Err(error) = self.name_again(original, &temporary, path, sha256) {
            let _ = fs::remove_file(&temporary);
            return Err(error);
        }
        Ok(sync_directory(path.parent().unwrap_or(Path::new("/")))?)
    }

    fn name_again(
        &mut self,
        original: &Path,
        temporary: &Path,
        path: &Path,
        sha256: Digest,
    ) -> Result<(), PlaceError> {
        if fs::hard_link(original, temporary).is_ok() {
            self.record(Event::File {
                path: path.to_owned(),
                digest: Checksum::Sha256(sha256),
            })?;
        } else {
            symlink(original, temporary).map_err(FileError::at("made", path))?;
            self.record_link(path, original)?;
        }
        Ok(fs::rename(temporary, path).map_err(FileError::at("made", path))?)
    }

    /// Makes the symbolic link `path`, unless something has that name: `false` then.
    pub fn link(&mut self, path: &Path, target: &Path) -> Result<bool, PlaceError> {
        match fs::symlink_metadata(path) {
            Ok(_) => return Ok(fs::read_link(path).is_ok_and(|there| there == target)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(FileError::at("looked at", path)(error).into()),
        }
        if let Some(directory) = path.parent() {
            self.directory(directory)?;
        }
        self.record_link(path, target)?;
        symlink(target, path).map_err(FileError::at("made", path))?;
        Ok(true)
    }

    fn record_link(&mut self, path: &Path, target: &Path) -> Result<(), PlaceError> {
        let (path, target) = (path.to_owned(), target.to_owned());
        self.record(Event::Link { path, target })
    }

    fn record(&mut self, event: Event) -> Result<(), PlaceError> {
        match &mut self.journal {
            Some(journal) => Ok(journal.record(event)?),
            None => Ok(()),
        }
    }
}

/// How the name of a file that was replaced ends.
const EARLIER: &str = ".minikube-offline-earlier";

fn earlier(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}{EARLIER}"))
}

/// The digest of the file `path`; `None` when there is no regular file.
pub(crate) fn file_digest(path: &Path) -> Result<Option<Digest>, FileError> {
    if !fs::metadata(path).is_ok_and(|facts| facts.is_file()) {
        return Ok(None);
    }
    let mut hasher = Hasher::new();
    read_into(&mut hasher, path)?;
    Ok(Some(hasher.finish()))
}

/// The digest under which `receipt` has the file `path`, if the file has it now.
pub(crate) fn recorded(receipt: &Receipt, path: &Path) -> Result<Option<Checksum>, FileError> {
    let known = receipt.files().get(path);
    let Some(known) = known.filter(|_| path.is_file()) else {
        return Ok(None);
    };
    let mut found = None;
    if known.iter().any(|digest| matches!(digest, Checksum::Blake3(_))) {
        let mut hasher = Blake3Hasher::new();
        read_into(&mut hasher, path)?;
        found = Some(Checksum::Blake3(hasher.finish())).filter(|digest| known.contains(digest));
    }
    if found.is_none() && known.iter().any(|digest| matches!(digest, Checksum::Sha256(_))) {
        let digest = file_digest(path)?.map(Checksum::Sha256);
        found = digest.filter(|digest| known.contains(digest));
    }
    Ok(found)
}

fn read_into(hasher: &mut impl Write, path: &Path) -> Result<(), FileError> {
    File::open(path)
        .and_then(|mut file| io::copy(&mut file, hasher))
        .map(|_| ())
        .map_err(FileError::at("read", path))
}

/// A directory for a test.
#[cfg(test)]
pub(crate) fn test_directory(name: &str) -> std::path::PathBuf {
    let directory = std::env::temp_dir().join(format!("minikube-offline-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).expect("test directory");
    directory
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_file_is_told_from_ours() {
        let directory = test_directory("place");
        let path = directory.join("deep/kubectl");
        let mut journal = Journal::open(&directory.join("journal")).expect("journal");
        let mut placer = Placer::journalled(&mut journal);
        let digest = Digest::of(b"ours");
        assert_eq!(placer.existing(&path, digest).expect("look"), Existing::Absent);
        placer
            .file(&path, (&mut b"ours".as_slice(), digest), 0o755, &|_| {})
            .expect("place");
        assert_eq!(placer.existing(&path, digest).expect("look"), Existing::Same);
        let newer = Digest::of(b"newer");
        assert_eq!(placer.existing(&path, newer).expect("look"), Existing::Ours);
        fs::write(&path, "theirs").expect("change");
        assert_eq!(placer.existing(&path, newer).expect("look"), Existing::Foreign);
        fs::remove_dir_all(directory).expect("clean up");
    }

    #[test]
    fn what_was_replaced_is_put_back_or_goes() {
        let directory = test_directory("earlier");
        let path = directory.join("minikube");
        let mut journal = Journal::open(&directory.join("journal")).expect("journal");
        let mut placer = Placer::journalled(&mut journal);
        let place = |placer: &mut Placer<'_>, mut text: &[u8]| {
            let digest = Digest::of(text);
            placer
                .file(&path, (&mut text, digest), 0o755, &|_| {})
                .expect("place");
        };
        place(&mut placer, b"one");
        assert!(!earlier(&path).exists(), "there was none before");
        place(&mut placer, b"two");
        place(&mut placer, b"three");
        placer.put_back().expect("put back");
        assert_eq!(fs::read(&path).expect("there"), b"one");
        place(&mut placer, b"two");
        placer.drop_earlier().expect("drop");
        assert_eq!(fs::read(&path).expect("there"), b"two");
        assert_eq!(
            fs::read_dir(&directory).expect("list").count(),
            2,
            "and the journal"
        );
        assert_eq!(journal.receipt().files().len(), 1);
        fs::remove_dir_all(directory).expect("clean up");
    }

    #[test]
    fn what_was_kept_and_not_replaced_has_one_name_again() {
        let directory = test_directory("kept");
        let path = directory.join("minikube");
        let mut journal = Journal::open(&directory.join("journal")).expect("journal");
        let mut placer = Placer::journalled(&mut journal);
        placer
            .file(
                &path,
                (&mut b"one".as_slice(), Digest::of(b"one")),
                0o755,
                &|_| {},
            )
            .expect("place");
        // Its next record found no space.
        let two = Checksum::Sha256(Digest::of(b"two"));
        placer.keep_earlier(&path, two).expect("keep");
        assert_eq!(fs::metadata(&path).expect("there").nlink(), 2);
        placer.put_back().expect("put back");
        assert_eq!(fs::read(&path).expect("there"), b"one");
        assert_eq!(
            fs::read_dir(&directory).expect("list").count(),
            2,
            "and the journal"
        );
        assert_eq!(journal.receipt().files().len(), 1);
        fs::remove_dir_all(directory).expect("clean up");
    }

    #[test]
    fn a_link_never_replaces_what_is_there() {
        let directory = test_directory("link");
        let (path, target) = (directory.join("minikube"), directory.join("bin/minikube"));
        let mut placer = Placer::unrecorded();
        assert!(placer.link(&path, &target).expect("new"));
        assert!(placer.link(&path, &target).expect("again"));
        fs::remove_file(&path).expect("replace");
        fs::write(&path, "theirs").expect("replace");
        assert!(!placer.link(&path, &target).expect("foreign"));
        assert_eq!(fs::read(&path).expect("kept"), b"theirs");
        fs::remove_dir_all(directory).expect("clean up");
    }

    #[test]
    fn a_second_name_takes_no_space_and_is_not_made_twice() {
        let directory = test_directory("second");
        let (one, two) = (directory.join("one"), directory.join("cache/two"));
        fs::write(&one, "x").expect("file");
        let mut placer = Placer::unrecorded();
        for _ in 0..2 {
            placer
                .second_name(&one, &two, Digest::of(b"x"))
                .expect("second name");
        }
        assert_eq!(fs::metadata(&two).expect("there").nlink(), 2);
        assert_eq!(fs::read_dir(directory.join("cache")).expect("list").count(), 1);
        fs::remove_dir_all(directory).expect("clean up");
    }
}
