//! From a path to a bundle whose every byte, but the payload's, is checked.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::chunks::Chunks;
use super::sealed::{Judgement, Sealed};
use super::{Damage, VerifiedBundle, VerifyError};
use crate::bundle::{BundleIndex, Digest, TAIL_HEADER_BYTES, Trailer, TrailerError, tail_header};
use crate::progress::Progress;
use crate::trust::{Authenticity, Refusal, TrustedKeys};

/// A bundle of which all but the payload has been checked: enough to show what is
/// in it, and not enough to use any of that.
#[derive(Debug)]
pub struct OpenedBundle {
    pub(super) file: File,
    pub(super) path: PathBuf,
    pub(super) index: BundleIndex,
    pub(super) trailer: Trailer,
    judgement: Judgement,
}

impl OpenedBundle {
    /// Opens `path`; checks length, trailer, signature, index, header and stubs, in this
    /// order. Where keys count, a bundle that none of them signed is refused before its
    /// index is parsed.
    pub fn open(path: &Path, trusted: &TrustedKeys) -> Result<Self, VerifyError> {
        let sealed = Sealed::read(path, trusted)?;
        sealed.judgement.authentic(path)?;
        Self::unseal(path, sealed)
    }

    /// The same, but a bundle that is not authentic is opened too: it can be shown, and
    /// still not be verified.
    pub fn open_to_show(path: &Path, trusted: &TrustedKeys) -> Result<Self, VerifyError> {
        Self::unseal(path, Sealed::read(path, trusted)?)
    }

    fn unseal(path: &Path, sealed: Sealed) -> Result<Self, VerifyError> {
        let index = BundleIndex::parse(&sealed.json).map_err(|source| VerifyError::Index {
            path: path.to_owned(),
            source,
        })?;
        let bundle = Self {
            file: sealed.file,
            path: path.to_owned(),
            index,
            trailer: sealed.trailer,
            judgement: sealed.judgement,
        };
        bundle.check_front()?;
        Ok(bundle)
    }

    /// What the bundle says of itself.
    #[must_use]
    pub fn index(&self) -> &BundleIndex {
        &self.index
    }

    /// The file that was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Length of the whole file in bytes.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.trailer.total_bytes
    }

    /// Where the index and the signature are.
    #[must_use]
    pub fn trailer(&self) -> &Trailer {
        &self.trailer
    }

    /// Who made it, as far as the keys tell; why not, where they tell that it is not
    /// theirs.
    pub fn authenticity(&self) -> Result<&Authenticity, Refusal> {
        self.judgement.authenticity.as_ref().map_err(|refusal| *refusal)
    }

    /// Hashes every chunk of the payload, on all cores.
    pub fn verify(self, progress: &dyn Progress) -> Result<VerifiedBundle, VerifyError> {
        self.judgement.authentic(&self.path)?;
        progress.begin("verify", Some(self.index.payload_size()));
        let next = AtomicU64::new(0);
        let first_bad: Mutex<Option<(u64, VerifyError)>> = Mutex::new(None);
        let workers = thread::available_parallelism()
            .map_or(1, usize::from)
            .min(self.index.chunks.len());
        let work = || {
            let mut chunks = Chunks::new(&self.file, &self.path, &self.index);
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= self.index.chunks.len() as u64 {
                    return;
                }
                match chunks.load(number) {
                    Ok(bytes) => progress.advance(bytes.len() as u64),
                    Err(error) => {
                        // The rest need not be read, but what is lower may be bad too.
                        next.fetch_max(self.index.chunks.len() as u64, Ordering::Relaxed);
                        let mut first = first_bad
                            .lock()
                            .unwrap_or_else(std::sync::PoisonError::into_inner);
                        if first.as_ref().is_none_or(|(lowest, _)| number < *lowest) {
                            *first = Some((number, error));
                        }
                    }
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(work);
            }
        });
        if let Some((_, error)) = first_bad
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
        {
            return Err(error);
        }
        progress.end("every byte has its digest");
        Ok(VerifiedBundle { opened: self })
    }

    /// Header and stubs have their digests, and the payload ends where the tail
    /// starts: no byte before the index is left uncovered.
    fn check_front(&self) -> Result<(), VerifyError> {
        let mut runs = vec![(
            "the header".to_owned(),
            self.index.header.size,
            self.index.header.sha256,
        )];
        let stubs = self.index.stubs.iter();
        runs.extend(stubs.map(|stub| (format!("the stub for {}", stub.platform), stub.size, stub.sha256)));
        let inconsistent = || VerifyError::Trailer {
            path: self.path.clone(),
            source: TrailerError::Inconsistent,
        };
        // The index was checked: neither sum overflows.
        let payload_end = self.index.payload_offset() + self.index.payload_size();
        if payload_end.checked_add(TAIL_HEADER_BYTES as u64) != Some(self.trailer.index_offset) {
            return Err(inconsistent());
        }
        let mut tail = [0; TAIL_HEADER_BYTES];
        self.file
            .read_exact_at(&mut tail, payload_end)
            .map_err(|source| VerifyError::Read {
                path: self.path.clone(),
                source,
            })?;
        if tail != tail_header(self.trailer.total_bytes - self.trailer.index_offset) {
            return Err(inconsistent());
        }
        let mut offset = 0;
        for (what, size, sha256) in runs {
            let mut bytes = vec![0; usize::try_from(size).expect("a file of this length was opened")];
            self.file
                .read_exact_at(&mut bytes, offset)
                .map_err(|source| VerifyError::Read {
                    path: self.path.clone(),
                    source,
                })?;
            compare(&self.path, &what, offset, &bytes, sha256)?;
            offset += size;
        }
        Ok(())
    }
}

pub(super) fn compare(
    path: &Path,
    what: &str,
    offset: u64,
    bytes: &[u8],
    expected: Digest,
) -> Result<(), VerifyError> {
    let found = Digest::of(bytes);
    if found == expected {
        return Ok(());
    }
    let size = bytes.len() as u64;
    Err(Damage {
        path: path.to_owned(),
        what: what.to_owned(),
        offset,
        size,
        expected,
        found,
    }
    .into())
}
