//! From an image's name to the config and the layers for one platform.

use std::path::PathBuf;

use serde::de::DeserializeOwned;

use super::blob::small_blob;
use super::document::{Document, by_digest};
use super::named::{Top, top};
use super::place::Place;
use super::{Signed, Upstream, UpstreamError, WantedImage};
use crate::bundle::{
    Digest, ImageConfig, ImageConfigError, ImageReference, Platform, PublishedSignature, limits,
};
use crate::fetch::oci_layout::{CONFIGS, Descriptor, INDEXES, Index, LAYERS, MANIFESTS, Manifest};
use crate::progress::Progress;

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
