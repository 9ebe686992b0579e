//! From an image's name to the manifest for one platform, through its indexes.

use super::UpstreamError;
use super::document::{Document, by_digest};
use super::manifest::{parse, refused};
use super::place::Source;
use crate::bundle::{Digest, Platform};
use crate::fetch::oci_layout::DEPTH;
use crate::oci::{INDEXES, Index, MANIFESTS};

/// The manifest for one platform.
pub(super) struct Leaf {
    /// The indexes that lead to it, outermost first.
    pub(super) indexes: Vec<Document>,
    pub(super) manifest: Document,
    /// The platforms that the innermost index which names any gives this manifest to; none
    /// where no index says for which platform it is.
    pub(super) described: Vec<String>,
}

/// Follows `document` to the manifest for `platform`.
pub(super) fn leaf(
    source: Source<'_>,
    mut document: Document,
    platform: Platform,
) -> Result<Leaf, UpstreamError> {
    let reference = source.reference;
    let (mut indexes, mut described) = (Vec::new(), Vec::new());
    while INDEXES.contains(&document.media_type.as_str()) {
        if indexes.len() > DEPTH {
            let reason = format!("lies in more than {DEPTH} indexes, one in the other");
            return Err(refused(reference, document.digest, reason));
        }
        let index: Index = parse(&document, reference)?;
        let entry = index
            .entry_for(platform)
            .ok_or_else(|| UpstreamError::NoPlatform {
                reference: reference.clone(),
                platform,
                there: index.platforms(),
            })?;
        let digest = Digest::parse_prefixed(&entry.digest).map_err(|error| {
            refused(
                reference,
                document.digest,
                format!("names a manifest, but {error}"),
            )
        })?;
        if entry.is_for(platform).is_some() {
            described = index.platforms_of(&entry.digest);
        }
        indexes.push(document);
        document = by_digest(source, digest)?;
    }
    if !MANIFESTS.contains(&document.media_type.as_str()) {
        let reason = format!("is of the type `{}`, which no node runs", document.media_type);
        return Err(refused(reference, document.digest, reason));
    }
    Ok(Leaf {
        indexes,
        manifest: document,
        described,
    })
}
