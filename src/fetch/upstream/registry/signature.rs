//! Signatures that publishers put beside their parts: files beside a program, a tag beside
//! an image. Nothing is checked here: they are carried, for who wants to check them.
//!
//! Sources: kubernetes.io, "Verify Signed Kubernetes Artifacts"; cosign's
//! `specs/SIGNATURE_SPEC.md`.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use super::document::Document;
use super::place::Source;
use super::{Upstream, UpstreamError, WantedImage, attached};
use crate::bundle::{Attestation, BinaryRole, Digest, Origin, Unattested, limits};
use crate::fetch::FetchError;
use crate::fetch::upstream::releases::{self, Published, Released, SignedBeside};
use crate::progress::Progress;
use crate::resolve::Lock;

/// A signature, a certificate, what is signed: each is a few KiB.
pub(super) const FILE_BYTES: u64 = 256 << 10;

/// What a look for signatures came to.
#[derive(Default)]
pub(super) struct Found {
    pub(super) signatures: Vec<Attestation>,
    /// How many are there in the form of a Sigstore bundle, which no bundle of ours carries.
    pub(super) bundles: usize,
    /// Whether somebody who should know did not answer.
    pub(super) is_uncertain: bool,
}

/// What a publisher signed of a part.
#[derive(Clone, Debug, Default)]
pub(in crate::fetch) struct Signed {
    pub(in crate::fetch) attestations: Vec<Attestation>,
    /// Why there is none, unless a lock had before what there is.
    pub(in crate::fetch) unattested: Option<Unattested>,
}

impl Signed {
    /// The origin of the part of which this was signed.
    pub(in crate::fetch) fn beside(self, origin: Origin) -> Origin {
        Origin {
            attestations: self.attestations,
            unattested: self.unattested,
            ..origin
        }
    }
}

impl Upstream {
    /// The signature that lies beside the program, or of which a lock says in its origin that
    /// it lay there.
    pub(in crate::fetch) fn signed_program(
        &self,
        program: &Published,
        locked: Option<&Origin>,
        progress: &dyn Progress,
    ) -> Result<Signed, FetchError> {
        // minikube's releases are not signed.
        if program.role == BinaryRole::Minikube {
            return Ok(Signed::default());
        }
        let find = || of_program(self, program.released(), progress);
        Ok(looked_for(self, locked, find)?)
    }

    /// The signatures of the image whose tag is the first of `chain`: documents of which
    /// each names the next, the last its config.
    pub(super) fn signed_image(
        &self,
        wanted: &WantedImage,
        chain: &[Document],
        source: Source<'_>,
    ) -> Result<Signed, UpstreamError> {
        let locked = wanted.locked.as_ref().map(|locked| &locked.origin);
        looked_for(self, locked, || attached::of_image(source, chain))
    }

    /// Says once for `who` that its signatures are not to be had: a part comes without.
    pub(super) fn note_unsigned(&self, who: &str, error: &UpstreamError, progress: &dyn Progress) {
        let mut unsigned = self
            .session
            .unsigned
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if unsigned.insert(who.to_owned()) {
            let reason = std::error::Error::source(error).map_or_else(String::new, |why| format!(": {why}"));
            progress.note(&format!(
                "{error}{reason}: going on without the signatures of publishers that {who} does not give"
            ));
        }
    }

    /// Every file of the signatures that were found, and of those in `lock`, which may be of
    /// parts that are given, as far as the store has them.
    pub(in crate::fetch) fn signature_files(
        &self,
        lock: &Lock,
    ) -> Result<BTreeMap<Digest, Vec<u8>>, FetchError> {
        for signature in lock.attestations() {
            is_stored(self, signature)?;
        }
        Ok(self
            .session
            .signed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone())
    }
}

/// What `find` finds. Under a lock, with the part's origin in it, nothing is looked for
/// that it does not have, and nobody is asked for what the store has: the same lock gives
/// the same bundle, whatever was signed since.
fn looked_for(
    upstream: &Upstream,
    locked: Option<&Origin>,
    find: impl Fn() -> Result<Found, UpstreamError>,
) -> Result<Signed, UpstreamError> {
    let Some(locked) = locked else {
        let found = find()?;
        return Ok(Signed {
            unattested: found.unattested(),
            attestations: found.signatures,
        });
    };
    for signature in &locked.attestations {
        if !is_stored(upstream, signature)? {
            return Ok(Signed {
                unattested: None,
                attestations: find()?.signatures,
            });
        }
    }
    Ok(Signed {
        unattested: None,
        attestations: locked.attestations.clone(),
    })
}

/// Takes every file of the signature from the store, if all are there.
fn is_stored(upstream: &Upstream, signature: &Attestation) -> Result<bool, UpstreamError> {
    let store = upstream.store()?;
    let mut files = BTreeMap::new();
    for digest in signature.files() {
        match store.bytes(digest, limits::ATTESTATION_BYTES)? {
            Some(file) => files.insert(digest, file),
            None => return Ok(false),
        };
    }
    let mut signed = upstream
        .session
        .signed
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    signed.extend(files);
    Ok(true)
}

/// The signature beside a program, with its certificate.
fn of_program(
    upstream: &Upstream,
    program: Released<'_>,
    progress: &dyn Progress,
) -> Result<Found, UpstreamError> {
    let beside = match releases::signature_beside(upstream, program) {
        Ok(beside) => beside,
        Err(error) if error.ends_the_run() => return Err(error),
        Err(error) => {
            upstream.note_unsigned(program.role.name(), &error, progress);
            return Ok(Found {
                is_uncertain: true,
                ..Found::default()
            });
        }
    };
    let Some(SignedBeside {
        url,
        signature,
        certificate,
    }) = beside
    else {
        return Ok(Found::default());
    };
    let signature = Attestation {
        url,
        documents: Vec::new(),
        signature: keep(upstream, signature)?,
        certificates: vec![keep(upstream, certificate)?],
        log: None,
    };
    Ok(Found {
        signatures: vec![signature],
        ..Found::default()
    })
}

impl Found {
    /// Why there is none to pack.
    fn unattested(&self) -> Option<Unattested> {
        match (self.signatures.len(), self.bundles, self.is_uncertain) {
            (0, 0, false) => Some(Unattested::NotFound),
            (0, 0, true) => Some(Unattested::NoAnswer),
            (0, ..) => Some(Unattested::SigstoreBundle),
            _ => None,
        }
    }
}

/// Keeps the file for the bundle, and in the store for the next one.
pub(super) fn keep(upstream: &Upstream, file: Vec<u8>) -> Result<Digest, UpstreamError> {
    let store = upstream.store()?;
    let digest = store.keep(&file)?;
    store.describe(digest, "a publisher's signature, or a certificate of it")?;
    let mut files = upstream
        .session
        .signed
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    files.insert(digest, file);
    Ok(digest)
}
