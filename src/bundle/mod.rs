//! The format of a bundle: takes bytes, gives the structures in them, and back.
//!
//! A leaf: it reads and writes no file and knows nothing of who uses it. Each
//! structure is read and written in one place and checked on both sides.
//!
#![doc = include_str!("FORMAT.md")]

mod addon;
mod application;
mod attestation;
mod base64;
mod blake3;
mod chunk;
mod digest;
mod file;
mod frame;
mod image;
mod index;
mod layout;
pub mod limits;
mod packages;
mod part;
mod plain;
mod platform;
mod provenance;
mod reference;
mod runtime;
mod signature;
mod tail;
mod tally;
pub(crate) mod text;
mod timestamp;
mod trailer;
mod version;
mod view;
mod volume;

pub(crate) use crate::oci::null_as_default;
pub use addon::is_addon_of_network;
pub use application::{Application, is_namespace, is_release_name};
pub use attestation::{Attestation, attestation_path};
pub use base64::{decode_base64, encode_base64};
pub use blake3::{Blake3, Blake3Hasher, Checksum};
pub use chunk::{ChunkTable, chunk_count};
pub use digest::{Digest, DigestError, Hasher};
pub use file::{FilePart, FileRole, is_file_name};
pub use frame::{FRAME_HEADER_BYTES, Frame, Member, TAR_BLOCK, TAR_END_BYTES, member_span};
pub use image::{ImageConfig, ImageConfigError};
pub use index::{BundleIndex, ClusterFacts, Extent, IndexError, StubEntry, is_bundle_name};
pub use layout::{Blob, Layout, image_manifest};
pub(crate) use layout::{archived, blob_in_layout};
pub use packages::{PACKAGES_PATH, Package, PackageKind, PartPackages};
pub use part::{
    BinaryPart, BinaryRole, ImageIndex, ImagePart, ImageRole, blob_path, docker_manifest_path,
    layout_documents,
};
pub use plain::{is_plain, plain, steers};
pub use platform::{Arch, Platform, PlatformError, in_words};
pub use provenance::{NamedBy, Namer, Origin, Transport, Unattested, Verification};
pub use reference::{ImageReference, ReferenceError};
pub use runtime::{ContainerRuntime, RuntimeError};
pub use signature::{DELTA_COMMENT, INDEX_COMMENT, KeyId, Signature, SignatureError};
pub use tail::{TAIL_HEADER_BYTES, tail_header};
pub use tally::{HashedBytes, hashed_bytes};
pub use timestamp::{Timestamp, TimestampError};
pub use trailer::{Trailer, TrailerError};
pub use version::{Version, VersionError};
pub use view::PlatformView;
pub use volume::{ChunkPlace, surplus_volumes, volume_path};
