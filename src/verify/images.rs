//! The check that goes deeper than the chunks: every member is decoded, every image is
//! the one that its config describes, and what names the images to other tools says what
//! the index says.

use std::collections::HashMap;
use std::io;

use super::members::read_small;
use super::{VerifiedBundle, VerifyError};
use crate::bundle::{ImageConfig, ImagePart, blob_path, limits, plain};
use crate::progress::Progress;

impl VerifiedBundle {
    /// Decodes the whole payload: each member has its SHA-256, each config names the layers
    /// and the platform that the index gives for its image, and the manifests and the other
    /// documents of the image layout are those that follow from the index.
    pub fn verify_parts(&self, progress: &dyn Progress) -> Result<(), VerifyError> {
        progress.begin("verify parts", Some(self.index().plain_size()));
        let documents = self.index().documents().expect("each blob is a member");
        let mut configs: HashMap<String, Vec<&ImagePart>> = HashMap::new();
        for image in &self.index().images {
            configs.entry(blob_path(image.config)).or_default().push(image);
        }
        let mut members = self.members(|_| true);
        while let Some(mut reader) = members.next_member()? {
            let member = reader.member();
            let (document, images) = (documents.get(&member.path), configs.get(&member.path));
            if let Some(expected) = document {
                // Read to the end in any case: its digest is what counts first.
                let found = read_small(&mut reader, limits::IMAGE_CONFIG_BYTES)?;
                if found != *expected {
                    return Err(self.broken(&member.path, "does not follow from the index"));
                }
            } else if images.is_none() {
                io::copy(&mut reader, &mut io::sink())
                    .map_err(|error| self.member_error(&member.path, error))?;
            }
            if let Some(images) = images {
                // A blob that is a manifest is no config.
                let json = match document {
                    Some(expected) => expected.clone(),
                    None => read_small(&mut reader, limits::IMAGE_CONFIG_BYTES)?,
                };
                if let Some(reason) = images.iter().find_map(|image| objection(image, &json)) {
                    return Err(self.broken(&member.path, &reason));
                }
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
            reason: plain(reason),
        }
    }
}

/// What is wrong with `json` as the config of `image`.
fn objection(image: &ImagePart, json: &[u8]) -> Option<String> {
    match ImageConfig::parse(json) {
        Ok(config) if config.diff_ids == image.layers && config.platform == image.platform => None,
        Ok(_) => Some(format!("does not describe {}", image.reference)),
        Err(reason) => Some(format!("does not describe {}: {reason}", image.reference)),
    }
}
