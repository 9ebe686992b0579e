//! Signatures that publishers put beside their parts: files beside a program, a tag beside
//! an image. Nothing is checked here: they are carried, for who wants to check them.
//!
//! Sources: kubernetes.io, "Verify Signed Kubernetes Artifacts"; cosign's
//! `specs/SIGNATURE_SPEC.md`.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use super::blob::small_blob;
use super::document::{Document, document_trying};
use super::place::Place;
use super::{Upstream, UpstreamError};
use crate::bundle::{
    BinaryRole, Digest, ImageReference, Origin, Platform, PublishedSignature, Version, limits,
};
use crate::fetch::FetchError;
use crate::fetch::oci_layout::{Descriptor, Manifest};
use crate::fetch::upstream::releases::{self, SignedBeside, is_absent};
use crate::http::HttpError;
use crate::progress::Progress;
use crate::resolve::Lock;

/// A signature, a certificate, what is signed: each is a few KiB.
const FILE_BYTES: u64 = 256 << 10;

const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
const CHAIN: &str = "dev.sigstore.cosign/chain";
const LOG_ENTRY: &str = "dev.sigstore.cosign/bundle";

/// What a publisher signed of a part.
#[derive(Clone, Debug, Default)]
pub(in crate::fetch) struct Signed {
    pub(in crate::fetch) signatures: Vec<PublishedSignature>,
    /// A sentence about what was found, unless a lock said before what there is.
    pub(in crate::fetch) evidence: Option<String>,
}

impl Upstream {
    /// The signature that lies beside the program.
    pub(in crate::fetch) fn signed_program(
        &self,
        role: BinaryRole,
        version: &Version,
        platform: Platform,
    ) -> Result<Signed, FetchError> {
        // minikube's releases are not signed.
        if role == BinaryRole::Minikube {
            return Ok(Signed::default());
        }
        let locked = self.locked_program(platform, role);
        let locked = locked.map(|locked| &locked.origin);
        Ok(looked_for(self, locked, || {
            of_program(self, role, version, platform)
        })?)
    }

    /// The signatures of the image whose tag is the first of `chain`: documents of which
    /// each names the next, the last its config.
    pub(super) fn signed_image(
        &self,
        reference: &ImageReference,
        platform: Platform,
        chain: &[Document],
        places: &[Place],
        progress: &dyn Progress,
    ) -> Result<Signed, UpstreamError> {
        let locked = self.locked_image(platform, reference);
        let locked = locked.map(|locked| &locked.origin);
        looked_for(self, locked, || of_image(self, chain, places, progress))
    }

    /// Every file of the signatures that were found, and of those that a lock has of parts
    /// which are given, as far as the store has them.
    pub(in crate::fetch) fn signature_files(&self) -> Result<BTreeMap<Digest, Vec<u8>>, FetchError> {
        for signature in self.lock().into_iter().flat_map(Lock::signatures) {
            is_stored(self, signature)?;
        }
        Ok(self.signed.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

/// What `find` finds. Under a lock, with the part's origin in it, nothing is looked for
/// that it does not have, and nobody is asked for what the store has: the same lock gives
/// the same bundle, whatever was signed since.
fn looked_for(
    upstream: &Upstream,
    locked: Option<&Origin>,
    find: impl Fn() -> Result<Vec<PublishedSignature>, UpstreamError>,
) -> Result<Signed, UpstreamError> {
    if upstream.lock.is_none() {
        let signatures = find()?;
        return Ok(Signed {
            evidence: Some(sentence(&signatures)),
            signatures,
        });
    }
    let known = locked.map_or(&[][..], |origin| &origin.signatures);
    for signature in known {
        if !is_stored(upstream, signature)? {
            return Ok(Signed {
                evidence: None,
                signatures: find()?,
            });
        }
    }
    Ok(Signed {
        evidence: None,
        signatures: known.to_vec(),
    })
}

/// Takes every file of the signature from the store, if all are there.
fn is_stored(upstream: &Upstream, signature: &PublishedSignature) -> Result<bool, UpstreamError> {
    let store = upstream.store()?;
    let mut files = BTreeMap::new();
    for digest in signature.files() {
        match store.bytes(digest, limits::EVIDENCE_BYTES)? {
            Some(file) => files.insert(digest, file),
            None => return Ok(false),
        };
    }
    let mut signed = upstream.signed.lock().unwrap_or_else(PoisonError::into_inner);
    signed.extend(files);
    Ok(true)
}

/// The signature beside a program, with its certificate.
fn of_program(
    upstream: &Upstream,
    role: BinaryRole,
    version: &Version,
    platform: Platform,
) -> Result<Vec<PublishedSignature>, UpstreamError> {
    let beside = releases::signature_beside(upstream, role, version, platform)?;
    let Some(SignedBeside {
        url,
        signature,
        certificate,
    }) = beside
    else {
        return Ok(Vec::new());
    };
    Ok(vec![PublishedSignature {
        url,
        documents: Vec::new(),
        signature: keep(upstream, signature)?,
        certificates: vec![keep(upstream, certificate)?],
        log: None,
    }])
}

/// What the first place has that has any.
fn of_image(
    upstream: &Upstream,
    chain: &[Document],
    places: &[Place],
    progress: &dyn Progress,
) -> Result<Vec<PublishedSignature>, UpstreamError> {
    let (Some(first), Some((registry, mirrors))) = (chain.first(), places.split_last()) else {
        return Ok(Vec::new());
    };
    let tag = format!("sha256-{}.sig", first.digest.hex());
    for place in mirrors {
        // Asked anew before each: meanwhile others may have found out.
        if upstream.registries.is_silent(place) {
            continue;
        }
        match at(upstream, chain, place, &tag, upstream.attempts(true)) {
            Ok(found) if found.is_empty() => {}
            Err(error) if !error.ends_the_run() => upstream.registries.failed(place, &error, progress),
            result => return result,
        }
    }
    let has_mirror = !mirrors.is_empty();
    if has_mirror && upstream.registries.is_silent(registry) {
        return Ok(Vec::new());
    }
    match at(upstream, chain, registry, &tag, upstream.attempts(has_mirror)) {
        // All came from a mirror.
        Err(UpstreamError::Http(HttpError::Connection { .. })) if has_mirror => {
            upstream.registries.add_silent(registry);
            Ok(Vec::new())
        }
        result => result,
    }
}

/// The signatures that `place` has under `tag`.
fn at(
    upstream: &Upstream,
    chain: &[Document],
    place: &Place,
    tag: &str,
    attempts: u32,
) -> Result<Vec<PublishedSignature>, UpstreamError> {
    let signatures = match document_trying(upstream, place, tag, attempts) {
        Ok(signatures) => signatures,
        Err(UpstreamError::Http(error)) if is_absent(&error) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    // Something else has this name.
    let Ok(manifest) = serde_json::from_slice::<Manifest>(&signatures.json) else {
        return Ok(Vec::new());
    };
    let url = upstream
        .registries
        .url(&upstream.http, place, &format!("manifests/{tag}"));
    let mut found = Vec::new();
    for layer in manifest.layers.iter().take(limits::SIGNATURES) {
        found.extend(one(upstream, layer, chain, place, &url)?);
    }
    Ok(found)
}

/// A signature in the registry, when it was made with a certificate.
fn one(
    upstream: &Upstream,
    layer: &Descriptor,
    chain: &[Document],
    place: &Place,
    url: &str,
) -> Result<Option<PublishedSignature>, UpstreamError> {
    let annotation = |key| {
        layer
            .annotations
            .get(key)
            .map(|text: &String| text.clone().into_bytes())
    };
    let (Some(signature), Some(certificate)) = (annotation(SIGNATURE), annotation(CERTIFICATE)) else {
        return Ok(None);
    };
    let Ok(digest) = Digest::parse_prefixed(&layer.digest) else {
        return Ok(None);
    };
    if layer.size > FILE_BYTES {
        return Ok(None);
    }
    let (_, payload) = small_blob(upstream, digest, layer.size, std::slice::from_ref(place))?;
    let mut documents = vec![keep(upstream, payload)?];
    for document in chain {
        documents.push(keep(upstream, document.json.clone())?);
    }
    Ok(Some(PublishedSignature {
        url: url.to_owned(),
        documents,
        signature: keep(upstream, signature)?,
        certificates: [Some(certificate), annotation(CHAIN)]
            .into_iter()
            .flatten()
            .map(|file| keep(upstream, file))
            .collect::<Result<_, _>>()?,
        log: annotation(LOG_ENTRY)
            .map(|entry| keep(upstream, entry))
            .transpose()?,
    }))
}

/// A sentence about what was found.
fn sentence(found: &[PublishedSignature]) -> String {
    match found.len() {
        0 => "no signature of its publisher's with a certificate was found".to_owned(),
        1 => "its publisher's signature is carried; it was not checked".to_owned(),
        count => format!("{count} signatures of its publisher's are carried; they were not checked"),
    }
}

/// Keeps the file for the bundle, and in the store for the next one.
fn keep(upstream: &Upstream, file: Vec<u8>) -> Result<Digest, UpstreamError> {
    let store = upstream.store()?;
    let digest = store.keep(&file)?;
    store.describe(digest, "a publisher's signature, or a certificate of it")?;
    let mut files = upstream.signed.lock().unwrap_or_else(PoisonError::into_inner);
    files.insert(digest, file);
    Ok(digest)
}
