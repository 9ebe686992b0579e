//! The runs of bytes that a bundle is made of, each with its digest.

use std::path::Path;

use crate::bundle::{Checksum, ChunkPlace, Digest, volume_path};

/// Bytes that are good or bad together.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Run {
    /// What they are, for a person.
    pub(super) what: String,
    /// Which chunk of the payload they are, if they are one.
    pub(super) chunk: Option<u64>,
    pub(super) place: ChunkPlace,
    pub(super) digest: Checksum,
    /// The bytes, where they are known already.
    pub(super) content: Option<Vec<u8>>,
}

impl Run {
    /// Bytes that are known: `what` they are, and where in the first file.
    pub(super) fn known(what: &str, offset: u64, bytes: Vec<u8>) -> Self {
        let size = bytes.len() as u64;
        Self {
            what: what.to_owned(),
            chunk: None,
            place: ChunkPlace {
                file: 0,
                offset,
                size,
            },
            digest: Checksum::Sha256(Digest::of(&bytes)),
            content: Some(bytes),
        }
    }

    /// What they are, and where they lie in the bundle at `bundle`.
    pub(super) fn describe(&self, bundle: &Path) -> String {
        let ChunkPlace { file, offset, size } = self.place;
        let end = offset + size;
        let of = match file {
            0 => String::new(),
            number => format!(" of `{}`", volume_path(bundle, number).display()),
        };
        format!("{} (bytes {offset} to {end}{of})", self.what)
    }
}
