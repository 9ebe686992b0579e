//! What lies where in a tar.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use super::FetchError;
use super::blob::Blob;
use super::scratch::Scratch;
use super::sniff;

/// More entries than any image archive has.
const ENTRIES: usize = 100_000;

/// How many links in a row are followed.
const LINKS: usize = 8;

/// The regular files and links in a tar, by path.
pub(super) struct TarIndex {
    /// What a person named.
    path: Arc<Path>,
    /// The same as a plain tar.
    file: Arc<Path>,
    files: HashMap<String, Extent>,
    links: HashMap<String, String>,
    /// Whether the tar ends as it should; if not, the end may be missing.
    is_whole: bool,
}

#[derive(Clone, Copy)]
struct Extent {
    offset: u64,
    bytes: u64,
}

impl TarIndex {
    /// Reads the headers of the file `path` and seeks over what is between them. One that is
    /// compressed with gzip or zstd is unpacked to `scratch`.
    pub(super) fn open(path: &Path, scratch: &Scratch) -> Result<Self, FetchError> {
        let plain = scratch.plain_tar(path)?;
        let head = sniff::head(&plain, 512)?;
        if !is_header(&head) {
            let (path, found) = (path.to_owned(), sniff::describe(&head));
            return Err(if sniff::is_compressed(&head) {
                FetchError::Compressed { path, found }
            } else {
                FetchError::NotAnArchive { path, found }
            });
        }
        let read_error = |source| FetchError::read(path, source);
        let file = File::open(&plain).map_err(read_error)?;
        let bytes = file.metadata().map_err(read_error)?.len();
        let mut index = Self {
            path: Arc::from(path),
            file: Arc::from(plain),
            files: HashMap::new(),
            links: HashMap::new(),
            is_whole: false,
        };
        let mut archive = tar::Archive::new(BufReader::new(file));
        let mut end = 0;
        for entry in archive.entries_with_seek().map_err(read_error)? {
            let entry = entry.map_err(|source| index.header_error(source, bytes))?;
            end = index.add(&entry, bytes)?;
        }
        index.is_whole = has_end(archive.into_inner(), end).map_err(read_error)?;
        Ok(index)
    }

    /// Notes an entry; gives where its content ends.
    fn add<R: Read>(&mut self, entry: &tar::Entry<'_, R>, file_bytes: u64) -> Result<u64, FetchError> {
        let name = plain(&String::from_utf8_lossy(&entry.path_bytes()));
        let kind = entry.header().entry_type();
        let extent = Extent {
            offset: entry.raw_file_position(),
            bytes: entry.size(),
        };
        let end = extent.offset.checked_add(extent.bytes);
        let Some(end) = end.filter(|end| *end <= file_bytes) else {
            return Err(FetchError::Truncated {
                path: self.path.to_path_buf(),
                found: file_bytes,
            });
        };
        if self.files.len() + self.links.len() >= ENTRIES {
            return Err(FetchError::NotAnArchive {
                path: self.path.to_path_buf(),
                found: format!("a tar with more than {ENTRIES} entries"),
            });
        }
        // As for a tar that is unpacked, the last of several with one name counts.
        if kind.is_file() || kind.is_contiguous() {
            self.links.remove(&name);
            self.files.insert(name, extent);
        } else if let Some(target) = entry.link_name_bytes() {
            let target = String::from_utf8_lossy(&target).into_owned();
            let target = if kind.is_symlink() {
                beside(&name, &target)
            } else {
                plain(&target)
            };
            self.files.remove(&name);
            self.links.insert(name, target);
        }
        Ok(end)
    }

    /// The file that a person named.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it has a file `name`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.files.contains_key(name) || self.links.contains_key(name)
    }

    /// Whether it ends as a tar does: what is not there was never in it.
    pub(super) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// The content of the file `name`, links followed; `None` when it is not there.
    pub(super) fn find(&self, name: &str) -> Result<Option<Blob>, FetchError> {
        let mut path = plain(name);
        for _ in 0..LINKS {
            if let Some(extent) = self.files.get(&path) {
                let blob = Blob::at(&self.file, name, extent.offset, extent.bytes)?;
                return Ok(Some(blob.shown_as(&self.path)));
            }
            match self.links.get(&path) {
                Some(target) => path.clone_from(target),
                None => break,
            }
        }
        Ok(None)
    }

    /// Whether the file `path` begins as a tar does, compressed or not.
    pub(super) fn is_tar(path: &Path) -> bool {
        sniff::head(path, 512).is_ok_and(|head| is_header(&head) || sniff::is_compressed(&head))
    }

    /// The error that it lacks `name`, without which it is no archive of images.
    pub(super) fn without(&self, name: &str) -> FetchError {
        if !self.is_whole {
            return self.lacks(name);
        }
        FetchError::NotAnArchive {
            path: self.path.to_path_buf(),
            found: format!("a tar without `{name}`"),
        }
    }

    /// The content of the file `name`, which the archive must have.
    pub(super) fn need(&self, name: &str) -> Result<Blob, FetchError> {
        self.find(name)?.ok_or_else(|| self.lacks(name))
    }

    /// The error that `name` is not there.
    pub(super) fn lacks(&self, name: &str) -> FetchError {
        if self.is_whole {
            FetchError::Damaged {
                path: self.path.to_path_buf(),
                entry: name.to_owned(),
                reason: "is not there".to_owned(),
            }
        } else {
            let found = std::fs::metadata(&self.file).map_or(0, |metadata| metadata.len());
            FetchError::Truncated {
                path: self.path.to_path_buf(),
                found,
            }
        }
    }

    fn header_error(&self, source: io::Error, file_bytes: u64) -> FetchError {
        if source.raw_os_error().is_some() {
            return FetchError::read(&self.path, source);
        }
        // A tar is made of whole blocks.
        let is_cut = !file_bytes.is_multiple_of(512) || source.kind() == io::ErrorKind::UnexpectedEof;
        if is_cut {
            return FetchError::Truncated {
                path: self.path.to_path_buf(),
                found: file_bytes,
            };
        }
        FetchError::Undecodable {
            path: self.path.to_path_buf(),
            entry: "a header".to_owned(),
            source,
        }
    }
}

/// Whether a tar header stands at the start: its checksum is right. Source: POSIX pax,
/// "ustar Interchange Format".
fn is_header(head: &[u8]) -> bool {
    let Some(block) = head.get(..512) else {
        return false;
    };
    let sum: u32 = block
        .iter()
        .enumerate()
        .map(|(at, byte)| {
            if (148..156).contains(&at) {
                32
            } else {
                u32::from(*byte)
            }
        })
        .sum();
    let mut header = tar::Header::new_old();
    header.as_mut_bytes().copy_from_slice(block);
    header.cksum().is_ok_and(|written| written == sum)
}

/// Whether a block of zeros follows the entry that ends at `end`.
fn has_end(mut file: impl Read + Seek, end: u64) -> io::Result<bool> {
    file.seek(SeekFrom::Start(end.next_multiple_of(512)))?;
    let mut block = Vec::new();
    file.take(512).read_to_end(&mut block)?;
    Ok(block.len() == 512 && block.iter().all(|byte| *byte == 0))
}

/// The path without `.` and empty components; `..` takes one back.
fn plain(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// What the symbolic link `name` with this target means inside the tar.
fn beside(name: &str, target: &str) -> String {
    match name.rsplit_once('/') {
        Some((directory, _)) if !target.starts_with('/') => plain(&format!("{directory}/{target}")),
        _ => plain(target),
    }
}
