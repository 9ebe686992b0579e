//! Whether there is room for what is about to be downloaded, and for the bundle.

use std::fmt;
use std::path::{Path, PathBuf};

use super::FetchError;
use super::estimate::{Sizes, bundle_bytes};
use crate::host::FileSystem;
use crate::spec::Spec;

/// Something that is going to be written.
#[derive(Clone, Debug)]
pub struct Need {
    /// What, in words.
    pub what: &'static str,
    /// The directory that it goes to.
    pub directory: PathBuf,
    /// How much it is.
    pub bytes: u64,
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            directory,
            bytes,
        } = self;
        // Rounded up, and what is free down: they never look the same.
        let megabytes = bytes.div_ceil(1_000_000);
        write!(f, "{megabytes} MB for {what} in `{}`", directory.display())
    }
}

/// Fails unless the store's file system takes `download` more bytes, and that of the output
/// the bundle, as far as its parts are known: an estimate, without what packing needs
/// beside it, so that only what cannot succeed is refused. A full disk is found out later,
/// too.
pub(super) fn check(spec: &Spec, store: &Path, download: u64, sizes: &Sizes) -> Result<(), FetchError> {
    let parent = spec.output.parent().unwrap_or(Path::new(""));
    let output = std::path::absolute(parent.join(".")).unwrap_or_else(|_| parent.to_owned());
    let bundle = bundle_bytes(sizes, spec.level, spec.platforms.len());
    check_needs(&[
        Need {
            what: "what is to be downloaded",
            directory: store.to_owned(),
            bytes: download,
        },
        Need {
            what: "the bundle",
            directory: output,
            bytes: bundle,
        },
    ])
}

/// Fails unless `bytes` of an archive that is unpacked fit into `directory`.
pub(super) fn check_unpacked(directory: &Path, bytes: u64) -> Result<(), FetchError> {
    check_needs(&[Need {
        what: "an unpacked archive",
        directory: std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned()),
        bytes,
    }])
}

fn check_needs(needs: &[Need]) -> Result<(), FetchError> {
    let mut file_systems: Vec<(FileSystem, Vec<Need>)> = Vec::new();
    for need in needs {
        // Where nothing can be found out, the writing will say what is wrong.
        let Ok(there) = FileSystem::of(&need.directory) else {
            continue;
        };
        match file_systems
            .iter_mut()
            .find(|(other, _)| other.device == there.device)
        {
            Some((_, needs)) => needs.push(need.clone()),
            None => file_systems.push((there, vec![need.clone()])),
        }
    }
    for (there, needs) in file_systems {
        let needed = needs.iter().map(|need| need.bytes).sum();
        if needed > there.free_bytes {
            return Err(FetchError::NoRoom {
                needs,
                needed,
                free: there.free_bytes,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_of_one_file_system_share_its_room() {
        let directory = tempfile::tempdir().expect("a directory");
        let free = FileSystem::of(directory.path())
            .expect("a file system")
            .free_bytes;
        let need = |name: &str, bytes| Need {
            what: "a test",
            directory: directory.path().join(name),
            bytes,
        };
        check_needs(&[need("a", 1), need("b", 1)]).expect("room");
        let half = free / 4 * 3;
        check_needs(&[need("a", half)]).expect("room");
        let error = check_needs(&[need("a", half), need("b", half)]).expect_err("no room");
        let said = error.to_string();
        assert!(said.contains("/a`") && said.contains("/b`"), "{said}");
    }
}
