//! An image that was found, before its layers are read.

use super::FetchError;
use super::blob::Blob;
use crate::bundle::{Digest, ImageConfig, ImageReference, NamedBy, Origin, Platform, Transport};

/// An image, by what its archive or layout says of it.
#[derive(Clone, Debug)]
pub(super) struct FoundImage {
    pub(super) reference: ImageReference,
    pub(super) platform: Platform,
    pub(super) config: Digest,
    pub(super) config_json: Vec<u8>,
    /// Digest of the uncompressed layer and where the layer lies, lowest first.
    pub(super) layers: Vec<(Digest, Blob)>,
    /// The digest of its manifest in the registry, where it came from one.
    pub(super) manifest: Option<Digest>,
    /// Where it came from, and what it was compared with on its way here.
    pub(super) origin: Origin,
    /// Digests by which it is named.
    pub(super) named_by: Vec<NamedBy>,
    /// Where it lies, for messages.
    pub(super) place: String,
}

impl FoundImage {
    /// The image with this config and these layers, which must be as many as the
    /// config lists.
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
            reference,
            platform: facts.platform,
            config: Digest::of(&config_json),
            config_json,
            layers: facts.diff_ids.into_iter().zip(layers).collect(),
            origin: Origin::by(transport),
            named_by: Vec::new(),
            manifest: None,
        })
    }

    /// The same, come by another transport.
    pub(super) fn by(mut self, transport: Transport) -> Self {
        self.origin.transport = transport;
        self
    }
}
