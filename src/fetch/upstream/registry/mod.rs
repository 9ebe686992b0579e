//! Images from registries, each from its name to its layers, and whoever has to be let in.

mod attached;
mod blob;
mod config;
mod credentials;
mod docker_config;
mod document;
mod helper;
mod image;
mod leaf;
mod login;
mod manifest;
mod named;
mod place;
mod registries;
mod signature;

use super::{Upstream, UpstreamError, WantedImage};

pub(super) use image::{download, resolve_all};
pub(super) use registries::Registries;

pub(in crate::fetch) use manifest::Resolved;
pub(super) use named::tag_now;
