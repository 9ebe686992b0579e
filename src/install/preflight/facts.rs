//! What the preflight looks at.

use std::fs;
use std::time::UNIX_EPOCH;

use super::folders::FolderFacts;
use super::space::{Demand, demands};
use super::subnets::SubnetFacts;
use crate::bundle::{BinaryRole, Platform, PlatformView};
use crate::failure::Failure;
use crate::host::{
    Cgroups, Confinement, Engine, EngineInfo, Environment, Kernel, Listener, MemoryFacts, MinikubeNode,
    Mount, available_memory, listeners, routes, unix_seconds,
};
use crate::install::{ImageSet, Journal, Layout, ProfileConfig, SiteOptions, Way, may_be_node_of};
use crate::verify::OpenedBundle;

/// What there is on this machine.
#[derive(Debug)]
pub(super) struct MachineFacts {
    /// The platform of this program; `None` where no bundle can run.
    pub(super) platform: Option<Platform>,
    /// What the engine says, or why it does not, with what to do about it.
    pub(super) engine: Result<EngineInfo, (String, String)>,
    /// Where the engine answers, when a context or a variable says so.
    pub(super) endpoint: Option<String>,
    /// The nodes of other profiles that run.
    pub(super) nodes: Vec<MinikubeNode>,
    /// The profile, when there is one of this name.
    pub(super) profile: Option<ProfileConfig>,
    /// Whether this run is root's.
    pub(super) root: bool,
    /// What the start will write, and where.
    pub(super) demands: Vec<Demand>,
    /// The folders that it writes to.
    pub(super) folders: Vec<FolderFacts>,
    /// This machine's memory.
    pub(super) memory: Option<MemoryFacts>,
    /// This machine's kernel.
    pub(super) kernel: Kernel,
    /// Its control groups.
    pub(super) cgroups: Cgroups,
    /// Its networks and the engine's.
    pub(super) subnets: SubnetFacts,
    /// The ports that are taken.
    pub(super) listeners: Vec<Listener>,
    /// What confines programs.
    pub(super) confinement: Confinement,
    /// The clock, in seconds since 1970.
    pub(super) now: u64,
    /// When the bundle's file was written, in the same.
    pub(super) packed: Option<u64>,
}

impl MachineFacts {
    pub(super) fn gather(
        bundle: &OpenedBundle,
        options: &SiteOptions,
        environment: &Environment,
        layout: &Layout,
    ) -> Result<Self, Failure> {
        let engine = Engine::connect(environment);
        let receipt = Journal::peek(&layout.journal())?;
        let platform = Platform::of_this_machine();
        // A bundle for other platforms writes nothing here.
        let (demands, folders) = match platform.and_then(|platform| bundle.index().on(platform)) {
            Some(view) => (
                demands(view, options, layout, engine.as_ref().ok(), &receipt)?,
                folders(view, options, layout)?,
            ),
            None => (Vec::new(), Vec::new()),
        };
        let mut subnets = SubnetFacts {
            routes: routes(),
            engine: Vec::new(),
            chosen: options.passes("--subnet") || options.passes("--network"),
        };
        let mut nodes = Vec::new();
        if let Ok(engine) = &engine {
            subnets.engine = engine.subnets()?;
            nodes = engine.minikube_nodes()?;
            nodes.retain(|node| !may_be_node_of(&options.profile, &node.profile));
        }
        Ok(Self {
            platform,
            endpoint: engine
                .as_ref()
                .ok()
                .and_then(|engine| endpoint(engine, environment)),
            engine: said(engine),
            nodes,
            profile: ProfileConfig::load(&layout.minikube_home, &options.profile)?,
            root: environment.is_root(),
            demands,
            folders,
            memory: available_memory(),
            kernel: Kernel::of_this_machine(),
            cgroups: Cgroups::of_this_machine(),
            subnets,
            listeners: listeners(),
            confinement: Confinement::of_this_machine(),
            now: unix_seconds(),
            packed: written(bundle),
        })
    }
}

/// What the engine says, or why it does not and what to do about that.
fn said(engine: Result<Engine, crate::host::EngineError>) -> Result<EngineInfo, (String, String)> {
    engine.map(|engine| engine.info().clone()).map_err(|error| {
        let failure = Failure::from(error);
        let causes = failure.causes();
        let what = std::iter::once(failure.error.to_string())
            .chain(causes)
            .collect::<Vec<_>>()
            .join(": ");
        (what, failure.hint.unwrap_or_default())
    })
}

/// Where the engine is, when the person or a docker context chose that.
fn endpoint(engine: &Engine, environment: &Environment) -> Option<String> {
    let context = engine.variables().iter().find(|(name, _)| *name == "DOCKER_HOST");
    match environment.variable("DOCKER_HOST") {
        Some(host) => Some(host.to_string_lossy().into_owned()),
        None => context.map(|(_, host)| host.clone()),
    }
}

fn folders(
    view: PlatformView<'_>,
    options: &SiteOptions,
    layout: &Layout,
) -> Result<Vec<FolderFacts>, Failure> {
    let size = |roles: &[BinaryRole]| roles.iter().map(|role| view.binary(*role).size).max();
    let archive = match options.way {
        Way::Cache => view
            .cluster_images()
            .map(|image| ImageSet::new(view, [image]).archive_bytes())
            .max(),
        _ => None,
    };
    Ok(vec![
        FolderFacts {
            what: "the programs",
            runs_programs: true,
            largest_file: size(&[BinaryRole::Minikube, BinaryRole::Kubectl]).unwrap_or(0),
            mount: Mount::of(&layout.programs)?,
        },
        FolderFacts {
            what: "minikube's files",
            runs_programs: false,
            largest_file: archive.max(size(&[BinaryRole::Kubeadm])).unwrap_or(0),
            mount: Mount::of(&layout.minikube_home)?,
        },
    ])
}

/// When the bundle's file was written.
fn written(bundle: &OpenedBundle) -> Option<u64> {
    let modified = fs::metadata(bundle.path()).ok()?.modified().ok()?;
    Some(modified.duration_since(UNIX_EPOCH).ok()?.as_secs())
}
