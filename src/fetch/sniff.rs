//! What a file is that is not what it should be.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::FetchError;
use super::elf::ElfHeader;
use crate::host::open_regular;

/// Opens the regular file `path`, and says how long it is. A pipe is not waited for.
pub(super) fn open(path: &Path) -> Result<(File, u64), FetchError> {
    let not_a_file = |found| FetchError::NotAFile {
        path: path.to_owned(),
        found,
    };
    match open_regular(path) {
        Ok((file, facts)) => Ok((file, facts.len())),
        Err(error) if error.kind() == io::ErrorKind::IsADirectory => Err(not_a_file("a directory")),
        Err(error) if error.kind() == io::ErrorKind::Other => Err(not_a_file("a device or a pipe")),
        Err(error) => Err(FetchError::read(path, error)),
    }
}

/// Fails for anything that is not a regular file.
pub(super) fn require_file(path: &Path) -> Result<(), FetchError> {
    open(path).map(drop)
}

/// The size of the regular file `path`.
pub(super) fn length(path: &Path) -> Result<u64, FetchError> {
    Ok(open(path)?.1)
}

/// The last `bytes` bytes of the regular file `path`; fewer of a shorter one.
pub(super) fn tail(path: &Path, bytes: u64) -> Result<Vec<u8>, FetchError> {
    let (mut file, length) = open(path)?;
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(length.saturating_sub(bytes)))
        .and_then(|_| file.take(bytes).read_to_end(&mut tail))
        .map_err(|source| FetchError::read(path, source))?;
    Ok(tail)
}

/// The first bytes of the regular file `path`, at most `bytes`; an error for anything
/// that is not a regular file.
pub(super) fn head(path: &Path, bytes: u64) -> Result<Vec<u8>, FetchError> {
    let mut head = Vec::new();
    let read = open(path)?.0.take(bytes).read_to_end(&mut head);
    read.map_err(|source| FetchError::read(path, source))?;
    Ok(head)
}

/// What a file that starts with `head` is, in a person's words.
pub(super) fn describe(head: &[u8]) -> String {
    if let Some(header) = ElfHeader::parse(head) {
        return header.to_string();
    }
    let known = match head {
        [] => "an empty file",
        [0x1f, 0x8b, ..] => "gzip data",
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => "zstd data",
        [b'B', b'Z', b'h', ..] => "bzip2 data",
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => "xz data",
        [b'P', b'K', 3, 4, ..] => "a zip file",
        [b'M', b'Z', ..] => "a Windows program",
        [0xcf, 0xfa, 0xed, 0xfe, ..] | [0xca, 0xfe, 0xba, 0xbe, ..] => "a macOS program",
        [b'#', b'!', ..] => "a script",
        _ if head.get(257..262) == Some(b"ustar") => "a tar",
        _ if is_text(head) => "a text file",
        _ => "data of an unknown kind",
    };
    known.to_owned()
}

/// Whether a program has to be asked for what is in it.
pub(super) fn is_compressed(head: &[u8]) -> bool {
    ["gzip data", "zstd data", "bzip2 data", "xz data"].contains(&describe(head).as_str())
}

fn is_text(head: &[u8]) -> bool {
    // The last character may be cut.
    String::from_utf8_lossy(head)
        .trim_end_matches('\u{fffd}')
        .chars()
        .all(|c| !c.is_control() || c.is_ascii_whitespace())
        && std::str::from_utf8(head).map_or_else(|e| e.error_len().is_none(), |_| true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_its_first_bytes() {
        for (head, name) in [
            (&b""[..], "an empty file"),
            (b"hello\n", "a text file"),
            ("gr\u{fc}n".as_bytes(), "a text file"),
            (b"gr\xc3", "a text file"),
            (b"#!/bin/sh\n", "a script"),
            (&[0x1f, 0x8b, 8], "gzip data"),
            (&[0, 1, 2], "data of an unknown kind"),
        ] {
            assert_eq!(describe(head), name);
        }
    }
}
