//! How large a bundle will be, before its parts are there.

use super::Plan;
use super::upstream::Published;
use crate::spec::Level;

/// A guess, and what it stands on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Estimate {
    /// The bundle's length in bytes.
    pub bytes: u64,
    /// For a person: how it comes.
    pub basis: String,
}

/// Stub, header and index of a bundle for one platform.
const FRONT_BYTES: u64 = 3 << 20;

/// Hundredths of what a part takes elsewhere that it takes in a bundle.
struct Shares {
    /// Of a layer as registries serve it, which is gzip almost always.
    layer: u64,
    /// Of a program, or of a layer that is not compressed.
    plain: u64,
}

/// Measured on 1.56 GB of a node image, Kubernetes' images and programs, which are
/// 417 MB of gzip for the images: 75 % and 67 % of that at the first two levels; the
/// programs take 22 % and 20 % of 308 MB, all of it together 22 % at the second.
fn shares(level: Level) -> Shares {
    match level {
        Level::Fast => Shares { layer: 75, plain: 24 },
        Level::Default => Shares { layer: 67, plain: 22 },
        Level::Max => Shares { layer: 57, plain: 19 },
    }
}

/// What goes into a bundle, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sizes {
    /// Of layers as registries serve them.
    pub(super) layers: u64,
    /// Of programs, and of layers that are not compressed.
    pub(super) plain: u64,
}

impl Sizes {
    /// Of these, as far as they are known.
    pub(super) fn of_binaries(published: &[Published]) -> Self {
        let plain = published.iter().filter_map(|binary| binary.size).sum();
        Self { layers: 0, plain }
    }
}

/// About how long the bundle of these parts will be.
pub(super) fn bundle_bytes(sizes: &Sizes, level: Level, platforms: usize) -> u64 {
    let Shares { layer, plain } = shares(level);
    sizes.layers * layer / 100 + sizes.plain * plain / 100 + FRONT_BYTES * platforms as u64
}

/// Estimates the bundle of `plan`, by what measured bundles took of the same parts.
#[must_use]
pub fn estimate(plan: &Plan, level: Level) -> Estimate {
    let Shares { layer, plain } = shares(level);
    let blobs = plan.blobs();
    let of = |is_layer: bool| {
        let blobs = blobs.iter().filter(|blob| blob.is_layer == is_layer);
        blobs.map(|blob| blob.bytes).sum::<u64>()
    };
    let sizes = Sizes {
        layers: of(true),
        plain: of(false) + plan.given_bytes(),
    };
    Estimate {
        bytes: bundle_bytes(&sizes, level, plan.lock.platforms.len()),
        basis: format!(
            "{layer} % of what the registries serve of the images, and {plain} % of all that is not compressed there"
        ),
    }
}
