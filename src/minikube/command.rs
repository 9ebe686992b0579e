//! minikube as a program: its flags and its environment.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::{Failed, end_of};
use super::{Complaint, MinikubeError, MinikubeEvent, events, hints, last_start_log};
use crate::bundle::Version;
use crate::docker::Engine;
use crate::host::{Command, Environment, FileError, Output, ProcessError};

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

/// minikube, as installed, for one user and one engine.
#[derive(Clone, Debug)]
pub(crate) struct Minikube {
    program: PathBuf,
    home: PathBuf,
    variables: Vec<(&'static str, String)>,
    keep_proxy: bool,
}

impl Minikube {
    /// The `program`, for looking only. `home` is minikube's directory.
    pub(crate) fn of(program: PathBuf, home: PathBuf, engine: Option<&Engine>) -> Self {
        Self {
            program,
            home,
            variables: engine
                .map(|engine| engine.variables().to_vec())
                .unwrap_or_default(),
            keep_proxy: false,
        }
    }

    /// The same with the person's proxies, where they are to be kept; else without those that
    /// the docker client's configuration puts into every container, so also into the node:
    /// then its configuration is the empty one in `docker_config`.
    pub(crate) fn with_proxies(
        mut self,
        keep: bool,
        environment: &Environment,
        docker_config: &Path,
    ) -> Result<Self, FileError> {
        self.keep_proxy = keep;
        if !keep && client_sets_proxies(environment) {
            fs::create_dir_all(docker_config).map_err(FileError::at("made", docker_config))?;
            let directory = docker_config.to_string_lossy().into_owned();
            self.variables.push(("DOCKER_CONFIG", directory));
        }
        Ok(self)
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
    pub(crate) fn knows(&self, version: &Version) -> Result<bool, ProcessError> {
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

    /// `minikube delete` of one profile, with its containers, volumes and network.
    pub(crate) fn delete(&self, profile: &str) -> Command {
        self.change("delete", profile)
    }

    /// `minikube stop`.
    pub(crate) fn stop(&self, profile: &str) -> Command {
        self.change("stop", profile)
    }

    fn change(&self, verb: &str, profile: &str) -> Command {
        self.command(&[verb, "--profile", profile, "--output=json"])
            .timeout(CHANGE)
    }

    /// `minikube status`: its exit code says what does not run, which is an answer.
    pub(crate) fn status(&self, profile: &str) -> Command {
        self.command(&["status", "--profile", profile, "--output=json"])
            .timeout(REQUEST)
    }

    /// Nothing when it did `verb`; else why not, with the complaint in what it printed.
    pub(crate) fn judge(&self, verb: &'static str, output: &Output) -> Result<(), MinikubeError> {
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
        Err(self.failed(verb, output, complaint))
    }

    /// Why it did not do `verb`.
    pub(crate) fn failed(
        &self,
        verb: &'static str,
        output: &Output,
        complaint: Option<Complaint>,
    ) -> MinikubeError {
        let complaint = complaint.unwrap_or_else(|| Complaint {
            message: last_line(&output.stderr).to_owned(),
            ..Complaint::default()
        });
        let log = Some(last_start_log(&self.home)).filter(|log| log.is_file());
        Failed {
            verb,
            hint: hints::hint(&complaint),
            log_end: log.as_deref().map(end_of).unwrap_or_default(),
            name: complaint.name,
            message: complaint.message,
            advice: complaint.advice,
            code: output.code,
            log,
        }
        .into()
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
