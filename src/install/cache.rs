//! minikube's cache: programs and one archive per image, where a stock minikube looks.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::archive::{ArchiveWriter, ImageSet};
use super::error::InstallError;
use super::place::{Existing, PlaceError, Placer};
use super::transfer::{TransferError, transfer};
use super::whole_archive::is_archive_of;
use crate::bundle::{BinaryRole, Blake3Hasher, Checksum, ImagePart, ImageRole, Member, PlatformView};
use crate::explain::{Explain, Explanation, Kind};
use crate::host::{AtomicFile, FileError};
use crate::minikube::Cache;
use crate::minikube::move_away;
use crate::progress::Progress;
use crate::verify::PlatformBundle;

/// What goes into a cache.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CacheContents {
    /// Programs and every image, the node image among them.
    Everything,
    /// Programs and what goes into the node: the node image is in the engine.
    WithoutNodeImage,
}

/// A cache that was not filled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// Another file has the name of a program.
    #[error("`{path}` is not the {role} of this bundle, and minikube would use it")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The program.
        role: BinaryRole,
    },
    /// Something was not put in its place.
    #[error(transparent)]
    Place(#[from] PlaceError),
}

impl Explain for CacheError {
    fn explain(&self) -> Explanation {
        match self {
            Self::Place(error) => error.explain(),
            Self::Foreign { path, role } => {
                let mut hint = format!("move it away: {}", move_away(path));
                // minikube asks kubeadm for its images whatever way they come.
                if *role != BinaryRole::Kubeadm {
                    hint.push_str(", or use `--image-load volume`, which does not need it");
                }
                Kind::Unfit.hint(hint)
            }
        }
    }
}

/// One image's archive in the making.
struct Pending<'a> {
    path: PathBuf,
    set: ImageSet<'a>,
    archive: ArchiveWriter<Hashed>,
    /// How many of its blobs are still to come.
    missing: usize,
}

/// A file in the making, and what was written to it so far.
struct Hashed {
    file: AtomicFile,
    hasher: Blake3Hasher,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// What was done to a cache.
#[derive(Debug)]
pub struct Filled {
    /// Whether anything was written.
    pub changed: bool,
    /// What the person should know.
    pub notes: Vec<String>,
}

/// Fills `cache` in one pass over the bundle.
/// With a journal, files that are not ours stay; without, the person asked for the
/// cache to be filled and they are replaced.
pub fn fill_cache(
    bundle: PlatformBundle<'_>,
    cache: &Cache,
    contents: CacheContents,
    placer: &mut Placer<'_>,
    progress: &dyn Progress,
) -> Result<Filled, InstallError> {
    let view = bundle.view();
    let mut notes = Vec::new();
    let binaries = missing_binaries(view, cache, placer)?;
    let mut pending = Vec::new();
    for image in view.images() {
        if image.role == ImageRole::Node && contents == CacheContents::WithoutNodeImage {
            continue;
        }
        let path = image_path(cache, image);
        let set = ImageSet::new(view, [image]);
        match archive_state(&path, &set, view, placer)? {
            Existing::Same => {}
            Existing::Foreign if placer.is_journalled() => {
                notes.push(format!("`{}` was there before and stays", path.display()));
            }
            _ => pending.push(begin_archive(path, set, placer)?),
        }
    }
    let wanted = |member: &Member| {
        binaries.iter().any(|(name, _)| *name == member.path)
            || pending.iter().any(|pending| pending.set.wants(member))
    };
    let wanted: Vec<&Member> = view.members().iter().filter(|member| wanted(member)).collect();
    let changed = !(binaries.is_empty() && pending.is_empty());
    let names: Vec<String> = wanted.iter().map(|member| member.path.clone()).collect();
    let mut members = bundle.members(move |member| names.contains(&member.path));
    let moved = |bytes| progress.advance(bytes);
    while let Some(mut reader) = members.next_member()? {
        let member = reader.member().clone();
        if let Some((_, path)) = binaries.iter().find(|(name, _)| *name == member.path) {
            placer.file(path, (&mut reader, member.sha256), 0o755, &moved)?;
            continue;
        }
        let mut writers: Vec<&mut dyn Write> = Vec::new();
        for pending in pending.iter_mut().filter(|pending| pending.set.wants(&member)) {
            let begun = pending.archive.begin_blob(member.sha256, member.size);
            begun.map_err(FileError::at("written", &pending.path))?;
            writers.push(&mut pending.archive);
        }
        transfer(&mut reader.by_its_chunks(), &mut writers, &moved).map_err(|error| match error {
            TransferError::Write(source) => {
                InstallError::from(FileError::at("written", &image_directory(cache, view))(source))
            }
            other => other.into(),
        })?;
        name_whole(&mut pending, &member, placer)?;
    }
    Ok(Filled { changed, notes })
}

/// Gives every archive its name whose last blob `member` was: a run that is killed later
/// has not written it in vain.
fn name_whole(
    pending: &mut Vec<Pending<'_>>,
    member: &Member,
    placer: &mut Placer<'_>,
) -> Result<(), InstallError> {
    for pending in pending.iter_mut().filter(|pending| pending.set.wants(member)) {
        pending.missing -= 1;
    }
    for whole in pending.extract_if(.., |pending| pending.missing == 0) {
        let Pending { path, archive, .. } = whole;
        let Hashed { file, hasher } = archive.finish().map_err(FileError::at("written", &path))?;
        placer.commit(file, &path, 0o644, Checksum::Blake3(hasher.finish()))?;
    }
    Ok(())
}

fn image_path(cache: &Cache, image: &ImagePart) -> PathBuf {
    match image.role {
        ImageRole::Node => cache.node_image(image.platform.arch, &image.reference),
        ImageRole::Kubernetes | ImageRole::Application => cache.image(image.platform.arch, &image.reference),
    }
}

/// Any path among the archives: one of them is full, which does not matter.
fn image_directory(cache: &Cache, view: PlatformView<'_>) -> PathBuf {
    let node = view.node_image();
    cache.node_image(node.platform.arch, &node.reference)
}

fn begin_archive<'a>(
    path: PathBuf,
    set: ImageSet<'a>,
    placer: &mut Placer<'_>,
) -> Result<Pending<'a>, InstallError> {
    let mut archive = ArchiveWriter::new(Hashed {
        file: placer.create(&path)?,
        hasher: Blake3Hasher::new(),
    });
    archive.documents(&set).map_err(FileError::at("written", &path))?;
    let missing = set.blobs().count();
    Ok(Pending {
        path,
        set,
        archive,
        missing,
    })
}

fn missing_binaries(
    view: PlatformView<'_>,
    cache: &Cache,
    placer: &Placer<'_>,
) -> Result<Vec<(String, PathBuf)>, CacheError> {
    let mut missing = Vec::new();
    for role in BinaryRole::KUBERNETES {
        let path = cache.binary(view.platform().arch, view.kubernetes_version(), role);
        match placer.existing(&path, view.binary(role).sha256)? {
            Existing::Same => {}
            Existing::Foreign if placer.is_journalled() => return Err(CacheError::Foreign { path, role }),
            _ => missing.push((view.binary(role).member_path(), path)),
        }
    }
    Ok(missing)
}

/// What is at an archive's path. An archive's hash is not known before it is written: it is
/// the same when it has what would be written, blob by blob.
fn archive_state(
    path: &Path,
    set: &ImageSet<'_>,
    view: PlatformView<'_>,
    placer: &Placer<'_>,
) -> Result<Existing, PlaceError> {
    if fs::symlink_metadata(path).is_err() {
        return Ok(Existing::Absent);
    }
    let is_file = fs::metadata(path).is_ok_and(|facts| facts.is_file());
    if is_file && is_archive_of(path, set, view.members())? {
        return Ok(Existing::Same);
    }
    Ok(match placer.recorded(path)? {
        Some(_) => Existing::Ours,
        None => Existing::Foreign,
    })
}
