//! A file that does not have its name yet.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::{FileError, sync_directory};

/// A file beside the one that it becomes; gone when it is dropped before it got its name.
#[derive(Debug)]
pub(super) struct Unnamed {
    pub(super) file: File,
    temporary: PathBuf,
    pub(super) target: PathBuf,
    named: bool,
}

impl Unnamed {
    /// The name that `target` has while it is written.
    pub(super) fn path_for(target: &Path) -> PathBuf {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        target.with_file_name(format!(".{name}.minikube-offline-partial"))
    }

    /// Takes over `file`, which has that name.
    pub(super) fn new(target: &Path, file: File) -> Self {
        Self {
            file,
            temporary: Self::path_for(target),
            target: target.to_owned(),
            named: false,
        }
    }

    /// The name that it has now.
    #[cfg(feature = "packager")]
    pub(super) fn path(&self) -> &Path {
        &self.temporary
    }

    /// Gives it its name and `mode`, durably. What had the name is replaced.
    pub(super) fn commit(mut self, mode: u32) -> Result<(), FileError> {
        self.file
            .set_permissions(Permissions::from_mode(mode))
            .and_then(|()| self.file.sync_all())
            .and_then(|()| fs::rename(&self.temporary, &self.target))
            .map_err(FileError::at("written", &self.target))?;
        self.named = true;
        sync_directory(self.target.parent().unwrap_or(Path::new("/")))
    }
}

/// Before a lock on it goes, so that nobody else's is removed.
impl Drop for Unnamed {
    fn drop(&mut self) {
        if !self.named {
            // Nothing better can be done in a drop; the next run removes it, or takes it over.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}
