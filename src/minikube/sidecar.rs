//! The container with which minikube brings what the node image has in `/var` to a node's
//! volume, just before it makes the node. One that a killed run leaves uses the volume, and no
//! later run of minikube gets past its name. Source: minikube v1.38.1,
//! `pkg/drivers/kic/oci/volumes.go:162`.

use std::path::Path;

use super::labels::{CREATED_BY, NAME};
use super::profile::ProfileConfig;
use crate::docker::{Engine, EngineError};

/// Removes that of a node, which no minikube that still runs made; says whether it was there.
pub(crate) fn discard(engine: &Engine, node: &str) -> Result<bool, EngineError> {
    let name = format!("{node}-preload-sidecar");
    let left = engine.container(&name)?.is_some_and(|container| {
        let labels = container.labels();
        labels.contains_key(CREATED_BY) && labels.get(NAME).is_some_and(|of| of == node)
    });
    if left {
        engine.remove_container(&name)?;
    }
    Ok(left)
}

/// Removes those of a profile that is to be deleted. minikube itself gives up where the engine
/// is just about to remove one.
pub(crate) fn discard_all(engine: &Engine, minikube_home: &Path, profile: &str) -> Result<(), EngineError> {
    // Where its configuration cannot be read, its first node's is looked for.
    let config = ProfileConfig::load(minikube_home, profile).ok().flatten();
    for node in config.unwrap_or_default().node_names(profile) {
        discard(engine, &node)?;
    }
    Ok(())
}
