//! Takes a `VerifiedBundle` on a machine that is fit, gives a running cluster; fails
//! with minikube's own reason, its exit code, where its log is and what to do about it
//! without a network.

mod applications;
mod doomed;
mod dry_run;
mod error;
mod manifests;
mod minikube;
mod node_image;
mod pods;
mod proof;
mod ready;
mod report;
mod rollback;
mod start;
mod status;
mod uninstall;
mod upgrade;

pub use crate::install::{Removal, Removed, UpgradeState};
pub use crate::minikube::NodeStatus;
pub use applications::Release;
pub use doomed::{Doomed, doomed};
pub use error::ClusterError;
pub use report::{Section, report};
pub use start::{Started, Timing, stage_count, start};
pub use status::{KeptState, ProfileStatus, State, Status, Stopped, status, stop};
pub use uninstall::uninstall;
pub use upgrade::{RolledBack, rollback as roll_back_upgrade};
