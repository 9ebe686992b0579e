//! From a path to a bundle whose every byte, but the payload's, is checked.

use std::fs::File;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Mutex;

use super::bad_chunks::BadChunks;
use super::chunks::Chunks;
use super::files::{Files, NamedFile};
use super::sealed::{Judgement, Sealed};
use super::{VerifiedBundle, VerifyError};
use crate::bundle::{
    BundleIndex, Platform, PlatformView, TAIL_HEADER_BYTES, Trailer, TrailerError, tail_header,
};
use crate::host::{cpu_count, held, in_parallel_until};
use crate::progress::Progress;
use crate::trust::{Authenticity, Refusal, TrustedKeys};

/// A bundle of which all but the payload has been checked: enough to show what is
/// in it, and not enough to use any of that.
#[derive(Debug)]
pub struct OpenedBundle {
    pub(super) files: Files,
    pub(super) index: BundleIndex,
    pub(super) trailer: Trailer,
    judgement: Judgement,
}

impl OpenedBundle {
    /// Opens `path`; checks length, trailer, signature, index, header and stubs, in this
    /// order, and that the volumes of a split bundle are there with their lengths. Where
    /// keys count, a bundle that none of them signed is refused before its index is parsed.
    pub fn open(path: &Path, trusted: &TrustedKeys) -> Result<Self, VerifyError> {
        let sealed = Sealed::read(NamedFile::open(path)?, trusted)?;
        sealed.judgement.authentic(path)?;
        let mut bundle = Self::unseal(path, sealed)?;
        bundle.files.open_volumes(&bundle.index)?;
        Ok(bundle)
    }

    /// The same, but a bundle that is not authentic is opened too, and one whose volumes
    /// are elsewhere: it can be shown, and still not be verified.
    pub fn open_to_show(path: &Path, trusted: &TrustedKeys) -> Result<Self, VerifyError> {
        let bundle = Self::unseal(path, Sealed::read(NamedFile::open(path)?, trusted)?)?;
        bundle.files.refuse_surplus(&bundle.index)?;
        Ok(bundle)
    }

    /// The open `file`, whatever lies at the name `path` that it will have, and without its
    /// volumes.
    pub fn of_file(path: &Path, file: File, trusted: &TrustedKeys) -> Result<Self, VerifyError> {
        Self::unseal(path, Sealed::read(NamedFile::of(path, file), trusted)?)
    }

    fn unseal(path: &Path, sealed: Sealed) -> Result<Self, VerifyError> {
        let index = BundleIndex::parse(&sealed.json).map_err(|source| VerifyError::Index {
            path: path.to_owned(),
            source,
        })?;
        let bundle = Self {
            files: Files::of(sealed.file),
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

    /// What the bundle says of the parts for `platform`; fails when it is not for it.
    pub fn on(&self, platform: Platform) -> Result<PlatformView<'_>, VerifyError> {
        let view = self.index.on(platform);
        view.ok_or_else(|| VerifyError::OtherPlatform {
            path: self.path().to_owned(),
            platform,
            there: self.index.cluster.platforms.clone(),
        })
    }

    /// The file that was opened: of a split bundle the first.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.files.first.path
    }

    /// Length of the bundle in bytes, its volumes included.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        let volumes = self.index.volumes.iter();
        // The index was checked: the sum is at most the payload's.
        self.trailer
            .total_bytes
            .saturating_add(volumes.map(|volume| volume.size).sum())
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

    /// Hashes every chunk of the payload, on all cores. Of damage it tells all, for then it is
    /// known whether a second copy, or only the packer, can help.
    pub fn verify(mut self, progress: &dyn Progress) -> Result<VerifiedBundle, VerifyError> {
        self.judgement.authentic(self.path())?;
        self.files.open_volumes(&self.index)?;
        progress.begin("verify", Some(self.index.payload_size()));
        let bad = Mutex::new(BadChunks::default());
        let begin = || Chunks::new(&self.files, &self.index);
        in_parallel_until(cpu_count(), self.index.chunks.len(), begin, |chunks, number| {
            let number = number as u64;
            match chunks.load(number) {
                Ok(bytes) => progress.advance(bytes.len() as u64),
                Err(error) => {
                    let damage = match &error {
                        VerifyError::Damaged(damage) => Some(damage.size),
                        _ => None,
                    };
                    held(&bad).add(number, error);
                    match damage {
                        Some(size) => progress.advance(size),
                        // The medium is gone: the rest need not be read, but what is
                        // lower may be bad too.
                        None => return ControlFlow::Break(()),
                    }
                }
            }
            ControlFlow::Continue(())
        });
        self.files.misread.tell(progress);
        let bad = std::mem::take(&mut *held(&bad));
        if let Some(error) = bad.into_error(self.path(), &self.index) {
            if matches!(error, VerifyError::Damaged(_)) {
                self.files.check_order(&self.index)?;
            }
            return Err(error);
        }
        progress.end("every byte has its digest");
        Ok(VerifiedBundle { opened: self })
    }

    /// Header and stubs have their digests, and what they and the payload leave is the
    /// tail: no byte before the index is left uncovered.
    fn check_front(&self) -> Result<(), VerifyError> {
        let mut runs = vec![(
            "the header".to_owned(),
            self.index.header.size,
            self.index.header.sha256,
        )];
        let stubs = self.index.stubs.iter();
        runs.extend(stubs.map(|stub| (format!("the stub for {}", stub.platform), stub.size, stub.sha256)));
        let inconsistent = || VerifyError::Trailer {
            path: self.path().to_owned(),
            source: TrailerError::Inconsistent,
        };
        // The index was checked: the sum in it does not overflow.
        let tail_offset = self.index.tail_offset();
        if tail_offset.checked_add(TAIL_HEADER_BYTES as u64) != Some(self.trailer.index_offset) {
            return Err(inconsistent());
        }
        let mut tail = [0; TAIL_HEADER_BYTES];
        self.files.first.read_exact_at(&mut tail, tail_offset)?;
        if tail != tail_header(self.trailer.total_bytes - self.trailer.index_offset) {
            return Err(inconsistent());
        }
        let mut offset = 0;
        for (what, size, sha256) in runs {
            let mut bytes = vec![0; usize::try_from(size).expect("a file of this length was opened")];
            self.files.first.read_exact_at(&mut bytes, offset)?;
            self.files.first.compare(&what, offset, &bytes, sha256)?;
            offset += size;
        }
        Ok(())
    }
}
