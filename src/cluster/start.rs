//! From a verified bundle to nodes that are ready: stages, each a line of progress and
//! an entry in the journal, each safe to repeat.

mod loading;
mod profile;
mod summary;
mod upgrade;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

pub use summary::{Started, Timing};

use super::ClusterError;
use super::{applications, dry_run, manifests, minikube, node_image, ready, rollback, upgrade as upgrading};
use crate::bundle::{BinaryRole, FileRole, PlatformView};
use crate::docker::Engine;
use crate::host::interrupt;
use crate::install::{
    Event, ImageSet, Installed, PlacedFiles, Session, Upgrade, check_serial, install_programs,
    no_longer_carried, other_of_same_serial, place_own_files,
};
use crate::minikube::start_arguments;
use crate::minikube::{SiteOptions, Way};
use crate::minikube::{boot, request, written};
use crate::progress::Progress;
use crate::seed::{digests, images};
use crate::verify::PlatformBundle;

/// Starts the cluster that the bundle holds. The caller has asked the preflight, and remembers it
/// when the nodes are ready: from then on the cluster stays.
pub fn start<E: From<ClusterError>>(
    bundle: PlatformBundle<'_>,
    options: &SiteOptions,
    when_ready: impl FnOnce() -> Result<(), E>,
    progress: &dyn Progress,
) -> Result<Started, E> {
    let session = Session::open(options.minikube_home.as_deref());
    let mut session = session.map_err(ClusterError::from)?;
    let engine = match engine_for(&mut session, bundle, options, progress) {
        Ok(engine) => engine,
        Err(error) => return Err(rollback::nothing_begun(&mut session, error).into()),
    };
    let mut run = Run {
        bundle,
        options,
        session,
        engine,
        progress,
        timings: Vec::new(),
        notes: Vec::new(),
        changed: false,
    };
    match run.all_stages() {
        Ok(outcome) => {
            when_ready()?;
            // A manifest that is refused is no reason to take the cluster away.
            let objects = run.manifests(&outcome.own_files)?;
            let applications = run.applications(&outcome.own_files)?;
            Ok(run.summary(outcome, objects, applications))
        }
        Err(error) => {
            Err(rollback::roll_back(&mut run.session, &run.engine, options, error, progress).into())
        }
    }
}

/// How many stages a start has where nothing unusual happens.
#[must_use]
pub fn stage_count(view: PlatformView<'_>, options: &SiteOptions) -> usize {
    let images = match options.way {
        Way::Cache => 1,
        Way::Auto | Way::Volume => options.node_names().count(),
    };
    let manifests = options.manifests && view.files().iter().any(|file| file.role == FileRole::Manifest);
    let sometimes = [
        request::is_asked_something(options),
        !view.files().is_empty(),
        manifests,
    ];
    // The node image, minikube, and the wait for the nodes.
    3 + images + sometimes.into_iter().filter(|there| *there).count()
}

/// The engine, when this run may use it for this profile.
fn engine_for(
    session: &mut Session,
    bundle: PlatformBundle<'_>,
    options: &SiteOptions,
    progress: &dyn Progress,
) -> Result<Engine, ClusterError> {
    let is_unfinished = |session: &Session| {
        let upgrade = session.journal.receipt().upgrades().get(&options.profile);
        upgrade.is_some_and(Upgrade::is_unfinished)
    };
    // What a killed upgrade recorded as installed was not: it is undone first.
    if !is_unfinished(session) {
        check_serial(session.journal.receipt(), bundle.view(), options.allow_downgrade)?;
    }
    let engine = Engine::connect(&session.environment)?;
    for node in options.node_names() {
        session.claim(&engine, &node)?;
    }
    if upgrading::settle(session, &engine, &options.profile, progress)? {
        check_serial(session.journal.receipt(), bundle.view(), options.allow_downgrade)?;
    }
    Ok(engine)
}

/// What the stages of a start made.
struct Outcome {
    installed: Installed,
    own_files: PlacedFiles,
    way: Way,
    nodes: Vec<String>,
}

/// One start at work.
struct Run<'a> {
    bundle: PlatformBundle<'a>,
    options: &'a SiteOptions,
    session: Session,
    engine: Engine,
    progress: &'a dyn Progress,
    timings: Vec<Timing>,
    notes: Vec<String>,
    changed: bool,
}

impl Run<'_> {
    fn all_stages(&mut self) -> Result<Outcome, ClusterError> {
        self.tell_same_serial();
        let upgrade = self.begin_upgrade()?;
        self.what_is_asked_of_minikube()?;
        let installed = self.programs_and_node_image()?;
        let own_files = self.own_files()?;
        if let Some(begun) = upgrade {
            let done = self.upgrade(begun)?;
            let nodes = self.ready()?;
            upgrading::record(&mut self.session, &self.options.profile, &done)?;
            return Ok(Outcome {
                installed,
                own_files,
                way: Way::Volume,
                nodes,
            });
        }
        let mut existed = self.profile_exists()?;
        if existed && self.lacks_nodes()? {
            self.note(
                "a killed run ended before this profile had all of its nodes: it is made again".to_owned(),
            );
            self.delete_profile()?;
            existed = false;
        }
        let mut way = self.images()?;
        if let Err(error) = self.minikube(way) {
            if !(existed && self.is_unfinished_and_ours()) || interrupt::received().is_some() {
                return Err(error);
            }
            self.note("what a killed run left of this profile does not start: it is made again".to_owned());
            self.delete_profile()?;
            way = self.images()?;
            self.minikube(way)?;
        }
        let nodes = self.ready()?;
        // What an upgrade replaced is needed to go back.
        if self.session.journal.receipt().upgrades().is_empty() {
            self.session.placer().drop_earlier()?;
        }
        Ok(Outcome {
            installed,
            own_files,
            way,
            nodes,
        })
    }

    /// Runs one stage; `work` says its outcome in a few words.
    fn stage<T>(
        &mut self,
        name: &'static str,
        total_bytes: Option<u64>,
        work: impl FnOnce(&mut Self) -> Result<(T, String), ClusterError>,
    ) -> Result<T, ClusterError> {
        interrupt::check()?;
        self.session.begin(&self.options.profile, name)?;
        self.progress.begin(name, total_bytes);
        let begun = Instant::now();
        let (value, outcome) = work(self)?;
        self.progress.end(&outcome);
        self.session.end(&self.options.profile, name)?;
        self.timings.push(Timing {
            stage: name,
            took: begun.elapsed(),
        });
        Ok(value)
    }

    fn note(&mut self, text: String) {
        self.progress.note(&text);
        self.notes.push(text);
    }

    fn tell_same_serial(&mut self) {
        let minikube = self.session.layout.program(BinaryRole::Minikube);
        let text = other_of_same_serial(self.session.before(), self.bundle.view(), &minikube);
        if let Some(text) = text {
            self.progress.warn(&text);
            self.notes.push(text);
        }
    }

    /// What a person asks of minikube it is asked for before anything of the engine's is
    /// touched: a mistake then costs seconds, and not the minutes until it would be told.
    fn what_is_asked_of_minikube(&mut self) -> Result<(), ClusterError> {
        if !request::is_asked_something(self.options) {
            return Ok(());
        }
        self.stage("what minikube is asked for", None, |run| {
            install_programs(run.bundle, &mut run.session, run.progress)?;
            let home = run.session.layout.dry_run_home();
            let program =
                minikube::of_session(&run.session, Some(&run.engine), &home, run.options.keep_proxy)?;
            let view = run.bundle.view();
            let force = run.session.environment.is_root() || !program.knows(view.kubernetes_version())?;
            let is_new = !run.profile_exists()?;
            let arguments = start_arguments(view, run.options, run.options.way, is_new, force);
            let images: Vec<_> = view.cluster_images().map(|image| &image.reference).collect();
            dry_run::check(&program, run.options, &arguments, &images, &mut run.session)?;
            Ok(((), "it takes that".to_owned()))
        })
    }

    /// The programs are written while the engine unpacks the node image.
    fn programs_and_node_image(&mut self) -> Result<Installed, ClusterError> {
        let view = self.bundle.view();
        let image = ImageSet::new(view, [view.node_image()]).blob_bytes();
        let programs = [BinaryRole::Minikube, BinaryRole::Kubectl, BinaryRole::Kubeadm];
        let programs: u64 = programs.map(|role| view.binary(role).size).iter().sum();
        self.stage("node image and programs", Some(image + programs), |run| {
            let (bundle, progress) = (run.bundle, run.progress);
            let programs = |session: &mut Session| {
                install_programs(bundle, session, progress).map_err(ClusterError::from)
            };
            let (installed, image) =
                node_image::ensure(bundle, &mut run.session, &run.engine, progress, programs)?;
            run.changed |= image != node_image::ALREADY || installed.written > 0;
            for note in &installed.notes {
                run.note(note.clone());
            }
            let written = match installed.written {
                0 => "programs already there".to_owned(),
                count => format!("{count} programs written"),
            };
            Ok((installed, format!("{image}, {written}")))
        })
    }

    /// The manifests and other files of whoever packed the bundle.
    fn own_files(&mut self) -> Result<PlacedFiles, ClusterError> {
        let view = self.bundle.view();
        for note in no_longer_carried(view, &self.session) {
            self.note(note);
        }
        let files = view.files();
        if files.is_empty() {
            return Ok(PlacedFiles::default());
        }
        let bytes = files.iter().map(|file| file.size).sum();
        self.stage("the bundle's own files", Some(bytes), |run| {
            let placed = place_own_files(run.bundle, &mut run.session, run.progress)?;
            run.changed |= placed.written > 0;
            for note in &placed.notes {
                run.note(note.clone());
            }
            let outcome = match placed.written {
                0 => "already there".to_owned(),
                count => format!("{count} written"),
            };
            Ok((placed, outcome))
        })
    }

    /// Gives the manifests to the cluster; says how many objects it took.
    fn manifests(&mut self, files: &PlacedFiles) -> Result<usize, ClusterError> {
        if files.manifests.is_empty() || !self.options.manifests {
            return Ok(0);
        }
        self.stage("manifests", None, |run| {
            let profile = &run.options.profile;
            // Whether an object is other than before, only the cluster knows.
            run.changed = true;
            let objects = manifests::apply(&mut run.session, profile, &files.manifests)?;
            Ok((objects, format!("{objects} objects")))
        })
    }

    /// Installs the bundle's charts; says how many releases there are.
    fn applications(&mut self, files: &PlacedFiles) -> Result<usize, ClusterError> {
        let count = self.bundle.view().applications().len();
        if count == 0 || !self.options.applications {
            return Ok(0);
        }
        self.stage("applications", None, |run| {
            let (view, options) = (run.bundle.view(), run.options);
            let written = applications::install(&mut run.session, options, view, files, run.progress)?;
            run.changed |= written > 0;
            let outcome = match written {
                0 => "already there".to_owned(),
                written => format!("{written} of {count} installed"),
            };
            Ok((count, outcome))
        })
    }

    fn minikube(&mut self, way: Way) -> Result<(), ClusterError> {
        self.stage("minikube start", None, |run| {
            let home = run.session.layout.minikube_home.clone();
            let program =
                minikube::of_session(&run.session, Some(&run.engine), &home, run.options.keep_proxy)?;
            if run.runs_already(&program)? {
                return Ok(((), "already running".to_owned()));
            }
            run.changed = true;
            let view = run.bundle.view();
            let root = run.session.environment.is_root();
            let known = program.knows(view.kubernetes_version())?;
            if root {
                run.note("as root: minikube gets `--force`".to_owned());
            } else if !known {
                run.note(format!(
                    "minikube does not know Kubernetes {} yet: it gets `--force`",
                    view.kubernetes_version()
                ));
            }
            let is_new = !run.profile_exists()?;
            let arguments = start_arguments(view, run.options, way, is_new, root || !known);
            run.record_profile()?;
            minikube::start(&program, &arguments, &mut run.session, run.progress)?;
            Ok(((), "started".to_owned()))
        })
    }

    /// Every node is ready, and has the bundle's images by their ids.
    fn ready(&mut self) -> Result<Vec<String>, ClusterError> {
        self.stage("nodes ready", None, |run| {
            let profile = run.options.profile.clone();
            let nodes = ready::wait(&run.session, &profile)?;
            let view = run.bundle.view();
            let runtime = run.options.runtime(view.container_runtime());
            let mut containers = BTreeMap::new();
            for node in &nodes {
                if let Some(container) = run.engine.container(node)? {
                    containers.insert(node.clone(), container.id);
                }
                let (there, loaded) = images::ensure(run.bundle, &run.engine, node, runtime, run.progress)?;
                run.changed |= loaded.is_some();
                run.notes.extend(loaded);
                if let Some(note) = digests::look(view, &there, &run.engine, node, runtime)? {
                    run.note(note);
                }
                if *node != profile {
                    boot::leave_kubelet_to_minikube(&run.engine, node)?;
                }
            }
            let kubeconfig = crate::minikube::kubeconfig(&run.session.environment);
            written::sync(&run.session.layout.minikube_home, &profile, kubeconfig.as_deref())?;
            let name = profile;
            run.session
                .journal
                .record(Event::ProfileReady { name, containers })?;
            let outcome = format!("{} ready", nodes.len());
            Ok((nodes, outcome))
        })
    }

    fn summary(self, outcome: Outcome, objects: usize, applications: usize) -> Started {
        let Outcome {
            installed,
            way,
            nodes,
            ..
        } = outcome;
        let view = self.bundle.view();
        let layout = &self.session.layout;
        Started {
            profile: self.options.profile.clone(),
            kubernetes_version: view.kubernetes_version().to_string(),
            container_runtime: self.options.runtime(view.container_runtime()),
            way,
            nodes,
            images: view.cluster_images().count(),
            own_files: (!view.files().is_empty()).then(|| layout.own_files.join(view.name())),
            objects,
            applications,
            minikube: summary::command_name(&installed.minikube, &installed.links, &self.session.environment),
            kubectl: summary::command_name(&installed.kubectl, &installed.links, &self.session.environment),
            minikube_home: layout.minikube_home.clone(),
            minikube_home_is_default: layout.minikube_home_is_default,
            timings: self.timings,
            notes: self.notes,
            changed: self.changed,
        }
    }
}

/// How long all of it took.
#[must_use]
pub(crate) fn total(timings: &[Timing]) -> Duration {
    timings.iter().map(|timing| timing.took).sum()
}
