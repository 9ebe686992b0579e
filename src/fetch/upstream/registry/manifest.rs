//! From an image's name to the config and the layers for one platform.

use serde::de::DeserializeOwned;

use super::blob::small_blob;
use super::config::{Config, config_for};
use super::document::Document;
use super::leaf::leaf;
use super::named::{Top, top};
use super::place::{Place, Source};
use super::{Upstream, UpstreamError, WantedImage};
use crate::bundle::{Digest, ImageReference, Origin, Platform, Transport, Verification, limits};
use crate::oci::{CONFIGS, Descriptor, LAYERS, Manifest};
use crate::progress::Progress;
use crate::resolve::ImagePin;

/// An image whose manifest is known.
#[derive(Debug)]
pub(in crate::fetch) struct Resolved {
    pub(in crate::fetch) pin: ImagePin,
    pub(super) config_json: Vec<u8>,
    /// Digest and size of each layer as it is served, lowest first.
    pub(in crate::fetch) layers: Vec<(Digest, u64)>,
    /// Where the blobs may be, mirrors first.
    pub(super) places: Vec<Place>,
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
    let of_signatures = places.clone();
    if wanted.pinned.is_some() {
        places.extend(upstream.registries.second_origins(reference));
    }
    let source = Source {
        upstream,
        reference,
        places: &places,
        progress,
    };
    let Top {
        document,
        mut verified_by,
        named_by,
        unverified,
    } = top(source, wanted, &origin)?;
    let leaf = leaf(source, document, platform)?;
    let document = &leaf.manifest;
    if !leaf.indexes.is_empty() {
        let digest = document.digest;
        verified_by.push(Verification::ImageIndex { digest });
    }
    let (config, layers) = blobs_of(document, reference)?;
    let json = small_blob(source, config)?;
    let store = upstream.store()?;
    store.describe(config.0, &format!("the config of {reference}"))?;
    let Config {
        json: config_json,
        diff_ids,
        correction,
    } = config_for(wanted, json, platform, &leaf)?;
    if diff_ids.len() != layers.len() {
        let (layers, listed) = (layers.len(), diff_ids.len());
        let reason = format!("has {layers} layers, and its config lists {listed}");
        return Err(refused(reference, document.digest, reason));
    }
    let config = store.keep(&config_json)?;
    store.describe(config, &format!("the corrected config of {reference}"))?;
    let digest = leaf.manifest.digest;
    let mut chain = leaf.indexes;
    chain.push(leaf.manifest);
    if let Some((original, verification)) = correction {
        verified_by.push(verification);
        chain.push(original);
    }
    let source = Source {
        places: &of_signatures,
        ..source
    };
    let signed = upstream.signed_image(wanted, &chain, source)?;
    let origin = Origin {
        verified_by,
        unverified,
        ..Origin::by(Transport::Docker)
    };
    let mut pin = ImagePin {
        role: wanted.role,
        reference: reference.clone(),
        platform,
        size: None,
        registry_manifest: Some(digest),
        config,
        layers: diff_ids,
        origin: signed.beside(origin),
        named_by,
    };
    if let Some(locked) = wanted.locked.as_ref().filter(|locked| locked.config == config) {
        pin.take_from(locked);
    }
    Ok(Resolved {
        pin,
        config_json,
        layers,
        places,
    })
}

/// A blob by its digest, and its size.
type Described = (Digest, u64);

/// The config that a manifest names, and its layers as they are served.
fn blobs_of(
    document: &Document,
    reference: &ImageReference,
) -> Result<(Described, Vec<Described>), UpstreamError> {
    let manifest: Manifest = parse(document, reference)?;
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
    Ok((config, layers))
}

pub(super) fn parse<T: DeserializeOwned>(
    document: &Document,
    reference: &ImageReference,
) -> Result<T, UpstreamError> {
    serde_json::from_slice(&document.json).map_err(|error| {
        refused(
            reference,
            document.digest,
            format!("is not what its type says: {error}"),
        )
    })
}

pub(super) fn refused(reference: &ImageReference, digest: Digest, reason: String) -> UpstreamError {
    UpstreamError::Manifest {
        reference: reference.to_string(),
        digest,
        reason,
    }
}
