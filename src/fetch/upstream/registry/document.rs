//! A manifest, or a list of them: from a registry, or from the store.

use super::place::{Place, Source};
use super::{Upstream, UpstreamError};
use crate::bundle::{Digest, ImageReference};
use crate::http::{Answer, HttpError};
use crate::oci::{INDEXES, MANIFESTS};
use crate::progress::Progress;

/// The distribution spec wants registries to take manifests of 4 MiB.
const MANIFEST_BYTES: u64 = 4 << 20;

/// A manifest, or a list of them, with its digest.
pub(super) struct Document {
    pub(super) media_type: String,
    pub(super) digest: Digest,
    pub(super) json: Vec<u8>,
}

pub(super) fn keep(
    upstream: &Upstream,
    reference: &ImageReference,
    document: &Document,
) -> Result<(), UpstreamError> {
    let store = upstream.store()?;
    let digest = store.keep(&document.json)?;
    Ok(store.describe(digest, &format!("a manifest of {reference}"))?)
}

/// The manifest `digest` from the store, or from the first place that has it.
pub(super) fn by_digest(source: Source<'_>, digest: Digest) -> Result<Document, UpstreamError> {
    let Source {
        upstream,
        reference,
        places,
        progress,
    } = source;
    if let Some(json) = upstream.store()?.bytes(digest, MANIFEST_BYTES)? {
        return Ok(Document {
            media_type: media_type(&json).unwrap_or_default(),
            digest,
            json,
        });
    }
    upstream.session.silent.try_each(places, progress, |place| {
        let is_last = places.last() == Some(place);
        let attempts = upstream.attempts(!is_last);
        let telling = is_last.then_some(progress);
        let found = document(upstream, place, &digest.to_string(), attempts, telling);
        let (found, _) = found.map_err(|error| match error {
            UpstreamError::Http(error) => missing(reference, place, error),
            error => error,
        })?;
        if found.digest == digest {
            keep(upstream, reference, &found)?;
            return Ok(found);
        }
        let path = format!("manifests/{digest}");
        let url = upstream.registries.url(&upstream.http, place, &path);
        Err(wrong_digest(upstream, url, digest, found.digest).into())
    })
}

/// The manifest that `place` has by this tag or digest, tried so often at most, and the URL
/// at which it was in the end. What the registry says of its digest must agree with its
/// bytes. With `telling` a long pause is made where the registry asks for it.
pub(super) fn document(
    upstream: &Upstream,
    place: &Place,
    tag: &str,
    attempts: u32,
    telling: Option<&dyn Progress>,
) -> Result<(Document, String), UpstreamError> {
    let accept = [&INDEXES[..], &MANIFESTS[..]].concat().join(", ");
    let path = format!("manifests/{tag}");
    let answer: Answer =
        upstream
            .registries
            .let_in(&upstream.http, place, Some(&accept), &path, |request| {
                upstream
                    .http
                    .get_trying(&request, MANIFEST_BYTES, attempts, telling)
            })?;
    let digest = Digest::of(&answer.body);
    if let Some(said) = answer.header("docker-content-digest")
        && said.starts_with("sha256:")
        && said != digest.to_string()
    {
        let url = upstream.registries.url(&upstream.http, place, &path);
        let expected = Digest::parse(said).unwrap_or(digest);
        return Err(wrong_digest(upstream, url, expected, digest).into());
    }
    let media_type = answer.header("content-type").unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim().to_owned();
    let document = Document {
        media_type,
        digest,
        json: answer.body,
    };
    Ok((document, answer.url))
}

/// The type of a manifest that no server sent along. It stands in most; in the others what
/// they list says what they are. Source: OCI image-spec v1.1, `manifest.md` and
/// `image-index.md`, `mediaType`.
fn media_type(json: &[u8]) -> Option<String> {
    let document: serde_json::Value = serde_json::from_slice(json).ok()?;
    let named = document["mediaType"].as_str();
    let listed = || match (document.get("manifests"), document.get("layers")) {
        (Some(_), _) => Some(INDEXES[0]),
        (_, Some(_)) => Some(MANIFESTS[0]),
        _ => None,
    };
    named.or_else(listed).map(str::to_owned)
}

fn wrong_digest(upstream: &Upstream, url: String, expected: Digest, found: Digest) -> HttpError {
    HttpError::WrongDigest {
        proxy: upstream.http.proxy_shown(&url),
        url,
        expected,
        found,
    }
}

pub(super) fn missing(reference: &ImageReference, place: &Place, source: HttpError) -> UpstreamError {
    if source.status() != Some(404) {
        return source.into();
    }
    UpstreamError::NoImage {
        reference: reference.clone(),
        place: format!("{}/{}", place.host, place.repository),
        source: Box::new(source),
    }
}
