//! The bundle as one file: header, stubs, payload, index, signature, trailer.

use std::fs::{File, Permissions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::compress::SpooledFrame;
use super::header::{self, HEADER_BYTES};
use super::{PackError, Stub};
use crate::bundle::{
    BundleIndex, ChunkTable, Digest, Extent, Signature, TAIL_HEADER_BYTES, Trailer, tail_header,
};
use crate::progress::Progress;
use crate::sign::Signer;

/// A bundle that is being written; it takes its name only when it is whole.
pub(super) struct Output {
    file: NamedTempFile,
    path: PathBuf,
}

impl Output {
    /// Reserves a place beside `path`, on its file system.
    pub(super) fn create(path: &Path) -> Result<Self, PackError> {
        let folder = folder_of(path);
        let write = |source| PackError::Write {
            path: folder.to_owned(),
            source,
        };
        let file = tempfile::Builder::new()
            .prefix(".minikube-offline-")
            .suffix(".partial")
            .permissions(Permissions::from_mode(0o755))
            .tempfile_in(folder)
            .map_err(write)?;
        Ok(Self {
            file,
            path: path.to_owned(),
        })
    }

    /// Writes the whole bundle and gives it its name. `index` comes with the parts;
    /// what is known only now, chunks and header, is filled in. Returns the length.
    pub(super) fn write(
        mut self,
        mut index: BundleIndex,
        stubs: &[Stub],
        frames: Vec<SpooledFrame>,
        signer: Option<&Signer>,
        progress: &dyn Progress,
    ) -> Result<u64, PackError> {
        let path = self.path.clone();
        let failed = |source| PackError::Write {
            path: path.clone(),
            source,
        };
        let out = self.file.as_file_mut();
        out.seek(SeekFrom::Start(HEADER_BYTES)).map_err(failed)?;
        for stub in stubs {
            out.write_all(&stub.bytes).map_err(failed)?;
        }
        let mut chunks = ChunkTable::new();
        for SpooledFrame { mut file, .. } in frames {
            file.rewind().map_err(failed)?;
            append(&file, out, &mut chunks, progress).map_err(failed)?;
        }
        index.chunks = chunks.finish();

        // The header tells the bundle's length and the index tells the header's
        // digest: a digest is as long as any other, so the length is known first.
        index.header = Extent {
            size: HEADER_BYTES,
            sha256: Digest::of(b""),
        };
        let index_bytes = index.encode()?.len() as u64;
        let index_offset = index.payload_offset() + index.payload_size() + TAIL_HEADER_BYTES as u64;
        let total_bytes = index_offset + index_bytes + (Signature::RUN_BYTES + Trailer::BYTES) as u64;
        let header = header::render(&index.name, &index.stubs, total_bytes)
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
        let named = self
            .file
            .persist(&self.path)
            .map_err(|error| failed(error.error))?;
        named.sync_all().map_err(failed)?;
        File::open(folder_of(&self.path))
            .and_then(|folder| folder.sync_all())
            .map_err(failed)?;
        Ok(total_bytes)
    }
}

pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

fn append(from: &File, out: &mut File, chunks: &mut ChunkTable, progress: &dyn Progress) -> io::Result<()> {
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
