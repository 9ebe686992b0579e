//! A start that brings a cluster to another release.

use super::Run;
use crate::bundle::BinaryRole;
use crate::cluster::{ClusterError, upgrade};
use crate::install::{Step, Upgrade, step};
use crate::minikube::{ProfileConfig, Way};
use crate::seed::{images, programs};

impl Run<'_> {
    /// The upgrade that this start is, from now on in the journal; the cluster runs then. The
    /// preflight has refused every other step.
    pub(super) fn begin_upgrade(&mut self) -> Result<Option<Upgrade>, ClusterError> {
        let view = self.bundle.view();
        let profile = self.options.profile.clone();
        let Some(config) = ProfileConfig::load(&self.session.layout.minikube_home, &profile)? else {
            return Ok(None);
        };
        let receipt = self.session.journal.receipt();
        let step = step(
            receipt,
            (&profile, &config),
            view.name(),
            view.kubernetes_version(),
        );
        let Some(Step::Upgrade(begun)) = step else {
            return Ok(None);
        };
        let is_kept = receipt.upgrades().contains_key(&profile);
        self.stage("the cluster as it is", None, |run| {
            // With the minikube that made it.
            upgrade::start_as_it_is(&mut run.session, &run.engine, &profile, run.progress)?;
            if is_kept {
                upgrade::forget(&mut run.session, &run.engine, &profile)?;
            }
            upgrade::record(&mut run.session, &profile, &begun)?;
            Ok(((), format!("Kubernetes {} runs", begun.from)))
        })?;
        Ok(Some(begun))
    }

    /// Brings what the new release needs into the node while the old one answers, keeps the
    /// node's state, and has minikube upgrade it; gives what is to be recorded when the nodes
    /// are ready.
    pub(super) fn upgrade(&mut self, begun: Upgrade) -> Result<Upgrade, ClusterError> {
        self.changed = true;
        self.load_into_node()?;
        let profile = self.options.profile.clone();
        let done = self.stage("state of the cluster", None, |run| {
            let done = upgrade::keep(&mut run.session, &run.engine, &profile, begun)?;
            Ok((done, "kept".to_owned()))
        })?;
        self.minikube(Way::Volume)?;
        Ok(done)
    }

    fn load_into_node(&mut self) -> Result<(), ClusterError> {
        let view = self.bundle.view();
        let node = self.options.profile.clone();
        let runtime = self.options.runtime(view.container_runtime());
        let bytes = BinaryRole::KUBERNETES.map(|role| view.binary(role).size);
        self.stage(
            "images and binaries into the node",
            Some(bytes.iter().sum()),
            |run| {
                let (_, said) = images::ensure(run.bundle, &run.engine, &node, runtime, run.progress)?;
                run.notes.extend(said);
                programs::write(run.bundle, &run.engine, &node, run.progress)?;
                Ok(((), "loaded".to_owned()))
            },
        )
    }
}
