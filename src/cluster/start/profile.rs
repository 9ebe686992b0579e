//! The profile that is started: whether it is there, whose it is, and which nodes it has.

use super::Run;
use crate::cluster::ClusterError;
use crate::cluster::minikube;
use crate::install::Event;
use crate::minikube::{Minikube, NodeStatus, ProfileConfig, sidecar, written};
use crate::seed;

impl Run<'_> {
    /// Whether there is nothing to start. What was given after `--` may change a cluster
    /// that runs, so then minikube decides, unless it is the number of nodes that there are.
    pub(crate) fn runs_already(&self, minikube: &Minikube) -> Result<bool, ClusterError> {
        if self.options.passes_more_than_nodes() || !self.profile_exists()? {
            return Ok(false);
        }
        let (there, asked) = (self.node_names()?.len(), self.options.node_names().count());
        if there != asked && !self.options.extra_args.is_empty() {
            return Ok(false);
        }
        let nodes = minikube.nodes(&self.options.profile)?;
        let runs = |node: &NodeStatus| node.runs() && !node.is_out_of_kubeconfig();
        Ok(!nodes.is_empty() && nodes.iter().all(runs))
    }

    /// A profile that is not there yet will be ours.
    pub(crate) fn record_profile(&mut self) -> Result<(), ClusterError> {
        if self.profile_exists()? {
            return Ok(());
        }
        Ok(self.session.journal.record(Event::Profile {
            name: self.options.profile.clone(),
            minikube_home: self.session.layout.minikube_home.clone(),
            kubeconfig: written::new_kubeconfig(&self.session.environment),
        })?)
    }

    /// The nodes that the profile has or will have: the number of an existing profile's
    /// does not change by a start.
    pub(crate) fn node_names(&self) -> Result<Vec<String>, ClusterError> {
        let profile = &self.options.profile;
        let config = ProfileConfig::load(&self.session.layout.minikube_home, profile)?;
        Ok(match config {
            Some(config) => config.node_names(profile),
            None => self.options.node_names().collect(),
        })
    }

    /// Whether minikube, as an earlier run of ours was killed, had not come to each node
    /// that is asked for: it would go on with those that it had come to.
    pub(crate) fn lacks_nodes(&self) -> Result<bool, ClusterError> {
        let asked = self.options.node_names().count();
        Ok(self.is_unfinished_and_ours() && self.node_names()?.len() < asked)
    }

    pub(crate) fn profile_exists(&self) -> Result<bool, ClusterError> {
        let profile = &self.options.profile;
        let home = &self.session.layout.minikube_home;
        Ok(ProfileConfig::load(home, profile)?.is_some() || self.engine.container(profile)?.is_some())
    }

    pub(crate) fn is_unfinished_and_ours(&self) -> bool {
        let profiles = self.session.journal.receipt().profiles();
        profiles
            .get(&self.options.profile)
            .is_some_and(|profile| !profile.ready)
    }

    pub(crate) fn delete_profile(&mut self) -> Result<(), ClusterError> {
        self.stage("delete the unfinished profile", None, |run| {
            let home = run.session.layout.minikube_home.clone();
            let program =
                minikube::of_session(&run.session, Some(&run.engine), &home, run.options.keep_proxy)?;
            sidecar::discard_all(&run.engine, &home, &run.options.profile)?;
            minikube::delete(&program, &run.options.profile, &mut run.session)?;
            let name = run.options.profile.clone();
            seed::discard_all_after_kill(&mut run.session, &run.engine, &name)?;
            written::sync_removed(&home, &name, None)?;
            run.session.journal.record(Event::ProfileRemoved { name })?;
            Ok(((), "deleted".to_owned()))
        })
    }
}
