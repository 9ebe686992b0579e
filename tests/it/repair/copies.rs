//! Two copies of a bundle, what is done to them, and what they were.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use minikube_offline::bundle::{BundleIndex, ChunkPlace, TAIL_HEADER_BYTES, Trailer, volume_path};
use minikube_offline::trust::TrustedKeys;
use minikube_offline::verify::OpenedBundle;

use crate::support::parts::SampleParts;
use crate::support::program::{Outcome, Sandbox, bytes};

/// Two copies of a bundle of five chunks, `x.run` and `y/x.run`, and what they held.
pub(super) struct Copies {
    pub(super) sandbox: Sandbox,
    pub(super) index: BundleIndex,
    pub(super) trailer: Trailer,
    pub(super) whole: Vec<Vec<u8>>,
}

impl Copies {
    pub(super) fn make(flags: &[&str]) -> Self {
        let sandbox = Sandbox::new();
        let parts = SampleParts::make_large(&sandbox.path("parts"));
        let bundle = sandbox.pack_with(&parts, "x.run", flags);
        fs::create_dir(sandbox.path("y")).unwrap();
        let opened = OpenedBundle::open_to_show(&bundle, &TrustedKeys::none()).expect("a bundle");
        let (index, trailer) = (opened.index().clone(), *opened.trailer());
        let whole = (0..=index.volumes.len())
            .map(|number| bytes(&file(&bundle, number)))
            .collect();
        let copies = Self {
            sandbox,
            index,
            trailer,
            whole,
        };
        copies.restore();
        copies
    }

    pub(super) fn paths(&self) -> [PathBuf; 2] {
        ["x.run", "y/x.run"].map(|name| self.sandbox.path(name))
    }

    /// Both copies as they were.
    pub(super) fn restore(&self) {
        for path in self.paths() {
            for (number, content) in self.whole.iter().enumerate() {
                fs::write(file(&path, number), content).unwrap();
            }
        }
    }

    /// The bytes at `place` as they were.
    pub(super) fn fix(&self, bundle: &Path, place: ChunkPlace) {
        let start = usize::try_from(place.offset).unwrap();
        let size = usize::try_from(place.size).unwrap();
        let content = &self.whole[place.file][start..start + size];
        let file = OpenOptions::new()
            .write(true)
            .open(file(bundle, place.file))
            .unwrap();
        file.write_all_at(content, place.offset).unwrap();
    }

    pub(super) fn repair(&self) -> Outcome {
        self.sandbox.packager(["repair", "x.run", "--from", "y/x.run"])
    }

    /// Fails unless the first copy is as it was packed, byte for byte.
    pub(super) fn assert_whole(&self, what: &str) {
        for (number, content) in self.whole.iter().enumerate() {
            let path = file(&self.paths()[0], number);
            assert!(bytes(&path) == *content, "{what}: `{}`", path.display());
        }
    }

    /// The runs of bytes that are good or bad together, by what a repair calls them.
    pub(super) fn runs(&self) -> Vec<(String, ChunkPlace)> {
        let first = |offset, size| ChunkPlace {
            file: 0,
            offset,
            size,
        };
        let Trailer {
            index_offset,
            total_bytes,
            ..
        } = self.trailer;
        let trailer = Trailer::BYTES as u64;
        let head = TAIL_HEADER_BYTES as u64;
        let front = self.index.header.size;
        let mut runs = vec![
            ("the header".to_owned(), first(0, front)),
            (
                "the stub for linux/arm64".to_owned(),
                first(front, self.index.stubs[0].size),
            ),
            ("the index's head".to_owned(), first(index_offset - head, head)),
            (
                "the index with its signature".to_owned(),
                first(index_offset, total_bytes - trailer - index_offset),
            ),
            ("the trailer".to_owned(), first(total_bytes - trailer, trailer)),
        ];
        let chunks = 0..self.index.chunks.len() as u64;
        runs.extend(chunks.map(|number| {
            let place = self.index.chunk_place(number).expect("a chunk");
            (format!("chunk {number} of 5"), place)
        }));
        runs
    }
}

pub(super) fn file(bundle: &Path, number: usize) -> PathBuf {
    match number {
        0 => bundle.to_owned(),
        _ => volume_path(bundle, number),
    }
}

/// Flips a bit of a byte at `place`, which `choice` chooses.
pub(super) fn spoil(bundle: &Path, place: ChunkPlace, choice: u64) {
    let path = file(bundle, place.file);
    let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let offset = place.offset + choice % place.size;
    let mut byte = [0];
    file.read_exact_at(&mut byte, offset).unwrap();
    file.write_all_at(&[byte[0] ^ 1 << (choice % 8)], offset).unwrap();
}

pub(super) fn set_len(path: &Path, length: u64) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(length).unwrap();
}
