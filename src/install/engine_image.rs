//! Whether an image that the engine has is the bundle's.

use super::receipt::Receipt;
use crate::bundle::ImagePart;
use crate::docker::ImageState;

/// Whether it is this one by its id, which is the config's digest, or the manifest's where
/// images are kept in containerd. Layers say nothing: what a node runs, and as whom, stands in
/// the config, which anybody can put over the same layers.
#[must_use]
pub fn has_id_of(state: &ImageState, image: &ImagePart) -> bool {
    state.id == image.config || state.id == image.manifest
}

/// Whether it is this one, or what the engine had after an earlier run had loaded this one:
/// where images are kept in containerd, it may have written a manifest of its own.
#[must_use]
pub fn is_image(state: &ImageState, image: &ImagePart, before: &Receipt) -> bool {
    let loaded = before.images().get(&image.reference.to_string());
    let was_loaded = loaded.is_some_and(|ids| ids.contains(&state.id)) && state.layers() == image.layers;
    has_id_of(state, image) || was_loaded
}
