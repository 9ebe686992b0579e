//! From an image's name to the config and the layers for one platform.

use std::path::PathBuf;

use serde::de::DeserializeOwned;

use super::blob::small_blob;
use super::place::Place;
use super::{Pinned, Signed, Upstream, UpstreamError, WantedImage};
use crate::bundle::{
    Digest, ImageConfig, ImageConfigError, ImageReference, Platform, PublishedSignature, limits,
};
use crate::fetch::oci_layout::{CONFIGS, Descriptor, INDEXES, Index, LAYERS, MANIFESTS, Manifest};
use crate::http::{Answer, HttpError};
use crate::progress::Progress;

/// The distribution spec wants registries to take manifests of 4 MiB.
const MANIFEST_BYTES: u64 = 4 << 20;

/// An image whose manifest is known.
pub(in crate::fetch) struct Resolved {
    pub(in crate::fetch) reference: ImageReference,
    pub(in crate::fetch) manifest: Digest,
    pub(in crate::fetch) config: (Digest, u64),
    pub(super) config_path: PathBuf,
    pub(super) config_json: Vec<u8>,
    /// The digests of the uncompressed layers, lowest first, as the config lists them.
    pub(in crate::fetch) diff_ids: Vec<Digest>,
    /// Digest and size of each layer as it is served, lowest first.
    pub(in crate::fetch) layers: Vec<(Digest, u64)>,
    /// Where the blobs may be, mirrors first.
    pub(super) places: Vec<Place>,
    /// What it was compared with so far, a sentence each.
    pub(in crate::fetch) evidence: Vec<String>,
    /// Whether the user takes it although nothing says what it should be.
    pub(in crate::fetch) unverified: bool,
    /// The publisher's signatures.
    pub(in crate::fetch) signatures: Vec<PublishedSignature>,
}

/// A manifest, or a list of them, with its digest.
pub(super) struct Document {
    pub(super) media_type: String,
    pub(super) digest: Digest,
    pub(super) json: Vec<u8>,
}

pub(super) fn resolve(
    upstream: &Upstream,
    wanted: &WantedImage,
    platform: Platform,
    progress: &dyn Progress,
) -> Result<Resolved, UpstreamError> {
    let reference = &wanted.reference;
    let origin = upstream.registries.upstream(reference);
    let mut places = upstream.registries.mirrors(reference);
    places.push(origin.clone());
    let Top {
        mut document,
        mut evidence,
        unverified,
    } = top(upstream, wanted, &places, &origin, progress)?;
    let mut chain = Vec::new();
    if INDEXES.contains(&document.media_type.as_str()) {
        let index: Index = parse(&document, reference)?;
        let digest = choose(&index, reference, platform, &document)?;
        chain.push(document);
        document = by_digest(upstream, reference, digest, &places, progress)?;
        evidence.push(format!("its manifest for {platform} is {digest}"));
    }
    if !MANIFESTS.contains(&document.media_type.as_str()) {
        let reason = format!("is of the type `{}`, which no node runs", document.media_type);
        return Err(refused(reference, document.digest, reason));
    }
    let manifest: Manifest = parse(&document, reference)?;
    let described = |descriptor: &Descriptor, known: &[&str]| {
        let digest = Digest::parse_prefixed(&descriptor.digest);
        if !known.contains(&descriptor.media_type.as_str()) {
            let reason = format!("names a blob of the type `{}`", descriptor.media_type);
            return Err(refused(reference, document.digest, reason));
        }
        let digest = digest
            .map_err(|error| refused(reference, document.digest, format!("names a blob, but {error}")))?;
        Ok((digest, descriptor.size))
    };
    let config = described(&manifest.config, &CONFIGS)?;
    if config.1 > limits::IMAGE_CONFIG_BYTES {
        let reason = format!("names a config of {} bytes", config.1);
        return Err(refused(reference, document.digest, reason));
    }
    let layers: Vec<(Digest, u64)> = manifest
        .layers
        .iter()
        .map(|layer| described(layer, &LAYERS))
        .collect::<Result<_, _>>()?;
    let (config_path, config_json) = small_blob(upstream, config.0, config.1, &places)?;
    let store = upstream.store()?;
    store.describe(config.0, &format!("the config of {reference}"))?;
    let diff_ids = diff_ids(&config_json, reference, platform, layers.len(), &document)?;
    let digest = document.digest;
    chain.push(document);
    let Signed {
        signatures,
        evidence: about_signatures,
    } = upstream.signed_image(reference, platform, &chain, &places, progress)?;
    evidence.extend(about_signatures);
    Ok(Resolved {
        reference: reference.clone(),
        manifest: digest,
        config,
        config_path,
        config_json,
        diff_ids,
        layers,
        places,
        evidence,
        unverified,
        signatures,
    })
}

/// The layers that the config lists; it must be for `platform`, and list as many as the
/// manifest has.
fn diff_ids(
    config_json: &[u8],
    reference: &ImageReference,
    platform: Platform,
    layers: usize,
    document: &Document,
) -> Result<Vec<Digest>, UpstreamError> {
    let wrong = |reason: String| refused(reference, document.digest, reason);
    let config = match ImageConfig::parse(config_json) {
        Err(ImageConfigError::Platform { os, architecture }) => {
            return Err(UpstreamError::NoPlatform {
                reference: reference.clone(),
                platform,
                there: vec![format!("{os}/{architecture}")],
            });
        }
        config => config.map_err(|error| wrong(format!("names a config, but {error}")))?,
    };
    if config.platform != platform {
        return Err(UpstreamError::NoPlatform {
            reference: reference.clone(),
            platform,
            there: vec![config.platform.to_string()],
        });
    }
    if config.diff_ids.len() != layers {
        let listed = config.diff_ids.len();
        return Err(wrong(format!(
            "has {layers} layers, and its config lists {listed}"
        )));
    }
    Ok(config.diff_ids)
}

/// What an image's name stands for.
struct Top {
    document: Document,
    evidence: Vec<String>,
    unverified: bool,
}

/// What the image's name stands for. A tag is asked of the registry itself: a mirror
/// is believed only where a digest says what it must give.
fn top(
    upstream: &Upstream,
    wanted: &WantedImage,
    places: &[Place],
    origin: &Place,
    progress: &dyn Progress,
) -> Result<Top, UpstreamError> {
    let reference = &wanted.reference;
    let keep = |document: &Document| keep(upstream, reference, document);
    if let Some(Pinned { digest, because }) = &wanted.pinned {
        let document = by_digest(upstream, reference, *digest, places, progress)?;
        let evidence = because.iter().map(|because| format!("{because}: {digest}"));
        return Ok(Top {
            document,
            evidence: evidence.collect(),
            unverified: false,
        });
    }
    let name = reference.to_string();
    let by_name = upstream.accepts(&name);
    // Whoever takes what a place has, takes it from there.
    let by_place = upstream.registries.in_images_place(reference);
    let by_place = by_place.filter(|_| upstream.accepts_images_place());
    let accepted = |mirror: &&Place| by_name || by_place.as_ref() == Some(*mirror);
    let mirrors = &places[..places.len() - 1];
    let mut silence = None;
    if mirrors.is_empty() || !upstream.registries.is_silent(origin) {
        let attempts = upstream.attempts(!mirrors.is_empty());
        match document_trying(upstream, origin, reference.tag(), attempts) {
            Ok(document) => {
                keep(&document)?;
                let text = format!("{} says that this tag is {}", origin.host, document.digest);
                return Ok(Top {
                    document,
                    evidence: vec![text],
                    unverified: false,
                });
            }
            Err(UpstreamError::Http(error))
                if matches!(error.status(), Some(401 | 403 | 404)) || mirrors.is_empty() =>
            {
                return Err(missing(reference, origin, error));
            }
            Err(UpstreamError::Http(error)) if UpstreamError::goes_on(&error) => {
                upstream.registries.add_silent(origin);
                silence = Some(Box::new(error));
            }
            Err(error) => return Err(error),
        }
    }
    if !mirrors.iter().any(|mirror| accepted(&mirror)) {
        return Err(UpstreamError::Unproven {
            what: vec![name],
            source: silence,
        });
    }
    for mirror in mirrors.iter().filter(accepted) {
        match document(upstream, mirror, reference.tag()) {
            Ok(document) => {
                keep(&document)?;
                let digest = document.digest;
                let text = format!(
                    "accepted unverified: only the mirror {} says that this tag is {digest}",
                    mirror.host
                );
                return Ok(Top {
                    document,
                    evidence: vec![text],
                    unverified: true,
                });
            }
            Err(error) if error.ends_the_run() => return Err(error),
            Err(error) => upstream.registries.failed(mirror, &error, progress),
        }
    }
    Err(UpstreamError::NoneHas {
        reference: reference.clone(),
        places: places
            .iter()
            .map(|place| format!("{}/{}", place.host, place.repository))
            .collect(),
    })
}

/// What the image's tag stands for now, by the registry itself, if it says so.
pub(in crate::fetch::upstream) fn tag_now(upstream: &Upstream, reference: &ImageReference) -> Option<Digest> {
    let place = upstream.registries.upstream(reference);
    let document = document(upstream, &place, reference.tag());
    document.ok().map(|document| document.digest)
}

fn keep(upstream: &Upstream, reference: &ImageReference, document: &Document) -> Result<(), UpstreamError> {
    let store = upstream.store()?;
    let digest = store.keep(&document.json)?;
    Ok(store.describe(digest, &format!("a manifest of {reference}"))?)
}

/// The manifest `digest` from the store, or from the first place that has it.
fn by_digest(
    upstream: &Upstream,
    reference: &ImageReference,
    digest: Digest,
    places: &[Place],
    progress: &dyn Progress,
) -> Result<Document, UpstreamError> {
    if let Some(json) = upstream.store()?.bytes(digest, MANIFEST_BYTES)? {
        return Ok(Document {
            media_type: media_type(&json).unwrap_or_default(),
            digest,
            json,
        });
    }
    upstream.registries.first(places, progress, |place| {
        let found = document(upstream, place, &digest.to_string()).map_err(|error| match error {
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

/// The manifest that `place` has by this tag or digest. What the registry says of its
/// digest must agree with its bytes.
pub(super) fn document(upstream: &Upstream, place: &Place, tag: &str) -> Result<Document, UpstreamError> {
    document_trying(upstream, place, tag, u32::MAX)
}

/// The same, tried so often at most.
pub(super) fn document_trying(
    upstream: &Upstream,
    place: &Place,
    tag: &str,
    attempts: u32,
) -> Result<Document, UpstreamError> {
    let accept = [&INDEXES[..], &MANIFESTS[..]].concat().join(", ");
    let path = format!("manifests/{tag}");
    let answer: Answer =
        upstream
            .registries
            .let_in(&upstream.http, place, Some(&accept), &path, |request| {
                upstream.http.get_trying(&request, MANIFEST_BYTES, attempts)
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
    Ok(Document {
        media_type,
        digest,
        json: answer.body,
    })
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

/// The digest of the manifest for `platform` in the list.
fn choose(
    index: &Index,
    reference: &ImageReference,
    platform: Platform,
    document: &Document,
) -> Result<Digest, UpstreamError> {
    let chosen = index
        .manifests
        .iter()
        .find(|descriptor| descriptor.is_for(platform) == Some(true))
        .ok_or_else(|| UpstreamError::NoPlatform {
            reference: reference.clone(),
            platform,
            there: index.platforms(),
        })?;
    Digest::parse_prefixed(&chosen.digest).map_err(|error| {
        refused(
            reference,
            document.digest,
            format!("names a manifest, but {error}"),
        )
    })
}

fn parse<T: DeserializeOwned>(document: &Document, reference: &ImageReference) -> Result<T, UpstreamError> {
    serde_json::from_slice(&document.json).map_err(|error| {
        refused(
            reference,
            document.digest,
            format!("is not what its type says: {error}"),
        )
    })
}

fn refused(reference: &ImageReference, digest: Digest, reason: String) -> UpstreamError {
    UpstreamError::Manifest {
        reference: reference.to_string(),
        digest,
        reason,
    }
}

fn wrong_digest(upstream: &Upstream, url: String, expected: Digest, found: Digest) -> HttpError {
    HttpError::WrongDigest {
        proxy: upstream.http.proxy_shown(&url),
        url,
        expected,
        found,
    }
}

fn missing(reference: &ImageReference, place: &Place, source: HttpError) -> UpstreamError {
    if source.status() != Some(404) {
        return source.into();
    }
    UpstreamError::NoImage {
        reference: reference.clone(),
        place: format!("{}/{}", place.host, place.repository),
        source: Box::new(source),
    }
}
