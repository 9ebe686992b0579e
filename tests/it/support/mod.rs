//! What the tests stand on.

pub(crate) use crate::shared::{effort, parts, stripped};

pub(crate) mod authority;
pub(crate) mod contract;
pub(crate) mod engine;
pub(crate) mod keys;
pub(crate) mod program;
pub(crate) mod registry;
pub(crate) mod server;
pub(crate) mod small;
pub(crate) mod socks;
pub(crate) mod strace;
pub(crate) mod terminal;
