//! The bundle's charts, installed with Helm in a cluster that is ready.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use serde::Deserialize;

use super::ClusterError;
use super::pods;
use crate::bundle::{Application, BinaryRole, Digest, FileRole, PlatformView};
use crate::explain::{Explain, Explanation, Kind};
use crate::host::{Command, Output, interrupt, remove_tree_if_there, shortened};
use crate::install::{InstallError, Layout, PlacedFiles, Session};
use crate::minikube::{SiteOptions, without_proxies};
use crate::progress::Progress;

/// How long one question to Helm may take.
const ANSWER: Duration = Duration::from_secs(60);

/// How often it is told what is waited for.
const PAUSE: Duration = Duration::from_secs(3);

/// An application that is not ready.
#[derive(Debug, thiserror::Error)]
#[error("the cluster `{profile}` is ready, and its application `{release}` in the namespace `{namespace}` is not: {}{after}", why.join("; "))]
pub struct ApplicationError {
    profile: String,
    release: String,
    namespace: String,
    /// What Helm said, then what is not ready.
    why: Vec<String>,
    /// What became of the release.
    after: String,
}

impl Explain for ApplicationError {
    fn explain(&self) -> Explanation {
        let again = "the cluster stays, and so do the applications before this one: the same command again resumes here";
        Kind::Cluster.hint(again).hint(format!(
            "`kubectl --context {} -n {} get events` says more; `--no-applications` leaves all of them out",
            self.profile, self.namespace
        ))
    }
}

/// An application on a host.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct Release {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Helm's word: `deployed`, `failed`.
    pub status: String,
    /// The chart with its version.
    pub chart: String,
    /// What keeps its namespace's pods from being ready.
    #[serde(default)]
    pub waiting_for: Vec<String>,
}

/// A release as Helm has it.
#[derive(Deserialize)]
struct Found {
    info: Info,
    version: u64,
}

#[derive(Deserialize)]
struct Info {
    status: String,
    #[serde(default)]
    description: String,
}

/// Helm for one profile.
struct Helm<'a> {
    session: &'a mut Session,
    profile: &'a str,
    /// How long one release may take until it is ready.
    patience: Duration,
}

/// Installs what is not there as the bundle has it, in the bundle's order, and waits until each
/// is ready; says how many were not there.
pub(crate) fn install(
    session: &mut Session,
    options: &SiteOptions,
    view: PlatformView<'_>,
    files: &PlacedFiles,
    progress: &dyn Progress,
) -> Result<usize, ClusterError> {
    let directory = session.layout.helm();
    let mut helm = Helm {
        session,
        profile: &options.profile,
        patience: options.application_timeout,
    };
    let mut changed = 0;
    let mut all = || -> Result<(), ClusterError> {
        for application in view.applications() {
            interrupt::check()?;
            let Some(paths) = paths(application, files) else {
                progress.note(&format!("the application `{}` is left out", application.release));
                continue;
            };
            changed += usize::from(helm.ensure(application, &mark(view, application), &paths, progress)?);
        }
        Ok(())
    };
    let installed = all();
    // Once more, where a call failed: what then stays goes with the next run.
    let removed = remove_tree_if_there(&directory).or_else(|_| remove_tree_if_there(&directory));
    installed.and_then(|()| Ok(removed?))?;
    Ok(changed)
}

/// The chart and the values on this machine; nothing where one was changed there.
fn paths<'a>(application: &Application, files: &'a PlacedFiles) -> Option<Vec<&'a Path>> {
    let of = |role, name: &String| {
        let path = files.of_applications.get(&(role, name.clone()));
        path.map(PathBuf::as_path)
    };
    let values = application.values.iter().map(|name| of(FileRole::Values, name));
    std::iter::once(of(FileRole::Chart, &application.chart))
        .chain(values)
        .collect()
}

/// What tells a release of these very files from any other: its description in Helm's records.
fn mark(view: PlatformView<'_>, application: &Application) -> String {
    let Application { chart, values, .. } = application;
    let files =
        std::iter::once((FileRole::Chart, chart)).chain(values.iter().map(|it| (FileRole::Values, it)));
    let digests = files.map(|(role, name)| {
        let file = view
            .files()
            .iter()
            .find(|file| (file.role, &file.name) == (role, name));
        file.map_or_else(String::new, |file| file.sha256.hex())
    });
    let digests: Vec<String> = digests.collect();
    format!("minikube-offline {}", Digest::of(digests.join(" ").as_bytes()))
}

impl Helm<'_> {
    /// Makes the release what the bundle has; whether it was not.
    fn ensure(
        &mut self,
        application: &Application,
        mark: &str,
        paths: &[&Path],
        progress: &dyn Progress,
    ) -> Result<bool, ClusterError> {
        let Application {
            release, namespace, ..
        } = application;
        let before = self.find(application)?;
        let is_of = |found: &Found, status: &str| found.info.status == status;
        let deployed = before.as_ref().filter(|found| is_of(found, "deployed"));
        if deployed.is_some_and(|found| found.info.description == mark) {
            return Ok(false);
        }
        // What a killed run left: Helm does nothing more with such a release.
        match &before {
            Some(found) if is_of(found, "pending-install") => {
                self.run(&["uninstall", release, "--wait"], namespace)?;
            }
            Some(found) if found.info.status.starts_with("pending-") => {
                self.run(&["rollback", release, "--wait"], namespace)?;
            }
            _ => {}
        }
        progress.detail(&format!("installing `{release}` in the namespace `{namespace}`"));
        let [chart, values @ ..] = paths else {
            return Ok(false);
        };
        let timeout = format!("{}s", self.patience.as_secs());
        let values = values
            .iter()
            .flat_map(|path| ["--values".as_ref(), path.as_os_str()]);
        let command = self
            .command(namespace)
            .args(["upgrade", release])
            .arg(chart)
            .args(values)
            .args(["--install", "--create-namespace", "--wait", "--timeout", &timeout])
            // Without it values of the release before would stay.
            .args(["--reset-values", "--description", mark])
            .timeout(self.patience * 2 + ANSWER);
        let output = self.watched(&command, application, progress)?;
        if output.success() {
            return Ok(true);
        }
        let mut why = vec![shortened(&last(&output.stderr))];
        why.extend(pods::waiting(&self.session.layout, self.profile, namespace));
        let after = match deployed.map(|found| found.version.to_string()) {
            Some(revision) => {
                let undone = self.run(&["rollback", release, &revision, "--wait"], namespace)?;
                let undone = if undone {
                    "is back at"
                } else {
                    "could not be put back to"
                };
                format!("; it {undone} its revision {revision}")
            }
            None => String::new(),
        };
        Err(ApplicationError {
            profile: self.profile.to_owned(),
            release: release.clone(),
            namespace: namespace.clone(),
            why,
            after,
        }
        .into())
    }

    /// The release, if there is one.
    fn find(&mut self, application: &Application) -> Result<Option<Found>, ClusterError> {
        let Application {
            release, namespace, ..
        } = application;
        let command = self.command(namespace);
        let command = command.args(["status", release, "--output=json"]).timeout(ANSWER);
        let output = self.session.run_recorded(&command, &mut |_| {})?;
        if output.success() {
            // Another Helm's records are made again.
            return Ok(serde_json::from_str(&output.stdout).ok());
        }
        if output.stderr.contains("not found") {
            return Ok(None);
        }
        output.require_success()?;
        Ok(None)
    }

    /// Whether Helm did that.
    fn run(&mut self, arguments: &[&str], namespace: &str) -> Result<bool, ClusterError> {
        let command = self
            .command(namespace)
            .args(arguments)
            .timeout(self.patience + ANSWER);
        Ok(self.session.run_recorded(&command, &mut |_| {})?.success())
    }

    /// Runs it, and tells what is waited for meanwhile.
    fn watched(
        &mut self,
        command: &Command,
        application: &Application,
        progress: &dyn Progress,
    ) -> Result<Output, InstallError> {
        let Application {
            release, namespace, ..
        } = application;
        let (layout, profile) = (self.session.layout.clone(), self.profile);
        let (ended, ends) = channel::<()>();
        thread::scope(|scope| {
            scope.spawn(move || {
                let whom = format!("waiting for `{release}`");
                progress.waits_for(&whom, "");
                while ends.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
                    let waiting = pods::waiting(&layout, profile, namespace);
                    progress.waits_for(&whom, waiting.first().map_or("", String::as_str));
                }
            });
            let output = self.session.run_recorded(command, &mut |_| {});
            drop(ended);
            output
        })
    }

    fn command(&self, namespace: &str) -> Command {
        command(&self.session.layout, self.profile).args(["--namespace", namespace])
    }
}

/// Helm, told which cluster; it keeps what it learns in a directory of ours.
fn command(layout: &Layout, profile: &str) -> Command {
    let directory = layout.helm();
    let keeping = [
        "HELM_CACHE_HOME",
        "HELM_CONFIG_HOME",
        "HELM_DATA_HOME",
        "KUBECACHEDIR",
    ];
    let helm = Command::installed(&layout.program(BinaryRole::Helm)).args(["--kube-context", profile]);
    let helm = keeping.iter().fold(helm, |helm, name| helm.env(name, &directory));
    // The cluster is on this machine, whatever proxy leads out of it.
    without_proxies(helm)
}

/// The releases in a cluster that runs, with what keeps them from being ready; none where no
/// bundle brought Helm, or it does not answer.
pub(super) fn releases(layout: &Layout, profile: &str) -> Vec<Release> {
    let Some(command) = list(layout, profile) else {
        return Vec::new();
    };
    let output = command.arg("--output=json").timeout(ANSWER).run();
    // It made it for nothing but this.
    let _ = remove_tree_if_there(&layout.helm());
    let output = output.ok().filter(Output::success);
    let mut releases: Vec<Release> = output
        .and_then(|output| serde_json::from_str(&output.stdout).ok())
        .unwrap_or_default();
    for release in &mut releases {
        release.waiting_for = pods::waiting(layout, profile, &release.namespace);
    }
    releases
}

/// Asks for every release, where a bundle brought Helm.
pub(super) fn list(layout: &Layout, profile: &str) -> Option<Command> {
    let is_there = layout.program(BinaryRole::Helm).is_file();
    is_there.then(|| command(layout, profile).args(["list", "--all-namespaces"]))
}

/// The line that says what went wrong: the last one.
fn last(stderr: &str) -> String {
    let mut lines = stderr.lines().map(str::trim).filter(|line| !line.is_empty());
    let last = lines.next_back().unwrap_or("Helm says nothing");
    last.trim_start_matches("Error: ").to_owned()
}
