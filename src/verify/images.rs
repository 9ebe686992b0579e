//! The check that goes deeper than the chunks: every member is decoded, and every
//! image is the one that its manifest and its config describe.

use std::collections::HashMap;
use std::io;

use super::members::read_small;
use super::{VerifiedBundle, VerifyError};
use crate::bundle::{ImageConfig, ImageManifest, ImagePart, blob_path, limits};
use crate::progress::Progress;

/// A blob that says what an image is.
enum Description<'a> {
    Config(&'a ImagePart),
    Manifest(&'a ImagePart),
}

impl Description<'_> {
    /// What is wrong with `json` as this description.
    fn objection(&self, json: &[u8]) -> Option<String> {
        let (agrees, image) = match self {
            Self::Config(image) => {
                let config = ImageConfig::parse(json);
                let agrees =
                    config.map(|config| config.diff_ids == image.layers && config.platform == image.platform);
                (agrees.map_err(|error| error.to_string()), image)
            }
            Self::Manifest(image) => {
                let manifest = ImageManifest::parse(json);
                let agrees = manifest
                    .map(|manifest| manifest.config == image.config && manifest.layers == image.layers);
                (agrees.map_err(|error| error.to_string()), image)
            }
        };
        match agrees {
            Ok(true) => None,
            Ok(false) => Some(format!("does not describe {}", image.reference)),
            Err(reason) => Some(format!("does not describe {}: {reason}", image.reference)),
        }
    }
}

impl VerifiedBundle {
    /// Decodes the whole payload: each member has its SHA-256, each manifest names the
    /// config and the layers that the index gives for its image, each config the layers
    /// and the platform.
    pub fn verify_parts(&self, progress: &dyn Progress) -> Result<(), VerifyError> {
        progress.begin("verify parts", Some(self.index().plain_size()));
        let mut descriptions: HashMap<String, Vec<Description<'_>>> = HashMap::new();
        for image in &self.index().images {
            for (digest, description) in [
                (image.config, Description::Config(image)),
                (image.manifest, Description::Manifest(image)),
            ] {
                descriptions
                    .entry(blob_path(digest))
                    .or_default()
                    .push(description);
            }
        }
        let mut members = self.members(|_| true);
        while let Some(mut reader) = members.next_member()? {
            let member = reader.member();
            let Some(descriptions) = descriptions.get(&member.path) else {
                io::copy(&mut reader, &mut io::sink())
                    .map_err(|error| self.member_error(&member.path, error))?;
                progress.advance(member.size);
                continue;
            };
            let json = read_small(&mut reader, limits::IMAGE_CONFIG_BYTES)?;
            let objection = descriptions
                .iter()
                .find_map(|description| description.objection(&json));
            if let Some(reason) = objection {
                return Err(self.broken(&member.path, &reason));
            }
            progress.advance(member.size);
        }
        progress.end("every part has its digest");
        Ok(())
    }

    /// What a failure to read a member means.
    #[must_use]
    pub fn member_error(&self, member: &str, error: io::Error) -> VerifyError {
        error
            .downcast()
            .unwrap_or_else(|error| self.broken(member, &error.to_string()))
    }

    fn broken(&self, member: &str, reason: &str) -> VerifyError {
        VerifyError::Payload {
            path: self.path().to_owned(),
            member: member.to_owned(),
            reason: reason.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::{Digest, ImageRole, Origin, Platform};
    use serde_json::json;

    #[test]
    fn an_image_has_the_config_and_the_layers_that_its_manifest_names() {
        let [one, two] = [Digest::of(b"1"), Digest::of(b"2")];
        let image = ImagePart {
            role: ImageRole::Node,
            reference: "r.io/x:1".parse().expect("a name"),
            platform: Platform::of_this_machine().expect("known"),
            config: one,
            layers: vec![two],
            manifest: one,
            origin: Origin {
                unverified: false,
                transport: "file".to_owned(),
                evidence: Vec::new(),
                signatures: Vec::new(),
            },
        };
        let blob = |kind: &str, digest: Digest| {
            json!({
                "mediaType": format!("application/vnd.oci.image.{kind}"),
                "digest": digest,
                "size": 1,
            })
        };
        let objects = |config: Digest, layer: Digest| {
            let manifest = json!({
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": blob("config.v1+json", config),
                "layers": [blob("layer.v1.tar", layer)],
            });
            let said = Description::Manifest(&image).objection(manifest.to_string().as_bytes());
            said.inspect(|said| assert_eq!(said, "does not describe r.io/x:1"))
                .is_some()
        };
        assert!(!objects(one, two));
        assert!(objects(one, one) && objects(two, two) && objects(two, one));
    }
}
