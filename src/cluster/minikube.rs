//! minikube as a program: its flags, its environment, how it failed.

use std::fs;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::ClusterError;
use crate::bundle::{BinaryRole, Version};
use crate::docker::Engine;
use crate::explain::{Explain, Explanation, Kind};
use crate::host::{Command, Environment, FileError, Output};
use crate::install::{Layout, Session};
use crate::minikube::hints;
use crate::minikube::{Complaint, MinikubeEvent, Story, events, last_start_log};
use crate::progress::Progress;

/// What the docker client, Go's HTTP client and minikube read proxies from. Source:
/// minikube v1.38.1, `pkg/minikube/proxy/proxy.go:38`.
const PROXY_VARIABLES: [&str; 8] = [
    "ALL_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// Nothing listens there (the discard service), so that each of minikube's requests to
/// the network fails at once and not after the time-outs of a network that swallows
/// packets. minikube does not pass a proxy on this address to the node
/// (`proxy.go:160-193`), and does not use one for the cluster.
const NO_NETWORK: &str = "http://127.0.0.1:9";

/// For requests to minikube that read.
pub(crate) const REQUEST: Duration = Duration::from_secs(60);

/// For requests to minikube that change a cluster.
pub(crate) const CHANGE: Duration = Duration::from_secs(600);

/// What a failure shows of minikube's log.
const LOG_END_LINES: usize = 5;
const LOG_END_BYTES: u64 = 8 << 10;
const LOG_LINE_CHARACTERS: usize = 300;

/// A cluster that minikube did not start, or a request that it refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MinikubeError {
    /// It ended with an exit code.
    #[error("minikube could not {verb}\n  reason: {}{}\n  exit code: {}{}",
        reason(name, message), advice_text(advice), code.map_or_else(|| "none, a signal ended it".to_owned(), |code| code.to_string()), log_text(log.as_deref(), log_end))]
    Failed {
        /// What it was to do: `start the cluster`.
        verb: &'static str,
        /// The name of its reason, where it has one.
        name: String,
        /// What it said.
        message: String,
        /// What it advised.
        advice: String,
        /// Its exit code.
        code: Option<i32>,
        /// Where its log is, when it wrote one.
        log: Option<PathBuf>,
        /// The last lines of its log.
        log_end: Vec<String>,
        /// What helps without a network.
        hint: &'static str,
    },
}

fn reason(name: &str, message: &str) -> String {
    match (name, message.trim()) {
        ("", "") => "it gave none".to_owned(),
        ("", message) => message.to_owned(),
        (name, message) => format!("`{name}`: {message}"),
    }
}

fn advice_text(advice: &str) -> String {
    match advice.trim() {
        "" => String::new(),
        advice => format!("\n  it advises: {advice}"),
    }
}

fn log_text(log: Option<&Path>, end: &[String]) -> String {
    let Some(log) = log else {
        return String::new();
    };
    let end = end.iter().map(|line| format!("\n    {line}"));
    format!("\n  log: `{}`{}", log.display(), end.collect::<String>())
}

/// The last `most` bytes of the file at `path`, as text.
pub(super) fn read_end(path: &Path, most: u64) -> io::Result<String> {
    let mut file = fs::File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(io::SeekFrom::Start(length.saturating_sub(most)))?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The last lines of the log at `path`, as far as it can be read.
fn end_of(path: &Path) -> Vec<String> {
    let text = read_end(path, LOG_END_BYTES).unwrap_or_default();
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let last = &lines[lines.len().saturating_sub(LOG_END_LINES)..];
    let cut = |line: &&str| line.chars().take(LOG_LINE_CHARACTERS).collect();
    last.iter().map(cut).collect()
}

impl MinikubeError {
    /// The same, where its log is at `place` by now.
    pub(crate) fn move_log(&mut self, place: PathBuf) {
        let Self::Failed { log, .. } = self;
        *log = Some(place);
    }
}

impl Explain for MinikubeError {
    fn explain(&self) -> Explanation {
        let Self::Failed { hint, .. } = self;
        let hint = *hint;
        Kind::Cluster.hint(hint)
    }
}

/// minikube, as installed, for one user and one engine.
#[derive(Clone, Debug)]
pub(crate) struct Minikube {
    program: PathBuf,
    home: PathBuf,
    variables: Vec<(&'static str, String)>,
    keep_proxy: bool,
}

impl Minikube {
    /// minikube of this session. `home` is its directory, which for older profiles need
    /// not be the session's.
    pub(crate) fn new(
        session: &Session,
        engine: Option<&Engine>,
        home: &Path,
        keep_proxy: bool,
    ) -> Result<Self, ClusterError> {
        let mut minikube = Self::of(&session.layout, engine);
        home.clone_into(&mut minikube.home);
        minikube.keep_proxy = keep_proxy;
        if !keep_proxy && client_sets_proxies(&session.environment) {
            // The client puts the proxies of its configuration into every container,
            // so also into the node.
            let directory = session.layout.empty_docker_config();
            fs::create_dir_all(&directory).map_err(FileError::at("made", &directory))?;
            let directory = directory.to_string_lossy().into_owned();
            minikube.variables.push(("DOCKER_CONFIG", directory));
        }
        Ok(minikube)
    }

    /// minikube of this user, for looking only.
    pub(crate) fn of(layout: &Layout, engine: Option<&Engine>) -> Self {
        Self {
            program: layout.program(BinaryRole::Minikube),
            home: layout.minikube_home.clone(),
            variables: engine
                .map(|engine| engine.variables().to_vec())
                .unwrap_or_default(),
            keep_proxy: false,
        }
    }

    /// Whether it is there.
    pub(crate) fn is_installed(&self) -> bool {
        self.program.is_file()
    }

    /// minikube with `arguments`, in the environment of an air gap.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::installed(&self.program)
            .args(arguments)
            .env("MINIKUBE_HOME", &self.home)
            .env("MINIKUBE_IN_STYLE", "false")
            .env("MINIKUBE_WANTUPDATENOTIFICATION", "false");
        for (name, value) in &self.variables {
            command = command.env(name, value);
        }
        if self.keep_proxy {
            command
        } else {
            without_proxies(command)
        }
    }

    /// The same, with every request to the network failing at once. Not for an engine
    /// that is itself reached over TCP: the docker client asks the same variables.
    pub(crate) fn offline_command(&self, arguments: &[&str], environment: &Environment) -> Command {
        let command = self.command(arguments);
        let host = self
            .variables
            .iter()
            .find(|(name, _)| *name == "DOCKER_HOST")
            .map(|(_, host)| host.clone())
            .or_else(|| {
                let host = environment.variable("DOCKER_HOST")?;
                Some(host.to_string_lossy().into_owned())
            });
        let local = host.is_none_or(|host| host.starts_with("unix:"));
        if self.keep_proxy || !local {
            return command;
        }
        command
            .env("HTTP_PROXY", NO_NETWORK)
            .env("HTTPS_PROXY", NO_NETWORK)
    }

    /// Whether this minikube has the Kubernetes release in its list; for others it asks
    /// the network, and ends when there is none unless it is forced.
    pub(crate) fn knows(&self, version: &Version) -> Result<bool, ClusterError> {
        let output = self
            .command(&["config", "defaults", "kubernetes-version", "--output=json"])
            .timeout(REQUEST)
            .run()?;
        // minikube before 1.30 has no such list: then it is not forced.
        let Ok(known) = serde_json::from_str::<Vec<String>>(output.stdout.trim()) else {
            return Ok(true);
        };
        Ok(known.contains(&version.to_string()))
    }

    /// `minikube start`.
    pub(crate) fn start(
        &self,
        arguments: &[String],
        session: &mut Session,
        progress: &dyn Progress,
    ) -> Result<(), ClusterError> {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let command = self.offline_command(&arguments, &session.environment);
        let mut story = Story::default();
        let output = session.run_recorded(&command, &mut |line| tell(line, &mut story, progress))?;
        if output.success() {
            return Ok(());
        }
        Err(self
            .failed("start the cluster", &output, story.reason().cloned())
            .into())
    }

    /// `minikube delete` of one profile, with its containers, volumes and network.
    pub(crate) fn delete(&self, profile: &str, session: &mut Session) -> Result<(), ClusterError> {
        let arguments = ["delete", "--profile", profile, "--output=json"];
        self.change("delete the profile", &arguments, session)
    }

    /// `minikube stop`.
    pub(crate) fn stop(&self, profile: &str, session: &mut Session) -> Result<(), ClusterError> {
        let arguments = ["stop", "--profile", profile, "--output=json"];
        self.change("stop the cluster", &arguments, session)
    }

    fn change(
        &self,
        verb: &'static str,
        arguments: &[&str],
        session: &mut Session,
    ) -> Result<(), ClusterError> {
        let command = self.command(arguments).timeout(CHANGE);
        let output = session.run_recorded(&command, &mut |_| {})?;
        if output.success() {
            return Ok(());
        }
        let complaint = output
            .stdout
            .lines()
            .rev()
            .find_map(|line| match events::parse(line) {
                Some(MinikubeEvent::Error(complaint)) => Some(complaint),
                _ => None,
            });
        Err(self.failed(verb, &output, complaint).into())
    }

    fn failed(&self, verb: &'static str, output: &Output, complaint: Option<Complaint>) -> MinikubeError {
        let complaint = complaint.unwrap_or_else(|| Complaint {
            message: last_line(&output.stderr).to_owned(),
            ..Complaint::default()
        });
        let log = Some(last_start_log(&self.home)).filter(|log| log.is_file());
        MinikubeError::Failed {
            verb,
            hint: hints::hint(&complaint),
            log_end: log.as_deref().map(end_of).unwrap_or_default(),
            name: complaint.name,
            message: complaint.message,
            advice: complaint.advice,
            code: output.code,
            log,
        }
    }
}

/// The command without the variables that send it through a proxy.
pub(crate) fn without_proxies(command: Command) -> Command {
    PROXY_VARIABLES.into_iter().fold(command, Command::env_remove)
}

fn last_line(text: &str) -> &str {
    text.lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or("")
}

fn tell(line: &str, story: &mut Story, progress: &dyn Progress) {
    match events::parse(line) {
        Some(MinikubeEvent::Step { message }) => progress.note(&message),
        Some(MinikubeEvent::Warning(message)) if !events::is_expected(&message) => {
            progress.warn(&format!("minikube: {message}"));
        }
        Some(MinikubeEvent::Error(complaint)) => story.add(complaint),
        Some(MinikubeEvent::Info(_) | MinikubeEvent::Warning(_)) | None => {}
    }
}

/// Whether the docker client's configuration names proxies.
fn client_sets_proxies(environment: &Environment) -> bool {
    let directory = environment
        .absolute_path("DOCKER_CONFIG")
        .or_else(|| environment.home().map(|home| home.join(".docker")));
    directory
        .and_then(|directory| fs::read(directory.join("config.json")).ok())
        .and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok())
        .is_some_and(|config| config.get("proxies").is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_five_lines_of_a_log_are_shown() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("log");
        let long = "x".repeat(400);
        fs::write(
            &path,
            format!(
                "{}one\ntwo\nthree\n\nfour\nfive\n{long}\n\n",
                "early\n".repeat(5000)
            ),
        )
        .expect("a file");
        let end = end_of(&path);
        assert_eq!(end, ["two", "three", "four", "five", &long[..300]]);
        assert!(end_of(&directory.path().join("none")).is_empty());
    }

    #[test]
    fn a_failure_has_reason_code_and_log() {
        let error = MinikubeError::Failed {
            verb: "start the cluster",
            name: "GUEST_PROVISION".into(),
            message: "no node".into(),
            advice: String::new(),
            code: Some(80),
            log: Some("/root/.minikube/logs/lastStart.txt".into()),
            log_end: vec!["I1130 one".into(), "E1130 two".into()],
            hint: "look",
        };
        assert_eq!(error.explain(), Kind::Cluster.hint("look"));
        assert_eq!(
            error.to_string(),
            "minikube could not start the cluster\n  reason: `GUEST_PROVISION`: no node\n  \
             exit code: 80\n  log: `/root/.minikube/logs/lastStart.txt`\n    I1130 one\n    E1130 two"
        );
    }
}
