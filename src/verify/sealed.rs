//! From a path to the bytes of an index that are whole, and to what the keys say of
//! them, before anything parses them.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::VerifyError;
use super::files::NamedFile;
use crate::bundle::{INDEX_COMMENT, Signature, Trailer, TrailerError, limits};
use crate::trust::{Authenticity, Refusal, TrustedKeys};

/// What the trailer seals.
pub(super) struct Sealed {
    pub(super) file: NamedFile,
    pub(super) trailer: Trailer,
    /// The index, unparsed.
    pub(super) json: Vec<u8>,
    pub(super) judgement: Judgement,
}

/// What the keys say of a bundle.
#[derive(Debug)]
pub(super) struct Judgement {
    pub(super) authenticity: Result<Authenticity, Refusal>,
    /// The ids of the keys that were asked.
    trusted: String,
}

impl Judgement {
    /// Refuses the bundle at `path` where keys count and none of them signed it.
    pub(super) fn authentic(&self, path: &Path) -> Result<(), VerifyError> {
        match self.authenticity {
            Ok(_) => Ok(()),
            Err(source) => Err(VerifyError::NotAuthentic {
                path: path.to_owned(),
                trusted: self.trusted.clone(),
                source,
            }),
        }
    }
}

impl Sealed {
    /// Reads trailer, index and signature, and nothing else.
    pub(super) fn read(file: NamedFile, trusted: &TrustedKeys) -> Result<Self, VerifyError> {
        let path = file.path.clone();
        let trailer = read_trailer(&file)?;
        let size = usize::try_from(trailer.index_bytes).expect("limited by the trailer");
        let mut json = vec![0; size + Signature::RUN_BYTES];
        file.read_exact_at(&mut json, trailer.index_offset)?;
        let what = "the index with its signature";
        file.compare(what, trailer.index_offset, &json, trailer.sealed_sha256)?;
        let run = json.split_off(size);
        let run = run.as_slice().try_into().expect("what follows the index");
        let signature =
            Signature::parse_run(run).map_err(|source| VerifyError::Signature { path, source })?;
        let authenticity = trusted.judge(&json, INDEX_COMMENT, signature.as_ref());
        let ids = trusted.iter().map(|known| known.key.key_id().to_string());
        let trusted = ids.collect::<Vec<_>>().join(", ");
        Ok(Self {
            file,
            trailer,
            json,
            judgement: Judgement {
                authenticity,
                trusted,
            },
        })
    }
}

fn read_trailer(file: &NamedFile) -> Result<Trailer, VerifyError> {
    let path = &file.path;
    let found = file.size()?;
    let mut bytes = [0; Trailer::BYTES];
    let trailer = match found.checked_sub(Trailer::BYTES as u64) {
        Some(offset) => {
            file.read_exact_at(&mut bytes, offset)?;
            Trailer::parse(&bytes, found)
        }
        None => Err(TrailerError::Missing),
    };
    trailer.map_err(|source| match declared_length(&file.file) {
        None if is_minisign_text(&file.file) => VerifyError::Key {
            path: path.to_owned(),
        },
        None if matches!(source, TrailerError::Missing) && !begins_as_bundle(&file.file) => {
            VerifyError::NotABundle {
                path: path.to_owned(),
            }
        }
        // The trailer went with the end of the file; the header still tells the length.
        Some(expected) if expected != found && matches!(source, TrailerError::Missing) => {
            VerifyError::CutShort {
                path: path.to_owned(),
                expected,
                found,
            }
        }
        _ => VerifyError::Trailer {
            path: path.to_owned(),
            source,
        },
    })
}

/// Whether it begins as minisign's keys and signatures do.
fn is_minisign_text(file: &File) -> bool {
    const BEGIN: &[u8] = b"untrusted comment: ";
    let mut bytes = [0; BEGIN.len()];
    file.read_exact_at(&mut bytes, 0).is_ok() && bytes == BEGIN
}

/// Whether it begins as a bundle does, as far as it goes.
fn begins_as_bundle(file: &File) -> bool {
    const BEGIN: &[u8] = b"#!/bin/sh\n";
    let mut bytes = [0; BEGIN.len()];
    file.read_at(&mut bytes, 0)
        .is_ok_and(|count| bytes[..count] == BEGIN[..count])
}

/// The length that the shell header declares in its line `bundle_bytes=N`.
fn declared_length(file: &File) -> Option<u64> {
    let mut bytes = vec![0; usize::try_from(limits::HEADER_BYTES).ok()?];
    let count = file.read_at(&mut bytes, 0).ok()?;
    let text = String::from_utf8_lossy(&bytes[..count]);
    text.lines()
        .find_map(|line| line.strip_prefix("bundle_bytes=")?.parse().ok())
}
