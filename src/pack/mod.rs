//! Takes parts, gives a bundle, fails when a part changes or the disk is full.
//!
//! The same parts give the same bytes: members stand in the order of roles and
//! names, tar headers hold nothing of this machine, and every frame is compressed
//! by one thread of one zstd version (RFC 8878 fixes only how it is decoded).

mod beside;
mod compress;
mod error;
mod header;
mod plan;
mod publish;
mod replaced;
mod stub;
mod volumes;
mod write;

use std::path::PathBuf;

pub(crate) use compress::frame_encoder;
pub use error::PackError;
pub(crate) use publish::publish;
pub use stub::Stub;
pub(crate) use volumes::check_names;

use crate::bundle::{
    BundleIndex, ClusterFacts, Digest, Extent, Frame, Member, Signature, StubEntry, Timestamp, limits,
};
use crate::fetch::Parts;
use crate::progress::Progress;
use crate::sign::Signer;
use crate::spec::{Level, VolumeSize};

/// This program, as bundles and deltas name it.
pub(crate) const PACKER: &str = concat!("minikube-offline ", env!("CARGO_PKG_VERSION"));

/// How to pack.
pub struct PackOptions<'a> {
    /// The file to write; one that is there is replaced when the new one is whole.
    pub output: PathBuf,
    /// The most that a volume may hold; without it the payload lies in the bundle itself.
    pub split: Option<VolumeSize>,
    /// The bundle's name.
    pub name: String,
    /// Its serial number among the bundles of that name; without one it is counted on from
    /// the bundle that is replaced.
    pub serial: Option<u64>,
    /// When its parts were resolved, where any came from a server.
    pub resolved: Option<Timestamp>,
    /// What it starts.
    pub cluster: ClusterFacts,
    /// How hard to compress.
    pub level: Level,
    /// The stubs to put in, one for each of the cluster's platforms, in their order.
    pub stubs: Vec<Stub>,
    /// The key to sign it with, if any.
    pub signer: Option<&'a Signer>,
}

/// What was packed.
pub struct Packed {
    /// The index of the new bundle.
    pub index: BundleIndex,
    /// Length of the bundle's first file in bytes, and of its only one when it is not split.
    pub first_bytes: u64,
    /// The signature of that file, for stock minisign, where there is a key.
    pub signature: Option<Signature>,
}

impl Packed {
    /// Length of the bundle in bytes, its volumes included.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.files().sum()
    }

    /// Length of its longest file in bytes.
    #[must_use]
    pub fn longest_bytes(&self) -> u64 {
        self.files().max().unwrap_or(0)
    }

    fn files(&self) -> impl Iterator<Item = u64> {
        let volumes = self.index.volumes.iter().map(|volume| volume.size);
        std::iter::once(self.first_bytes).chain(volumes)
    }
}

/// Packs `parts` into one file, or into one and its volumes.
pub fn pack(parts: &Parts, options: PackOptions<'_>, progress: &dyn Progress) -> Result<Packed, PackError> {
    let plan = plan::plan(parts);
    let members: Vec<Member> = plan
        .frames
        .iter()
        .flatten()
        .map(|planned| planned.member.clone())
        .collect();
    let plain_bytes = members.iter().map(|member| member.size).sum();
    let output = write::Output::create(&options.output, plain_bytes, options.split)?;
    progress.begin("compress", Some(plain_bytes));
    let directory = beside::directory_of(&options.output);
    let spooled = compress::compress(&plan.frames, options.level, directory, progress)?;
    let stored: u64 = spooled.iter().map(|spool| spool.frame.size).sum();
    progress.end("");
    let stub_entries = options.stubs.iter().map(|stub| StubEntry {
        platform: stub.platform,
        size: stub.bytes.len() as u64,
        sha256: Digest::of(&stub.bytes),
    });
    let frames: Vec<Frame> = spooled.iter().map(|spool| spool.frame).collect();
    let mut index = BundleIndex {
        format: limits::FORMAT,
        name: options.name,
        serial: 1,
        packer: PACKER.to_owned(),
        resolved: options.resolved,
        cluster: options.cluster,
        header: Extent {
            size: header::HEADER_BYTES,
            sha256: Digest::of(b""),
        },
        stubs: stub_entries.collect(),
        volumes: Vec::new(),
        chunks: Vec::new(),
        frames,
        members,
        binaries: plan.binaries,
        images: plan.images,
        image_indexes: plan.image_indexes,
        files: plan.files,
        applications: parts.lock.applications.clone(),
        packages: plan.packages,
    };
    index.serial = replaced::serial(&options.output, &index, options.serial, progress);
    progress.begin("write", Some(stored));
    let written = output.write(index, &options.stubs, spooled, options.signer, progress)?;
    progress.end("");
    written.publish(options.signer, progress)
}
