//! A directory beside the output for archives that are written on the way: the engine's, and
//! those that are unpacked. It is made when the first of them comes.

use std::cell::OnceCell;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use super::FetchError;
use super::blob::{BUFFER_BYTES, Blob, Compression};
use super::room;
use super::sniff;
use crate::bundle::Digest;

pub(super) struct Scratch {
    parent: PathBuf,
    made: OnceCell<TempDir>,
}

impl Scratch {
    /// Nothing is made yet. Where `output` goes there will be room for the bundle as well.
    pub(super) fn beside(output: &Path) -> Self {
        let parent = output.parent().filter(|parent| !parent.as_os_str().is_empty());
        Self {
            parent: parent.unwrap_or(Path::new(".")).to_owned(),
            made: OnceCell::new(),
        }
    }

    /// The directory, if something was written there.
    pub(super) fn into_directory(self) -> Option<TempDir> {
        self.made.into_inner()
    }

    /// The path there of what is known as `name`, whatever characters that has.
    pub(super) fn path_of(&self, name: &str) -> Result<PathBuf, FetchError> {
        if self.made.get().is_none() {
            let made = tempfile::Builder::new()
                .prefix(".minikube-offline-")
                .tempdir_in(&self.parent)
                .map_err(|source| self.error(source))?;
            // Nobody else sets it: it is not shared between threads.
            let _ = self.made.set(made);
        }
        let directory = self.made.get().map_or(self.parent.as_path(), TempDir::path);
        Ok(directory.join(Digest::of(name.as_bytes()).hex()))
    }

    /// The error that nothing can be written there.
    pub(super) fn error(&self, source: io::Error) -> FetchError {
        FetchError::Scratch {
            path: self.parent.clone(),
            source,
        }
    }

    /// The archive `path` as a plain tar: itself, or what its gzip or zstd data holds, which
    /// is unpacked once.
    pub(super) fn plain_tar(&self, path: &Path) -> Result<PathBuf, FetchError> {
        let bytes = sniff::length(path)?;
        let packed = Blob::at(
            &Arc::from(path),
            &format!("its {}", sniff::describe(&sniff::head(path, 4)?)),
            0,
            bytes,
        )?;
        if packed.compression() == Compression::None {
            return Ok(path.to_owned());
        }
        let plain = self.path_of(&path.to_string_lossy())?;
        if !plain.is_file() {
            room::check_unpacked(&self.parent, announced_bytes(path, &packed)?)?;
            self.unpack(&packed, &plain, packed.most_bytes())?;
        }
        Ok(plain)
    }

    fn unpack(&self, packed: &Blob, plain: &Path, most: u64) -> Result<(), FetchError> {
        let mut reader = packed.open()?.take(most + 1);
        let mut file = File::create(plain).map_err(|source| self.error(source))?;
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut written = 0;
        loop {
            let length = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => return Err(packed.decode_error(source)),
            };
            written += length as u64;
            file.write_all(&buffer[..length])
                .map_err(|source| self.error(source))?;
        }
        if written > most {
            return Err(packed.damaged(format!(
                "grow from {} bytes to more than {most}: no archive of images does that",
                packed.stored_bytes
            )));
        }
        Ok(())
    }
}

/// How many bytes the data says that it holds, which is asked for before it is unpacked: gzip
/// says it of the last member, modulo 4 GiB (RFC 1952), and zstd of the first frame, if at all.
fn announced_bytes(path: &Path, packed: &Blob) -> Result<u64, FetchError> {
    let announced = match packed.compression() {
        Compression::None => None,
        Compression::Gzip => sniff::tail(path, 4)?
            .try_into()
            .map(|bytes| u64::from(u32::from_le_bytes(bytes)))
            .ok(),
        // Source: RFC 8878, "Frame Header": 18 bytes at most, behind its magic number.
        Compression::Zstd => zstd::zstd_safe::get_frame_content_size(&sniff::head(path, 18)?)
            .ok()
            .flatten(),
    };
    Ok(announced.unwrap_or(0).max(packed.stored_bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::{Explain, Kind};
    use crate::fetch::fixtures::gzip;

    fn given(bytes: &[u8]) -> (TempDir, PathBuf, Scratch) {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("given");
        std::fs::write(&path, bytes).expect("a file");
        let scratch = Scratch::beside(&directory.path().join("out"));
        (directory, path, scratch)
    }

    #[test]
    fn packed_data_is_unpacked_once_and_other_data_never() {
        let content = vec![7; 3 * BUFFER_BYTES + 5];
        let skipped = [
            b"\x50\x2a\x4d\x18\x04\0\0\0pzst".as_slice(),
            &zstd::encode_all(&content[..], 1).expect("zstd"),
        ];
        let twice = [
            zstd::encode_all(&content[..], 1),
            zstd::encode_all(&b"more"[..], 1),
        ];
        for (packed, plain) in [
            (gzip(&content), content.clone()),
            (zstd::encode_all(&content[..], 1).expect("zstd"), content.clone()),
            (skipped.concat(), content.clone()),
            (
                twice.map(Result::unwrap).concat(),
                [&content[..], b"more"].concat(),
            ),
        ] {
            let (_directory, path, scratch) = given(&packed);
            let unpacked = scratch.plain_tar(&path).expect("unpacked");
            assert_eq!(std::fs::read(&unpacked).expect("a file"), plain);
            std::fs::write(&unpacked, b"mark").expect("a file");
            assert_eq!(scratch.plain_tar(&path).expect("again"), unpacked);
            assert_eq!(std::fs::read(&unpacked).expect("a file"), b"mark");
        }
        let (_directory, path, scratch) = given(&content);
        assert_eq!(scratch.plain_tar(&path).expect("plain"), path);
        assert!(scratch.into_directory().is_none(), "nothing was written");
    }

    #[test]
    fn a_bomb_is_stopped_at_the_limit() {
        let (_directory, path, scratch) = given(&gzip(&[0; 5000]));
        let packed = Blob::at(
            &Arc::from(path.as_path()),
            "its gzip data",
            0,
            sniff::length(&path).expect("size"),
        );
        let plain = scratch.path_of("x").expect("a path");
        let error = scratch
            .unpack(&packed.expect("blob"), &plain, 4999)
            .expect_err("a bomb");
        assert_eq!(error.explain().kind, Kind::Damaged);
        assert!(
            error
                .to_string()
                .ends_with("to more than 4999: no archive of images does that")
        );
        assert_eq!(std::fs::metadata(plain).expect("a file").len(), 5000);
    }

    #[test]
    fn room_is_asked_for_before_anything_is_unpacked() {
        let mut huge = zstd::bulk::compress(&[7; 10_000], 1).expect("zstd");
        // A content size of eight bytes: a petabyte.
        let content = huge.split_off(7);
        huge[4] = 0xe0;
        huge.truncate(5);
        huge.extend_from_slice(&(1_u64 << 50).to_le_bytes());
        huge.extend_from_slice(&content);
        let (_directory, path, scratch) = given(&huge);
        let error = scratch.plain_tar(&path).expect_err("no room");
        assert_eq!(error.explain().kind, Kind::NoSpace);
        let text = error.to_string();
        assert!(
            text.starts_with("there is no room: 1125899907 MB for an unpacked archive in `"),
            "{text}"
        );
    }

    #[test]
    fn a_sound_window_that_is_too_large_is_no_damage() {
        // A frame with a window of 256 MiB and an empty last block.
        let (_directory, path, scratch) = given(b"\x28\xb5\x2f\xfd\0\x90\x01\0\0");
        let error = scratch.plain_tar(&path).expect_err("too large");
        assert_eq!(error.explain().kind, Kind::Usage);
        let end = "zstd data with a window of more than 128 MiB, which is not unpacked here";
        assert!(error.to_string().ends_with(end), "{error}");
    }
}
