//! The ways by which the images come to where the node finds them.

use super::Run;
use crate::bundle::BinaryRole;
use crate::cluster::ClusterError;
use crate::explain::in_one_line;
use crate::install::{CacheContents, ImageSet, fill_cache};
use crate::minikube::sidecar;
use crate::minikube::{Way, needs_more_than_the_cache};
use crate::seed;
use crate::seed::Seeding;

impl Run<'_> {
    /// Brings the images to where the node finds them; says which way was taken.
    pub(crate) fn images(&mut self) -> Result<Way, ClusterError> {
        self.discard_sidecars()?;
        if self.options.way == Way::Cache {
            return self.images_by_cache();
        }
        let may_fall_back =
            self.options.way == Way::Auto && !needs_more_than_the_cache(self.bundle.view(), self.options);
        match self.images_by_volumes() {
            Err(error) if may_fall_back && error.may_fall_back() => {
                self.note(format!(
                    "the node's volume was not filled ({}): minikube loads the images one by one",
                    in_one_line(&error)
                ));
                self.images_by_cache()
            }
            Err(error) => Err(error),
            Ok(()) => Ok(Way::Volume),
        }
    }

    /// Of a profile that an earlier run began to make: this run has the lock, and ended the
    /// minikube that a killed one left.
    fn discard_sidecars(&mut self) -> Result<(), ClusterError> {
        let profile = &self.options.profile;
        if !self.session.journal.receipt().profiles().contains_key(profile) {
            return Ok(());
        }
        for node in self.node_names()? {
            if sidecar::discard(&self.engine, &node)? {
                self.note(format!(
                    "a container that a killed run of minikube left beside the node `{node}` was removed"
                ));
            }
        }
        Ok(())
    }

    /// Each node has a volume of its own.
    fn images_by_volumes(&mut self) -> Result<(), ClusterError> {
        for node in self.node_names()? {
            self.images_by_volume(&node)?;
        }
        Ok(())
    }

    fn images_by_volume(&mut self, node: &str) -> Result<(), ClusterError> {
        let view = self.bundle.view();
        let binaries = BinaryRole::KUBERNETES.map(|role| view.binary(role).size);
        let images = ImageSet::new(view, view.cluster_images()).blob_bytes();
        let bytes = images + binaries.iter().sum::<u64>();
        let runtime = self.options.runtime(view.container_runtime());
        self.stage("images into the node's volume", Some(bytes), |run| {
            let seeding = seed::seed(
                run.bundle,
                &mut run.session,
                &run.engine,
                node,
                runtime,
                run.progress,
            )?;
            run.changed |= matches!(seeding, Seeding::Seeded);
            let outcome = match seeding {
                Seeding::Already => "already there",
                Seeding::NodeExists => "the node is there",
                Seeding::Seeded => "filled",
            };
            let of_which = if node == run.options.profile { "" } else { node };
            Ok(((), format!("{outcome} {of_which}").trim_end().to_owned()))
        })
    }

    fn images_by_cache(&mut self) -> Result<Way, ClusterError> {
        self.stage("images into minikube's cache", None, |run| {
            let cache = run.session.layout.cache();
            let mut placer = run.session.placer();
            let contents = CacheContents::WithoutNodeImage;
            let filled = fill_cache(run.bundle, &cache, contents, &mut placer, run.progress)?;
            run.changed |= filled.changed;
            for note in filled.notes {
                run.note(note);
            }
            let outcome = if filled.changed { "filled" } else { "already there" };
            Ok((Way::Cache, outcome.to_owned()))
        })
    }
}
