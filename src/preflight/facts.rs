//! What the preflight looks at.

use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

use super::PreflightError;
use super::cached::{ForeignProgram, foreign_programs};
use super::directories::DirectoryFacts;
use super::kubeconfig::KubeconfigFacts;
use super::space::{Demand, demands};
use super::subnets::SubnetFacts;
use crate::bundle::{BinaryRole, Platform, PlatformView};
use crate::docker::{Engine, EngineError, EngineInfo};
use crate::explain::{Explain, in_one_line};
use crate::host::{
    Cgroups, Confinement, Environment, FileError, Firewalld, InotifyLimits, Kernel, Listener, MemoryFacts,
    Mount, available_memory, listeners, routes, unix_seconds,
};
use crate::install::{ImageSet, Journal, Layout, Receipt};
use crate::minikube::{
    MinikubeNode, MinikubeSettings, ProfileConfig, SiteOptions, Way, may_be_node_of, running_nodes,
};
use crate::verify::OpenedBundle;

/// What there is on this machine.
#[derive(Debug)]
pub(crate) struct MachineFacts {
    /// The platform of this program; `None` where no bundle can run.
    pub(crate) platform: Option<Platform>,
    /// What the engine says, or why it does not, with what to do about it.
    pub(crate) engine: Result<EngineInfo, (String, String)>,
    /// Whether the person chose an engine that another machine may run.
    pub(crate) engine_elsewhere: bool,
    /// Where the engine answers, when a context or a variable says so.
    pub(crate) endpoint: Option<String>,
    /// The nodes of other profiles that run.
    pub(crate) nodes: Vec<MinikubeNode>,
    /// The profile, when there is one of this name.
    pub(crate) profile: Option<ProfileConfig>,
    /// What bundles made here.
    pub(crate) receipt: Receipt,
    /// Whether this run is root's.
    pub(crate) root: bool,
    /// What the start will write, and where.
    pub(crate) demands: Vec<Demand>,
    /// The directories that it writes to.
    pub(crate) directories: Vec<DirectoryFacts>,
    /// Others' programs that it would use.
    pub(crate) foreign_programs: Vec<ForeignProgram>,
    /// This machine's memory.
    pub(crate) memory: Option<MemoryFacts>,
    /// This machine's kernel.
    pub(crate) kernel: Kernel,
    /// Its control groups.
    pub(crate) cgroups: Cgroups,
    /// Its networks and the engine's.
    pub(crate) subnets: SubnetFacts,
    /// The ports that are taken.
    pub(crate) listeners: Vec<Listener>,
    /// What its users may watch.
    pub(crate) inotify: InotifyLimits,
    /// Its firewall.
    pub(crate) firewalld: Firewalld,
    /// The file that minikube writes the cluster to.
    pub(crate) kubeconfig: Option<KubeconfigFacts>,
    /// What minikube is told besides its flags.
    pub(crate) settings: MinikubeSettings,
    /// What confines programs.
    pub(crate) confinement: Confinement,
    /// The clock, in seconds since 1970.
    pub(crate) now: u64,
    /// When the bundle's file was written, in the same.
    pub(crate) packed: Option<u64>,
}

impl MachineFacts {
    pub(crate) fn gather(
        bundle: &OpenedBundle,
        options: &SiteOptions,
        environment: &Environment,
        layout: &Layout,
        settings: MinikubeSettings,
    ) -> Result<Self, PreflightError> {
        let engine = Engine::connect(environment);
        let receipt = Journal::peek(&layout.journal())?;
        let platform = Platform::of_this_machine();
        // A bundle for other platforms writes nothing here.
        let view = platform.and_then(|platform| bundle.index().on(platform));
        let (demands, directories, foreign_programs) = match view {
            Some(view) => (
                demands(view, options, layout, engine.as_ref().ok(), &receipt)?,
                directories(view, options, layout, environment)?,
                foreign_programs(view, options, layout, &receipt)?,
            ),
            None => (Vec::new(), Vec::new(), Vec::new()),
        };
        let mut subnets = SubnetFacts {
            routes: routes(),
            engine: Vec::new(),
            chosen: options.passes("--subnet") || options.passes("--network"),
        };
        let mut nodes = Vec::new();
        if let Ok(engine) = &engine {
            subnets.engine = engine.subnets()?;
            nodes = running_nodes(engine)?;
            nodes.retain(|node| !may_be_node_of(&options.profile, &node.profile));
        }
        Ok(Self {
            platform,
            endpoint: engine
                .as_ref()
                .ok()
                .and_then(|engine| endpoint(engine, environment)),
            engine: said(engine, environment),
            engine_elsewhere: is_elsewhere(environment),
            nodes,
            profile: ProfileConfig::load(&layout.minikube_home, &options.profile)?,
            receipt,
            root: environment.is_root(),
            demands,
            directories,
            foreign_programs,
            memory: available_memory(),
            kernel: Kernel::of_this_machine(),
            cgroups: Cgroups::of_this_machine(),
            subnets,
            listeners: listeners(),
            inotify: InotifyLimits::of_this_machine(),
            firewalld: Firewalld::of_this_machine(),
            kubeconfig: KubeconfigFacts::gather(environment),
            settings,
            confinement: Confinement::of_this_machine(),
            now: unix_seconds(),
            packed: written(bundle),
        })
    }
}

fn is_elsewhere(environment: &Environment) -> bool {
    let host = environment.variable("DOCKER_HOST");
    host.is_some_and(|host| !host.to_string_lossy().starts_with("unix:"))
}

/// What the engine says, or why it does not and what to do about that.
fn said(
    engine: Result<Engine, EngineError>,
    environment: &Environment,
) -> Result<EngineInfo, (String, String)> {
    engine.map(|engine| engine.info().clone()).map_err(|error| {
        // Nothing that is done to this machine's engine brings that one to answer.
        let chosen = environment
            .variable("DOCKER_HOST")
            .filter(|_| matches!(error, EngineError::NotAnswering { .. }));
        let fix = match chosen {
            Some(host) => format!(
                "`DOCKER_HOST` is `{}`, which `minikube docker-env` may have set: for this machine's own engine `unset \
                 DOCKER_HOST DOCKER_TLS_VERIFY DOCKER_CERT_PATH` and run the same command again",
                host.to_string_lossy()
            ),
            None => error.explain().hints.join("\n"),
        };
        (in_one_line(&error), fix)
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

fn directories(
    view: PlatformView<'_>,
    options: &SiteOptions,
    layout: &Layout,
    environment: &Environment,
) -> Result<Vec<DirectoryFacts>, FileError> {
    let size = |roles: &[BinaryRole]| roles.iter().map(|role| view.binary(*role).size).max();
    let archive = match options.way {
        Way::Cache => view
            .cluster_images()
            .map(|image| ImageSet::new(view, [image]).archive_bytes())
            .max(),
        _ => None,
    };
    let facts = |what, chosen_by, largest_file, path: &Path| -> Result<DirectoryFacts, FileError> {
        let mount = Mount::of(path)?;
        let home = environment.home();
        Ok(DirectoryFacts {
            what,
            chosen_by,
            in_home: home.is_some_and(|home| mount.directory.starts_with(home)),
            runs_programs: path == layout.programs,
            largest_file,
            mount,
        })
    };
    let programs = size(&[BinaryRole::Minikube, BinaryRole::Kubectl]).unwrap_or(0);
    let largest = archive.max(size(&[BinaryRole::Kubeadm])).unwrap_or(0);
    Ok(vec![
        facts("the programs", "XDG_DATA_HOME", programs, &layout.programs)?,
        facts(
            "minikube's files",
            "--minikube-home",
            largest,
            &layout.minikube_home,
        )?,
        facts("the journal and the lock", "XDG_STATE_HOME", 0, &layout.state)?,
    ])
}

/// When the bundle's file was written.
fn written(bundle: &OpenedBundle) -> Option<u64> {
    let modified = fs::metadata(bundle.path()).ok()?.modified().ok()?;
    Some(modified.duration_since(UNIX_EPOCH).ok()?.as_secs())
}
