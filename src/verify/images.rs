//! The check that goes deeper than the chunks: every member is decoded, and every
//! image is the one that its config describes.

use std::collections::HashMap;
use std::io;

use super::members::read_small;
use super::{VerifiedBundle, VerifyError};
use crate::bundle::{ImageConfig, blob_path, limits};
use crate::progress::Progress;

impl VerifiedBundle {
    /// Decodes the whole payload: each member has its SHA-256, each config names the
    /// layers and the platform that the index gives for its image.
    pub fn verify_parts(&self, progress: &dyn Progress) -> Result<(), VerifyError> {
        progress.begin("verify parts", Some(self.index().plain_size()));
        let configs: HashMap<String, Vec<_>> =
            self.index().images.iter().fold(HashMap::new(), |mut map, image| {
                map.entry(blob_path(image.config)).or_default().push(image);
                map
            });
        let mut members = self.members(|_| true);
        while let Some(mut reader) = members.next_member()? {
            let member = reader.member();
            let Some(images) = configs.get(&member.path) else {
                io::copy(&mut reader, &mut io::sink())
                    .map_err(|error| self.member_error(&member.path, error))?;
                progress.advance(member.size);
                continue;
            };
            let json = read_small(&mut reader, limits::IMAGE_CONFIG_BYTES)?;
            let config =
                ImageConfig::parse(&json).map_err(|error| self.broken(&member.path, &error.to_string()))?;
            for image in images {
                if config.diff_ids != image.layers || config.platform != image.platform {
                    let reason = format!("does not describe {}", image.reference);
                    return Err(self.broken(&member.path, &reason));
                }
            }
            progress.advance(member.size);
        }
        progress.end("every part has its digest");
        Ok(())
    }

    fn member_error(&self, member: &str, error: io::Error) -> VerifyError {
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
