//! A bundle is started on a host without a network that is made for it; everything that it
//! needed, and did not bring, is found and named.

mod airgap;
mod attempts;
mod memory;
mod packet;
mod recorder;
mod verdict;
mod workloads;

pub use attempts::Attempt;
pub use packet::Target;
pub use verdict::Verdict;
pub use workloads::Workload;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::explain::{Explain, Explanation, Kind};
use crate::host::{Environment, FileError, Interruption, LockError, ProcessError, interrupt};
use crate::progress::Progress;
use airgap::{AirGapped, PROGRAMS};
use attempts::Place;
use recorder::Recorder;

/// The name of the directory and of the control groups.
const NAME: &str = "minikube-offline-rehearsal";

/// Where the host of a rehearsal has its files unless another directory is given.
pub const DIRECTORY: &str = "/var/lib/minikube-offline-rehearsal";

/// What is rehearsed, and with what.
#[derive(Clone, Debug)]
pub struct Request {
    /// The bundle.
    pub bundle: PathBuf,
    /// Public keys that count, as the user gave them.
    pub keys: Vec<String>,
    /// The most memory that the node may use, in bytes.
    pub memory: Option<u64>,
    /// The size of the disk, in bytes.
    pub disk: Option<u64>,
    /// Where the host has its files.
    pub directory: PathBuf,
    /// How long everything may take to become ready after the start.
    pub patience: Duration,
    /// How long is watched after that.
    pub watch: Duration,
}

/// What a rehearsal found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Why the bundle did not start, with the exit code of the start.
    pub start_error: Option<(String, Option<i32>)>,
    /// What is in the cluster.
    pub workloads: Vec<Workload>,
    /// Attempts to reach a network, those that matter first.
    pub attempts: Vec<Attempt>,
    /// How long the start took.
    pub start: Duration,
    /// From the start's end until everything was ready.
    pub ready: Duration,
    /// How long the uninstall took.
    pub uninstall: Duration,
    /// The most memory that the node used, in bytes.
    pub memory: Option<u64>,
    /// Processes that the kernel ended for want of memory.
    pub ended: u64,
    /// Bytes on the disk when everything was ready.
    pub disk: Option<u64>,
    /// What the uninstall did not remove.
    pub left: Vec<String>,
}

/// A rehearsal that cannot take place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RehearseError {
    /// Only root makes hosts.
    #[error("cannot rehearse: only root can make a host for it")]
    NotRoot,
    /// A program is missing.
    #[error("cannot rehearse: there is no program `{0}` on the PATH")]
    Missing(&'static str),
    /// The kernel does not do it.
    #[error("cannot rehearse: this kernel makes no namespaces for this process")]
    NoNamespaces,
    /// dockerd does not answer.
    #[error("cannot start Docker Engine on the host of the rehearsal: it did not answer within 60 s")]
    NoEngine,
    /// This run was told to end.
    #[error(transparent)]
    Interrupted(#[from] Interruption),
    /// A program that makes or runs the host.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// Another rehearsal is at work.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// What an earlier one left cannot be removed.
    #[error(transparent)]
    File(#[from] FileError),
    /// Packets cannot be read.
    #[error("cannot record attempts to reach a network")]
    Recorder(#[source] io::Error),
    /// A file of the rehearsal.
    #[error("cannot {done} `{}`", path.display())]
    Io {
        /// What was to be done.
        done: &'static str,
        /// To what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

impl Explain for RehearseError {
    fn explain(&self) -> Explanation {
        let hint = match self {
            Self::NotRoot => "run the same command with `sudo`",
            Self::Missing("mkfs.ext4") => "install e2fsprogs, or omit `--disk`",
            Self::Missing(_) | Self::NoEngine => {
                "install Docker Engine with its client, iproute2, iptables and util-linux (Debian, Ubuntu: `sudo apt-get install docker.io iproute2 iptables util-linux`); `sudo dockerd --validate` checks its configuration"
            }
            Self::NoNamespaces | Self::Recorder(_) => {
                "rehearse on a machine or in a virtual machine of its own, not in a container"
            }
            Self::Io { source, .. } => {
                return Kind::of_io(source)
                    .hint("check the path and the disk, then run the same command again");
            }
            Self::Interrupted(error) => return error.explain(),
            Self::Process(error) => return error.explain(),
            Self::Lock(error) => return error.explain(),
            Self::File(error) => return error.explain(),
        };
        Kind::Unfit.hint(hint)
    }
}

/// Fails where no rehearsal can take place, before anything is changed.
pub fn check(with_disk: bool) -> Result<(), RehearseError> {
    let environment = Environment::of_this_process();
    if !environment.is_root() {
        return Err(RehearseError::NotRoot);
    }
    let directories = environment.path_directories();
    let mut needed = PROGRAMS.into_iter().chain(with_disk.then_some("mkfs.ext4"));
    let there = |program: &&str| {
        !directories
            .iter()
            .any(|directory| directory.join(program).is_file())
    };
    match needed.find(there) {
        Some(program) => Err(RehearseError::Missing(program)),
        None => Ok(()),
    }
}

/// Removes what a rehearsal left in `directory` that was ended in the middle.
pub fn clean(directory: &Path) -> Result<(), RehearseError> {
    airgap::clean(directory).map(drop)
}

/// Starts the bundle, waits, uninstalls, and says what was found.
pub fn rehearse(request: &Request, progress: &dyn Progress) -> Result<Report, RehearseError> {
    check(request.disk.is_some())?;
    progress.begin("making a host without a network", None);
    let mut host = AirGapped::make(request)?;
    // Before the engine, which may try something itself.
    let recorder = Recorder::on_host(host.init).map_err(RehearseError::Recorder)?;
    host.start_engine()?;
    let before: BTreeSet<String> = host.inventory()?.into_iter().collect();
    progress.end("");
    let mut report = Report::default();
    progress.begin("starting the bundle", None);
    let done = AtomicBool::new(false);
    let objects = thread::scope(|scope| {
        scope.spawn(|| watch_nodes(&host, &recorder, &done));
        let run = run(&host, request, &mut report, progress);
        done.store(true, Ordering::Relaxed);
        run
    })?;
    (report.memory, report.ended, report.disk) = (host.memory.peak(), host.memory.ended(), host.disk());
    progress.begin("uninstalling", None);
    let begun = Instant::now();
    let removed = bundle(&host, request, &["uninstall", "-y"]).run()?;
    report.uninstall = begun.elapsed();
    progress.end("");
    if !removed.success() {
        report
            .left
            .push(format!("uninstall failed: {}", last_error(&removed.stderr)));
    }
    let after = host.inventory()?;
    report
        .left
        .extend(after.into_iter().filter(|thing| !before.contains(thing)));
    let ready = report.start_error.is_none() && report.not_ready().next().is_none();
    report.attempts = attempts::attempts(&recorder.seen(), &workloads::addresses(&objects), ready);
    Ok(report)
}

/// Starts the bundle and waits for what is in its cluster; returns that as kubectl printed it.
fn run(
    host: &AirGapped,
    request: &Request,
    report: &mut Report,
    progress: &dyn Progress,
) -> Result<String, RehearseError> {
    let begun = Instant::now();
    let started = bundle(host, request, &["start", "-y"]).run()?;
    report.start = begun.elapsed();
    if !started.success() {
        report.start_error = Some((last_error(&started.stderr), started.code));
        progress.end("failed");
        return Ok(objects(host)?.unwrap_or_default());
    }
    progress.end("");
    progress.begin("waiting for the applications", None);
    let begun = Instant::now();
    let mut text;
    loop {
        text = objects(host)?.unwrap_or_default();
        report.workloads = workloads::parse(&text).unwrap_or_default();
        let settled = report
            .workloads
            .iter()
            .filter(|workload| workload.kind == "Pod")
            .all(|pod| pod.waiting_for.is_none() || pod.hopeless);
        let hopeless = report.workloads.iter().any(|workload| workload.hopeless);
        let ready = !report.workloads.is_empty() && report.not_ready().next().is_none();
        report.ready = begun.elapsed();
        if ready || (hopeless && settled) || begun.elapsed() > request.patience {
            break;
        }
        pause(Duration::from_secs(1))?;
    }
    pause(request.watch)?;
    // What became not ready again while it was watched, and pods that came later.
    if let Some(later) = objects(host)? {
        report.workloads = workloads::parse(&later).unwrap_or_default();
        text = later;
    }
    progress.end("");
    Ok(text)
}

fn pause(whole: Duration) -> Result<(), RehearseError> {
    let until = Instant::now() + whole;
    while Instant::now() < until {
        interrupt::check()?;
        thread::sleep(Duration::from_millis(100).min(whole));
    }
    Ok(())
}

/// Listens in each node from the moment at which its container runs.
fn watch_nodes(host: &AirGapped, recorder: &Recorder, done: &AtomicBool) {
    let mut watched = BTreeSet::new();
    while !done.load(Ordering::Relaxed) {
        for pid in host.containers() {
            if watched.insert(pid) && recorder.watch(Place::Node, pid).is_err() {
                watched.remove(&pid);
            }
        }
        thread::sleep(Duration::from_millis(200));
    }
}

fn bundle(host: &AirGapped, request: &Request, words: &[&str]) -> crate::host::Command {
    let command = host.command("sh").arg(&request.bundle).args(words);
    if words.first() != Some(&"start") {
        return command;
    }
    request
        .keys
        .iter()
        .fold(command, |command, key| command.arg("--key").arg(key))
}

/// What is in the cluster, as JSON; `None` where it does not answer.
fn objects(host: &AirGapped) -> Result<Option<String>, RehearseError> {
    let kubectl = host.home().join(".local/share/minikube-offline/bin/kubectl");
    let mut text = String::new();
    let output = host
        .command(&kubectl.display().to_string())
        .args([
            "get",
            "deployments,statefulsets,daemonsets,jobs,pods",
            "-A",
            "-o",
            "json",
        ])
        .args(["--request-timeout=20s"])
        .timeout(Duration::from_secs(60))
        .run_lines(|_| Ok::<(), RehearseError>(()), &mut |line| {
            text.push_str(line);
            text.push('\n');
        })?;
    Ok(output.success().then_some(text))
}

/// The line of an error message that says why, without its mark.
fn last_error(stderr: &str) -> String {
    let mut lines = stderr.lines().rev();
    let error = lines.clone().find_map(|line| line.strip_prefix("error: "));
    let line = error.or_else(|| lines.find(|line| !line.trim().is_empty()));
    line.unwrap_or("it said nothing").trim().to_owned()
}
