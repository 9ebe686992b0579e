//! `extract`: what a bundle holds, as plain files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::archive::ImageSet;
use super::cache::{CacheContents, fill_cache};
use super::error::InstallError;
use super::place::Placer;
use super::unfinished::files_there;
use crate::bundle::{BinaryRole, ContainerRuntime, Digest, Member, PlatformView, attestation_path};
use crate::explain::{Explain, Explanation, Kind};
use crate::host::Environment;
use crate::minikube::{Cache, dot_minikube, stock_commands};
use crate::progress::Progress;
use crate::verify::PlatformBundle;

/// What was extracted, and what to do with it.
#[derive(Clone, Debug)]
pub struct Extracted {
    /// Where to.
    pub directory: PathBuf,
    /// How many files.
    pub files: usize,
    /// Whether any of them was not there before.
    pub changed: bool,
    /// What to type next, one command each.
    pub next: Vec<String>,
}

/// A directory that nothing can be extracted to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExtractError {
    /// A relative path was given where minikube wants an absolute one.
    #[error("`{path}` is not an absolute path")]
    Relative {
        /// The directory.
        path: PathBuf,
    },
    /// There is something in it that is not this bundle's.
    #[error("`{path}` is there and holds something else than parts of this bundle")]
    NotEmpty {
        /// The directory.
        path: PathBuf,
    },
}

impl Explain for ExtractError {
    fn explain(&self) -> Explanation {
        let hint = match self {
            Self::NotEmpty { .. } => {
                "name a directory that is empty or not there yet, or one that an earlier run of this bundle began to fill; nothing was changed"
            }
            Self::Relative { .. } => "give the whole path, from `/` on",
        };
        Kind::Usage.hint(hint)
    }
}

/// Writes the parts below `directory`: the programs to `bin`, the images as an OCI image
/// layout to `images`, the files of the publishers' signatures to `attestations`, those of whoever
/// packed it to `manifests` and `files`. What an earlier
/// run wrote there before it was killed is not written again.
pub fn extract_to(
    bundle: PlatformBundle<'_>,
    directory: &Path,
    progress: &dyn Progress,
) -> Result<Extracted, InstallError> {
    let view = bundle.view();
    let set = ImageSet::new(view, view.images());
    let documents = set
        .layout_documents()
        .map(|(name, bytes)| (format!("images/{name}"), bytes));
    let there = already_there(view, &set, &documents, directory)?;
    let attestations: BTreeSet<Digest> = view.signature_files().collect();
    let place = |member: &Member| destination(view, &set, &attestations, member);
    let missing = |member: &Member| place(member).is_some_and(|(name, _)| !there.contains(&name));
    let mut placer = Placer::unrecorded();
    placer.directory(directory)?;
    let programs: u64 = view.binaries().map(|binary| binary.size).sum();
    let own_files: u64 = view.files().iter().map(|file| file.size).sum();
    progress.begin("extract", Some(set.blob_bytes() + programs + own_files));
    let mut files = there.len();
    for (name, bytes) in documents.iter().filter(|(name, _)| !there.contains(name)) {
        let path = directory.join(name);
        placer.file(&path, (&mut bytes.as_slice(), Digest::of(bytes)), 0o644, &|_| {})?;
        files += 1;
    }
    let mut members = bundle.members(missing);
    while let Some(mut reader) = members.next_member()? {
        let Some((name, mode)) = place(reader.member()) else {
            continue;
        };
        let sha256 = reader.member().sha256;
        progress.detail(&format!("writing `{name}`"));
        placer.file(&directory.join(name), (&mut reader, sha256), mode, &|bytes| {
            progress.advance(bytes);
        })?;
        files += 1;
    }
    progress.end(&format!("{files} files"));
    Ok(Extracted {
        directory: directory.to_owned(),
        changed: files > there.len(),
        files,
        next: Vec::new(),
    })
}

/// The files that an earlier run wrote; an error where there is something else.
fn already_there(
    view: PlatformView<'_>,
    set: &ImageSet<'_>,
    documents: &[(String, Vec<u8>)],
    directory: &Path,
) -> Result<BTreeSet<String>, InstallError> {
    let documents = documents
        .iter()
        .map(|(name, bytes)| (name.clone(), Digest::of(bytes)));
    let blobs = set.blobs().map(|digest| (blob_file(digest), digest));
    let programs = view
        .binaries()
        .map(|binary| (program_file(binary.role), binary.sha256));
    let attestations = view
        .signature_files()
        .map(|digest| (attestation_path(digest), digest));
    let own_files = view.files().iter();
    let own_files = own_files.map(|file| (file.member_path(), file.sha256));
    let parts = programs.chain(own_files);
    let expected = documents.chain(blobs).chain(parts).chain(attestations).collect();
    let path = directory.to_owned();
    Ok(files_there(directory, &expected)?.ok_or(ExtractError::NotEmpty { path })?)
}

fn blob_file(digest: Digest) -> String {
    format!("images/blobs/sha256/{}", digest.hex())
}

fn program_file(role: BinaryRole) -> String {
    format!("bin/{role}")
}

/// Where a member goes: made from what it is, not from what it is called.
fn destination(
    view: PlatformView<'_>,
    set: &ImageSet<'_>,
    attestations: &BTreeSet<Digest>,
    member: &Member,
) -> Option<(String, u32)> {
    if set.wants(member) {
        return Some((blob_file(member.sha256), 0o644));
    }
    if attestations.contains(&member.sha256) && member.path == attestation_path(member.sha256) {
        return Some((attestation_path(member.sha256), 0o644));
    }
    let mut own_files = view.files().iter();
    if let Some(file) = own_files.find(|file| file.member_path() == member.path) {
        return Some((file.member_path(), 0o644));
    }
    let mut programs = view.binaries();
    let program = programs.find(|binary| binary.member_path() == member.path)?;
    Some((program_file(program.role), 0o755))
}

/// The cache of the minikube home `home`.
#[must_use]
pub fn cache_directory(home: &Path) -> PathBuf {
    dot_minikube(home).join("cache")
}

/// Fills the cache of the minikube home `home`, so that a stock minikube starts
/// without a network.
pub fn extract_to_cache(
    bundle: PlatformBundle<'_>,
    home: &Path,
    runtime: Option<ContainerRuntime>,
    progress: &dyn Progress,
) -> Result<Extracted, InstallError> {
    if !home.is_absolute() {
        let path = home.to_owned();
        return Err(ExtractError::Relative { path }.into());
    }
    let directory = dot_minikube(home);
    let view = bundle.view();
    progress.begin("fill minikube's cache", None);
    let cache = Cache::at(cache_directory(home));
    let contents = CacheContents::Everything;
    let filled = fill_cache(bundle, &cache, contents, &mut Placer::unrecorded(), progress)?;
    for note in filled.notes {
        progress.note(&note);
    }
    let files = view.images().count() + BinaryRole::KUBERNETES.len();
    progress.end(&format!("{files} files"));
    let runtime = runtime.unwrap_or(view.container_runtime());
    let root = Environment::of_this_process().is_root();
    Ok(Extracted {
        next: stock_commands(view, &cache, &directory, runtime, root),
        directory,
        files,
        changed: filled.changed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::{Digest, blob_path};
    use crate::install::testing;

    #[test]
    fn a_path_that_no_part_has_goes_nowhere() {
        let index = testing::index();
        let view = testing::view(&index);
        let set = ImageSet::new(view, view.images());
        let attestations = [Digest::of(b"signature")].into();
        let of = |path: &str, sha256| {
            let (path, size) = (path.to_owned(), 3);
            destination(view, &set, &attestations, &Member { path, size, sha256 })
        };
        let config = view.node_image().config;
        assert_eq!(
            of("bin/linux/amd64/kubectl", config),
            Some(("bin/kubectl".to_owned(), 0o755))
        );
        let blob = blob_path(config);
        assert_eq!(of(&blob, config), Some((blob.clone(), 0o644)));
        assert_eq!(of(&blob, Digest::of(b"other")), None);
        let attestations = attestation_path(Digest::of(b"signature"));
        assert_eq!(
            of(&attestations, Digest::of(b"signature")),
            Some((attestations.clone(), 0o644))
        );
        assert_eq!(of(&attestations, Digest::of(b"other")), None);
        let other = attestation_path(Digest::of(b"other"));
        assert_eq!(of(&other, Digest::of(b"other")), None);
        for path in [
            "../etc/passwd",
            "/etc/passwd",
            "bin/linux/amd64/../x",
            "bin/linux/arm64/kubectl",
            "images/blobs/sha256/00",
        ] {
            assert_eq!(of(path, config), None, "{path}");
        }
    }
}
