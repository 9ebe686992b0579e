//! The node: a container of the node image, made with minikube's own run line.

use crate::engine::{docker, docker_with, volume_labels};
use crate::stop::Stop;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The node's address in the network that minikube makes for it.
const SUBNET: &str = "192.168.49.0/24";
const GATEWAY: &str = "192.168.49.1";
/// Of the first node; the others' follow.
pub(crate) const ADDRESS: &str = "192.168.49.2";
/// minikube's labels on everything that is its own.
const CREATED: &str = "created_by.minikube.sigs.k8s.io=true";

/// A container that stands for a machine of the cluster.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) name: String,
    /// The profile, which has its name from the first node, and the network from both.
    profile: String,
    number: usize,
}

impl Node {
    pub(crate) fn new(profile: &str) -> Self {
        Self::numbered(profile, 1)
    }

    /// One of several, from 1.
    pub(crate) fn numbered(profile: &str, number: usize) -> Self {
        let name = match number {
            1 => profile.to_owned(),
            _ => format!("{profile}-m{number:02}"),
        };
        Self {
            name,
            profile: profile.to_owned(),
            number,
        }
    }

    pub(crate) fn address(&self) -> String {
        format!("192.168.49.{}", self.number + 1)
    }

    /// `running`, `exited`, …; nothing when there is no such container.
    pub(crate) fn state(&self) -> Option<String> {
        docker(&["container", "inspect", &self.name, "--format={{.State.Status}}"]).ok()
    }

    pub(crate) fn is_running(&self) -> bool {
        self.state().as_deref() == Some("running")
    }

    /// Checks that the node's volume was made and labelled as minikube does it.
    pub(crate) fn check_volume(&self) -> Result<(), Stop> {
        let labels = volume_labels(&self.name).ok_or_else(|| {
            let name = &self.name;
            Stop::provision(format!("volume {name} does not exist: the node would be empty"))
        })?;
        let label = |name: &str| labels[name].as_str().unwrap_or_default().to_owned();
        if label("name.minikube.sigs.k8s.io") != self.name
            || label("created_by.minikube.sigs.k8s.io") != "true"
        {
            return Err(Stop::provision(format!(
                "volume {} lacks minikube's labels: `minikube delete` would leave it",
                self.name
            )));
        }
        Ok(())
    }

    /// Makes network, volume and container.
    pub(crate) fn create(&self, image: &str, cpus: &str, memory: &str) -> Result<(), Stop> {
        let name = self.name.as_str();
        let named = format!("name.minikube.sigs.k8s.io={name}");
        let network = self.profile.as_str();
        if docker(&["network", "inspect", network]).is_err() {
            let subnet = format!("--subnet={SUBNET}");
            let gateway = format!("--gateway={GATEWAY}");
            docker(&[
                "network",
                "create",
                "--driver=bridge",
                &subnet,
                &gateway,
                "-o",
                "--ip-masq",
                "-o",
                "--icc",
                "-o",
                "com.docker.network.driver.mtu=1500",
                "--label",
                CREATED,
                "--label",
                &named,
                network,
            ])
            .map_err(Stop::provision)?;
        }
        docker(&["volume", "create", name, "--label", &named, "--label", CREATED])
            .map_err(Stop::provision)?;
        // The engine copies the image's /var into the volume while that is empty.
        let sidecar = format!("{name}-preload-sidecar");
        let var = format!("{name}:/var");
        docker(&[
            "run",
            "--rm",
            "--name",
            &sidecar,
            "--label",
            CREATED,
            "--label",
            &named,
            "--entrypoint",
            "/usr/bin/test",
            "-v",
            &var,
            image,
            "-d",
            "/var/lib",
        ])
        .map_err(Stop::provision)?;
        let mode = format!("mode.minikube.sigs.k8s.io={name}");
        let (memory, cpus) = (format!("--memory={memory}"), format!("--cpus={cpus}"));
        docker(&[
            "run",
            "-d",
            "-t",
            "--privileged",
            "--security-opt",
            "seccomp=unconfined",
            "--tmpfs",
            "/tmp",
            "--tmpfs",
            "/run",
            "-v",
            "/lib/modules:/lib/modules:ro",
            "--hostname",
            name,
            "--name",
            name,
            "--label",
            CREATED,
            "--label",
            &named,
            "--label",
            "role.minikube.sigs.k8s.io=",
            "--label",
            &mode,
            "--network",
            network,
            "--ip",
            &self.address(),
            "--volume",
            &var,
            "--security-opt",
            "apparmor=unconfined",
            &memory,
            &cpus,
            "-e",
            "container=docker",
            "--expose",
            "8443",
            "--publish=127.0.0.1::8443",
            "--publish=127.0.0.1::22",
            "--publish=127.0.0.1::2376",
            "--publish=127.0.0.1::5000",
            "--publish=127.0.0.1::32443",
            image,
        ])
        .map_err(Stop::provision)?;
        Ok(())
    }

    /// Starts the container that is there.
    pub(crate) fn start(&self) -> Result<(), Stop> {
        docker(&["start", &self.name]).map(drop).map_err(Stop::provision)
    }

    /// Stops it and leaves it there.
    pub(crate) fn stop(&self) -> Result<(), Stop> {
        docker(&["stop", "--time=60", &self.name])
            .map(drop)
            .map_err(Stop::guest)
    }

    /// Removes everything that carries the profile's label.
    pub(crate) fn delete(&self) -> Result<(), Stop> {
        let filter = format!("label=name.minikube.sigs.k8s.io={}", self.name);
        for (kind, list, remove) in [
            (
                "container",
                ["ls", "--all", "--quiet"].as_slice(),
                ["rm", "-f", "-v"].as_slice(),
            ),
            ("volume", &["ls", "--quiet"], &["rm", "-f"]),
            ("network", &["ls", "--quiet"], &["rm"]),
        ] {
            let found = docker(&[&[kind], list, &["--filter", &filter]].concat());
            for id in found.map_err(Stop::engine)?.lines() {
                docker(&[&[kind], remove, &[id]].concat()).map_err(Stop::guest)?;
            }
        }
        Ok(())
    }

    /// Runs a command in the node.
    pub(crate) fn run(&self, command: &[&str]) -> Result<String, String> {
        docker(&[&["exec", "--privileged", self.name.as_str()], command].concat())
    }

    /// Runs a shell script in the node.
    pub(crate) fn sh(&self, script: &str) -> Result<String, String> {
        self.run(&["/bin/sh", "-euc", script])
    }

    /// Writes a file in the node.
    pub(crate) fn write(&self, path: &str, content: &str) -> Result<(), String> {
        let script = format!("mkdir -p \"$(dirname {path})\" && cat >{path}");
        let exec = [
            "exec",
            "-i",
            "--privileged",
            &self.name,
            "/bin/sh",
            "-euc",
            &script,
        ];
        docker_with(&exec, content.as_bytes()).map(drop)
    }

    /// Copies a file of the host into the node.
    pub(crate) fn copy(&self, from: &std::path::Path, to: &str) -> Result<(), String> {
        let directory = to.rsplit_once('/').map_or("/", |(directory, _)| directory);
        self.run(&["mkdir", "-p", directory])?;
        docker(&["cp", &from.to_string_lossy(), &format!("{}:{to}", self.name)]).map(drop)
    }

    /// Repeats a script in the node until it succeeds; gives its last complaint
    /// when it does not in time.
    pub(crate) fn wait(&self, script: &str, limit: Duration) -> Result<String, String> {
        let start = Instant::now();
        loop {
            match self.sh(script) {
                Ok(output) => return Ok(output),
                Err(error) if start.elapsed() > limit || !self.is_running() => return Err(error),
                Err(_) => sleep(Duration::from_millis(300)),
            }
        }
    }
}
