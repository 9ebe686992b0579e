//! The file of a delta: a head under a seal and a signature, and the data of its patches.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::head::Head;
use super::limits::{FORMAT, FRONT_BYTES, HEAD_BYTES, MAGIC};
use super::{DeltaError, spool};
use crate::bundle::limits::CHUNK_BYTES;
use crate::bundle::{Blake3, ChunkTable, DELTA_COMMENT, Digest, Hasher, Signature};
use crate::host::ClaimedFile;
use crate::host::open_regular;
use crate::sign::Signer;
use crate::trust::TrustedKeys;

/// A delta whose head is whole and, where keys count, signed with a trusted one.
#[derive(Debug)]
pub(super) struct DeltaFile {
    pub(super) path: PathBuf,
    file: File,
    pub(super) head: Head,
    data_offset: u64,
}

impl DeltaFile {
    /// Opens `path`; checks length, seal, signature and head, in this order.
    pub(super) fn open(path: &Path, trusted: &TrustedKeys) -> Result<Self, DeltaError> {
        let read = |source| DeltaError::Read {
            path: path.to_owned(),
            source,
        };
        let damaged = |reason: String| DeltaError::Damaged {
            path: path.to_owned(),
            reason,
        };
        let (file, facts) = open_regular(path).map_err(read)?;
        let length = facts.len();
        let not_a_delta = || DeltaError::NotADelta {
            path: path.to_owned(),
        };
        if length < FRONT_BYTES as u64 {
            return Err(not_a_delta());
        }
        let front = spool::range(&file, 0, FRONT_BYTES as u64).map_err(read)?;
        if front[..8] != MAGIC {
            return Err(not_a_delta());
        }
        let u32_at = |at: usize| u32::from_le_bytes(front[at..at + 4].try_into().expect("four bytes"));
        let found = u32_at(8);
        if found != FORMAT {
            return Err(DeltaError::Format {
                path: path.to_owned(),
                found,
            });
        }
        let head_bytes = u32_at(12);
        let expected = u64::from_le_bytes(front[16..24].try_into().expect("eight bytes"));
        if expected != length {
            return Err(damaged(format!("expected {expected} bytes, got {length}")));
        }
        let data_offset = data_offset(head_bytes);
        if head_bytes > HEAD_BYTES || data_offset > length {
            return Err(damaged(
                "the length of its head is not that of a delta".to_owned(),
            ));
        }
        let sealed = data_offset - FRONT_BYTES as u64;
        let mut json = spool::range(&file, FRONT_BYTES as u64, sealed).map_err(read)?;
        if seal(&front[..24], &json).as_bytes() != &front[24..] {
            return Err(damaged("its head does not have its digest".to_owned()));
        }
        let run = json.split_off(head_bytes as usize);
        let run = run.as_slice().try_into().expect("what follows the head");
        let signature = Signature::parse_run_of(run, DELTA_COMMENT);
        let signature = signature.map_err(|error| damaged(error.to_string()))?;
        let judged = trusted.judge(&json, DELTA_COMMENT, signature.as_ref());
        judged.map_err(|refusal| DeltaError::NotAuthentic {
            path: path.to_owned(),
            refusal,
        })?;
        let head = Head::parse(&json).map_err(|reason| damaged(format!("its head is unusable: {reason}")))?;
        if data_offset.checked_add(head.data_bytes) != Some(length) {
            return Err(damaged("its head and its data do not make its length".to_owned()));
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            head,
            data_offset,
        })
    }

    /// The `size` bytes of data from `from` on, every chunk of them with its digest.
    pub(super) fn data(&self, from: u64, size: u64) -> Result<Vec<u8>, DeltaError> {
        let first = from / CHUNK_BYTES;
        let end = (from + size)
            .next_multiple_of(CHUNK_BYTES)
            .min(self.head.data_bytes);
        let start = first * CHUNK_BYTES;
        let mut bytes = spool::range(&self.file, self.data_offset + start, end - start)
            .map_err(|error| DeltaError::from_read(&self.path, error))?;
        let chunks = self
            .head
            .chunks
            .iter()
            .skip(usize::try_from(first).unwrap_or(usize::MAX));
        for (number, (chunk, digest)) in (first..).zip(bytes.chunks(1 << 20).zip(chunks)) {
            if Blake3::of(chunk) != *digest {
                return Err(DeltaError::Damaged {
                    path: self.path.clone(),
                    reason: format!(
                        "chunk {number} of {}, at byte {}, does not have its digest",
                        self.head.chunks.len(),
                        self.data_offset + number * CHUNK_BYTES
                    ),
                });
            }
        }
        bytes.truncate(usize::try_from(from + size - start).expect("in memory"));
        Ok(bytes.split_off(usize::try_from(from - start).expect("less than a chunk")))
    }
}

fn data_offset(head_bytes: u32) -> u64 {
    (FRONT_BYTES + Signature::RUN_BYTES) as u64 + u64::from(head_bytes)
}

fn seal(front: &[u8], sealed: &[u8]) -> Digest {
    let mut hasher = Hasher::new();
    hasher.update(front);
    hasher.update(sealed);
    hasher.finish()
}

/// Writes a delta as `out`: `head`, whose chunks are filled in, and the data, which has no name.
pub(super) fn write(
    mut out: ClaimedFile,
    mut head: Head,
    data: &mut File,
    signer: Option<&Signer>,
) -> Result<u64, DeltaError> {
    let path = out.path().to_owned();
    let failed = |source| DeltaError::Write {
        path: path.clone(),
        source,
    };
    let mut chunks = ChunkTable::new();
    data.seek(SeekFrom::Start(0)).map_err(failed)?;
    each(data, |bytes| {
        chunks.update(bytes);
        Ok(())
    })
    .map_err(failed)?;
    head.chunks = chunks.finish();
    head.data_bytes = data.metadata().map_err(failed)?.len();
    let json = head.encode();
    let head_bytes = u32::try_from(json.len())
        .ok()
        .filter(|bytes| *bytes <= HEAD_BYTES);
    let head_bytes =
        head_bytes.ok_or_else(|| failed(io::Error::other("the head of the delta is too long")))?;
    let run = signer.map_or(Ok(Signature::UNSIGNED), |signer| {
        signer.sign_run(&json, DELTA_COMMENT)
    })?;
    let length = data_offset(head_bytes) + head.data_bytes;
    let mut front = MAGIC.to_vec();
    front.extend(FORMAT.to_le_bytes());
    front.extend(head_bytes.to_le_bytes());
    front.extend(length.to_le_bytes());
    let sealed = [json.as_slice(), &run].concat();
    let digest = seal(&front, &sealed);
    front.extend(digest.as_bytes());
    let file = out.file();
    file.write_all(&front).map_err(failed)?;
    file.write_all(&sealed).map_err(failed)?;
    data.seek(SeekFrom::Start(0)).map_err(failed)?;
    each(data, |bytes| file.write_all(bytes)).map_err(failed)?;
    out.commit(0o644)?;
    Ok(length)
}

fn each(data: &mut File, mut with: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut buffer = vec![0; 1 << 20];
    loop {
        match io::Read::read(data, &mut buffer)? {
            0 => return Ok(()),
            count => with(&buffer[..count])?,
        }
    }
}
