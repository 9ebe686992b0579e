//! What the preflight looks at.

use super::space::{Demand, demands};
use crate::bundle::{BundleIndex, Platform};
use crate::failure::Failure;
use crate::host::{Engine, EngineInfo, Environment};
use crate::install::{Journal, Layout, ProfileConfig, SiteOptions};

/// What there is on this machine.
#[derive(Debug)]
pub(super) struct MachineFacts {
    /// The platform of this program; `None` where no bundle can run.
    pub(super) platform: Option<Platform>,
    /// What the engine says, or why it does not, with what to do about it.
    pub(super) engine: Result<EngineInfo, (String, String)>,
    /// The profile, when there is one of this name.
    pub(super) profile: Option<ProfileConfig>,
    /// Whether this run is root's.
    pub(super) root: bool,
    /// What the start will write, and where.
    pub(super) demands: Vec<Demand>,
}

impl MachineFacts {
    pub(super) fn gather(
        index: &BundleIndex,
        options: &SiteOptions,
        environment: &Environment,
        layout: &Layout,
    ) -> Result<Self, Failure> {
        let engine = Engine::connect(environment);
        let receipt = Journal::peek(&layout.journal())?;
        let demands = demands(index, options, layout, engine.as_ref().ok(), &receipt)?;
        let engine = match engine {
            Ok(engine) => Ok(engine.info().clone()),
            Err(error) => {
                let failure = Failure::from(error);
                let causes = failure.causes();
                let what = std::iter::once(failure.error.to_string())
                    .chain(causes)
                    .collect::<Vec<_>>()
                    .join(": ");
                Err((what, failure.hint.unwrap_or_default()))
            }
        };
        Ok(Self {
            platform: Platform::of_this_machine(),
            engine,
            profile: ProfileConfig::load(&layout.minikube_home, &options.profile)?,
            root: environment.is_root(),
            demands,
        })
    }
}
