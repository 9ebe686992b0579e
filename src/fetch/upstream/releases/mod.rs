//! Programs from their release pages: which release, what its publisher says of it, and the
//! file itself.

mod known;
mod list;
mod newest;
mod page;
mod program;

use super::{Upstream, UpstreamError};

pub(super) use list::ReleaseList;
pub(super) use newest::minikube_for;
pub(super) use program::{download, published, release};

pub(in crate::fetch) use program::{Program, Published};
