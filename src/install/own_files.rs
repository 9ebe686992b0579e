//! The files of whoever packed the bundle, on the machine itself.

use std::path::PathBuf;

use super::{Existing, Session};
use crate::bundle::{FilePart, FileRole, Member};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::verify::PlatformBundle;

/// Everyone may read them: they are no secrets, or they would not be on a stick.
const FILE_MODE: u32 = 0o644;

/// The files in their places.
#[derive(Clone, Debug, Default)]
pub struct PlacedFiles {
    /// The manifests with the bundle's own content, in the order of their names.
    pub manifests: Vec<PathBuf>,
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
) -> Result<PlacedFiles, Failure> {
    let view = bundle.view();
    let layout = session.layout.clone();
    let mut placer = session.placer();
    let mut there = PlacedFiles::default();
    let mut missing: Vec<(String, PathBuf)> = Vec::new();
    for file in view.files() {
        let path = layout.own_file(view.name(), file);
        match placer.existing(&path, file.sha256)? {
            Existing::Same => {}
            Existing::Absent | Existing::Ours => missing.push((file.member_path(), path.clone())),
            Existing::Foreign => {
                there.notes.push(changed(file, &path));
                continue;
            }
        }
        if file.role == FileRole::Manifest {
            there.manifests.push(path);
        }
    }
    if missing.is_empty() {
        return Ok(there);
    }
    let wanted = |member: &Member| missing.iter().any(|(name, _)| *name == member.path);
    let mut members = bundle.members(wanted);
    while let Some(mut reader) = members.next_member()? {
        let found = missing.iter().find(|(name, _)| *name == reader.member().path);
        if let Some((_, path)) = found {
            placer.file(path, &mut reader, FILE_MODE, &|bytes| progress.advance(bytes))?;
        }
    }
    there.written = missing.len();
    Ok(there)
}

/// What becomes of a file that is not the bundle's any more.
fn changed(file: &FilePart, path: &std::path::Path) -> String {
    let consequence = match file.role {
        FileRole::Manifest => ", and is not given to the cluster",
        FileRole::File => "",
    };
    format!(
        "`{}` was changed on this machine: it stays{consequence}; move it away and start again to have the bundle's",
        path.display()
    )
}
