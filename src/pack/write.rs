//! The bundle: header, stubs, payload, index, signature, trailer; or the payload apart,
//! in volumes.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use super::beside::directory_of;
use super::compress::SpooledFrame;
use super::header::{self, HEADER_BYTES};
use super::publish::publish;
use super::volumes::{VolumeWriter, check_count, check_names};
use super::{PackError, Packed, Stub};
use crate::bundle::{
    Blake3, BundleIndex, ChunkTable, Digest, Extent, Signature, TAIL_HEADER_BYTES, Trailer, tail_header,
};
use crate::host::{ClaimedFile, LockError};
use crate::progress::Progress;
use crate::sign::Signer;
use crate::spec::VolumeSize;

/// A bundle that is being written; its files take their names only when all are whole.
pub(super) struct Output {
    file: ClaimedFile,
    path: PathBuf,
    split: Option<VolumeSize>,
}

impl Output {
    /// Reserves a place beside `path`, on its file system, for a bundle of `plain_bytes`.
    pub(super) fn create(
        path: &Path,
        plain_bytes: u64,
        split: Option<VolumeSize>,
    ) -> Result<Self, PackError> {
        let file = ClaimedFile::create(path).map_err(|error| match error {
            LockError::Io { source, .. } => PackError::Write {
                path: directory_of(path).to_owned(),
                source,
            },
            held => held.into(),
        })?;
        if let Some(size) = split {
            // What does not compress grows by less than a thousandth (RFC 8878, blocks).
            let most = plain_bytes.saturating_add(plain_bytes / 1000 + (1 << 20));
            check_names(path, most.div_ceil(size.bytes()))?;
        }
        Ok(Self {
            file,
            path: path.to_owned(),
            split,
        })
    }

    /// Writes the whole bundle, which has no name yet. `index` comes with the parts; what
    /// is known only now, volumes, chunks and header, is filled in. Takes no more space
    /// than the bundle and its largest frame: each frame's own file goes when it is copied.
    pub(super) fn write(
        mut self,
        mut index: BundleIndex,
        stubs: &[Stub],
        frames: Vec<SpooledFrame>,
        signer: Option<&Signer>,
        progress: &dyn Progress,
    ) -> Result<Written, PackError> {
        let path = self.path.clone();
        let failed = |source| PackError::Write {
            path: path.clone(),
            source,
        };
        let out = self.file.file();
        out.seek(SeekFrom::Start(HEADER_BYTES)).map_err(failed)?;
        for stub in stubs {
            out.write_all(&stub.bytes).map_err(failed)?;
        }
        let mut volumes: Vec<TempPath> = Vec::new();
        if let Some(size) = self.split {
            check_count(index.payload_size(), size)?;
            let mut writer = VolumeWriter::new(&self.path, size);
            index.chunks = payload(frames, &mut writer, progress).map_err(failed)?;
            (volumes, index.volumes) = writer.finish().map_err(failed)?.into_iter().unzip();
        } else {
            index.chunks = payload(frames, out, progress).map_err(failed)?;
        }

        // The header tells the bundle's length and the index tells the header's
        // digest: a digest is as long as any other, so the length is known first.
        index.header = Extent {
            size: HEADER_BYTES,
            sha256: Digest::of(b""),
        };
        let index_bytes = index.encode()?.len() as u64;
        let index_offset = index.tail_offset() + TAIL_HEADER_BYTES as u64;
        let total_bytes = index_offset + index_bytes + (Signature::RUN_BYTES + Trailer::BYTES) as u64;
        let header = header::render(&index.name, &index.stubs, total_bytes, index.volumes.len())
            .map_err(|error| PackError::Header(error.to_string()))?;
        index.header.sha256 = Digest::of(&header);
        let json = index.encode()?;
        let run = signer.map_or(Ok(Signature::UNSIGNED), |signer| signer.sign_index(&json))?;
        let trailer = Trailer {
            total_bytes,
            index_offset,
            index_bytes,
            sealed_sha256: Trailer::seal(&json, &run),
        };
        let tail = total_bytes - index_offset;
        for bytes in [tail_header(tail).as_slice(), &json, &run, &trailer.encode()] {
            out.write_all(bytes).map_err(failed)?;
        }
        out.write_all_at(&header, 0).map_err(failed)?;
        out.sync_all().map_err(failed)?;
        Ok(Written {
            file: self.file,
            path: self.path,
            volumes,
            index,
            first_bytes: total_bytes,
        })
    }
}

/// A bundle that is whole, and has no name yet.
pub(super) struct Written {
    file: ClaimedFile,
    path: PathBuf,
    volumes: Vec<TempPath>,
    index: BundleIndex,
    first_bytes: u64,
}

impl Written {
    /// Signs the file that was written, for stock minisign, and gives all files their names.
    pub(super) fn publish(
        mut self,
        signer: Option<&Signer>,
        progress: &dyn Progress,
    ) -> Result<Packed, PackError> {
        let (file, index) = (self.file.file(), &self.index);
        let signature = signer.map(|signer| signer.sign_file(file, index, progress));
        let signature = signature.transpose()?;
        let failed = |source| PackError::Write {
            path: self.path.clone(),
            source,
        };
        if self.volumes.is_empty() {
            self.file.commit(0o755).map_err(|error| failed(error.source))?;
        } else {
            publish(self.volumes, self.file, &self.path).map_err(failed)?;
        }
        Ok(Packed {
            index: self.index,
            first_bytes: self.first_bytes,
            signature,
        })
    }
}

/// Writes the frames one after another; gives the digests of the chunks that they make.
fn payload(
    frames: Vec<SpooledFrame>,
    out: &mut impl Write,
    progress: &dyn Progress,
) -> io::Result<Vec<Blake3>> {
    let mut chunks = ChunkTable::new();
    for SpooledFrame { mut file, .. } in frames {
        file.rewind()?;
        append(&file, out, &mut chunks, progress)?;
    }
    Ok(chunks.finish())
}

fn append(
    from: &File,
    out: &mut impl Write,
    chunks: &mut ChunkTable,
    progress: &dyn Progress,
) -> io::Result<()> {
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = io::Read::read(&mut &*from, &mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        chunks.update(&buffer[..count]);
        out.write_all(&buffer[..count])?;
        progress.advance(count as u64);
    }
}
