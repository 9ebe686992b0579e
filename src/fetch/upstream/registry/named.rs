//! What an image's name stands for, and who says so.

use super::document::{Document, by_digest, document, keep, missing};
use super::place::{Place, Source};
use super::{Upstream, UpstreamError, WantedImage};
use crate::bundle::{Digest, ImageReference, NamedBy, Verification};

/// What an image's name stands for.
pub(super) struct Top {
    pub(super) document: Document,
    pub(super) verified_by: Vec<Verification>,
    pub(super) named_by: Vec<NamedBy>,
    pub(super) unverified: bool,
}

/// What the image's name stands for. A tag is asked of the registry itself: a mirror
/// is believed only where a digest says what it must give.
pub(super) fn top(source: Source<'_>, wanted: &WantedImage, origin: &Place) -> Result<Top, UpstreamError> {
    let Source {
        upstream,
        reference,
        places,
        progress,
    } = source;
    let keep = |document: &Document| keep(upstream, reference, document);
    if let Some(pinned) = &wanted.pinned {
        let digest = pinned.digest;
        let document = by_digest(source, digest)?;
        let named = pinned.named_by();
        let lock = Verification::Lock { digest };
        return Ok(Top {
            document,
            verified_by: vec![named.as_ref().map_or(lock, NamedBy::verification)],
            named_by: named.into_iter().collect(),
            unverified: false,
        });
    }
    let name = reference.to_string();
    let by_name = upstream.accepts(&name);
    // Whoever takes what a place has, takes it from there.
    let by_place = upstream.registries.in_images_place(reference);
    let by_place = by_place.filter(|_| upstream.accepts_images_place());
    let accepted = |mirror: &&Place| by_name || by_place.as_ref() == Some(*mirror);
    let mirrors = &places[..places.len() - 1];
    let mut silence = None;
    if mirrors.is_empty() || !upstream.session.silent.has(origin) {
        let attempts = upstream.attempts(!mirrors.is_empty());
        let telling = mirrors.is_empty().then_some(progress);
        match document(upstream, origin, reference.tag(), attempts, telling) {
            Ok((document, _)) => {
                keep(&document)?;
                let verification = Verification::RegistryTag {
                    subject: origin.host.clone(),
                    digest: document.digest,
                };
                return Ok(Top {
                    document,
                    verified_by: vec![verification],
                    named_by: Vec::new(),
                    unverified: false,
                });
            }
            Err(UpstreamError::Http(error))
                if matches!(error.status(), Some(401 | 403 | 404)) || mirrors.is_empty() =>
            {
                return Err(missing(reference, origin, error));
            }
            Err(UpstreamError::Http(error)) if UpstreamError::goes_on(&error) => {
                upstream.session.silent.add(origin);
                silence = Some(Box::new(error));
            }
            Err(error) => return Err(error),
        }
    }
    if !mirrors.iter().any(|mirror| accepted(&mirror)) {
        return Err(UpstreamError::Unproven {
            what: vec![name],
            source: silence,
        });
    }
    let silent = &upstream.session.silent;
    let top = silent.first_of(mirrors.iter().filter(accepted), progress, |mirror| {
        let (document, _) = document(upstream, mirror, reference.tag(), u32::MAX, None)?;
        keep(&document)?;
        let verification = Verification::MirrorTag {
            subject: mirror.host.clone(),
            digest: document.digest,
        };
        Ok(Top {
            document,
            verified_by: vec![verification],
            named_by: Vec::new(),
            unverified: true,
        })
    });
    let shown = |place: &Place| format!("{}/{}", place.host, place.repository);
    top.unwrap_or_else(|| {
        Err(UpstreamError::NoneHas {
            reference: reference.clone(),
            places: places.iter().map(shown).collect(),
        })
    })
}

/// What the image's tag stands for now, by the registry itself, if it says so.
pub(in crate::fetch::upstream) fn tag_now(upstream: &Upstream, reference: &ImageReference) -> Option<Digest> {
    let place = upstream.registries.upstream(reference);
    let document = document(upstream, &place, reference.tag(), u32::MAX, None);
    document.ok().map(|(document, _)| document.digest)
}
