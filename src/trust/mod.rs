//! Which keys this machine trusts: takes key files and the folders where keys are
//! pinned, gives the judgement on a signature, fails when a pinned key cannot be
//! read, so that a broken file never means "trust anything".

mod error;
mod folder;
mod folders;
mod key;
mod keys;
mod serials;
#[cfg(feature = "packager")]
mod store;

pub use error::TrustError;
pub use folder::KeyFolder;
pub use folders::TrustFolders;
pub use key::{PublicKey, PublicKeyError};
pub use keys::{Authenticity, Refusal, TrustedKey, TrustedKeys};
pub use serials::Serials;
#[cfg(feature = "packager")]
pub use store::{Pinned, Rotated, pin, revoke, rotate, unpin};
