//! Takes the place where releases of this very program are, puts the newer one in this
//! one's place; fails with the program as it was.
//!
//! `self_update` finds releases; what it finds is only a name until the checksum that was
//! published beside it and a minisign signature of a release key agree with the bytes
//! in memory, which are the bytes that are installed. (Its own signatures are zipsign's:
//! a second kind of key, and none for a file that is no archive.) The program that was
//! there stays until the new one has run in its place.

mod error;
mod keys;
mod origin;
mod prove;
mod release;
mod replace;
mod transport;

use std::path::PathBuf;
use std::sync::Arc;

use crate::bundle::{Platform, Version};
use crate::http::Http;
use crate::progress::Progress;
use crate::store::Store;
use crate::trust::{TrustedKey, TrustedKeys};

pub use error::UpdateError;
pub use keys::release_keys;
pub use origin::{Origin, OriginError};
pub use release::{Release, Standing};

use replace::Replacement;
use transport::Transport;

/// The version of this program.
#[must_use]
pub fn own_version() -> Version {
    let text = concat!("v", env!("CARGO_PKG_VERSION"));
    text.parse().expect("Cargo.toml has a release version")
}

/// The name of the program on a release page: `minikube-offline-linux-amd64`.
#[must_use]
pub fn asset_name(platform: Platform) -> String {
    format!("minikube-offline-linux-{}", platform.arch.name())
}

/// What a release key signs besides the program, so that no other signature of it, and
/// none of another release, passes as this one's.
#[must_use]
pub fn trusted_comment(version: &Version, platform: Platform) -> String {
    format!("minikube-offline release {version} {platform}")
}

/// Looks for releases, and installs one.
pub struct Updater {
    transport: Arc<Transport>,
    origin: Origin,
    platform: Platform,
}

/// What is to become of which program.
#[derive(Debug)]
pub struct Wish {
    /// The release; without it the newest.
    pub version: Option<Version>,
    /// The version that is there.
    pub current: Version,
    /// Whether the release may be older than what is there.
    pub allow_downgrade: bool,
    /// The program that is there.
    pub program: PathBuf,
}

/// What became of it.
#[derive(Debug)]
pub enum Outcome {
    /// The release was there already.
    Same,
    /// The release is there now.
    Updated {
        /// The key that vouched for it.
        key: TrustedKey,
    },
}

impl Updater {
    /// Looks for releases for this machine at `origin`. In `store` lies what came of a
    /// program until all of it is there.
    pub fn new(origin: Origin, http: Http, store: Option<Store>) -> Result<Self, UpdateError> {
        Ok(Self {
            transport: Arc::new(Transport::new(http, store, &origin)),
            origin,
            platform: Platform::of_this_machine().ok_or(UpdateError::NoPlatform)?,
        })
    }

    /// The release with this version; without one, the newest.
    pub fn find(&self, version: Option<&Version>) -> Result<Release, UpdateError> {
        release::find(&self.origin, &self.transport, version)
    }

    /// Puts `release` where the program is that is there, if `keys` vouch for it.
    pub fn install(
        &self,
        release: &Release,
        wish: &Wish,
        keys: &TrustedKeys,
        progress: &dyn Progress,
    ) -> Result<Outcome, UpdateError> {
        if keys.iter().next().is_none() {
            return Err(UpdateError::NoKeys);
        }
        match release.standing(&wish.current) {
            Standing::Same => return Ok(Outcome::Same),
            Standing::Older if !wish.allow_downgrade => {
                return Err(UpdateError::Older {
                    found: release.version.clone(),
                    current: wish.current.clone(),
                    origin: self.origin.to_string(),
                    is_newest: wish.version.is_none(),
                });
            }
            Standing::Newer | Standing::Older => {}
        }
        // Before anything is downloaded: whether it can be put there at all.
        let replacement = Replacement::of(&wish.program)?;
        progress.begin(&format!("downloading {}", release.version), None);
        let proven = prove::obtain(release, &self.transport, keys, self.platform, progress)?;
        progress.end(&format!("signed with key {}", proven.key.key.key_id()));
        progress.begin("trying and installing it", None);
        replacement.install(&proven.bytes, &release.version)?;
        // The update is done; what stays goes with the next `store prune`.
        let _ = self.transport.forget(proven.digest);
        progress.end("");
        Ok(Outcome::Updated { key: proven.key })
    }
}
