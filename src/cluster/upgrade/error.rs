//! Why a cluster does not go to another release, or back.

use crate::explain::{Explain, Explanation, Kind};

/// An upgrade that is not begun, or not taken back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpgradeError {
    /// There is nothing to go back to.
    #[error("cannot roll back profile `{profile}`: no state from before an upgrade is kept")]
    NothingKept {
        /// The profile.
        profile: String,
    },
    /// The node does not do what it is asked.
    #[error("cannot keep the state of the node `{profile}`: expected its size in bytes, got `{said}`")]
    Node {
        /// The profile, which is also the node's name.
        profile: String,
        /// What it printed.
        said: String,
    },
}

impl Explain for UpgradeError {
    fn explain(&self) -> Explanation {
        match self {
            Self::NothingKept { .. } => Kind::Usage.hint(
                "`status` shows which profiles can be rolled back; an upgrade keeps the state until the next one; \
                 nothing was changed",
            ),
            Self::Node { .. } => Kind::Cluster.into(),
        }
    }
}
