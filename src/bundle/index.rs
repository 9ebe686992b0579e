//! The index: everything that a bundle says of itself.

mod check;

use serde::{Deserialize, Serialize};

use super::limits;
use super::{
    Application, Attestation, BinaryPart, Blake3, ContainerRuntime, Digest, FilePart, Frame, ImageIndex,
    ImagePart, Member, Platform, Timestamp, Version, blob_path, plain,
};

/// The index, as canonical JSON: the fields in this order, no white space, nothing
/// unknown, nothing twice.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BundleIndex {
    /// [`limits::FORMAT`].
    pub format: u32,
    /// The bundle's name, the same for all that replace one another.
    pub name: String,
    /// Grows with each bundle of one name.
    pub serial: u64,
    /// The program that packed it, with its version.
    pub packer: String,
    /// When it was found out what to take from the publishers' servers, where anything was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<Timestamp>,
    /// What it starts.
    pub cluster: ClusterFacts,
    /// The shell header.
    pub header: Extent,
    /// The stubs, which follow the header, one for each platform.
    pub stubs: Vec<StubEntry>,
    /// The files that hold the payload, in order; none when it lies in the bundle itself.
    pub volumes: Vec<Extent>,
    /// The BLAKE3-256 of each [`limits::CHUNK_BYTES`] of the stored payload.
    pub chunks: Vec<Blake3>,
    /// The payload's zstd frames.
    pub frames: Vec<Frame>,
    /// The files in the payload's tar.
    pub members: Vec<Member>,
    /// The programs, by platform and role.
    pub binaries: Vec<BinaryPart>,
    /// The images, by platform, role and name.
    pub images: Vec<ImagePart>,
    /// In a bundle for several platforms, one image index for each image's name, by name.
    pub image_indexes: Vec<ImageIndex>,
    /// Manifests and other files of whoever packed it, by role and name. The key is not there
    /// where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FilePart>,
    /// What a start installs with Helm, in this order. The key is absent where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applications: Vec<Application>,
    /// The SHA-256 of the member that lists the software packages inside the parts. The key is
    /// absent where no part has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packages: Option<Digest>,
}

/// What a bundle starts.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterFacts {
    /// The platforms of the machines that it starts on, sorted.
    pub platforms: Vec<Platform>,
    /// The Kubernetes release.
    pub kubernetes_version: Version,
    /// The runtime that the cluster gets unless the site asks for another.
    pub container_runtime: ContainerRuntime,
}

/// A run of bytes with its hash.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Extent {
    /// Its length in bytes.
    pub size: u64,
    /// The SHA-256 of the bytes.
    pub sha256: Digest,
}

/// The stub for one platform.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StubEntry {
    /// The platform that it runs on.
    pub platform: Platform,
    /// Its length in bytes, padded to [`limits::BLOCK_BYTES`].
    pub size: u64,
    /// The SHA-256 of these bytes.
    pub sha256: Digest,
}

/// An index that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// It is not the JSON that format 1 wants.
    #[error("the index is not format 1")]
    Json(#[source] JsonError),
    /// It has a format that this version does not know.
    #[error(
        "the bundle has format {found}, and this program reads format {}",
        limits::FORMAT
    )]
    Format {
        /// The format that it names.
        found: u64,
    },
    /// It is JSON, but not in the one form that the format allows.
    #[error("the index is not in its canonical form")]
    NotCanonical,
    /// It contradicts itself or passes a limit.
    #[error("the index is not consistent: {}", plain(_0))]
    Inconsistent(String),
}

/// What is wrong with JSON. It may repeat the JSON's own words, but no line end of them.
#[derive(Debug, thiserror::Error)]
#[error("{}", plain(&_0.to_string()))]
pub struct JsonError(serde_json::Error);

impl IndexError {
    fn json(error: serde_json::Error) -> Self {
        Self::Json(JsonError(error))
    }
}

/// Whether a bundle can have this name: 1 to 128 of a-z, 0-9, `.`, `_` and `-`, the
/// first a letter or a digit.
#[must_use]
pub fn is_bundle_name(name: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    name.len() <= 128
        && name.bytes().next().is_some_and(alphanumeric)
        && name.bytes().all(|b| alphanumeric(b) || b"._-".contains(&b))
}

impl BundleIndex {
    /// Reads an index, strictly: what [`BundleIndex::encode`] would not write is
    /// refused.
    pub fn parse(json: &[u8]) -> Result<Self, IndexError> {
        #[derive(Deserialize)]
        struct Versioned {
            format: u64,
        }
        let versioned: Versioned = serde_json::from_slice(json).map_err(IndexError::json)?;
        if versioned.format != u64::from(limits::FORMAT) {
            return Err(IndexError::Format {
                found: versioned.format,
            });
        }
        let index: Self = serde_json::from_slice(json).map_err(IndexError::json)?;
        if index.encode()? != json {
            return Err(IndexError::NotCanonical);
        }
        Ok(index)
    }

    /// The canonical JSON.
    pub fn encode(&self) -> Result<Vec<u8>, IndexError> {
        self.check().map_err(IndexError::Inconsistent)?;
        serde_json::to_vec(self).map_err(IndexError::json)
    }

    /// Where the payload starts, when it is not split: after the header and the stubs.
    #[must_use]
    pub fn payload_offset(&self) -> u64 {
        self.header.size + self.stubs.iter().map(|stub| stub.size).sum::<u64>()
    }

    /// Length of the payload as stored.
    #[must_use]
    pub fn payload_size(&self) -> u64 {
        self.frames.iter().map(|frame| frame.size).sum()
    }

    /// Length of the tar that the payload decodes to.
    #[must_use]
    pub fn plain_size(&self) -> u64 {
        self.frames.iter().map(|frame| frame.plain_size).sum()
    }

    /// The attestations of every part.
    pub fn attestations(&self) -> impl Iterator<Item = &Attestation> {
        let binaries = self.binaries.iter().map(|binary| &binary.origin);
        let images = self.images.iter().map(|image| &image.origin);
        binaries.chain(images).flat_map(|origin| &origin.attestations)
    }

    /// The size of a blob.
    #[must_use]
    pub fn blob_size(&self, digest: Digest) -> Option<u64> {
        let path = blob_path(digest);
        self.members
            .iter()
            .find(|member| member.path == path)
            .map(|member| member.size)
    }
}
