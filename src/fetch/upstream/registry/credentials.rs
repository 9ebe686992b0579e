//! What lets a person in to a registry.

use std::fmt;

/// What a registry is shown.
#[derive(Clone, Eq, PartialEq)]
pub(super) enum Credentials {
    /// What a registry's own token server gave at the login, to be changed for tokens.
    IdentityToken(String),
    /// A name and a password.
    Password { user: String, password: String },
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(***)")
    }
}
