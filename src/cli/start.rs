//! `start`: from a bundle to a cluster.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::console::Console;
use super::path_value::path_value;
use super::{platform, question};
use crate::bundle::ContainerRuntime;
use crate::cluster;
use crate::cluster::Started;
use crate::failure::{Failure, Kind};
use crate::host::Environment;
use crate::minikube::MinikubeSettings;
use crate::minikube::{SiteOptions, Way};
use crate::preflight::{Finding, Severity};
use crate::progress::Progress;
use crate::shown::human_duration;
use crate::trust::{Authenticity, Serials, TrustDirectories};
use crate::verify::OpenedBundle;

/// How long a start takes beside its bytes, and how many of these it takes in a second. Measured
/// on two cores of a server of 2019: 92 s for 1.56 GB.
const BASE: Duration = Duration::from_secs(40);
const BYTES_PER_SECOND: u64 = 30_000_000;

const CLUSTER: &str = "Cluster";
const MACHINE: &str = "Installation";
const RUN: &str = "Run";

#[derive(clap::Args, Debug)]
pub(super) struct StartArgs {
    #[command(flatten)]
    options: StartOptions,
    /// Do not ask for confirmation
    #[arg(short, long, help_heading = RUN)]
    yes: bool,
    /// Passed to `minikube start` unchanged
    #[arg(last = true, value_name = "MINIKUBE_FLAG")]
    extra: Vec<String>,
}

/// What the cluster is to be like.
#[derive(clap::Args, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct StartOptions {
    /// Profile of minikube
    #[arg(short, long, default_value = "minikube", help_heading = CLUSTER)]
    profile: String,
    /// Container runtime in the nodes [default: the bundle's]
    #[arg(long, value_name = "RUNTIME", help_heading = CLUSTER)]
    container_runtime: Option<ContainerRuntime>,
    /// CPUs of each node [default: minikube decides]
    #[arg(long, help_heading = CLUSTER)]
    cpus: Option<String>,
    /// Memory of each node, such as 4g [default: minikube decides]
    #[arg(long, help_heading = CLUSTER)]
    memory: Option<String>,
    /// Directory of minikube [default: ~/.minikube]
    #[arg(long, value_name = "DIR", help_heading = MACHINE)]
    minikube_home: Option<PathBuf>,
    /// How to load images into the nodes
    #[arg(long = "image-load", value_name = "HOW", default_value_t, help_heading = MACHINE)]
    way: Way,
    /// Pass the proxy variables to minikube and the nodes
    #[arg(long, help_heading = MACHINE)]
    keep_proxy: bool,
    /// Start a bundle older than the installed one
    #[arg(long, help_heading = RUN)]
    allow_downgrade: bool,
    /// Keep what a failed start created, to inspect it
    #[arg(long, help_heading = RUN)]
    keep_failed: bool,
    /// Do not apply the bundle's Kubernetes manifests
    #[arg(long, help_heading = CLUSTER)]
    no_manifests: bool,
    /// Do not install the bundle's charts
    #[arg(long, help_heading = CLUSTER)]
    no_applications: bool,
    /// Seconds until a chart's release must be ready
    #[arg(long, value_name = "SECONDS", default_value_t = 600, help_heading = CLUSTER)]
    application_timeout: u32,
    /// Do not enable the addons that were packed
    #[arg(long, help_heading = CLUSTER)]
    no_addons: bool,
}

impl StartArgs {
    pub(super) fn minikube_home(&self) -> Option<&Path> {
        self.options.minikube_home()
    }
}

impl StartOptions {
    pub(super) fn minikube_home(&self) -> Option<&Path> {
        self.minikube_home.as_deref()
    }

    pub(super) fn into_site(self, extra: Vec<String>) -> SiteOptions {
        let environment = Environment::of_this_process();
        let settings = MinikubeSettings::of(&environment, self.minikube_home.as_deref());
        // Those of the person come behind them.
        let mut extra_args = settings.flags_besides(&extra);
        extra_args.extend(extra);
        SiteOptions {
            profile: self.profile,
            container_runtime: self.container_runtime,
            cpus: self.cpus.or_else(|| settings.value("cpus")),
            memory: self.memory.or_else(|| settings.value("memory")),
            minikube_home: self.minikube_home,
            way: self.way,
            keep_proxy: self.keep_proxy,
            allow_downgrade: self.allow_downgrade,
            keep_failed: self.keep_failed,
            manifests: !self.no_manifests,
            applications: !self.no_applications,
            application_timeout: Duration::from_secs(self.application_timeout.into()),
            packed_addons: !self.no_addons,
            extra_args,
        }
    }
}

pub(super) fn run(args: StartArgs, bundle: OpenedBundle, console: &Console) -> Result<(), Failure> {
    let options = args.options.into_site(args.extra);
    let mut serials = Serials::load(&TrustDirectories::of(&Environment::of_this_process()))?;
    let (name, serial) = (bundle.index().name.clone(), bundle.index().serial);
    if let (Some(serials), Ok(authenticity)) = (&serials, bundle.authenticity()) {
        serials.check(authenticity, &name, serial, options.allow_downgrade)?;
    }
    let platform = platform::choose(None, bundle.index()).ok();
    if let Some(view) = platform.and_then(|platform| bundle.index().on(platform)) {
        // The preflight and the verification come before.
        console.stages(2 + cluster::stage_count(view, &options));
    }
    console.begin("preflight", None);
    console.waits_for("asking Docker Engine", "");
    let report = crate::preflight::preflight(&bundle, &options)?;
    let disks: Vec<String> = report.disks().map(str::to_owned).collect();
    let findings = report.into_result()?;
    for finding in findings
        .iter()
        .filter(|finding| finding.severity == Severity::Warning)
    {
        console.warn(&sentence(finding));
    }
    console.end("this machine is fit");
    if !args.yes {
        confirm(&bundle, &options, &disks, console)?;
    }
    let bundle = bundle.verify(console)?;
    let own = bundle.on(platform::choose(None, bundle.index())?)?;
    let remember = || match &mut serials {
        Some(serials) => Ok(serials.remember(bundle.authenticity(), &name, serial)?),
        None => Ok::<_, Failure>(()),
    };
    let started = cluster::start(own, &options, remember, console);
    bundle.tell_misread(console);
    let started = started?;
    console.result(&summary(&started), &value(&started))
}

fn sentence(finding: &Finding) -> String {
    format!("{}; {}; {}", finding.what, finding.why, finding.fix)
}

/// Asks whoever sits there; a script says `-y`.
fn confirm(
    bundle: &OpenedBundle,
    options: &SiteOptions,
    disks: &[String],
    console: &Console,
) -> Result<(), Failure> {
    let index = bundle.index();
    let what = format!(
        "start Kubernetes {} as profile `{}` on this machine",
        index.cluster.kubernetes_version, options.profile
    );
    if !question::somebody_is_there() {
        let message = format!("cannot ask whether to {what}: stdin is not a terminal");
        return Err(Failure::new(Kind::Usage, message)
            .hint("add -y to start without a question; nothing was changed"));
    }
    console.note(&facts(bundle, disks));
    if question::agrees(console, &what, true)? {
        return Ok(());
    }
    let hint = "nothing was changed; run it again to start";
    Err(question::declined("not started", hint))
}

/// What a person is asked to agree to.
fn facts(bundle: &OpenedBundle, disks: &[String]) -> String {
    let index = bundle.index();
    let origin = match bundle.authenticity() {
        Ok(Authenticity::Signed(by)) => format!("signed with key {}", by.key.key_id()),
        _ => "not signed".to_owned(),
    };
    let mut lines = vec![format!(
        "`{}`, serial {}: Kubernetes {} on {}, {origin}",
        index.name, index.serial, index.cluster.kubernetes_version, index.cluster.container_runtime
    )];
    lines.extend(disks.iter().map(|disk| format!("  disk  {disk}")));
    let takes = BASE + Duration::from_secs(index.plain_size() / BYTES_PER_SECOND);
    lines.push(format!("  time  about {} min", takes.as_secs().div_ceil(60)));
    lines.join("\n")
}

fn summary(started: &Started) -> String {
    let timings: Vec<String> = started
        .timings
        .iter()
        .map(|timing| format!("{} {}", timing.stage, human_duration(timing.took)))
        .collect();
    let own_files = started.own_files.as_ref().map_or_else(String::new, |directory| {
        format!(
            "\nthe bundle's manifests and other files are in `{}`",
            directory.display()
        )
    });
    format!(
        "Kubernetes {} is ready: profile `{}`, {}, {}, {} images, by the {}, in {} ({}){own_files}\n\
         next:\n  {}",
        started.kubernetes_version,
        started.profile,
        started.container_runtime,
        match started.nodes.as_slice() {
            [node] => format!("node {node}"),
            nodes => format!("nodes {}", nodes.join(", ")),
        },
        started.images,
        started.way,
        human_duration(started.took()),
        timings.join(", "),
        started.next_commands().join("\n  "),
    )
}

fn value(started: &Started) -> Value {
    let milliseconds = |took: std::time::Duration| u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let stages: Vec<Value> = started
        .timings
        .iter()
        .map(|timing| json!({ "stage": timing.stage, "milliseconds": milliseconds(timing.took) }))
        .collect();
    json!({
        "profile": started.profile,
        "kubernetes_version": started.kubernetes_version,
        "container_runtime": started.container_runtime,
        "image_load": started.way.name(),
        "nodes": started.nodes,
        "images": started.images,
        "own_files": started.own_files.as_deref().map(path_value),
        "objects": started.objects,
        "applications": started.applications,
        "milliseconds": milliseconds(started.took()),
        "stages": stages,
        "changed": started.changed,
        "notes": started.notes,
        "next": started.next_commands(),
    })
}
