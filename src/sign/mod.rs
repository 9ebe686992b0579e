//! Takes a secret key and its password, gives signatures of minisign; fails when the
//! key cannot be unlocked. A signed bundle is a new file that takes the old one's name
//! when it is whole.

mod bundle;
mod error;
mod keygen;
mod password;
mod secret;
mod signer;

pub use bundle::{Signed, sign_bundle};
pub use error::SignError;
pub use keygen::{NewKey, generate};
pub use password::Password;
pub use signer::Signer;
