//! Takes parts, gives a bundle, fails when a part changes or the disk is full.
//!
//! The same parts give the same bytes: members stand in the order of roles and
//! names, tar headers hold nothing of this machine, and every frame is compressed
//! by one thread of one zstd version (RFC 8878 fixes only how it is decoded).

mod compress;
mod error;
mod header;
mod layout;
mod plan;
mod stub;
mod write;

use std::path::PathBuf;

pub use error::PackError;
pub use stub::Stub;

use crate::bundle::{BundleIndex, ClusterFacts, Digest, Extent, Frame, Member, StubEntry, limits};
use crate::fetch::Parts;
use crate::progress::Progress;
use crate::sign::Signer;
use crate::spec::Level;

/// How to pack.
pub struct PackOptions<'a> {
    /// The file to write; one that is there is replaced when the new one is whole.
    pub output: PathBuf,
    /// The bundle's name.
    pub name: String,
    /// Its serial number among the bundles of that name.
    pub serial: u64,
    /// What it starts.
    pub cluster: ClusterFacts,
    /// How hard to compress.
    pub level: Level,
    /// The stubs to put in; one must be for the cluster's platform.
    pub stubs: Vec<Stub>,
    /// The key to sign it with, if any.
    pub signer: Option<&'a Signer>,
}

/// What was packed.
pub struct Packed {
    /// The index of the new bundle, but for the digest of its header.
    pub index: BundleIndex,
    /// Length of the file in bytes.
    pub total_bytes: u64,
}

/// Packs `parts` into one file.
pub fn pack(parts: &Parts, options: PackOptions<'_>, progress: &dyn Progress) -> Result<Packed, PackError> {
    let output = write::Output::create(&options.output)?;
    let plan = plan::plan(parts);
    let members: Vec<Member> = plan
        .frames
        .iter()
        .flatten()
        .map(|planned| planned.member.clone())
        .collect();
    progress.begin("compress", Some(members.iter().map(|member| member.size).sum()));
    let folder = write::folder_of(&options.output);
    let spooled = compress::compress(&plan.frames, options.level, folder, progress)?;
    let stored: u64 = spooled.iter().map(|spool| spool.frame.size).sum();
    progress.end("");
    let stub_entries = options.stubs.iter().map(|stub| StubEntry {
        platform: stub.platform,
        size: stub.bytes.len() as u64,
        sha256: Digest::of(&stub.bytes),
    });
    let frames: Vec<Frame> = spooled.iter().map(|spool| spool.frame).collect();
    let index = BundleIndex {
        format: limits::FORMAT,
        name: options.name,
        serial: options.serial,
        packer: concat!("minikube-offline ", env!("CARGO_PKG_VERSION")).to_owned(),
        cluster: options.cluster,
        header: Extent {
            size: header::HEADER_BYTES,
            sha256: Digest::of(b""),
        },
        stubs: stub_entries.collect(),
        chunks: Vec::new(),
        frames,
        members,
        binaries: plan.binaries,
        images: plan.images,
    };
    progress.begin("write", Some(stored));
    let total_bytes = output.write(index.clone(), &options.stubs, spooled, options.signer, progress)?;
    progress.end("");
    Ok(Packed { index, total_bytes })
}
