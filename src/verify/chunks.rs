//! The stored payload, chunk by chunk, each compared with the chunk table in the
//! very memory from which it is used.

use std::io::{self, Read};

use super::files::{Files, NamedFile};
use super::{Damage, VerifyError, forget_cached};
use crate::bundle::limits::CHUNK_BYTES;
use crate::bundle::{Blake3, BundleIndex, Checksum, ChunkPlace};

/// Reads chunks into one buffer.
pub(super) struct Chunks<'a> {
    files: &'a Files,
    index: &'a BundleIndex,
    buffer: Vec<u8>,
    loaded: Option<u64>,
}

impl<'a> Chunks<'a> {
    pub(super) fn new(files: &'a Files, index: &'a BundleIndex) -> Self {
        Self {
            files,
            index,
            buffer: Vec::new(),
            loaded: None,
        }
    }

    /// The bytes of chunk `number`, which has its digest.
    pub(super) fn load(&mut self, number: u64) -> Result<&[u8], VerifyError> {
        if self.loaded == Some(number) {
            return Ok(&self.buffer);
        }
        self.loaded = None;
        let inside = "the caller stays inside the payload";
        let place = self.index.chunk_place(number).expect(inside);
        let expected = usize::try_from(number)
            .ok()
            .and_then(|number| self.index.chunks.get(number));
        let expected = *expected.expect(inside);
        let ChunkPlace { offset, size, .. } = place;
        let from = self.files.get(place.file);
        self.buffer
            .resize(usize::try_from(size).expect("at most a chunk"), 0);
        let found = self.read(from, offset, expected)?;
        if found != expected {
            let what = format!(
                "chunk {number} of {}, with {}",
                self.index.chunks.len(),
                self.names(number * CHUNK_BYTES, size)
            );
            let path = from.path.clone();
            return Err(Damage {
                path,
                what,
                offset,
                size,
                expected: Checksum::Blake3(expected),
                found: Checksum::Blake3(found),
                others: None,
            }
            .into());
        }
        self.loaded = Some(number);
        Ok(&self.buffer)
    }

    /// Fills the buffer; the digest that it then has.
    fn read(&mut self, from: &NamedFile, offset: u64, expected: Blake3) -> Result<Blake3, VerifyError> {
        from.read_exact_at(&mut self.buffer, offset)?;
        let mut found = Blake3::of(&self.buffer);
        if found != expected {
            // Memory and cables fail more often than media: ask the medium once more.
            forget_cached(&from.file);
            from.read_exact_at(&mut self.buffer, offset)?;
            found = Blake3::of(&self.buffer);
            if found == expected {
                let size = self.buffer.len() as u64;
                self.files.misread.add(&from.path, offset, size);
            }
        }
        Ok(found)
    }

    /// What lies in the frames under the stored bytes from `start`, for a person.
    fn names(&self, start: u64, size: u64) -> String {
        let (mut offset, mut first) = (0, 0);
        let mut names = Vec::new();
        for frame in &self.index.frames {
            let end = offset + frame.size;
            let last = first + usize::try_from(frame.members).unwrap_or(usize::MAX);
            if offset < start + size && start < end {
                names.extend(
                    self.index.members[first..last]
                        .iter()
                        .map(|member| member.path.as_str()),
                );
            }
            (offset, first) = (end, last);
        }
        let shown: Vec<String> = names.iter().take(3).map(|name| format!("`{name}`")).collect();
        match names.len() - shown.len() {
            0 => format!("{} in it", shown.join(", ")),
            others => format!("{} or {others} more in it", shown.join(", ")),
        }
    }
}

/// A run of the stored payload as a stream of verified bytes.
pub(super) struct StoredReader<'a> {
    chunks: Chunks<'a>,
    position: u64,
    end: u64,
}

impl<'a> StoredReader<'a> {
    /// The bytes from `start` to `end`, counted from the start of the payload.
    pub(super) fn new(chunks: Chunks<'a>, start: u64, end: u64) -> Self {
        Self {
            chunks,
            position: start,
            end,
        }
    }

    /// What it reads chunks with: the one that is loaded is not hashed again.
    pub(super) fn into_chunks(self) -> Chunks<'a> {
        self.chunks
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.position == self.end
    }

    /// The next bytes, which are read once more after this: as many as `out` has room
    /// for, or as there are.
    pub(super) fn peek(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let start = self.position;
        let mut count = 0;
        loop {
            match self.read(&mut out[count..])? {
                0 => break,
                more => count += more,
            }
        }
        self.position = start;
        Ok(count)
    }
}

impl Read for StoredReader<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.is_at_end() {
            return Ok(0);
        }
        let number = self.position / CHUNK_BYTES;
        let chunk = self.chunks.load(number)?;
        let from = usize::try_from(self.position - number * CHUNK_BYTES).expect("inside a chunk");
        let left = usize::try_from(self.end - self.position).unwrap_or(usize::MAX);
        let count = out.len().min(chunk.len() - from).min(left);
        out[..count].copy_from_slice(&chunk[from..from + count]);
        self.position += count as u64;
        Ok(count)
    }
}
