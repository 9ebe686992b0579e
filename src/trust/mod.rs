//! Which keys this machine trusts: takes key files and the directories where keys are
//! pinned, gives the judgement on a signature, fails when a pinned key cannot be
//! read, so that a broken file never means "trust anything".

mod directories;
mod directory;
mod error;
mod key;
mod keys;
mod serials;
#[cfg(feature = "packager")]
mod store;

pub use directories::TrustDirectories;
pub use directory::KeyDirectory;
pub use error::TrustError;
pub use key::{PublicKey, PublicKeyError};
pub use keys::{Authenticity, Refusal, TrustedKey, TrustedKeys};
pub use serials::Serials;
#[cfg(feature = "packager")]
pub use store::{Pinned, Rotated, pin, revoke, rotate, unpin};
