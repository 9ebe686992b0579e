//! Copies a bundle to a medium that is carried, and reads the copy back from there.
//!
//! The source is verified before, and the copy after it was synced and dropped from memory: what
//! then has its digests is on the medium. A copy that was cut off goes on where it ended.

mod error;

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

pub use error::CopyError;

use crate::bundle::volume_path;
use crate::explain::{Explain as _, Kind};
use crate::host::{AtomicFile, FileError, FileSystem, interrupt, open_regular};
use crate::progress::Progress;
use crate::trust::TrustedKeys;
use crate::verify::{OpenedBundle, forget_cached};

/// What is read and written at once.
const BLOCK: usize = 1 << 20;

/// After so many bytes the medium has to have taken them: otherwise the rate is memory's.
const SYNC_EVERY: u64 = 32 << 20;

/// The longest file of FAT, in bytes. Source: Microsoft, "FAT File System Specification", 6.2.
const FAT_LIMIT: u64 = u32::MAX as u64;

/// What a copy did.
#[derive(Debug)]
pub struct Copied {
    /// The files of the copy: the bundle, then its volumes.
    pub files: Vec<PathBuf>,
    /// All their bytes.
    pub bytes: u64,
    /// Whether any of them was not there already.
    pub changed: bool,
}

/// One file of the bundle, and what becomes of it.
struct Job {
    from: PathBuf,
    to: PathBuf,
    bytes: u64,
    is_there: bool,
}

/// Copies the bundle at `path`, with its volumes, into `directory`.
pub fn copy(
    path: &Path,
    directory: &Path,
    trusted: &TrustedKeys,
    progress: &dyn Progress,
) -> Result<Copied, CopyError> {
    let bundle = OpenedBundle::open(path, trusted)?;
    let volumes = bundle.index().volumes.len();
    if !directory.is_dir() {
        return Err(CopyError::NoDirectory {
            path: directory.to_owned(),
        });
    }
    let files = std::iter::once(path.to_owned()).chain((1..=volumes).map(|number| volume_path(path, number)));
    let jobs: Vec<Job> = files.map(|from| job(from, directory)).collect::<Result<_, _>>()?;
    check_room(&jobs, directory)?;
    bundle.verify(progress)?;
    let open: Vec<&Job> = jobs.iter().filter(|job| !job.is_there).collect();
    if !open.is_empty() {
        progress.begin("copy", Some(open.iter().map(|job| job.bytes).sum()));
        for job in &open {
            write(job, progress)?;
        }
        progress.end("written and synced");
    }
    read_back(&jobs, trusted, progress)?;
    Ok(Copied {
        bytes: jobs.iter().map(|job| job.bytes).sum(),
        changed: !open.is_empty(),
        files: jobs.into_iter().map(|job| job.to).collect(),
    })
}

fn job(from: PathBuf, directory: &Path) -> Result<Job, CopyError> {
    let facts = fs::metadata(&from).map_err(FileError::at("read", &from))?;
    let to = directory.join(from.file_name().unwrap_or_default());
    let is_there = match fs::symlink_metadata(&to) {
        Ok(there) if (there.dev(), there.ino()) == (facts.dev(), facts.ino()) => {
            return Err(CopyError::Same { path: from });
        }
        // Whether it is the same is told when it is read back.
        Ok(there) if there.is_file() && there.len() == facts.len() => true,
        Ok(_) => return Err(CopyError::Other { path: to }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(FileError::at("looked at", &to)(error).into()),
    };
    Ok(Job {
        from,
        to,
        bytes: facts.len(),
        is_there,
    })
}

/// Whether the medium can hold the files at all.
fn check_room(jobs: &[Job], directory: &Path) -> Result<(), CopyError> {
    let system = FileSystem::of(directory)?;
    let open = || jobs.iter().filter(|job| !job.is_there);
    if let Some(job) = open().find(|job| system.is_fat && job.bytes > FAT_LIMIT) {
        return Err(too_long(job));
    }
    let remains = |job: &Job| fs::metadata(AtomicFile::temporary(&job.to)).map_or(0, |facts| facts.len());
    let needed: u64 = open().map(|job| job.bytes.saturating_sub(remains(job))).sum();
    if needed > system.free_bytes {
        return Err(CopyError::NoSpace {
            directory: directory.to_owned(),
            needed,
            free: system.free_bytes,
        });
    }
    Ok(())
}

/// FAT behind FUSE is only known by the call that it refuses.
fn too_long(job: &Job) -> CopyError {
    CopyError::TooLong {
        path: job.from.clone(),
        bytes: job.bytes,
        directory: job.to.parent().unwrap_or(&job.to).to_owned(),
    }
}

fn write(job: &Job, progress: &dyn Progress) -> Result<(), CopyError> {
    let (mut source, _) = open_regular(&job.from).map_err(FileError::at("read", &job.from))?;
    let written = || FileError::at("written", &job.to);
    let mut target = AtomicFile::resume(&job.to)?;
    let mut block = vec![0; BLOCK];
    let mut since_sync = 0;
    loop {
        interrupt::check()?;
        let count = match source.read(&mut block) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(FileError::at("read", &job.from)(error).into()),
        };
        target
            .write_all(&block[..count])
            .map_err(|error| match error.kind() {
                io::ErrorKind::FileTooLarge => too_long(job),
                _ => written()(error).into(),
            })?;
        since_sync += count as u64;
        if since_sync >= SYNC_EVERY {
            target.sync().map_err(written())?;
            since_sync = 0;
        }
        progress.advance(count as u64);
    }
    Ok(target.commit(0o755)?)
}

/// Verifies the copy, from the medium as far as the system lets go of what it wrote. A bad file
/// that this run wrote does not keep its name.
fn read_back(jobs: &[Job], trusted: &TrustedKeys, progress: &dyn Progress) -> Result<(), CopyError> {
    for job in jobs {
        let (file, _) = open_regular(&job.to).map_err(FileError::at("read", &job.to))?;
        forget_cached(&file);
    }
    let first = &jobs[0].to;
    let verified = OpenedBundle::open(first, trusted).and_then(|bundle| bundle.verify(progress));
    let Err(source) = verified else {
        return Ok(());
    };
    if matches!(source.explain().kind, Kind::Interrupted | Kind::Terminated) {
        return Err(source.into());
    }
    if jobs.iter().all(|job| job.is_there) {
        return Err(CopyError::Damaged {
            path: first.clone(),
            source: Box::new(source),
        });
    }
    for job in jobs.iter().filter(|job| !job.is_there) {
        // What is told is why it is bad.
        let _ = fs::remove_file(&job.to);
    }
    Err(CopyError::ReadBack {
        path: first.clone(),
        source: Box::new(source),
    })
}

/// The bundles in `directory`, by name: its files that end in `.run`.
pub fn bundles_in(directory: &Path) -> Result<Vec<PathBuf>, CopyError> {
    let listed = || FileError::at("read", directory);
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(listed())? {
        let path = entry.map_err(listed())?.path();
        if path.extension().is_some_and(|extension| extension == "run") && path.is_file() {
            found.push(path);
        }
    }
    if found.is_empty() {
        return Err(CopyError::NoBundle {
            path: directory.to_owned(),
        });
    }
    found.sort();
    Ok(found)
}
