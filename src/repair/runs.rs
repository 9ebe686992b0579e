//! The runs of bytes that a bundle is made of, each with its digest.

use std::path::Path;

use super::authority::Authority;
use crate::bundle::{ChunkPlace, Digest, TAIL_HEADER_BYTES, Trailer, tail_header, volume_path};

/// Bytes that are good or bad together.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Run {
    /// What they are, for a person.
    pub(super) what: String,
    /// Which chunk of the payload they are, if they are one.
    pub(super) chunk: Option<u64>,
    pub(super) place: ChunkPlace,
    pub(super) sha256: Digest,
    /// The bytes, where they are known already.
    pub(super) content: Option<Vec<u8>>,
}

impl Run {
    fn known(what: &str, offset: u64, bytes: Vec<u8>) -> Self {
        let size = bytes.len() as u64;
        Self {
            what: what.to_owned(),
            chunk: None,
            place: ChunkPlace {
                file: 0,
                offset,
                size,
            },
            sha256: Digest::of(&bytes),
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

/// All of a bundle, from its first byte to its last, payload last: what tells where the
/// payload lies is mended first.
pub(super) fn all(authority: &Authority) -> Vec<Run> {
    let index = &authority.index;
    let mut runs = Vec::new();
    let mut offset = 0;
    let mut front = |what: String, size, sha256| {
        runs.push(Run {
            what,
            chunk: None,
            place: ChunkPlace {
                file: 0,
                offset,
                size,
            },
            sha256,
            content: None,
        });
        offset += size;
    };
    front("the header".to_owned(), index.header.size, index.header.sha256);
    for stub in &index.stubs {
        front(format!("the stub for {}", stub.platform), stub.size, stub.sha256);
    }
    let Trailer {
        total_bytes,
        index_offset,
        ..
    } = authority.trailer;
    let mut sealed = authority.json.clone();
    sealed.extend_from_slice(&authority.signature);
    let head = tail_header(total_bytes - index_offset);
    let tail_offset = index_offset - TAIL_HEADER_BYTES as u64;
    runs.push(Run::known("the index's head", tail_offset, head.to_vec()));
    runs.push(Run::known("the index with its signature", index_offset, sealed));
    let trailer = authority.trailer.encode().to_vec();
    runs.push(Run::known(
        "the trailer",
        total_bytes - Trailer::BYTES as u64,
        trailer,
    ));
    let count = index.chunks.len();
    runs.extend((0..).zip(&index.chunks).map(|(number, sha256)| Run {
        what: format!("chunk {number} of {count}"),
        chunk: Some(number),
        place: index.chunk_place(number).expect("the index was checked"),
        sha256: *sha256,
        content: None,
    }));
    runs
}
