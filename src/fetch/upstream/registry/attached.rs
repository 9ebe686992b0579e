//! Signatures that cosign puts beside an image in its registry: under a tag of the image's
//! digest, and as Sigstore bundles that refer to it.
//!
//! Sources: cosign, `specs/SIGNATURE_SPEC.md` and `specs/BUNDLE_SPEC.md`; OCI distribution
//! spec v1.1, "Listing Referrers" and "Referrers Tag Schema".

use serde::Deserialize;

use super::document::{Document, document};
use super::place::{Place, Source};
use super::signature::{FILE_BYTES, Found, keep};
use super::{Upstream, UpstreamError};
use crate::bundle::{Attestation, Digest, limits, null_as_default};
use crate::fetch::upstream::releases::is_absent;
use crate::http::{Answer, HttpError, Request};
use crate::oci::{Descriptor, INDEXES, Manifest};

const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
const CHAIN: &str = "dev.sigstore.cosign/chain";
const LOG_ENTRY: &str = "dev.sigstore.cosign/bundle";

/// What the type of every version of Sigstore's bundles begins with.
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.";

/// An index of what refers to an image.
const REFERRERS_BYTES: u64 = 4 << 20;

/// What the first place has that has any. Whoever fails only loses this look: what was
/// found is then less than there may be.
pub(super) fn of_image(source: Source<'_>, chain: &[Document]) -> Result<Found, UpstreamError> {
    let Source {
        upstream,
        places,
        progress,
        ..
    } = source;
    let mut all = Found::default();
    for place in places {
        // Asked again before each: meanwhile others may have found out.
        if upstream.session.silent.has(place) {
            all.is_uncertain = true;
            continue;
        }
        let found = match at(upstream, chain, place) {
            Ok(found) => found,
            Err(error) if error.ends_the_run() => return Err(error),
            Err(error) => {
                let is_unreachable = matches!(error, UpstreamError::Http(HttpError::Connection { .. }));
                if places.len() > 1 && is_unreachable {
                    upstream.session.silent.add(place);
                }
                upstream.note_unsigned(&place.host, &error, progress);
                all.is_uncertain = true;
                continue;
            }
        };
        if !found.signatures.is_empty() {
            return Ok(found);
        }
        all.bundles = all.bundles.max(found.bundles);
    }
    Ok(all)
}

/// The signatures of the first of `chain` that `place` has.
fn at(upstream: &Upstream, chain: &[Document], place: &Place) -> Result<Found, UpstreamError> {
    let Some(first) = chain.first() else {
        return Ok(Found::default());
    };
    let tag = format!("sha256-{}", first.digest.hex());
    let signatures = under_tag(upstream, chain, place, &format!("{tag}.sig"))?;
    let bundles = if signatures.is_empty() {
        bundles(upstream, first.digest, &tag, place)?
    } else {
        0
    };
    Ok(Found {
        signatures,
        bundles,
        is_uncertain: false,
    })
}

fn under_tag(
    upstream: &Upstream,
    chain: &[Document],
    place: &Place,
    tag: &str,
) -> Result<Vec<Attestation>, UpstreamError> {
    let (signatures, from) = match document(upstream, place, tag, upstream.attempts(true), None) {
        Ok(signatures) => signatures,
        Err(UpstreamError::Http(error)) if is_absent(&error) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    // Something else has this name.
    let Ok(manifest) = serde_json::from_slice::<Manifest>(&signatures.json) else {
        return Ok(Vec::new());
    };
    let path = format!("manifests/{tag}");
    let url = upstream.registries.url(&upstream.http, place, &path);
    // Where the tag was found in the end: there its blobs are, whatever other blobs are
    // elsewhere. registry.k8s.io has signatures in one region alone (kubernetes/registry.k8s.io#324).
    let beside = from.strip_suffix(&path).filter(|_| from != url);
    let mut found = Vec::new();
    for layer in manifest.layers.iter().take(limits::ATTESTATIONS) {
        found.extend(one(upstream, layer, chain, place, &url, beside)?);
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
    beside: Option<&str>,
) -> Result<Option<Attestation>, UpstreamError> {
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
    let payload = payload(upstream, digest, place, beside)?;
    let mut documents = vec![keep(upstream, payload)?];
    for document in chain {
        documents.push(keep(upstream, document.json.clone())?);
    }
    Ok(Some(Attestation {
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

/// What is signed: from the store, from `place`, or from where the signature was.
fn payload(
    upstream: &Upstream,
    digest: Digest,
    place: &Place,
    beside: Option<&str>,
) -> Result<Vec<u8>, UpstreamError> {
    if let Some(payload) = upstream.store()?.bytes(digest, FILE_BYTES)? {
        return Ok(payload);
    }
    let path = format!("blobs/{digest}");
    let attempts = upstream.attempts(true);
    let url = upstream.registries.url(&upstream.http, place, &path);
    let checked = |answer: Answer| match Digest::of(&answer.body) {
        found if found == digest => Ok(answer.body),
        found => Err(HttpError::WrongDigest {
            proxy: upstream.http.proxy_shown(&url),
            url: url.clone(),
            expected: digest,
            found,
        }),
    };
    let get = |request: Request| upstream.http.get_trying(&request, FILE_BYTES, attempts, None);
    let here = upstream
        .registries
        .let_in(&upstream.http, place, None, &path, |request| {
            get(request).and_then(checked)
        });
    match (here, beside) {
        (Err(UpstreamError::Http(error)), Some(beside)) if error.status().is_some() => {
            let there = get(Request::of(format!("{beside}{path}"))).and_then(checked);
            // The first error is of the registry that a person knows.
            there.map_err(|_| error.into())
        }
        (here, _) => here,
    }
}

/// How many Sigstore bundles of the manifest `digest` the place lists: by the API or, where
/// it has none, under the tag that stands in for it.
fn bundles(upstream: &Upstream, digest: Digest, tag: &str, place: &Place) -> Result<usize, UpstreamError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Referrers {
        #[serde(deserialize_with = "null_as_default")]
        manifests: Vec<Referrer>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Referrer {
        #[serde(default, deserialize_with = "null_as_default")]
        artifact_type: String,
    }
    for path in [format!("referrers/{digest}"), format!("manifests/{tag}")] {
        let answer = upstream
            .registries
            .let_in(&upstream.http, place, Some(INDEXES[0]), &path, |request| {
                let attempts = upstream.attempts(true);
                upstream
                    .http
                    .get_trying(&request, REFERRERS_BYTES, attempts, None)
            });
        let answer = match answer {
            Ok(answer) => answer,
            Err(UpstreamError::Http(error)) if is_absent(&error) => continue,
            Err(error) => return Err(error),
        };
        // A registry without the API may answer with a page of its own.
        let listed: Referrers = serde_json::from_slice(&answer.body).unwrap_or_default();
        let bundles = listed.manifests.iter();
        let count = bundles
            .filter(|entry| entry.artifact_type.starts_with(BUNDLE))
            .count();
        if count > 0 {
            return Ok(count);
        }
    }
    Ok(0)
}
