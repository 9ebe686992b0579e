//! Real Kubernetes in a node: the carried kubeadm, on the node's containerd.

use crate::images::{self, Runtime};
use crate::node::{ADDRESS, Node};
use crate::report::Report;
use crate::stop::Stop;
use serde_json::Value;
use std::time::Duration;

/// How long the pods may take: as long as minikube waits.
const LIMIT: Duration = Duration::from_secs(360);

/// Starts Kubernetes for the first time.
pub(crate) fn init(node: &Node, version: &str, report: &mut Report) -> Result<(), Stop> {
    let before = images::names(node, Runtime::Containerd).map_err(Stop::guest)?;
    let binaries = format!("/var/lib/minikube/binaries/{version}");
    let name = &node.name;
    let config = CONFIG
        .replace("@address@", ADDRESS)
        .replace("@name@", name)
        .replace("@version@", version);
    let unit = UNIT
        .replace("@address@", ADDRESS)
        .replace("@binaries@", &binaries)
        .replace("@name@", name);
    node.write("/var/tmp/minikube/kubeadm.yaml", &config)
        .and_then(|()| node.write("/etc/systemd/system/kubelet.service", &unit))
        .and_then(|()| node.sh("systemctl daemon-reload && systemctl -q enable kubelet"))
        .map_err(Stop::guest)?;
    name_control_plane(node)?;
    report.step(
        12,
        "Generating certificates",
        "Generating certificates and keys ...",
    );
    report.step(13, "Booting control plane", "Booting up control plane ...");
    let init = format!(
        "PATH={binaries}:$PATH kubeadm init --config /var/tmp/minikube/kubeadm.yaml --ignore-preflight-errors=all 2>&1"
    );
    let output = node.sh(&init).map_err(|error| {
        report.log('E', &error);
        Stop::guest(format!(
            "failed to start node: kubeadm init: {}",
            last_line(&error)
        ))
    })?;
    report.log('I', &output);
    report.step(14, "Configuring RBAC rules", "Configuring RBAC rules ...");
    report.step(
        15,
        "Configuring CNI",
        "Configuring bridge CNI (Container Networking Interface) ...",
    );
    // Only now, with kube-proxy's rules in place: a connection that CoreDNS tries
    // without them hangs for half a minute.
    let kubectl = format!("{binaries}/kubectl --kubeconfig /etc/kubernetes/admin.conf -n kube-system");
    let proxy = format!("{kubectl} wait --for=condition=Ready --timeout=5s pod -l k8s-app=kube-proxy");
    node.sh(&format!("{kubectl} scale deployment coredns --replicas=1"))
        .and_then(|_| node.wait(&proxy, LIMIT))
        .and_then(|_| node.wait("iptables-save | grep -q default/kubernetes:https", LIMIT))
        .and_then(|_| node.write("/etc/cni/net.d/1-k8s.conflist", BRIDGE))
        .map_err(Stop::guest)?;
    wait(node, version, report)?;
    let pulled: Vec<String> = images::names(node, Runtime::Containerd)
        .map_err(Stop::guest)?
        .into_iter()
        .filter(|name| !before.contains(name))
        .collect();
    if !pulled.is_empty() {
        return Err(Stop::guest(format!("images were pulled: {}", pulled.join(", "))));
    }
    Ok(())
}

/// Starts Kubernetes again in a node that was stopped.
pub(crate) fn restart(node: &Node, version: &str, report: &mut Report) -> Result<(), Stop> {
    name_control_plane(node)?;
    node.sh("systemctl start kubelet").map_err(Stop::guest)?;
    wait(node, version, report)
}

/// Stops what runs, so that the node can shut down at once.
pub(crate) fn stop(node: &Node) -> Result<(), Stop> {
    let script = "systemctl stop kubelet
        ctr -n=k8s.io tasks ls -q | xargs -r -n 1 ctr -n=k8s.io tasks kill -s SIGKILL -a";
    node.sh(script).map(drop).map_err(Stop::guest)
}

/// The engine writes /etc/hosts again whenever the container starts.
fn name_control_plane(node: &Node) -> Result<(), Stop> {
    let name = "control-plane.minikube.internal";
    let script = format!("grep -q {name} /etc/hosts || echo '{ADDRESS} {name}' >>/etc/hosts");
    node.sh(&script).map(drop).map_err(Stop::guest)
}

/// Waits until the node and every pod of Kubernetes' own is Ready.
pub(crate) fn wait(node: &Node, version: &str, report: &mut Report) -> Result<(), Stop> {
    report.step(17, "Verifying Kubernetes", "Verifying Kubernetes components...");
    let script = format!(
        "kubectl=\"/var/lib/minikube/binaries/{version}/kubectl --kubeconfig /etc/kubernetes/admin.conf\"
        $kubectl wait --for=condition=Ready --timeout=5s node --all >&2
        test \"$($kubectl -n kube-system get pods --no-headers | wc -l)\" -ge 6
        $kubectl -n kube-system wait --for=condition=Ready --timeout=5s pod --all >&2"
    );
    node.wait(&script, LIMIT).map(drop).map_err(|error| {
        report.log('E', &error);
        Stop::guest(format!("wait 6m0s for node: {}", last_line(&error)))
    })
}

/// The cluster's own kubeconfig, for its administrator.
pub(crate) fn admin(node: &Node, version: &str) -> Result<Value, Stop> {
    let kubectl = format!("/var/lib/minikube/binaries/{version}/kubectl");
    let view = [&kubectl, "config", "view", "--raw", "-o", "json"];
    let config = node
        .run(&[view.as_slice(), &["--kubeconfig", "/etc/kubernetes/admin.conf"]].concat())
        .map_err(Stop::guest)?;
    let mut config: Value =
        serde_json::from_str(&config).map_err(|error| Stop::guest(format!("admin.conf: {error}")))?;
    config["clusters"][0]["cluster"]["server"] = format!("https://{ADDRESS}:8443").into();
    Ok(config)
}

/// Whether the API server answers.
pub(crate) fn is_up(node: &Node, version: &str) -> bool {
    node.sh(&format!(
        "/var/lib/minikube/binaries/{version}/kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout=5s get --raw /readyz"
    ))
    .is_ok()
}

fn last_line(text: &str) -> &str {
    text.lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or(text)
}

const CONFIG: &str = include_str!("kubeadm.yaml");
const UNIT: &str = include_str!("kubelet.service");
const BRIDGE: &str = include_str!("bridge.conflist");
