//! The one thing that a bundle must know of an image config.

use serde::Deserialize;

use super::{Digest, Platform};

/// What the config of an image says of its platform and layers. Source: OCI image
/// spec, "OCI Image Configuration"; Docker's configs have the same fields.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ImageConfig {
    /// The platform that the image is for.
    pub platform: Platform,
    /// The digests of the uncompressed layers, lowest first.
    pub diff_ids: Vec<Digest>,
}

/// An image config that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageConfigError {
    /// It is not the JSON that the spec wants.
    #[error("it is not an image config")]
    Json(#[source] serde_json::Error),
    /// The image is for a platform that no node has.
    #[error("it is for `{os}/{architecture}`, and only linux/amd64 and linux/arm64 can be carried")]
    Platform {
        /// The operating system that it names.
        os: String,
        /// The architecture that it names.
        architecture: String,
    },
}

impl ImageConfig {
    /// Reads a config's JSON.
    pub fn parse(json: &[u8]) -> Result<Self, ImageConfigError> {
        #[derive(Deserialize)]
        struct Config {
            architecture: String,
            os: String,
            rootfs: RootFs,
        }
        #[derive(Deserialize)]
        struct RootFs {
            #[serde(default)]
            diff_ids: Vec<Digest>,
        }
        let config: Config = serde_json::from_slice(json).map_err(ImageConfigError::Json)?;
        let platform = format!("{}/{}", config.os, config.architecture)
            .parse()
            .map_err(|_| ImageConfigError::Platform {
                os: config.os,
                architecture: config.architecture,
            })?;
        Ok(Self {
            platform,
            diff_ids: config.rootfs.diff_ids,
        })
    }
}
