//! Where a layout's blobs lie: in a directory, or in an archive of one.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use crate::bundle::{Digest, Transport};
use crate::fetch::blob::Blob;
use crate::fetch::tar_index::TarIndex;
use crate::fetch::{FetchError, sniff};

/// Larger than any index or manifest; the distribution spec wants registries to take 4 MiB.
pub(super) const DOCUMENT_BYTES: u64 = 16 << 20;

#[derive(Clone, Copy)]
pub(in crate::fetch) enum Place<'a> {
    Archive(&'a TarIndex),
    Directory(&'a Path),
}

impl<'a> Place<'a> {
    /// What a person named.
    pub(super) fn path(self) -> &'a Path {
        match self {
            Self::Archive(tar) => tar.path(),
            Self::Directory(path) => path,
        }
    }

    /// skopeo's name of the transport.
    pub(super) fn transport(self) -> Transport {
        match self {
            Self::Archive(_) => Transport::OciArchive,
            Self::Directory(_) => Transport::Oci,
        }
    }

    /// The name that an image without a repository gets: the directory's, or the archive's
    /// without its endings.
    pub(super) fn base_name(self) -> Option<String> {
        // `.` has no name, its full path has.
        let full = fs::canonicalize(self.path()).ok()?;
        let name = full.file_name()?.to_str()?;
        Some(match self {
            Self::Archive(_) => [".gz", ".zst", ".tgz", ".tar", ".oci"]
                .into_iter()
                .fold(name, |name, ending| name.strip_suffix(ending).unwrap_or(name))
                .to_owned(),
            Self::Directory(_) => name.to_owned(),
        })
    }

    /// `index.json`; an error that names what this is instead of a layout.
    pub(super) fn index(self) -> Result<Vec<u8>, FetchError> {
        match self {
            Self::Directory(path) if path.join("oci-layout").is_file() => {
                sniff::head(&path.join("index.json"), DOCUMENT_BYTES)
            }
            // Only what is an archive of images has another transport to be named.
            Self::Directory(path) if path.is_file() && TarIndex::is_tar(path) => {
                Err(FetchError::OtherTransport {
                    path: path.to_owned(),
                    found: "an archive, not a layout's directory",
                    transport: "oci-archive",
                })
            }
            Self::Directory(path) => Err(FetchError::NotALayout {
                path: path.to_owned(),
            }),
            Self::Archive(tar) => match tar.find("index.json")? {
                Some(index) => index.read_small(DOCUMENT_BYTES),
                None if tar.has("manifest.json") => Err(FetchError::OtherTransport {
                    path: tar.path().to_owned(),
                    found: "an archive as `docker save` writes it, without an OCI layout",
                    transport: "docker-archive",
                }),
                None => Err(tar.without("index.json")),
            },
        }
    }

    /// The blob with this digest; `None` when it is not there.
    pub(super) fn blob(self, digest: Digest, name: &str) -> Result<Option<Blob>, FetchError> {
        let path = match self {
            Self::Archive(tar) => {
                return match tar.find(&format!("blobs/sha256/{}", digest.hex()))? {
                    None if !tar.is_whole() => Err(tar.lacks(name)),
                    found => Ok(found),
                };
            }
            Self::Directory(path) => path.join("blobs/sha256").join(digest.hex()),
        };
        if fs::symlink_metadata(&path).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
            return Ok(None);
        }
        // Looked at first: opening a pipe would wait.
        let bytes = sniff::length(&path)?;
        Blob::at(&Arc::from(path), name, 0, bytes).map(Some)
    }
}
