//! What the tests stand on.

pub(crate) mod keys;
pub(crate) mod parts;
pub(crate) mod program;
