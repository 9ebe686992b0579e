//! An image that was found, before its layers are read.

use super::FetchError;
use super::blob::Blob;
use crate::bundle::{Digest, ImageConfig, ImageReference, ImageRole, Origin, Transport};
use crate::resolve::ImagePin;

/// An image, by what its archive or layout says of it.
#[derive(Clone, Debug)]
pub(super) struct FoundImage {
    pub(super) pin: ImagePin,
    pub(super) config_json: Vec<u8>,
    /// Digest of the uncompressed layer and where the layer lies, lowest first.
    pub(super) layers: Vec<(Digest, Blob)>,
    /// Where it lies, for messages.
    pub(super) place: String,
}

impl FoundImage {
    /// The image with this config and these layers, which must be as many as the
    /// config lists: an application's, until it is known to be another one.
    pub(super) fn new(
        reference: ImageReference,
        config: &Blob,
        config_json: Vec<u8>,
        layers: Vec<Blob>,
        transport: Transport,
    ) -> Result<Self, FetchError> {
        let facts = ImageConfig::parse(&config_json).map_err(|source| FetchError::Config {
            path: config.shown.to_path_buf(),
            reference: reference.to_string(),
            source,
        })?;
        if facts.diff_ids.len() != layers.len() {
            return Err(config.damaged(format!(
                "lists {} layers, and there are {}",
                facts.diff_ids.len(),
                layers.len()
            )));
        }
        Ok(Self {
            place: config.shown.display().to_string(),
            layers: facts.diff_ids.iter().copied().zip(layers).collect(),
            pin: ImagePin {
                role: ImageRole::Application,
                reference,
                platform: facts.platform,
                size: None,
                registry_manifest: None,
                config: Digest::of(&config_json),
                layers: facts.diff_ids,
                origin: Origin::by(transport),
                named_by: Vec::new(),
            },
            config_json,
        })
    }

    /// The same, come by another transport.
    pub(super) fn by(mut self, transport: Transport) -> Self {
        self.pin.origin.transport = transport;
        self
    }
}
