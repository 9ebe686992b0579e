//! Hashing.

use std::io::{self, Read};

use super::blob::BUFFER_BYTES;
use crate::bundle::{Digest, Hasher};
use crate::progress::Progress;

/// The digest and the number of the bytes that `reader` gives; `advance` is told of them.
pub(super) fn hash(mut reader: impl Read, mut advance: impl FnMut(u64)) -> io::Result<(Digest, u64)> {
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => {
                hasher.update(&buffer[..length]);
                advance(length as u64);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let bytes = hasher.bytes();
    Ok((hasher.finish(), bytes))
}

/// Hashes what is read through it.
pub(super) struct Hashing<R> {
    reader: R,
    hasher: Hasher,
    /// The first error of the reader: who reads may not have passed it on.
    error: Option<io::Error>,
}

impl<R: Read> Hashing<R> {
    pub(super) fn new(reader: R) -> Self {
        let (hasher, error) = (Hasher::new(), None);
        Self {
            reader,
            hasher,
            error,
        }
    }

    /// Reads the rest; the digest and the number of all bytes.
    pub(super) fn finish(mut self) -> io::Result<(Digest, u64)> {
        let mut buffer = vec![0; BUFFER_BYTES];
        while self.error.is_none() && self.read(&mut buffer).is_ok_and(|length| length > 0) {}
        if let Some(error) = self.error {
            return Err(error);
        }
        let bytes = self.hasher.bytes();
        Ok((self.hasher.finish(), bytes))
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.reader.read(buffer) {
                Ok(length) => {
                    self.hasher.update(&buffer[..length]);
                    return Ok(length);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let shown = error.kind().into();
                    self.error.get_or_insert(error);
                    return Err(shown);
                }
            }
        }
    }
}

/// Tells of the bytes of a file as they are read: a compressed layer has more than that.
pub(super) struct Counted<'a, R> {
    pub(super) file: R,
    pub(super) progress: &'a dyn Progress,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read(buffer)?;
        self.progress.advance(length as u64);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_counted() {
        let bytes = vec![7; BUFFER_BYTES + 1];
        let mut told = 0;
        let hashed = hash(&bytes[..], |more| told += more).expect("memory");
        assert_eq!(hashed, (Digest::of(&bytes), bytes.len() as u64));
        assert_eq!(told, bytes.len() as u64);
    }
}
