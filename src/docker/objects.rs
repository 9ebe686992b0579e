//! Images, volumes and containers of the engine.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Engine, EngineError, REQUEST};
use crate::bundle::Digest;
use crate::host::{Command, Output, ProcessError, Running};

/// An image that the engine has.
#[derive(Clone, Debug, Deserialize)]
pub struct ImageState {
    /// The digest of its config, or of its manifest where the engine keeps images in
    /// containerd.
    #[serde(rename = "Id")]
    pub id: Digest,
    /// What it consists of.
    #[serde(rename = "RootFS")]
    root: RootFs,
}

#[derive(Clone, Debug, Deserialize)]
struct RootFs {
    #[serde(rename = "Layers", default)]
    layers: Vec<Digest>,
}

impl ImageState {
    /// The digests of its uncompressed layers, lowest first.
    #[must_use]
    pub fn layers(&self) -> &[Digest] {
        &self.root.layers
    }
}

/// A volume that the engine has.
#[derive(Clone, Debug, Deserialize)]
pub struct VolumeState {
    /// Its labels.
    #[serde(rename = "Labels", default, deserialize_with = "null_is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// A network that the engine has.
#[derive(Clone, Debug, Deserialize)]
pub struct NetworkState {
    /// Its labels.
    #[serde(rename = "Labels", default, deserialize_with = "null_is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// A container that the engine has.
#[derive(Clone, Debug, Deserialize)]
pub struct ContainerState {
    /// The id that no other container ever has.
    #[serde(rename = "Id", default)]
    pub id: String,
    #[serde(rename = "State")]
    state: RunState,
    #[serde(rename = "Config")]
    config: Config,
}

#[derive(Clone, Debug, Deserialize)]
struct RunState {
    #[serde(rename = "Running")]
    running: bool,
    #[serde(rename = "ExitCode")]
    exit_code: i32,
}

#[derive(Clone, Debug, Deserialize)]
struct Config {
    #[serde(rename = "Labels", default, deserialize_with = "null_is_empty")]
    labels: BTreeMap<String, String>,
}

impl ContainerState {
    /// Whether it runs.
    #[must_use]
    pub fn running(&self) -> bool {
        self.state.running
    }

    /// The exit code of its last run.
    #[must_use]
    pub fn exit_code(&self) -> i32 {
        self.state.exit_code
    }

    /// Its labels.
    #[must_use]
    pub fn labels(&self) -> &BTreeMap<String, String> {
        &self.config.labels
    }
}

fn null_is_empty<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl Engine {
    /// The image with this name.
    pub fn image(&self, reference: &str) -> Result<Option<ImageState>, EngineError> {
        self.inspect("image", reference)
    }

    /// The volume with this name.
    pub fn volume(&self, name: &str) -> Result<Option<VolumeState>, EngineError> {
        self.inspect("volume", name)
    }

    /// The network with this name.
    pub fn network(&self, name: &str) -> Result<Option<NetworkState>, EngineError> {
        self.inspect("network", name)
    }

    /// The container with this name.
    pub fn container(&self, name: &str) -> Result<Option<ContainerState>, EngineError> {
        self.inspect("container", name)
    }

    /// Starts `docker load`; the archive is written to what comes back.
    pub fn load(&self) -> Result<Running, EngineError> {
        Ok(self.docker(["image", "load", "--quiet"]).spawn()?)
    }

    /// Starts a program inside a container, with a pipe to its stdin.
    pub fn exec(&self, container: &str, arguments: &[&str]) -> Result<Running, EngineError> {
        let command = self.docker(["container", "exec", "--interactive", container]);
        Ok(command.args(arguments).spawn()?)
    }

    /// Runs a program inside a container until it ends, whatever its exit code.
    pub fn exec_output(&self, container: &str, arguments: &[&str]) -> Result<Output, EngineError> {
        let command = self.docker(["container", "exec", container]).args(arguments);
        Ok(command.timeout(REQUEST).run()?)
    }

    /// What starts a container in the background: `docker container run --detach …`.
    #[must_use]
    pub fn run_container(&self, arguments: &[String]) -> Command {
        let mut all = vec!["container", "run", "--detach", "--pull=never"];
        if self.info().release() < Some((20, 10)) {
            // `--pull` came with 20.10; before, a name with a tag that is there is
            // not pulled either.
            all.pop();
        }
        all.extend(arguments.iter().map(String::as_str));
        self.docker(&all).timeout(REQUEST)
    }

    /// Starts a container that is there.
    pub fn start_container(&self, name: &str) -> Result<(), EngineError> {
        self.request(&["container", "start", name]).map(|_| ())
    }

    /// Stops a container in order, then with force after `seconds`.
    pub fn stop_container(&self, name: &str, seconds: u32) -> Result<(), EngineError> {
        self.request(&["container", "stop", "-t", &seconds.to_string(), name])
            .map(|_| ())
    }

    /// Removes a container, running or not; nothing happens where there is none.
    pub fn remove_container(&self, name: &str) -> Result<(), EngineError> {
        let until = Instant::now() + REQUEST;
        loop {
            match self.remove(&["container", "rm", "--force", "--volumes", name]) {
                // One that was run with `--rm`, and has just ended: it goes by itself.
                Err(error) if error.is_being_done() && Instant::now() < until => {
                    thread::sleep(Duration::from_millis(100));
                }
                removed => return removed,
            }
        }
    }

    /// Makes a volume with labels.
    pub fn create_volume(&self, name: &str, labels: &[(&str, &str)]) -> Result<(), EngineError> {
        let labels: Vec<String> = labels
            .iter()
            .map(|(key, value)| format!("--label={key}={value}"))
            .collect();
        let mut arguments = vec!["volume", "create"];
        arguments.extend(labels.iter().map(String::as_str));
        arguments.push(name);
        self.request(&arguments).map(|_| ())
    }

    /// Removes a volume that no container uses; nothing happens where there is none.
    pub fn remove_volume(&self, name: &str) -> Result<(), EngineError> {
        self.remove(&["volume", "rm", name])
    }

    /// Removes an image's name, and the image when it was the last; the engine refuses
    /// while a container uses it.
    pub fn remove_image(&self, reference: &str) -> Result<(), EngineError> {
        self.remove(&["image", "rm", reference])
    }

    /// Removes a network; nothing happens where there is none.
    pub fn remove_network(&self, name: &str) -> Result<(), EngineError> {
        self.remove(&["network", "rm", name])
    }

    /// The containers, running or not, that use a volume.
    pub fn users_of_volume(&self, name: &str) -> Result<Vec<String>, EngineError> {
        let filter = format!("volume={name}");
        let output = self.request(&[
            "container",
            "ls",
            "--all",
            "--filter",
            &filter,
            "--format",
            "{{.Names}}",
        ])?;
        Ok(output.stdout.split_whitespace().map(str::to_owned).collect())
    }

    /// The last lines that a container wrote.
    #[must_use]
    pub fn container_log(&self, name: &str) -> String {
        // Only ever an addition to another error.
        self.docker(["container", "logs", "--tail", "20", name])
            .timeout(REQUEST)
            .run()
            .map(|output| format!("{}{}", output.stdout, output.stderr))
            .unwrap_or_default()
    }

    fn inspect<T: DeserializeOwned>(&self, kind: &str, name: &str) -> Result<Option<T>, EngineError> {
        let output = self
            .docker([kind, "inspect", "--format", "{{json .}}", name])
            .timeout(REQUEST)
            .uninterruptible()
            .run()?;
        if is_absent(&output) {
            return Ok(None);
        }
        let output = output.require_success()?;
        serde_json::from_str(output.stdout.trim())
            .map(Some)
            .map_err(|source| EngineError::Answer {
                command: output.command,
                source,
            })
    }

    fn remove(&self, arguments: &[&str]) -> Result<(), EngineError> {
        let output = self.docker(arguments).timeout(REQUEST).uninterruptible().run()?;
        if is_absent(&output) {
            return Ok(());
        }
        output.require_success().map(|_| ()).map_err(EngineError::from)
    }
}

/// Whether the engine says that there is no such thing. Its wording since 1.13:
/// "No such image", "no such volume", "network x not found".
fn is_absent(output: &Output) -> bool {
    let stderr = output.stderr.to_lowercase();
    !output.success()
        && ["no such ", "not found"]
            .iter()
            .any(|phrase| stderr.contains(phrase))
        && !stderr.contains("no such host")
        && !stderr.contains("no such file")
}

impl EngineError {
    /// Whether the engine is at what it was asked for: "removal of container x is already in
    /// progress" (moby, `daemon/delete.go`).
    fn is_being_done(&self) -> bool {
        matches!(self, Self::Request(error) if error.to_string().contains("is already in progress"))
    }

    /// Whether the engine answered and refused, rather than went away.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Request(ProcessError::Failed { .. }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(code: i32, stderr: &str) -> Output {
        Output {
            code: Some(code),
            stderr: stderr.to_owned(),
            ..Output::default()
        }
    }

    #[test]
    fn absent_is_told_from_unreachable() {
        for stderr in [
            "Error: No such image: gcr.io/x:1",
            "Error: No such container: minikube",
            "Error response from daemon: get minikube: no such volume",
            "Error: network minikube not found",
        ] {
            assert!(is_absent(&output(1, stderr)), "{stderr}");
        }
        for stderr in [
            "error during connect: dial tcp: lookup engine: no such host",
            "Cannot connect to the Docker daemon at unix:///x. Is it running? dial unix: no such file or directory",
        ] {
            assert!(!is_absent(&output(1, stderr)), "{stderr}");
        }
    }

    #[test]
    fn labels_may_be_null() {
        let volume: VolumeState = serde_json::from_str(r#"{"Name":"x","Labels":null}"#).expect("volume");
        assert!(volume.labels.is_empty());
    }
}
