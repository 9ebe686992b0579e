//! One of the two copies: some of its files may be missing, and some bytes unreadable.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::RepairError;
use super::runs::Run;
use crate::bundle::limits::{CHUNK_BYTES, VOLUMES};
use crate::bundle::{BundleIndex, Checksum, ChunkPlace, volume_path};
use crate::host::open_regular;
use crate::verify::{Misread, forget_cached};

/// A copy of a bundle, of which nothing is known to be good.
pub(super) struct Copy {
    path: PathBuf,
    /// By number: 0 is the first file, the others are volumes.
    files: Vec<Option<File>>,
    /// Those of them that were opened for writing.
    writable: BTreeSet<usize>,
    /// What was wrong once.
    pub(super) misread: Misread,
}

impl Copy {
    /// The copy that is to be repaired: its first file is there.
    pub(super) fn open_first(path: &Path) -> io::Result<Self> {
        let first = open(path)?;
        Ok(Self {
            path: path.to_owned(),
            files: vec![Some(first)],
            writable: BTreeSet::new(),
            misread: Misread::default(),
        })
    }

    /// The copy that is to be taken from: its first file may be missing, where it has volumes.
    pub(super) fn open_any(path: &Path) -> io::Result<Self> {
        match Self::open_first(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                open(&volume_path(path, 1)).map_err(|_| error)?;
                Ok(Self {
                    path: path.to_owned(),
                    files: vec![None],
                    writable: BTreeSet::new(),
                    misread: Misread::default(),
                })
            }
            opened => opened,
        }
    }

    /// Opens those of `count` volumes that are there, and what follows them.
    pub(super) fn open_volumes(&mut self, count: usize) -> Result<(), RepairError> {
        for number in 1..=VOLUMES {
            let path = volume_path(&self.path, number);
            match open(&path) {
                Ok(volume) => self.files.push(Some(volume)),
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(RepairError::read(&path)(error));
                }
                Err(_) if number > count => break,
                Err(_) => self.files.push(None),
            }
        }
        Ok(())
    }

    /// Length of the first file in bytes.
    pub(super) fn first_bytes(&self) -> Option<u64> {
        self.length(0)
    }

    pub(super) fn length(&self, number: usize) -> Option<u64> {
        let file = self.files.get(number)?.as_ref()?;
        file.metadata().ok().map(|facts| facts.len())
    }

    /// The bytes at `place`.
    pub(super) fn read(&self, place: ChunkPlace) -> io::Result<Vec<u8>> {
        let file = self.files.get(place.file).and_then(Option::as_ref);
        let file = file.ok_or(io::ErrorKind::NotFound)?;
        let size = usize::try_from(place.size).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let mut bytes = vec![0; size];
        file.read_exact_at(&mut bytes, place.offset)?;
        Ok(bytes)
    }

    /// The same, from the medium and not from memory.
    fn read_anew(&self, place: ChunkPlace) -> io::Result<Vec<u8>> {
        if let Some(Some(file)) = self.files.get(place.file) {
            forget_cached(file);
        }
        self.read(place)
    }

    /// The bytes at `place` and their digest. Where it is not the one that is wanted, they
    /// are what the medium gives when it is asked once more: memory and cables fail more
    /// often than media.
    pub(super) fn read_twice(&self, place: ChunkPlace, wanted: Checksum) -> io::Result<(Vec<u8>, Checksum)> {
        if let Ok(bytes) = self.read(place)
            && wanted.of_same_kind(&bytes) == wanted
        {
            return Ok((bytes, wanted));
        }
        let bytes = self.read_anew(place)?;
        let found = wanted.of_same_kind(&bytes);
        if found == wanted {
            self.misread
                .add(&self.path_of(place.file), place.offset, place.size);
        }
        Ok((bytes, found))
    }

    /// The bytes of `run`, when this copy has them anywhere: a chunk is the same whether
    /// the payload is split, and into volumes of whichever size.
    pub(super) fn find(&self, run: &Run, index: &BundleIndex) -> Option<Vec<u8>> {
        if let Some(content) = &run.content {
            return Some(content.clone());
        }
        let mut places = vec![run.place];
        if let Some(number) = run.chunk {
            let start = number * CHUNK_BYTES;
            let size = run.place.size;
            places.push(ChunkPlace {
                file: 0,
                offset: index.payload_offset() + start,
                size,
            });
            if let Some(length) = self.length(1).filter(|length| *length > 0) {
                places.push(ChunkPlace {
                    file: usize::try_from(start / length).ok()? + 1,
                    offset: start % length,
                    size,
                });
            }
        }
        places.into_iter().find_map(|place| {
            let read = self.read_twice(place, run.digest).ok();
            read.and_then(|(bytes, found)| (found == run.digest).then_some(bytes))
        })
    }

    /// Puts `bytes` where they belong; a volume that is missing is made.
    pub(super) fn write(&mut self, place: ChunkPlace, bytes: &[u8]) -> Result<(), RepairError> {
        let path = self.path_of(place.file);
        self.writable(place.file)
            .and_then(|file| file.write_all_at(bytes, place.offset))
            .map_err(|source| RepairError::Write { path, source })
    }

    /// Cuts off what stands behind the end of each file; names those files.
    pub(super) fn shorten(&mut self, lengths: &[u64]) -> Result<Vec<PathBuf>, RepairError> {
        let mut shortened = Vec::new();
        for (number, length) in lengths.iter().enumerate() {
            if self.length(number).is_some_and(|found| found > *length) {
                let path = self.path_of(number);
                self.writable(number)
                    .and_then(|file| file.set_len(*length))
                    .map_err(|source| RepairError::Write {
                        path: path.clone(),
                        source,
                    })?;
                shortened.push(path);
            }
        }
        Ok(shortened)
    }

    /// All that was written is on the medium.
    pub(super) fn sync(&self) -> Result<(), RepairError> {
        for (number, file) in self.files.iter().enumerate() {
            let synced = file.as_ref().map_or(Ok(()), File::sync_all);
            synced.map_err(|source| RepairError::Write {
                path: self.path_of(number),
                source,
            })?;
        }
        Ok(())
    }

    /// What was written for `run` is read back as it should be.
    pub(super) fn check_kept(&self, run: &Run) -> Result<(), RepairError> {
        let path = self.path_of(run.place.file);
        match self.read_anew(run.place) {
            Ok(bytes) if run.digest.of_same_kind(&bytes) == run.digest => Ok(()),
            Err(source) if source.kind() != io::ErrorKind::UnexpectedEof => {
                Err(RepairError::Read { path, source })
            }
            _ => Err(RepairError::NotKept {
                path,
                offset: run.place.offset,
            }),
        }
    }

    pub(super) fn path_of(&self, number: usize) -> PathBuf {
        match number {
            0 => self.path.clone(),
            _ => volume_path(&self.path, number),
        }
    }

    /// The file with this number, open for reading and writing from now on.
    fn writable(&mut self, number: usize) -> io::Result<&File> {
        let path = self.path_of(number);
        if self.files.len() <= number {
            self.files.resize_with(number + 1, || None);
        }
        let file = &mut self.files[number];
        match file.take() {
            // Once: some file systems confuse what two handles do.
            Some(open) if self.writable.contains(&number) => Ok(file.insert(open)),
            there => {
                let mut options = OpenOptions::new();
                let options = options.read(true).write(true).create_new(there.is_none());
                let opened = options.open(path)?;
                self.writable.insert(number);
                Ok(file.insert(opened))
            }
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    open_regular(path).map(|(file, _)| file)
}
