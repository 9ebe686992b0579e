//! The network side against servers of our own, faults included.

mod docker_registry;
mod download;
mod images;
mod pack;
mod proxy;
mod socks;
