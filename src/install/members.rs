//! Members of the payload that become files on the machine.

use std::path::PathBuf;

use super::error::InstallError;
use super::place::Placer;
use crate::bundle::Member;
use crate::progress::Progress;
use crate::verify::PlatformBundle;

/// Writes each of `missing`, a member by its path in the payload, to its place.
pub(crate) fn place_members(
    bundle: PlatformBundle<'_>,
    missing: &[(String, PathBuf)],
    mode: u32,
    placer: &mut Placer<'_>,
    progress: &dyn Progress,
) -> Result<(), InstallError> {
    if missing.is_empty() {
        return Ok(());
    }
    let place = |member: &Member| missing.iter().find(|(name, _)| *name == member.path);
    let mut members = bundle.members(|member| place(member).is_some());
    while let Some(mut reader) = members.next_member()? {
        if let Some((_, path)) = place(reader.member()) {
            let sha256 = reader.member().sha256;
            progress.detail(&format!("writing `{}`", path.display()));
            placer.file(path, (&mut reader, sha256), mode, &|bytes| {
                progress.advance(bytes);
            })?;
        }
    }
    Ok(())
}
