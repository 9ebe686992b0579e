//! What a delta says of itself.

use serde::{Deserialize, Serialize};

use super::limits::{DATA_BYTES, PATCH_BYTES, PREFIX_BYTES};
use crate::bundle::{Blake3, BundleIndex, Digest, chunk_count, is_bundle_name};
use crate::spec::Level;

/// The head of a delta, as canonical JSON.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Head {
    /// The program that made it, with its version.
    pub(super) packer: String,
    /// The version of zstd that compresses the frames of the result.
    pub(super) zstd: u32,
    pub(super) base: Identity,
    pub(super) result: Identity,
    /// Header and stubs, from those of the base.
    pub(super) front: Vec<Piece>,
    /// The frames of the payload, in their order.
    pub(super) frames: Vec<FrameDelta>,
    /// What follows the payload, from the index of the base.
    pub(super) tail: Vec<Piece>,
    pub(super) data_bytes: u64,
    /// The BLAKE3-256 of each MiB of the data.
    pub(super) chunks: Vec<Blake3>,
}

/// Which bundle is meant.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The bundle's name.
    pub name: String,
    /// Its serial.
    pub serial: u64,
    /// The SHA-256 of its index.
    pub index: Digest,
}

/// How one frame of the result is made.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(super) enum FrameDelta {
    /// As it is stored in the payload of the base, from this offset on.
    Copy(u64),
    /// Compressed once more from what the pieces make of the tar of the base.
    Compress { level: Level, pieces: Vec<Piece> },
    /// As it is stored, in pieces that need no base.
    Whole(Vec<Piece>),
}

/// A run of bytes: `size` bytes of the base from `from` on, when `data` is 0; else what
/// `data` bytes of the delta's data decode to, with `prefix` bytes of the base from `from` on.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Piece {
    pub(super) size: u64,
    pub(super) from: u64,
    pub(super) prefix: u64,
    pub(super) data: u64,
}

impl Identity {
    pub(super) fn of(index: &BundleIndex, json: &[u8]) -> Self {
        Self {
            name: index.name.clone(),
            serial: index.serial,
            index: Digest::of(json),
        }
    }

    /// For a person.
    #[must_use]
    pub fn describe(&self) -> String {
        let digest = &self.index.to_string()[..19];
        format!("`{}` serial {} (index {digest})", self.name, self.serial)
    }
}

/// How many bytes the pieces make; nothing where one of them is out of its limits.
pub(super) fn made(pieces: &[Piece], base_bytes: u64) -> Option<u64> {
    pieces.iter().try_fold(0u64, |sum, piece| {
        let Piece {
            size,
            from,
            prefix,
            data,
        } = *piece;
        let reach = if data == 0 { size } else { prefix };
        let inside = from.checked_add(reach)? <= base_bytes;
        let sound = match data {
            0 => size > 0 && prefix == 0,
            _ => (1..=PATCH_BYTES).contains(&size) && prefix <= PREFIX_BYTES && data <= 2 * PATCH_BYTES,
        };
        if inside && sound {
            sum.checked_add(size)
        } else {
            None
        }
    })
}

impl Head {
    /// The JSON, which is the only form that is read.
    pub(super) fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("numbers and text")
    }

    /// Reads a head, strictly.
    pub(super) fn parse(json: &[u8]) -> Result<Self, String> {
        let head: Self = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        if head.encode() != json {
            return Err("it is not in its canonical form".to_owned());
        }
        head.check()?;
        Ok(head)
    }

    fn check(&self) -> Result<(), String> {
        let names = [&self.base, &self.result];
        if !names.iter().all(|identity| is_bundle_name(&identity.name)) {
            return Err("it names no bundle".to_owned());
        }
        let pieces = self.frames.iter().flat_map(|frame| match frame {
            FrameDelta::Copy(_) => &[],
            FrameDelta::Compress { pieces, .. } | FrameDelta::Whole(pieces) => pieces.as_slice(),
        });
        let mut pieces = self.front.iter().chain(pieces).chain(&self.tail);
        let data = pieces.try_fold(0u64, |sum, piece| sum.checked_add(piece.data));
        if data != Some(self.data_bytes) || self.data_bytes > DATA_BYTES {
            return Err("its pieces do not use its data".to_owned());
        }
        if chunk_count(self.data_bytes) != self.chunks.len() as u64 {
            return Err("it does not have a digest for each chunk of its data".to_owned());
        }
        Ok(())
    }
}
