//! Why a cluster was not started, stopped or removed.

use super::applications::ApplicationError;
use super::manifests::ManifestsError;
use super::node_image::NodeImageError;
use super::ready::ReadyError;
use super::status::StopError;
use super::uninstall::UninstallError;
use super::upgrade::UpgradeError;
use crate::docker::EngineError;
use crate::explain::{Advised, Explain, Kind, one_of};
use crate::host::{FileError, Interruption, ProcessError};
use crate::install::{DowngradeError, InstallError, JournalError, LayoutError, PlaceError};
use crate::minikube::{MinikubeError, RequestError};
use crate::seed::{NodeImagesError, SeedError};

one_of! {
    /// What was not done with a cluster, and why.
    pub enum ClusterError {
        Advised(Box<Advised<ClusterError>>),
        Application(ApplicationError),
        Downgrade(DowngradeError),
        Engine(EngineError),
        File(FileError),
        Install(InstallError),
        Interrupted(Interruption),
        Journal(JournalError),
        Layout(LayoutError),
        Manifests(ManifestsError),
        Minikube(MinikubeError),
        NodeImage(NodeImageError),
        NodeImages(NodeImagesError),
        Place(PlaceError),
        Process(ProcessError),
        Ready(ReadyError),
        Request(RequestError),
        Seed(SeedError),
        Stop(StopError),
        Uninstall(UninstallError),
        Upgrade(UpgradeError),
    }
}

impl ClusterError {
    /// The same error with `hint` after its own.
    pub(super) fn with_hint(self, hint: impl Into<String>) -> Self {
        let mut hints = self.explain().hints;
        hints.push(hint.into());
        Box::new(Advised { error: self, hints }).into()
    }

    /// Whether another way to load the images may work: not when the bundle is damaged, the
    /// disk is full, or the run was told to end.
    pub(super) fn may_fall_back(&self) -> bool {
        matches!(self.explain().kind, Kind::Cluster | Kind::Other | Kind::Unfit)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::install::TransferError;

    #[test]
    fn a_damaged_bundle_is_no_reason_to_try_another_way() {
        let full = TransferError::Write(io::ErrorKind::StorageFull.into());
        assert!(!ClusterError::from(SeedError::from(full)).may_fall_back());
        assert!(!ClusterError::from(Interruption::Interrupt).may_fall_back());
        let name = "x".to_owned();
        assert!(ClusterError::from(SeedError::ForeignVolume { name }).may_fall_back());
    }

    #[test]
    fn a_hint_stands_after_those_that_there_are() {
        let error = ClusterError::from(EngineError::Missing);
        let own = error.explain().hints;
        let message = error.to_string();
        let error = error.with_hint("`uninstall` removes the rest");
        assert_eq!(error.to_string(), message);
        assert_eq!(error.explain().kind, Kind::Unfit);
        assert_eq!(error.explain().hints, [&own[0], "`uninstall` removes the rest"]);
    }
}
