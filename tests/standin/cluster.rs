//! What runs in a node once it holds everything.

use crate::images::{self, Runtime};
use crate::kubeadm;
use crate::node::Node;
use crate::report::Report;
use crate::stop::Stop;
use std::time::Duration;

/// How far a node can be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// Up to the node's runtime, and one workload in it.
    Runtime,
    /// To a Ready cluster.
    Kubernetes,
}

/// A cluster in a node.
pub(crate) struct Cluster<'a> {
    pub(crate) node: &'a Node,
    pub(crate) runtime: Runtime,
    pub(crate) version: &'a str,
}

impl Cluster<'_> {
    /// Real Kubernetes needs a node with systemd and containerd's CRI: the
    /// sample node has neither, and Debian no adapter from CRI to Docker.
    pub(crate) fn depth(&self) -> Depth {
        let is_sample = self.node.sh("grep -q sample /version.json").is_ok();
        if is_sample || self.runtime == Runtime::Docker {
            Depth::Runtime
        } else {
            Depth::Kubernetes
        }
    }

    /// Starts the node's runtime and gives its version.
    pub(crate) fn start_runtime(&self) -> Result<String, Stop> {
        let script = match self.runtime {
            // As minikube sets it up: by a driver of its own Docker keeps images outside of
            // containerd, also the one that would not; crictl, where it is the real one, asks
            // cri-dockerd.
            Runtime::Docker => {
                "grep -qs overlay2 /etc/docker/daemon.json || {
                    mkdir -p /etc/docker
                    echo '{\"storage-driver\":\"overlay2\"}' >/etc/docker/daemon.json
                    systemctl -q stop docker.socket docker
                }
                systemctl start docker
                [ ! -e /usr/bin/cri-dockerd ] || {
                    systemctl start cri-docker.socket
                    echo 'runtime-endpoint: unix:///run/cri-dockerd.sock' >/etc/crictl.yaml
                }"
            }
            Runtime::Containerd => {
                "systemctl -q stop docker.socket docker
                pause=$(ctr -n=k8s.io images ls -q 2>/dev/null | grep /pause: | head -n 1) || true
                [ -z \"$pause\" ] || sed -i \"s#sandbox_image = .*#sandbox_image = \\\"$pause\\\"#\" /etc/containerd/config.toml
                systemctl restart containerd"
            }
        };
        let limit = Duration::from_secs(60);
        self.node
            .wait(
                "systemctl -q is-active containerd || systemctl start containerd",
                limit,
            )
            .and_then(|_| self.node.sh(script))
            .and_then(|_| self.node.wait(self.runtime.version_script(), limit))
            .map_err(|error| Stop::runtime(format!("the node's {}: {error}", self.runtime.name())))
    }

    /// Starts what can run here.
    pub(crate) fn start(&self, required: &[String], report: &mut Report) -> Result<(), Stop> {
        match self.depth() {
            Depth::Runtime => self.start_workload(required, report),
            Depth::Kubernetes if self.node.sh("test -e /etc/kubernetes/admin.conf").is_ok() => {
                kubeadm::restart(self.node, self.version, report)
            }
            Depth::Kubernetes => kubeadm::init(self.node, self.version, report),
        }
    }

    /// Runs a carried image, one that Kubernetes itself does not need, and asks
    /// it for an answer.
    fn start_workload(&self, required: &[String], report: &mut Report) -> Result<(), Stop> {
        report.warning(
            "This is the stand-in of minikube-offline's tests: there is no Kubernetes in this node, only its container runtime with every image",
        );
        report.step(17, "Verifying Kubernetes", "Verifying Kubernetes components...");
        let names = images::names(self.node, self.runtime).map_err(Stop::runtime)?;
        let Some(workload) = names.iter().find(|name| !required.contains(name)) else {
            report.info("no image was carried beyond Kubernetes' own: no workload to run");
            return Ok(());
        };
        let run = match self.runtime {
            Runtime::Containerd => format!(
                "ctr -n=k8s.io tasks rm -f workload || true
                ctr -n=k8s.io containers rm workload || true
                ctr -n=k8s.io run -d --net-host {workload} workload"
            ),
            Runtime::Docker => format!(
                "docker rm -f workload || true
                docker run -d --network=host --name=workload {workload}"
            ),
        };
        let ask = "test -z \"$(command -v curl)\" || exec curl -fsS http://127.0.0.1:8080/
            wget -q -O - http://127.0.0.1:8080/";
        let answer = self
            .node
            .sh(&format!("( {run} ) 2>&1"))
            .and_then(|_| self.node.wait(ask, Duration::from_secs(20)))
            .map_err(|error| Stop::guest(format!("workload {workload}: {error}")))?;
        report.info(&format!("{workload} runs in the node and answers: {answer}"));
        Ok(())
    }

    /// Stops what runs here, and the node.
    pub(crate) fn stop(&self) -> Result<(), Stop> {
        if self.node.is_running() && self.depth() == Depth::Kubernetes {
            kubeadm::stop(self.node)?;
        }
        self.node.stop()
    }

    /// Whether what runs here answers.
    pub(crate) fn is_up(&self) -> bool {
        self.node.is_running()
            && match self.depth() {
                Depth::Kubernetes => kubeadm::is_up(self.node, self.version),
                Depth::Runtime => self.node.sh(self.runtime.version_script()).is_ok(),
            }
    }
}
