//! The files of whoever packed the bundle, on the machine itself.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::InstallError;
use super::members::place_members;
use super::place::Existing;
use super::session::Session;
use crate::bundle::{FilePart, FileRole, PlatformView, is_file_name};
use crate::progress::Progress;
use crate::verify::PlatformBundle;

/// Everyone may read them: they are no secrets, or they would not be on a stick.
const FILE_MODE: u32 = 0o644;

/// Values may be somebody's secrets.
const VALUES_MODE: u32 = 0o600;

/// The files in their places.
#[derive(Clone, Debug, Default)]
pub struct PlacedFiles {
    /// The manifests with the bundle's own content, in the order of their names.
    pub manifests: Vec<PathBuf>,
    /// The charts and the values, by their names in the bundle; those that were changed on this
    /// machine are not here.
    pub of_applications: BTreeMap<(FileRole, String), PathBuf>,
    /// How many files were written; the others were there.
    pub written: usize,
    /// What the person should know.
    pub notes: Vec<String>,
}

/// Puts the manifests and the other files where the person finds them. One that was changed
/// since it was put there stays.
pub fn place_own_files(
    bundle: PlatformBundle<'_>,
    session: &mut Session,
    progress: &dyn Progress,
) -> Result<PlacedFiles, InstallError> {
    let view = bundle.view();
    let layout = session.layout.clone();
    let mut placer = session.placer();
    let mut there = PlacedFiles::default();
    let (mut missing, mut private): (Vec<(String, PathBuf)>, Vec<_>) = (Vec::new(), Vec::new());
    for file in view.files() {
        let path = layout.own_file(view.name(), file);
        let existing = match fs::symlink_metadata(&path) {
            // It is never one of ours, and what it names may be changed by anybody.
            Ok(facts) if facts.is_symlink() => Existing::Foreign,
            _ => placer.existing(&path, file.sha256)?,
        };
        match existing {
            Existing::Same => {}
            Existing::Absent | Existing::Ours => {
                let to = if file.role == FileRole::Values {
                    &mut private
                } else {
                    &mut missing
                };
                to.push((file.member_path(), path.clone()));
            }
            Existing::Foreign => {
                there.notes.push(changed(file, &path));
                continue;
            }
        }
        match file.role {
            FileRole::Manifest => there.manifests.push(path),
            FileRole::Chart | FileRole::Values => {
                there.of_applications.insert((file.role, file.name.clone()), path);
            }
            FileRole::File => {}
        }
    }
    place_members(bundle, &missing, FILE_MODE, &mut placer, progress)?;
    place_members(bundle, &private, VALUES_MODE, &mut placer, progress)?;
    there.written = missing.len() + private.len();
    Ok(there)
}

/// What the person should know of files that an earlier bundle of this name put there, and
/// this one does not have: somebody may use them, so that they stay.
#[must_use]
pub fn no_longer_carried(view: PlatformView<'_>, session: &Session) -> Vec<String> {
    let mut notes = Vec::new();
    for role in FileRole::ALL {
        let directory = session.layout.own_files_of(view.name(), role);
        let is_carried = |path: &Path| {
            let mut files = view.files().iter();
            files.any(|file| session.layout.own_file(view.name(), file) == *path)
        };
        // What is kept until a run ends well has a name that no bundle's file can have.
        let is_ones = |path: &Path| {
            let name = path.file_name().and_then(std::ffi::OsStr::to_str);
            path.parent() == Some(&directory) && name.is_some_and(is_file_name)
        };
        let ours = session.journal.receipt().files().keys();
        let left = ours.filter(|path| is_ones(path) && !is_carried(path));
        let there = left.filter(|path| fs::symlink_metadata(path).is_ok());
        notes.extend(there.map(|path| left_behind(role, path)));
    }
    notes
}

fn left_behind(role: FileRole, path: &Path) -> String {
    let consequence = match role {
        FileRole::Manifest => {
            ", and no longer given to the cluster: what the cluster has of it stays until `kubectl delete -f` \
             takes it away, and the file until `uninstall`"
        }
        FileRole::File | FileRole::Chart | FileRole::Values => ": it stays until `uninstall`",
    };
    format!("`{}` is an earlier bundle's{consequence}", path.display())
}

/// What becomes of a file that is not the bundle's any more.
fn changed(file: &FilePart, path: &Path) -> String {
    let consequence = match file.role {
        FileRole::Manifest => ", and is not given to the cluster",
        FileRole::Chart | FileRole::Values => ", and nothing is installed with it",
        FileRole::File => "",
    };
    format!(
        "`{}` was changed on this machine: it stays{consequence}; move it away and start again to have the bundle's",
        path.display()
    )
}
