//! An image's config, corrected where it names another platform than the image's index.

use super::document::Document;
use super::leaf::Leaf;
use super::manifest::refused;
use super::{UpstreamError, WantedImage};
use crate::bundle::{Digest, ImageConfig, ImageConfigError, Platform, Verification};

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
    wanted: &WantedImage,
    json: Vec<u8>,
    platform: Platform,
    leaf: &Leaf,
) -> Result<Config, UpstreamError> {
    let of_other = match ImageConfig::parse(&json) {
        Ok(config) if config.platform == platform => None,
        Ok(config) => Some(config.platform.to_string()),
        Err(ImageConfigError::Platform { os, architecture }) => Some(format!("{os}/{architecture}")),
        Err(error) => {
            let reason = format!("names a config, but {error}");
            return Err(refused(&wanted.reference, leaf.manifest.digest, reason));
        }
    };
    match of_other {
        None => Ok(json_of(json, None)),
        Some(named) => corrected(wanted, &json, (&named, platform), leaf),
    }
}

/// The config where it names another platform than the one that is wanted.
fn corrected(
    wanted: &WantedImage,
    json: &[u8],
    (named, platform): (&str, Platform),
    leaf: &Leaf,
) -> Result<Config, UpstreamError> {
    let reference = &wanted.reference;
    let none = || UpstreamError::NoPlatform {
        reference: reference.clone(),
        platform,
        there: vec![named.to_owned()],
    };
    let new = ImageConfig::corrected(json, platform).ok_or_else(none)?;
    // Another system's stays what it is.
    let is_for_it = ImageConfig::parse(&new).is_ok_and(|config| config.platform == platform);
    let is_locked = wanted
        .locked
        .as_ref()
        .is_some_and(|locked| locked.config == Digest::of(&new));
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
