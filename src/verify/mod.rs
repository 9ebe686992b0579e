//! Takes a path, gives a `VerifiedBundle`, fails when a byte is not what the
//! index says.
//!
//! Types carry the order: `OpenedBundle` can be shown, only a `VerifiedBundle`
//! can be used, and nothing else makes one. Bytes are hashed in memory and *those*
//! bytes are used: what changes on the medium after the check is found when it is
//! read again.

mod bad_chunks;
mod chunks;
mod error;
mod files;
mod images;
mod members;
mod misread;
mod open;
mod sealed;
mod volumes;

use std::fs::File;
#[cfg(feature = "packager")]
use std::io;
use std::path::Path;

pub use error::{Damage, ExpectedVolume, MisplacedVolume, OtherDamage, VerifyError};
pub use members::{MemberReader, Members};
pub use misread::{Misread, forget_cached};
pub use open::OpenedBundle;

use crate::bundle::{BundleIndex, Member, Platform, PlatformView};
use crate::progress::Progress;
use crate::trust::Authenticity;

/// A bundle whose every byte has the digest that its index names, and whose index was
/// signed with a trusted key, where keys count.
#[derive(Debug)]
pub struct VerifiedBundle {
    opened: OpenedBundle,
}

impl VerifiedBundle {
    /// What the bundle says of itself.
    #[must_use]
    pub fn index(&self) -> &BundleIndex {
        &self.opened.index
    }

    /// The file: of a split bundle the first.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.opened.path()
    }

    /// The first file, as it was opened: what lies at its name now may be another one.
    #[must_use]
    pub fn first_file(&self) -> &File {
        &self.opened.files.first.file
    }

    /// Length of the bundle in bytes, its volumes included.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.opened.total_bytes()
    }

    /// Who made it, as far as the keys tell.
    #[must_use]
    pub fn authenticity(&self) -> &Authenticity {
        self.opened.authenticity().expect("refused otherwise")
    }

    /// The members that are wanted, in the payload's order.
    pub fn members<'a>(&'a self, wanted: impl Fn(&Member) -> bool + Send + 'a) -> Members<'a> {
        Members::new(self, wanted)
    }

    /// The `size` bytes of the payload as stored from `start` on, each compared with its chunk
    /// when it is read. The caller stays inside the payload.
    #[cfg(feature = "packager")]
    pub fn stored(&self, start: u64, size: u64) -> impl io::Read + '_ {
        let chunks = chunks::Chunks::new(&self.opened.files, &self.opened.index);
        chunks::StoredReader::new(chunks, start, start + size)
    }

    /// Tells of what was read wrongly once, and rightly when it was read again, since
    /// [`OpenedBundle::verify`] told of it.
    pub fn tell_misread(&self, progress: &dyn Progress) {
        self.opened.files.misread.tell(progress);
    }

    /// What there is for `platform`; fails when the bundle is not for it.
    pub fn on(&self, platform: Platform) -> Result<PlatformBundle<'_>, VerifyError> {
        let view = self.opened.on(platform)?;
        Ok(PlatformBundle { bundle: self, view })
    }
}

/// A verified bundle as one of its platforms sees it: what a site works with.
#[derive(Clone, Copy, Debug)]
pub struct PlatformBundle<'a> {
    bundle: &'a VerifiedBundle,
    view: PlatformView<'a>,
}

impl<'a> PlatformBundle<'a> {
    /// What the bundle says of the parts for this platform.
    #[must_use]
    pub fn view(self) -> PlatformView<'a> {
        self.view
    }

    /// The members that are wanted, in the payload's order.
    pub fn members(self, wanted: impl Fn(&Member) -> bool + Send + 'a) -> Members<'a> {
        self.bundle.members(wanted)
    }
}
