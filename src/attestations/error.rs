//! What can be wrong with what a publisher signed.

use std::path::PathBuf;

use crate::explain::{Explain, Explanation, Kind};
use crate::verify::VerifyError;

/// Attestations that proves nothing, or the contrary.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttestationError {
    /// A file of roots cannot be used.
    #[error("`{}` should hold root certificates: {reason}", path.display())]
    Roots {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// Signatures do not hold, or are of others.
    #[error("{}", list(_0))]
    Objections(Vec<Objection>),
    /// The bundle itself cannot be read.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}

/// What is wrong with the signatures of a part.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Objection {
    /// A signature does not hold.
    #[error("the signature of {name} from `{url}` does not hold: {reason}{}", if *so_published { " (so published: the packer found the part's SHA-256 at its publisher's)" } else { "" })]
    Signature {
        /// The part.
        name: String,
        /// Where it was.
        url: String,
        /// Why not.
        reason: String,
        /// Whether the part was compared with its publisher's checksum, and only the signature
        /// is broken.
        so_published: bool,
    },
    /// Kubernetes' part was signed by somebody else.
    #[error("{name} should be signed by Kubernetes' release team; it is by {}", found.join(" and "))]
    Stranger {
        /// The part.
        name: String,
        /// Who signed it.
        found: Vec<String>,
    },
}

fn list(objections: &[Objection]) -> String {
    let said: Vec<String> = objections.iter().map(ToString::to_string).collect();
    said.join("; ")
}

impl Explain for AttestationError {
    fn explain(&self) -> Explanation {
        match self {
            Self::Verify(error) => error.explain(),
            Self::Roots { .. } => Kind::Usage.hint(
                "give Sigstore's `trusted_root.json`, or its certificates in PEM, with `--trusted-root FILE`",
            ),
            Self::Objections(objections) => {
                let published = |objection: &Objection| {
                    matches!(
                        objection,
                        Objection::Signature {
                            so_published: true,
                            ..
                        }
                    )
                };
                let hint = if objections.iter().all(published) {
                    "the publisher may have signed it wrongly: ask the packer of the bundle to compare the part with \
                     its publisher's again, or to take another version of it"
                } else {
                    "do not use the bundle before its packer has explained this"
                };
                Kind::NotAuthentic.hint(hint)
            }
        }
    }
}
