//! Names for a set of new files: all of them get theirs, or nothing changes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use super::beside::{directory_of, temporary};
use crate::bundle::volume_path;
use crate::host::{ClaimedFile, sync_directory};

/// Names given so far. What had them before is set aside until all are given; when one
/// cannot be, everything goes back.
struct Names {
    bundle: PathBuf,
    given: Vec<PathBuf>,
    aside: Vec<(PathBuf, TempPath)>,
}

/// Gives the volumes and then the bundle their names. An older bundle's name goes first:
/// whenever this ends, no bundle is there with volumes of another one.
pub(crate) fn publish(volumes: Vec<TempPath>, bundle: ClaimedFile, path: &Path) -> io::Result<()> {
    let directory = directory_of(path);
    let mut names = Names::of(path);
    names.set_aside(path)?;
    for (number, volume) in (1..).zip(volumes) {
        let target = volume_path(path, number);
        names.set_aside(&target)?;
        volume.persist(&target).map_err(|error| error.error)?;
        names.given.push(target);
    }
    // The volumes have their names on the medium before the bundle that needs them.
    sync_directory(directory).map_err(|error| error.source)?;
    names.given.push(path.to_owned());
    bundle.commit(0o755).map_err(|error| error.source)?;
    names.keep();
    Ok(())
}

impl Names {
    fn of(bundle: &Path) -> Self {
        Self {
            bundle: bundle.to_owned(),
            given: Vec::new(),
            aside: Vec::new(),
        }
    }

    fn set_aside(&mut self, target: &Path) -> io::Result<()> {
        match target.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
            Ok(facts) if facts.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            Ok(_) => {}
        }
        let aside = temporary(&self.bundle, 0o600)?.into_temp_path();
        fs::rename(target, &aside)?;
        self.aside.push((target.to_owned(), aside));
        Ok(())
    }

    /// All is well: what was set aside goes away.
    fn keep(mut self) {
        self.given.clear();
        self.aside.clear();
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        // Nothing better can be done in a drop than to try.
        for target in self.given.drain(..) {
            let _ = fs::remove_file(target);
        }
        for (target, aside) in self.aside.drain(..).rev() {
            let _ = aside.persist(target);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn volume(path: &Path, content: &str) -> TempPath {
        let mut file = temporary(path, 0o644).expect("a file");
        file.write_all(content.as_bytes()).expect("written");
        file.into_temp_path()
    }

    fn listing(directory: &Path) -> Vec<(String, String)> {
        let mut found: Vec<(String, String)> = fs::read_dir(directory)
            .expect("a directory")
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.is_file())
            .map(|path| {
                let name = path.file_name().expect("a name").to_string_lossy().into_owned();
                (name, fs::read_to_string(path).expect("text"))
            })
            .collect();
        found.sort();
        found
    }

    #[test]
    fn all_files_get_their_names_or_the_old_ones_stay() {
        let directory = tempfile::tempdir().expect("a directory");
        let directory = directory.path();
        let path = directory.join("x.run");
        let owned = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            let own = |(name, content): &(&str, &str)| ((*name).to_owned(), (*content).to_owned());
            pairs.iter().map(own).collect()
        };
        let set = |mark: &str| {
            let mut bundle = ClaimedFile::create(&path).expect("a file");
            bundle.file().write_all(mark.as_bytes()).expect("written");
            let volumes = (1..=2).map(|number| volume(&path, &format!("{mark}{number}")));
            (volumes.collect(), bundle)
        };
        let (volumes, bundle) = set("a");
        publish(volumes, bundle, &path).expect("published");
        let first = owned(&[("x.run", "a"), ("x.run.001", "a1"), ("x.run.002", "a2")]);
        assert_eq!(listing(directory), first);
        let (volumes, bundle) = set("b");
        publish(volumes, bundle, &path).expect("published");
        let second = owned(&[("x.run", "b"), ("x.run.001", "b1"), ("x.run.002", "b2")]);
        assert_eq!(listing(directory), second);
        // The last name cannot be given: a directory has it.
        fs::create_dir(directory.join("x.run.003")).expect("a directory");
        let (mut volumes, bundle): (Vec<TempPath>, _) = set("c");
        volumes.push(volume(&path, "c3"));
        let error = publish(volumes, bundle, &path).expect_err("occupied");
        assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
        assert_eq!(listing(directory), second);
    }
}
