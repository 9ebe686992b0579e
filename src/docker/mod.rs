//! The machine's Docker Engine, through its own client.

mod directories;
mod info;
mod objects;
mod survey;

pub use info::EngineInfo;
pub use objects::{ContainerState, ImageState, NetworkState, VolumeState};

use std::time::Duration;

use crate::explain::{Explain, Explanation, Kind};
use crate::host::{Command, Environment, Interruption, Output, ProcessError};

/// An engine that answers by then is one; minikube gives it 6 s.
const ANSWER: Duration = Duration::from_secs(15);

/// For requests that change little and read little.
const REQUEST: Duration = Duration::from_secs(120);

/// A Docker Engine that answered.
#[derive(Clone, Debug)]
pub struct Engine {
    environment: Vec<(&'static str, String)>,
    info: EngineInfo,
}

/// A Docker Engine that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// What it said is not understood.
    #[error("Docker Engine's answer to `{command}` is not understood")]
    Answer {
        /// What was asked.
        command: String,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
    /// This user may not use it.
    #[error("this user may not use Docker Engine{}", first_line(.said))]
    Denied {
        /// What the client said.
        said: String,
    },
    /// This run was told to end.
    #[error(transparent)]
    Interrupted(Interruption),
    /// There is no client.
    #[error("Docker Engine is not installed: there is no program `docker` on the PATH")]
    Missing,
    /// The client is there and the daemon is not.
    #[error("Docker Engine does not answer{}", first_line(.said))]
    NotAnswering {
        /// What the client said.
        said: String,
    },
    /// Something else answers to its client's name.
    #[error("the program `docker` on the PATH is not Docker Engine's{}", first_line(.said))]
    NotDocker {
        /// What it said besides.
        said: String,
    },
    /// A request failed.
    #[error("Docker Engine did not do what it was asked")]
    Request(#[source] ProcessError),
}

impl From<ProcessError> for EngineError {
    fn from(error: ProcessError) -> Self {
        match error {
            ProcessError::Interrupted(interruption) => Self::Interrupted(interruption),
            error => Self::Request(error),
        }
    }
}

fn first_line(said: &str) -> String {
    match said.lines().map(str::trim).find(|line| !line.is_empty()) {
        Some(line) => format!(": {}", crate::host::shortened(line)),
        None => String::new(),
    }
}

impl Explain for EngineError {
    fn explain(&self) -> Explanation {
        let hint = match self {
            Self::Denied { .. } => {
                "add the user to the group `docker` with `sudo usermod -aG docker $USER` and log in again, or run as root"
            }
            Self::Missing => {
                "install Docker Engine 20.10 or newer from this system's own package media (Debian, Ubuntu: `sudo apt-get install docker.io`; Fedora: `sudo dnf install moby-engine`), start it with `sudo systemctl enable --now docker`, then run the same command again"
            }
            Self::NotDocker { .. } => {
                "`docker --version` tells whose it is: a node needs Docker Engine, and podman's stand-in cannot run one; remove that (`sudo apt-get remove podman-docker`, `sudo dnf remove podman-docker`) and install Docker Engine 20.10 or newer (`docker.io`, `moby-engine`) from this system's own package media"
            }
            Self::NotAnswering { .. } => {
                "start it with `sudo systemctl start docker` and look with `docker info`; if it hangs, `sudo systemctl restart docker`; `journalctl -u docker` has its log"
            }
            Self::Interrupted(interruption) => return interruption.explain(),
            Self::Request(ProcessError::Failed { stderr, .. })
                if stderr.contains("no space left on device") =>
            {
                return Kind::NoSpace
                    .hint("free space where Docker keeps volumes (`docker info -f '{{.DockerRootDir}}'`, `df -h`) and images (the same directory; Docker 29 often `/var/lib/containerd`), for example with `docker image prune`, then run the same command again");
            }
            Self::Answer { .. } | Self::Request(_) => {
                "look with `docker info`; `journalctl -u docker` has the Engine's log"
            }
        };
        let kind = match self {
            Self::Answer { .. } | Self::Request(_) => Kind::Other,
            _ => Kind::Unfit,
        };
        kind.hint(hint)
    }
}

impl Engine {
    /// Asks the engine that the user's environment and docker context name.
    pub fn connect(environment: &Environment) -> Result<Self, EngineError> {
        let mut variables = Vec::new();
        if environment.variable("DOCKER_HOST").is_none()
            && let Some(host) = context_host()?
        {
            variables.push(("DOCKER_HOST", host));
        }
        let mut engine = Self {
            environment: variables,
            info: EngineInfo::default(),
        };
        engine.info = engine.ask_info()?;
        Ok(engine)
    }

    /// What the engine says of itself.
    #[must_use]
    pub fn info(&self) -> &EngineInfo {
        &self.info
    }

    /// Variables that other programs need to reach the same engine: minikube reads no
    /// docker contexts.
    #[must_use]
    pub fn variables(&self) -> &[(&'static str, String)] {
        &self.environment
    }

    /// The client with `arguments`.
    #[must_use]
    pub fn docker<I: IntoIterator<Item = S>, S: AsRef<std::ffi::OsStr>>(&self, arguments: I) -> Command {
        let command = Command::new("docker").args(arguments);
        self.environment
            .iter()
            .fold(command, |command, (name, value)| command.env(name, value))
    }

    fn ask_info(&self) -> Result<EngineInfo, EngineError> {
        let output = match self
            .docker(["info", "--format", "{{json .}}"])
            .timeout(ANSWER)
            .run()
        {
            Ok(output) => output,
            Err(ProcessError::NotFound { .. }) => return Err(EngineError::Missing),
            Err(ProcessError::TimedOut { after, .. }) => {
                return Err(EngineError::NotAnswering {
                    said: format!("no answer within {} s", after.as_secs()),
                });
            }
            Err(error) => return Err(error.into()),
        };
        info::parse(&output)
    }

    pub(crate) fn request(&self, arguments: &[&str]) -> Result<Output, EngineError> {
        Ok(self.docker(arguments).timeout(REQUEST).run()?.require_success()?)
    }
}

/// The host of the docker context in use; `None` for the default one and for clients
/// that know no contexts (before 19.03).
fn context_host() -> Result<Option<String>, EngineError> {
    let asked = Command::new("docker")
        .args([
            "context",
            "inspect",
            "--format",
            "{{.Name}} {{.Endpoints.docker.Host}}",
        ])
        .timeout(ANSWER)
        .run();
    match asked {
        Ok(output) if output.success() => Ok(parse_context(&output.stdout)),
        Err(ProcessError::NotFound { .. }) => Err(EngineError::Missing),
        Err(ProcessError::Interrupted(interruption)) => Err(EngineError::Interrupted(interruption)),
        _ => Ok(None),
    }
}

fn parse_context(text: &str) -> Option<String> {
    let (name, host) = text.trim().split_once(' ')?;
    (name != "default" && !host.is_empty() && host != "<no value>").then(|| host.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_context_in_use_names_a_host() {
        assert_eq!(parse_context("default unix:///var/run/docker.sock\n"), None);
        assert_eq!(
            parse_context("rootless unix:///run/user/1000/docker.sock\n").as_deref(),
            Some("unix:///run/user/1000/docker.sock")
        );
        assert_eq!(parse_context(""), None);
    }

    #[test]
    fn a_silent_engine_makes_the_machine_unfit_and_the_hint_starts_it() {
        let error = EngineError::NotAnswering {
            said: "Cannot connect to the Docker daemon".to_owned(),
        };
        let Explanation { kind, hints } = error.explain();
        assert_eq!(kind, Kind::Unfit);
        assert!(hints[0].contains("systemctl start docker"), "{hints:?}");
        assert_eq!(
            error.to_string(),
            "Docker Engine does not answer: Cannot connect to the Docker daemon"
        );
    }
}
