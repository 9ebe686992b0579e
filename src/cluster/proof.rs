//! Whether a profile in the engine still is the one that a bundle started: another user, or the
//! person, may have made one of the same name since.

use super::ClusterError;
use crate::docker::Engine;
use crate::install::{InstalledProfile, Receipt};
use crate::seed::LABEL;

/// Why what the engine has for `nodes` is another's; `None` where it is ours, as far as the journal
/// tells: by the nonce on a node's volume, or by its container's id. A start that did not come to
/// ready nodes has recorded no id, and what has the name is taken for its own.
pub(crate) fn of_another(
    engine: &Engine,
    receipt: &Receipt,
    profile: &InstalledProfile,
    nodes: &[String],
) -> Result<Option<String>, ClusterError> {
    for node in nodes {
        let nonce = receipt.volumes().get(node).map(|volume| &volume.nonce);
        let volume = engine.volume(node)?;
        let has_nonce = volume.as_ref().map(|volume| volume.labels.get(LABEL) == nonce);
        match (nonce, has_nonce) {
            (Some(_), Some(true)) => continue,
            (Some(_), Some(false)) => {
                return Ok(Some(format!(
                    "the volume `{node}` is another one than this bundle's"
                )));
            }
            _ => {}
        }
        let Some(container) = engine.container(node)? else {
            continue;
        };
        let known = profile.containers.get(node);
        // With a volume of ours, a container of ours has it.
        if known.map_or(nonce.is_some(), |id| *id != container.id) {
            return Ok(Some(format!(
                "the container `{node}` is another one than this bundle's"
            )));
        }
    }
    Ok(None)
}
