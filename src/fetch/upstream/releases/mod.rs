//! Programs from their release pages: which release, what its publisher says of it, and the
//! file itself.

mod checksum;
mod known;
mod list;
mod newest;
mod page;
mod program;
mod signed;
mod word;

use super::{Upstream, UpstreamError};

pub(super) use checksum::checksum_now;
pub(super) use list::ReleaseList;
pub(in crate::fetch) use newest::minikube_for;
pub(in crate::fetch) use page::Released;
pub(super) use program::{download, locked, published};
pub(super) use signed::{SignedBeside, is_absent, signature_beside};
pub(super) use word::release;

pub use known::known_minikubes;
pub(in crate::fetch) use known::{newest_known_with, runtime_of_release};
pub(in crate::fetch) use program::{Program, Published};
