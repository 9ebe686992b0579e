//! What can be wrong with what a publisher signed.

use std::path::PathBuf;

use crate::failure::{Failure, Kind};
use crate::verify::VerifyError;

/// Evidence that proves nothing, or the contrary.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceError {
    /// A file of roots cannot be used.
    #[error("`{}` should hold root certificates: {reason}", path.display())]
    Roots {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A signature does not hold.
    #[error("the signature of {name} from `{url}` does not hold: {reason}")]
    Signature {
        /// The part.
        name: String,
        /// Where it was.
        url: String,
        /// Why not.
        reason: String,
    },
    /// Kubernetes' part was signed by somebody else.
    #[error("{name} should be signed by Kubernetes' release team; it is by {}", found.join(" and "))]
    Stranger {
        /// The part.
        name: String,
        /// Who signed it.
        found: Vec<String>,
    },
    /// The bundle itself cannot be read.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}

impl From<EvidenceError> for Failure {
    fn from(error: EvidenceError) -> Self {
        match error {
            EvidenceError::Verify(error) => error.into(),
            EvidenceError::Roots { .. } => Self::new(Kind::Usage, error).hint(
                "give Sigstore's `trusted_root.json`, or its certificates in PEM, with `--trusted-root FILE`",
            ),
            error => Self::new(Kind::NotAuthentic, error)
                .hint("do not use the bundle before who packed it has explained this"),
        }
    }
}
