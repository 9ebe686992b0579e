//! What the tests stand on.

pub(crate) mod authority;
#[allow(dead_code)]
#[path = "../../faults/effort.rs"]
pub(crate) mod effort;
pub(crate) mod engine;
pub(crate) mod keys;
pub(crate) mod parts;
pub(crate) mod program;
pub(crate) mod registry;
pub(crate) mod server;
pub(crate) mod small;
pub(crate) mod socks;
pub(crate) mod strace;
pub(crate) mod stripped;
pub(crate) mod terminal;
