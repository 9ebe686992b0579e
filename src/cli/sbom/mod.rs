//! `inspect --sbom`: the bill of materials of a bundle.
//!
//! The same bundle gives the same text: there is no time of this run in it, and its number is
//! made of the index.

mod cyclonedx;
mod spdx;

use std::collections::BTreeMap;
use std::io::Read as _;

use serde_json::Value;

use crate::bundle::{BundleIndex, Digest, PACKAGES_PATH, PartPackages, limits};
use crate::progress::Progress;
use crate::verify::{OpenedBundle, VerifyError};

/// The forms in which it is written.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum SbomFormat {
    /// `CycloneDX` 1.5, JSON
    Cyclonedx,
    /// SPDX 2.3, JSON
    Spdx,
}

/// The packages inside parts, by the parts' digests.
type Packages = BTreeMap<Digest, PartPackages>;

/// The bill of materials of this bundle. One that lists packages is verified for it.
pub(super) fn sbom(
    format: SbomFormat,
    bundle: OpenedBundle,
    progress: &dyn Progress,
) -> Result<Value, VerifyError> {
    let index = bundle.index().clone();
    let packages = match index.packages {
        Some(_) => packages(bundle, progress)?,
        None => Packages::new(),
    };
    Ok(match format {
        SbomFormat::Cyclonedx => cyclonedx::sbom(&index, &packages),
        SbomFormat::Spdx => spdx::sbom(&index, &packages),
    })
}

/// The packages inside the parts, in the order of the member that lists them.
pub(super) fn packages_of(
    bundle: OpenedBundle,
    progress: &dyn Progress,
) -> Result<Vec<PartPackages>, VerifyError> {
    match bundle.index().packages {
        Some(_) => Ok(packages(bundle, progress)?.into_values().collect()),
        None => Ok(Vec::new()),
    }
}

fn packages(bundle: OpenedBundle, progress: &dyn Progress) -> Result<Packages, VerifyError> {
    let bundle = bundle.verify(progress)?;
    let mut members = bundle.members(|member| member.path == PACKAGES_PATH);
    let mut json = Vec::new();
    if let Some(member) = members.next_member()? {
        let read = member.take(limits::PACKAGES_BYTES).read_to_end(&mut json);
        read.map_err(|source| bundle.member_error(PACKAGES_PATH, source))?;
    }
    let parts: Vec<PartPackages> =
        serde_json::from_slice(&json).map_err(|error| bundle.member_error(PACKAGES_PATH, error.into()))?;
    Ok(parts.into_iter().map(|part| (part.part, part)).collect())
}

/// A UUID of version 8 (RFC 9562, section 5.8) made of the index' digest.
fn uuid(index: &BundleIndex) -> String {
    let written = index.encode().expect("an index that was read can be written");
    let mut bytes = *Digest::of(&written).as_bytes();
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = Digest::from_bytes(bytes).hex();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..32]].join("-")
}
