//! The bytes of a release, with proof.

use super::release::{Release, ReleaseFile};
use super::{Transport, UpdateError, asset_name, trusted_comment};
use crate::bundle::{Digest, Platform, Signature, limits};
use crate::progress::Progress;
use crate::trust::{Authenticity, TrustedKey, TrustedKeys};

/// A program larger than this is refused.
const PROGRAM_BYTES: u64 = 512 << 20;

/// A checksum file: a digest and a name.
const CHECKSUM_BYTES: u64 = 4096;

/// A program of a release: nothing else makes one.
pub(super) struct Proven {
    pub(super) bytes: Vec<u8>,
    /// Their digest.
    pub(super) digest: Digest,
    /// The key that vouched for it.
    pub(super) key: TrustedKey,
}

/// Downloads the program of `release`; refuses it unless its checksum agrees and one of
/// `keys` signed exactly these bytes as this release.
pub(super) fn obtain(
    release: &Release,
    transport: &Transport,
    keys: &TrustedKeys,
    platform: Platform,
    progress: &dyn Progress,
) -> Result<Proven, UpdateError> {
    let name = asset_name(platform);
    let program = release.file(&name)?;
    // What is small, and may end it, comes first.
    let expected = checksum(program, release.file(&format!("{name}.sha256"))?, transport)?;
    let signature_file = release.file(&format!("{name}.minisig"))?;
    let signature = signature(signature_file, transport)?;
    let comment = trusted_comment(&release.version, platform);
    if signature.trusted_comment() != comment {
        return Err(UpdateError::OtherRelease {
            url: signature_file.url.clone(),
            expected: comment,
            found: signature.trusted_comment().to_owned(),
        });
    }
    let bytes = transport.resume(&program.url, expected, PROGRAM_BYTES, progress)?;
    let found = Digest::of(&bytes);
    if found != expected {
        return Err(UpdateError::WrongDigest {
            url: program.url.clone(),
            expected,
            found,
        });
    }
    let judged = keys.judge(&bytes, &comment, Some(&signature));
    match judged.map_err(|source| UpdateError::NotSigned {
        url: program.url.clone(),
        source,
    })? {
        Authenticity::Signed(key) => Ok(Proven {
            bytes,
            digest: found,
            key,
        }),
        // No key counts.
        Authenticity::IntegrityOnly { .. } => Err(UpdateError::NoKeys),
    }
}

/// The digest that is published beside the program; the list of releases must not know
/// another one.
fn checksum(program: &ReleaseFile, file: &ReleaseFile, transport: &Transport) -> Result<Digest, UpdateError> {
    let text = transport.read(&file.url, CHECKSUM_BYTES)?;
    let text = String::from_utf8_lossy(&text).to_lowercase();
    let parse = |text: &str| {
        Digest::parse(text).map_err(|source| UpdateError::Checksum {
            url: file.url.clone(),
            source,
        })
    };
    let published = parse(text.split_whitespace().next().unwrap_or_default())?;
    match program.digest.as_deref().map(parse).transpose()? {
        Some(listed) if listed != published => Err(UpdateError::WrongDigest {
            url: file.url.clone(),
            expected: listed,
            found: published,
        }),
        _ => Ok(published),
    }
}

fn signature(file: &ReleaseFile, transport: &Transport) -> Result<Signature, UpdateError> {
    let text = transport.read(&file.url, limits::KEY_TEXT_BYTES as u64)?;
    Signature::parse_text(&String::from_utf8_lossy(&text)).map_err(|source| UpdateError::Signature {
        url: file.url.clone(),
        source,
    })
}
