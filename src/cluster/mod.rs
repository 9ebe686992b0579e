//! Takes a `VerifiedBundle` on a machine that is fit, gives a running cluster; fails
//! with minikube's own reason, its exit code, where its log is and what to do about it
//! without a network.

mod boot;
mod digests;
mod doomed;
mod dry_run;
mod events;
mod hints;
mod images;
mod labels;
mod manifests;
mod minikube;
mod node_image;
mod proof;
mod ready;
mod rollback;
mod seed;
mod sidecar;
mod start;
mod status;
mod uninstall;
mod written;

pub use crate::install::{SiteOptions, Way};
pub use doomed::{Doomed, doomed};
pub use dry_run::RequestError;
pub use images::NodeImagesError;
pub use manifests::ManifestsError;
pub use minikube::MinikubeError;
pub use node_image::NodeImageError;
pub use ready::ReadyError;
pub use seed::SeedError;
pub use start::{Started, Timing, start};
pub use status::{NodeStatus, ProfileStatus, Status, StopError, status, stop};
pub use uninstall::{UninstallError, uninstall};
