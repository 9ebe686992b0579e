//! The directory of a bundle that is being made: its file system is the one that has room.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::NamedTempFile;

use crate::host::part_prefix;

/// The directory of the bundle `path`.
pub(super) fn directory_of(path: &Path) -> &Path {
    path.parent()
        .filter(|directory| !directory.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// A file beside the bundle `path` that goes away unless it gets a name: when this run is
/// killed, with the next one that makes this bundle.
pub(super) fn temporary(path: &Path, mode: u32) -> io::Result<NamedTempFile> {
    tempfile::Builder::new()
        .prefix(&part_prefix(path))
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(directory_of(path))
}
