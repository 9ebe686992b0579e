//! Signing a bundle that is there.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::{SignError, Signer};
use crate::bundle::{BundleIndex, Trailer};
use crate::host::{ClaimedFile, FileError, interrupt};
use crate::progress::{Progress, Silent};
use crate::trust::TrustedKeys;
use crate::verify::OpenedBundle;

/// A bundle that was signed.
#[derive(Debug)]
pub struct Signed {
    /// What it says of itself; the signature changed nothing in that.
    pub index: BundleIndex,
    /// The signature of the whole file, for stock minisign.
    pub beside: PathBuf,
}

/// Signs the bundle `path` again. All of it is compared with its digests first, its volumes
/// too; who signed it before does not matter. It is copied, without its volumes, which
/// stay as they are, and the copy takes its name when it is whole.
pub fn sign_bundle(path: &Path, signer: &Signer, progress: &dyn Progress) -> Result<Signed, SignError> {
    let bundle = OpenedBundle::open(path, &TrustedKeys::none())?;
    let trailer = *bundle.trailer();
    let index = bundle.index().clone();
    let bundle = bundle.verify(progress)?;
    // The file that was verified, whatever lies at its name by now.
    let source = bundle.first_file();
    let mode = source
        .metadata()
        .map_err(FileError::at("read", path))?
        .permissions()
        .mode();
    // A parsed index has one encoding: these are the bytes in the file.
    let json = index.encode().map_err(|_| SignError::SelfCheck)?;
    let run = signer.sign_index(&json)?;
    let sealed = Trailer {
        sealed_sha256: Trailer::seal(&json, &run),
        ..trailer
    };

    // A link stays one: what it leads to is replaced.
    let path = fs::canonicalize(path).map_err(FileError::at("written", path))?;
    let mut copy = ClaimedFile::create(&path)?;
    progress.begin("copy", Some(trailer.total_bytes));
    copy_all(source, &path, copy.file(), progress)?;
    let file = copy.file();
    file.write_all_at(&run, trailer.signature_offset())
        .and_then(|()| file.write_all_at(&sealed.encode(), trailer.total_bytes - Trailer::BYTES as u64))
        .map_err(FileError::at("written", &path))?;
    progress.end("");
    // What changed while it was copied must not leave under a good signature's name.
    let copied = file.try_clone().map_err(FileError::at("read", &path))?;
    let copied = OpenedBundle::of_file(&path, copied, &TrustedKeys::none())?;
    if !copied.index().is_split() {
        copied.verify(&Silent)?;
    }
    // This very file, before it has a name that leads elsewhere.
    let signature = signer.sign_file(copy.file(), &index, progress)?;
    copy.commit(mode & 0o7777)?;
    let beside = signer.write_beside(&path, &signature)?;
    Ok(Signed { index, beside })
}

/// The copy takes the name of what is copied: that is what an error is about.
fn copy_all(source: &File, from: &Path, to: &mut File, progress: &dyn Progress) -> Result<(), SignError> {
    let mut buffer = vec![0; 1 << 20];
    let mut offset = 0;
    loop {
        interrupt::received().map_or(Ok(()), Err)?;
        let count = source
            .read_at(&mut buffer, offset)
            .map_err(FileError::at("read", from))?;
        offset += count as u64;
        if count == 0 {
            return Ok(());
        }
        to.write_all(&buffer[..count])
            .map_err(FileError::at("written", from))?;
        progress.advance(count as u64);
    }
}
