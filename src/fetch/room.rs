//! Whether there is room for what is about to be downloaded, and for the bundle.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::FetchError;
use super::estimate::{Sizes, bundle_bytes};
use super::plan::PlannedImage;
use super::resolve::{Resolver, Then};
use super::upstream::Published;
use crate::bundle::Digest;
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

impl Resolver<'_> {
    /// Fails unless there is room for all that is to be downloaded, and for a bundle of that and
    /// of the `given` bytes.
    pub(super) fn check_all_room(
        &self,
        published: &[Published],
        layers: &BTreeMap<Digest, u64>,
        given: u64,
    ) -> Result<(), FetchError> {
        if layers.is_empty() {
            return Ok(());
        }
        let mut sizes = Sizes::of_binaries(published);
        sizes.plain += given;
        sizes.layers = layers.values().sum();
        let layers = layers.iter().map(|(digest, bytes)| (*digest, *bytes));
        let blobs: Vec<_> = layers.chain(binary_blobs(published)).collect();
        self.check_room(&blobs, sizes)
    }

    /// Fails unless there is room for these blobs, and for a bundle of these sizes.
    pub(super) fn check_room(&self, blobs: &[(Digest, u64)], sizes: Sizes) -> Result<(), FetchError> {
        let (Some(upstream), Then::Fetch, false) = (self.upstream, self.then, blobs.is_empty()) else {
            return Ok(()); // no store is needed
        };
        let download = upstream.missing_bytes(blobs)?;
        check(self.spec, upstream.store_directory()?, download, &sizes)
    }
}

/// The binaries whose digests and sizes are known.
pub(super) fn binary_blobs(published: &[Published]) -> Vec<(Digest, u64)> {
    let blobs = published
        .iter()
        .filter_map(|binary| binary.digest.zip(binary.size));
    blobs.collect()
}

/// The layers that are to be downloaded, each once.
pub(super) fn layer_blobs(images: &[PlannedImage]) -> BTreeMap<Digest, u64> {
    let layers = images.iter().filter_map(|image| match image {
        PlannedImage::There(resolved) => Some(&resolved.layers),
        _ => None,
    });
    layers.flatten().copied().collect()
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
