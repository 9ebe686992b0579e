//! The index: everything that a bundle says of itself.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::frame::TAR_END_BYTES;
use super::limits;
use super::{
    BinaryPart, BinaryRole, ContainerRuntime, Digest, Frame, ImagePart, ImageReference, ImageRole,
    LAYOUT_DOCUMENTS, Member, Platform, Version, blob_path, chunk_count, member_span,
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
    /// What it starts.
    pub cluster: ClusterFacts,
    /// The shell header.
    pub header: Extent,
    /// The stubs, which follow the header.
    pub stubs: Vec<StubEntry>,
    /// The files that hold the payload, in order; none when it lies in the bundle itself.
    pub volumes: Vec<Extent>,
    /// The SHA-256 of each [`limits::CHUNK_BYTES`] of the stored payload.
    pub chunks: Vec<Digest>,
    /// The payload's zstd frames.
    pub frames: Vec<Frame>,
    /// The files in the payload's tar.
    pub members: Vec<Member>,
    /// The programs, by role.
    pub binaries: Vec<BinaryPart>,
    /// The images, by role and name.
    pub images: Vec<ImagePart>,
}

/// What a bundle starts.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterFacts {
    /// The platform of the node and of the machine that it starts on.
    pub platform: Platform,
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
    Json(#[source] serde_json::Error),
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
    #[error("the index is not consistent: {0}")]
    Inconsistent(String),
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
        let versioned: Versioned = serde_json::from_slice(json).map_err(IndexError::Json)?;
        if versioned.format != u64::from(limits::FORMAT) {
            return Err(IndexError::Format {
                found: versioned.format,
            });
        }
        let index: Self = serde_json::from_slice(json).map_err(IndexError::Json)?;
        if index.encode()? != json {
            return Err(IndexError::NotCanonical);
        }
        Ok(index)
    }

    /// The canonical JSON.
    pub fn encode(&self) -> Result<Vec<u8>, IndexError> {
        self.check().map_err(IndexError::Inconsistent)?;
        serde_json::to_vec(self).map_err(IndexError::Json)
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

    /// The image that the node is made from.
    #[must_use]
    pub fn node_image(&self) -> &ImagePart {
        // `check` counts them.
        self.images
            .iter()
            .find(|image| image.role == ImageRole::Node)
            .expect("an index has a node image")
    }

    /// The images that go into the node.
    pub fn cluster_images(&self) -> impl Iterator<Item = &ImagePart> {
        self.images.iter().filter(|image| image.role != ImageRole::Node)
    }

    /// The program with `role`.
    #[must_use]
    pub fn binary(&self, role: BinaryRole) -> &BinaryPart {
        // `check` counts them.
        self.binaries
            .iter()
            .find(|binary| binary.role == role)
            .expect("an index has a program for each role")
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

    fn check(&self) -> Result<(), String> {
        self.check_names()?;
        self.check_extents()?;
        self.check_frames()?;
        self.check_volumes()?;
        self.check_members()?;
        self.check_parts()
    }

    fn check_names(&self) -> Result<(), String> {
        if !is_bundle_name(&self.name) {
            return Err(
                "the bundle's name is not 1 to 128 of a-z, 0-9, `.`, `_` and `-`, starting with a letter or a digit"
                    .to_owned(),
            );
        }
        if self.packer.len() > 128 || self.packer.chars().any(char::is_control) {
            return Err("the packer's name is too long or has control characters".to_owned());
        }
        Ok(())
    }

    fn check_extents(&self) -> Result<(), String> {
        let aligned = |size: u64| size.is_multiple_of(limits::BLOCK_BYTES) && size > 0;
        if !aligned(self.header.size) || self.header.size > limits::HEADER_BYTES {
            return Err(format!("the header has {} bytes", self.header.size));
        }
        let mut platforms = HashSet::new();
        let mut end = self.header.size;
        for stub in &self.stubs {
            let fits = aligned(stub.size) && stub.size <= limits::STUB_BYTES;
            if !fits || !platforms.insert(stub.platform) {
                return Err(format!(
                    "the stub for {} has {} bytes or is there twice",
                    stub.platform, stub.size
                ));
            }
            end = end
                .checked_add(stub.size)
                .ok_or("the stubs are longer than a file can be")?;
        }
        if !platforms.contains(&self.cluster.platform) {
            return Err(format!("there is no stub for {}", self.cluster.platform));
        }
        let total = self
            .frames
            .iter()
            .try_fold(end, |end, frame| end.checked_add(frame.size));
        total
            .map(|_| ())
            .ok_or_else(|| "the payload is longer than a file can be".to_owned())
    }

    fn check_frames(&self) -> Result<(), String> {
        if self.members.len() > limits::MEMBERS {
            return Err(format!("there are {} members", self.members.len()));
        }
        let mut members = self.members.iter();
        for (number, frame) in self.frames.iter().enumerate() {
            let last = number + 1 == self.frames.len();
            let mut plain = if last { TAR_END_BYTES as u64 } else { 0 };
            for _ in 0..frame.members {
                let member = members
                    .next()
                    .ok_or("the frames hold more members than there are")?;
                plain = member_span(member.size)
                    .and_then(|span| span.checked_add(plain))
                    .ok_or_else(|| format!("`{}` is larger than a file can be", member.path))?;
            }
            if plain != frame.plain_size || frame.size == 0 || frame.members == 0 {
                return Err(format!("frame {number} does not hold its members"));
            }
        }
        if self.frames.is_empty() || members.next().is_some() {
            return Err("there are members outside every frame".to_owned());
        }
        let plain_total = self
            .frames
            .iter()
            .try_fold(0u64, |sum, frame| sum.checked_add(frame.plain_size));
        plain_total.ok_or("the payload decodes to more than a file can hold")?;
        if chunk_count(self.payload_size()) != self.chunks.len() as u64 {
            return Err("the chunk table does not cover the payload".to_owned());
        }
        Ok(())
    }

    /// Each member is a part's or one of the layout's documents, and is there once.
    fn check_members(&self) -> Result<(), String> {
        let mut expected: HashSet<String> = LAYOUT_DOCUMENTS.map(str::to_owned).into();
        expected.extend(self.binaries.iter().map(|binary| binary.role.member_path()));
        expected.extend(self.images.iter().flat_map(ImagePart::blobs).map(blob_path));
        for member in &self.members {
            if member.tar_header().is_none() || !expected.remove(&member.path) {
                return Err(format!("no part needs `{}`, or it is there twice", member.path));
            }
            if member.size == 0 && member.sha256 != Digest::of(b"") {
                return Err(format!(
                    "`{}` is empty and has the digest of something",
                    member.path
                ));
            }
            let blob = member.path.strip_prefix("images/blobs/sha256/");
            if blob.is_some_and(|hex| hex != member.sha256.hex()) {
                return Err(format!("`{}` has the digest of another blob", member.path));
            }
        }
        expected
            .into_iter()
            .min()
            .map_or(Ok(()), |path| Err(format!("`{path}` is missing")))
    }

    fn check_parts(&self) -> Result<(), String> {
        let by_path: HashMap<&str, &Member> = self
            .members
            .iter()
            .map(|member| (member.path.as_str(), member))
            .collect();
        let roles: Vec<BinaryRole> = self.binaries.iter().map(|binary| binary.role).collect();
        if roles != BinaryRole::ALL {
            return Err("there is not one program for each role, in the roles' order".to_owned());
        }
        for binary in &self.binaries {
            let path = binary.role.member_path();
            let member = by_path
                .get(path.as_str())
                .ok_or_else(|| format!("`{path}` is missing"))?;
            if (member.size, member.sha256) != (binary.size, binary.sha256) {
                return Err(format!("{} is not the file that it says", binary.role));
            }
            if binary.platform != self.cluster.platform {
                return Err(format!("{} is for {}", binary.role, binary.platform));
            }
        }
        if self
            .images
            .iter()
            .filter(|image| image.role == ImageRole::Node)
            .count()
            != 1
        {
            return Err("there is not one node image".to_owned());
        }
        let key = |image: &ImagePart| (image.role, image.reference.clone());
        if !self.images.is_sorted_by(|a, b| key(a) < key(b)) {
            return Err("the images are not in order, or one is there twice".to_owned());
        }
        let names: HashSet<&ImageReference> = self.images.iter().map(|image| &image.reference).collect();
        if names.len() != self.images.len() {
            return Err("two images have one name".to_owned());
        }
        match self
            .images
            .iter()
            .find(|image| image.platform != self.cluster.platform)
        {
            Some(image) => Err(format!("{} is for {}", image.reference, image.platform)),
            None => Ok(()),
        }
    }
}
