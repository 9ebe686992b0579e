//! An image's config, corrected where it names another platform than the image's index.

use super::document::Document;
use super::leaf::Leaf;
use super::manifest::refused;
use super::{Upstream, UpstreamError};
use crate::bundle::{Digest, ImageConfig, ImageConfigError, ImageReference, Platform, Verification};

/// The config for one platform.
pub(super) struct Config {
    pub(super) json: Vec<u8>,
    /// The digests of the uncompressed layers, lowest first.
    pub(super) diff_ids: Vec<Digest>,
    /// The config as it was published and what was corrected, where it was.
    pub(super) correction: Option<(Document, Verification)>,
}

/// The config `json` of the manifest that `leaf` is. Where it names another platform, the
/// index is believed, as by minikube and containerd, and so is a lock of such a config.
pub(super) fn config_for(
    upstream: &Upstream,
    reference: &ImageReference,
    json: Vec<u8>,
    platform: Platform,
    leaf: &Leaf,
    layers: usize,
) -> Result<Config, UpstreamError> {
    let wrong = |reason: String| refused(reference, leaf.manifest.digest, reason);
    let of_other = match ImageConfig::parse(&json) {
        Ok(config) if config.platform == platform => None,
        Ok(config) => Some(config.platform.to_string()),
        Err(ImageConfigError::Platform { os, architecture }) => Some(format!("{os}/{architecture}")),
        Err(error) => return Err(wrong(format!("names a config, but {error}"))),
    };
    let config = match of_other {
        None => json_of(json, None),
        Some(named) => corrected(upstream, reference, &json, &named, platform, leaf)?,
    };
    if config.diff_ids.len() != layers {
        let listed = config.diff_ids.len();
        return Err(wrong(format!(
            "has {layers} layers, and its config lists {listed}"
        )));
    }
    Ok(config)
}

fn corrected(
    upstream: &Upstream,
    reference: &ImageReference,
    json: &[u8],
    named: &str,
    platform: Platform,
    leaf: &Leaf,
) -> Result<Config, UpstreamError> {
    let none = || UpstreamError::NoPlatform {
        reference: reference.clone(),
        platform,
        there: vec![named.to_owned()],
    };
    let new = ImageConfig::corrected(json, platform).ok_or_else(none)?;
    // Another system's stays what it is.
    let is_for_it = ImageConfig::parse(&new).is_ok_and(|config| config.platform == platform);
    let locked = upstream.locked_image(platform, reference);
    let is_locked = locked.is_some_and(|locked| locked.config == Digest::of(&new));
    if !is_for_it || (leaf.described.is_empty() && !is_locked) {
        return Err(none());
    }
    if leaf.described.iter().any(|other| *other != platform.to_string()) {
        return Err(UpstreamError::SharedManifest {
            reference: reference.clone(),
            platform,
            reason: format!(
                "its index has one manifest, {}, for {}, and the config of that says {named}",
                leaf.manifest.digest,
                leaf.described.join(" and ")
            ),
        });
    }
    let digest = Digest::of(json);
    let correction = Verification::CorrectedPlatform {
        subject: named.to_owned(),
        digest,
    };
    let original = Document {
        media_type: String::new(),
        digest,
        json: json.to_owned(),
    };
    Ok(json_of(new, Some((original, correction))))
}

fn json_of(json: Vec<u8>, correction: Option<(Document, Verification)>) -> Config {
    Config {
        diff_ids: ImageConfig::parse(&json).map_or(Vec::new(), |config| config.diff_ids),
        json,
        correction,
    }
}
