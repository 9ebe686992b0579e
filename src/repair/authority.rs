//! The index that says what every byte should be: whole in one of the copies, or put
//! together from both, and signed with a trusted key where keys count.

use super::RepairError;
use super::copy::Copy;
use super::runs::Run;
use crate::bundle::{
    BundleIndex, Checksum, ChunkPlace, INDEX_COMMENT, Signature, TAIL_HEADER_BYTES, Trailer, limits,
    tail_header,
};
use crate::trust::{Refusal, TrustedKeys};

/// An index that counts, with the bytes that it and its neighbours are stored as.
pub(super) struct Authority {
    pub(super) index: BundleIndex,
    pub(super) json: Vec<u8>,
    pub(super) signature: [u8; Signature::RUN_BYTES],
    pub(super) trailer: Trailer,
    /// Whether the copy that is to be repaired has this very index.
    pub(super) own: bool,
}

impl Authority {
    /// Looks for trailer, index and signature in `target` first and then in `source`, each
    /// by itself: the digest in the trailer tells which of them belong together.
    pub(super) fn find(target: &Copy, source: &Copy, trusted: &TrustedKeys) -> Result<Self, RepairError> {
        let copies = [target, source];
        let mut refused: Option<Refusal> = None;
        for trailer in trailers(copies) {
            for (json_at, json_from) in copies.into_iter().enumerate() {
                for signature_from in copies {
                    let Some((json, signature)) = sealed(&trailer, json_from, signature_from) else {
                        continue;
                    };
                    let Ok(parsed) = Signature::parse_run(&signature) else {
                        continue;
                    };
                    // Where keys count, nothing else is parsed.
                    if let Err(refusal) = trusted.judge(&json, INDEX_COMMENT, parsed.as_ref()) {
                        refused.get_or_insert(refusal);
                        continue;
                    }
                    let Ok(index) = BundleIndex::parse(&json) else {
                        continue;
                    };
                    let tail = index.tail_offset().checked_add(TAIL_HEADER_BYTES as u64);
                    if tail == Some(trailer.index_offset) {
                        return Ok(Self {
                            index,
                            json,
                            signature,
                            trailer,
                            own: json_at == 0,
                        });
                    }
                }
            }
        }
        let (path, from) = (target.path_of(0), source.path_of(0));
        match refused {
            Some(source) => Err(RepairError::NotAuthentic { path, from, source }),
            None => Err(RepairError::NoIndex { path, from }),
        }
    }

    /// The length of each file of the bundle.
    pub(super) fn lengths(&self) -> Vec<u64> {
        let volumes = self.index.volumes.iter().map(|volume| volume.size);
        std::iter::once(self.trailer.total_bytes).chain(volumes).collect()
    }

    /// All of a bundle, from its first byte to its last, payload last: what tells where the
    /// payload lies is fixed first.
    pub(super) fn runs(&self) -> Vec<Run> {
        let index = &self.index;
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
                digest: Checksum::Sha256(sha256),
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
        } = self.trailer;
        let mut sealed = self.json.clone();
        sealed.extend_from_slice(&self.signature);
        let head = tail_header(total_bytes - index_offset);
        let tail_offset = index_offset - TAIL_HEADER_BYTES as u64;
        runs.push(Run::known("the index's head", tail_offset, head.to_vec()));
        runs.push(Run::known("the index with its signature", index_offset, sealed));
        let trailer = self.trailer.encode().to_vec();
        runs.push(Run::known(
            "the trailer",
            total_bytes - Trailer::BYTES as u64,
            trailer,
        ));
        let count = index.chunks.len();
        runs.extend((0..).zip(&index.chunks).map(|(number, digest)| Run {
            what: format!("chunk {number} of {count}"),
            chunk: Some(number),
            place: index.chunk_place(number).expect("the index was checked"),
            digest: Checksum::Blake3(*digest),
            content: None,
        }));
        runs
    }
}

/// The trailers that can be read, where the files end or should end.
fn trailers(copies: [&Copy; 2]) -> Vec<Trailer> {
    let mut found = Vec::new();
    let ends = copies.map(|copy| [copy.first_bytes(), declared_length(copy)]);
    for end in ends.into_iter().flatten().flatten() {
        for copy in copies {
            let place = |offset| ChunkPlace {
                file: 0,
                offset,
                size: Trailer::BYTES as u64,
            };
            let bytes = end
                .checked_sub(Trailer::BYTES as u64)
                .and_then(|offset| copy.read(place(offset)).ok());
            let trailer = bytes
                .and_then(|bytes| <[u8; Trailer::BYTES]>::try_from(bytes).ok())
                .and_then(|bytes| Trailer::parse(&bytes, end).ok());
            if let Some(trailer) = trailer.filter(|trailer| !found.contains(trailer)) {
                found.push(trailer);
            }
        }
    }
    found
}

/// The index and the signature, when the trailer's digest is that of both.
fn sealed(
    trailer: &Trailer,
    json_from: &Copy,
    signature_from: &Copy,
) -> Option<(Vec<u8>, [u8; Signature::RUN_BYTES])> {
    let place = |offset, size| ChunkPlace {
        file: 0,
        offset,
        size,
    };
    let json = json_from
        .read(place(trailer.index_offset, trailer.index_bytes))
        .ok()?;
    let run = place(trailer.signature_offset(), Signature::RUN_BYTES as u64);
    let signature = signature_from.read(run).ok()?.try_into().ok()?;
    (Trailer::seal(&json, &signature) == trailer.sealed_sha256).then_some((json, signature))
}

/// The length that the header declares in its line `bundle_bytes=N`.
fn declared_length(copy: &Copy) -> Option<u64> {
    let size = copy.first_bytes()?.min(limits::HEADER_BYTES);
    let bytes = copy
        .read(ChunkPlace {
            file: 0,
            offset: 0,
            size,
        })
        .ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let mut lines = text.lines();
    lines.find_map(|line| line.strip_prefix("bundle_bytes=")?.parse().ok())
}
