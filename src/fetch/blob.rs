//! A run of bytes in a file, maybe compressed.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use flate2::bufread::MultiGzDecoder;

use super::FetchError;
use crate::bundle::limits;

/// What is read from a file at once.
pub(super) const BUFFER_BYTES: usize = 1 << 20;

/// A compressed blob may have so many bytes more than [`EXPANSION`] times those that it
/// has where it lies: room for a file of zeros in an honest layer.
const ROOM_BYTES: u64 = 1 << 30;

/// Programs and text get 3 to 10 times as small; a bomb, 1,000 times with gzip and more
/// with zstd.
const EXPANSION: u64 = 256;

/// zstd's words for a frame that needs a larger window than is allowed, which is sound.
/// Source: zstd v1.5, `lib/common/error_private.c`.
const TOO_MUCH_MEMORY: &str = "requires too much memory";

/// How a blob is compressed where it lies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Compression {
    Gzip,
    None,
    Zstd,
}

impl Compression {
    /// By the first bytes: RFC 1952 for gzip, RFC 8878 for zstd. What an archive says
    /// of its layers is not reliable.
    pub(super) fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            // pzstd begins with a frame that is skipped.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ => Self::None,
        }
    }
}

/// A run of bytes in a file.
#[derive(Clone, Debug)]
pub(super) struct Blob {
    /// The file.
    file: Arc<Path>,
    /// The file that a person named, for messages: `file` may be what was unpacked from it.
    pub(super) shown: Arc<Path>,
    /// What it is called there, for messages.
    pub(super) name: String,
    /// Where it starts.
    pub(super) offset: u64,
    /// How many bytes it has there.
    pub(super) stored_bytes: u64,
    compression: Compression,
}

impl Blob {
    /// The blob at this place; its first bytes are read.
    pub(super) fn at(
        file: &Arc<Path>,
        name: &str,
        offset: u64,
        stored_bytes: u64,
    ) -> Result<Self, FetchError> {
        let mut blob = Self {
            file: Arc::clone(file),
            shown: Arc::clone(file),
            name: name.to_owned(),
            offset,
            stored_bytes,
            compression: Compression::None,
        };
        let mut head = Vec::new();
        let read = blob
            .stored()
            .and_then(|stored| stored.take(4).read_to_end(&mut head));
        read.map_err(|source| FetchError::read(file, source))?;
        blob.compression = Compression::of(&head);
        Ok(blob)
    }

    /// The same, of a file that a person knows as `path`.
    pub(super) fn shown_as(mut self, path: &Arc<Path>) -> Self {
        self.shown = Arc::clone(path);
        self
    }

    /// How it is compressed.
    pub(super) fn compression(&self) -> Compression {
        self.compression
    }

    /// The uncompressed bytes.
    pub(super) fn open(&self) -> Result<Box<dyn Read + Send>, FetchError> {
        self.open_counted(|stored| stored)
    }

    /// The uncompressed bytes; the stored ones pass through `count` on their way.
    pub(super) fn open_counted<'a, R: Read + Send + 'a>(
        &self,
        count: impl FnOnce(io::Take<File>) -> R,
    ) -> Result<Box<dyn Read + Send + 'a>, FetchError> {
        let read_error = |source| FetchError::read(&self.shown, source);
        let stored = BufReader::with_capacity(BUFFER_BYTES, count(self.stored().map_err(read_error)?));
        Ok(match self.compression {
            Compression::None => Box::new(stored),
            Compression::Gzip => Box::new(MultiGzDecoder::new(stored)),
            Compression::Zstd => {
                let mut decoder = zstd::Decoder::with_buffer(stored).map_err(read_error)?;
                // No layer makes this program take more memory than a bundle does.
                decoder.window_log_max(limits::WINDOW_LOG).map_err(read_error)?;
                Box::new(decoder)
            }
        })
    }

    /// More uncompressed bytes than this are a bomb: nobody says how many there are.
    pub(super) fn most_bytes(&self) -> u64 {
        match self.compression {
            Compression::None => self.stored_bytes,
            _ => self
                .stored_bytes
                .saturating_mul(EXPANSION)
                .saturating_add(ROOM_BYTES),
        }
    }

    /// The bytes as they lie in the file.
    fn stored(&self) -> io::Result<io::Take<File>> {
        let mut file = File::open(&self.file)?;
        file.seek(SeekFrom::Start(self.offset))?;
        Ok(file.take(self.stored_bytes))
    }

    /// All of the bytes as they lie in the file, for small ones.
    pub(super) fn read_small(&self, limit: u64) -> Result<Vec<u8>, FetchError> {
        if self.stored_bytes > limit {
            return Err(self.damaged(format!(
                "has {} bytes, more than the {limit} that are taken",
                self.stored_bytes
            )));
        }
        let mut bytes = Vec::new();
        let read = self
            .stored()
            .and_then(|mut stored| stored.read_to_end(&mut bytes));
        read.map_err(|source| FetchError::read(&self.shown, source))?;
        if bytes.len() as u64 != self.stored_bytes {
            return Err(self.damaged("is cut short".to_owned()));
        }
        Ok(bytes)
    }

    /// The error that this blob is not usable.
    pub(super) fn damaged(&self, reason: String) -> FetchError {
        FetchError::Damaged {
            path: self.shown.to_path_buf(),
            entry: self.name.clone(),
            reason,
        }
    }

    /// The error for what happened while the blob was decoded: a disk that cannot be
    /// read has a number from the system, a decoder's complaint has none.
    pub(super) fn decode_error(&self, source: io::Error) -> FetchError {
        if source.raw_os_error().is_some() {
            FetchError::read(&self.shown, source)
        } else if source.to_string().contains(TOO_MUCH_MEMORY) {
            FetchError::Compressed {
                path: self.shown.to_path_buf(),
                found: format!(
                    "zstd data with a window of more than {} MiB",
                    1 << (limits::WINDOW_LOG - 20)
                ),
            }
        } else {
            FetchError::Undecodable {
                path: self.shown.to_path_buf(),
                entry: self.name.clone(),
                source,
            }
        }
    }
}
