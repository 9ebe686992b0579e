//! The one thing that a bundle must know of an image config.

use serde::Deserialize;

use super::{Digest, Platform, null_as_default};

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
    /// The config with the architecture of `platform`, and all else as it was. Nothing where
    /// it is not JSON.
    ///
    /// Some published configs name the platform of the machine that built them. minikube and
    /// containerd believe the image index, and minikube rewrites the config, since the node's
    /// runtime goes by it. Source: minikube v1.38.1, `pkg/minikube/image/image.go`
    /// (`fixPlatform`).
    #[must_use]
    pub fn corrected(json: &[u8], platform: Platform) -> Option<Vec<u8>> {
        let mut config: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(json).ok()?;
        config.insert("architecture".to_owned(), platform.arch.name().into());
        // It is of the other architecture.
        config.remove("variant");
        serde_json::to_vec(&config).ok()
    }

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
            #[serde(default, deserialize_with = "null_as_default")]
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::Arch;

    #[test]
    fn a_corrected_config_differs_in_its_platform_alone() {
        let json = br#"{"architecture":"arm","variant":"v7","os":"linux","config":{"Cmd":["/a"]},"rootfs":{"diff_ids":[]}}"#;
        let platform = Platform { arch: Arch::Arm64 };
        let corrected = ImageConfig::corrected(json, platform).expect("JSON");
        assert_eq!(
            String::from_utf8_lossy(&corrected),
            r#"{"architecture":"arm64","config":{"Cmd":["/a"]},"os":"linux","rootfs":{"diff_ids":[]}}"#
        );
        assert_eq!(ImageConfig::corrected(b"[]", platform), None);
    }
}
