//! The volumes of a bundle, as they are shown.

use std::path::Path;

use serde_json::{Value, json};

use super::path_value::path_value;
use crate::bundle::{BundleIndex, volume_path};

/// `1 volume`, `3 volumes`.
pub(super) fn counted(count: usize) -> String {
    format!("{count} volume{}", if count == 1 { "" } else { "s" })
}

/// Each with its file, for a program.
pub(super) fn volumes(bundle: &Path, index: &BundleIndex) -> Value {
    let volumes = (1..).zip(&index.volumes).map(|(number, volume)| {
        json!({
            "file": path_value(volume_path(bundle, number)),
            "size": volume.size,
            "sha256": volume.sha256,
        })
    });
    volumes.collect()
}

/// Each on a line that `sha256sum -c` reads in the bundle's directory.
pub(super) fn checksums(bundle: &Path, index: &BundleIndex) -> String {
    let lines = (1..).zip(&index.volumes).map(|(number, volume)| {
        let path = volume_path(bundle, number);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        format!("{}  {name}\n", volume.sha256.hex())
    });
    lines.collect()
}
