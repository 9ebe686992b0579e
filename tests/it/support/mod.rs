//! What the tests stand on.

pub(crate) mod parts;
pub(crate) mod program;
pub(crate) mod server;
