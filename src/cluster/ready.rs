//! When the nodes are ready.

use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::ClusterError;
use crate::bundle::BinaryRole;
use crate::explain::{Explain, Explanation, Kind};
use crate::host::{Command, interrupt};
use crate::install::Session;
use crate::minikube::without_proxies;

/// minikube has waited for the same already: this is for the moments after.
const PATIENCE: Duration = Duration::from_secs(180);

/// Nodes that do not become ready.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadyError {
    /// The cluster does not answer.
    #[error("the cluster `{profile}` does not answer{said}")]
    NoAnswer {
        /// The profile.
        profile: String,
        /// What kubectl said.
        said: String,
    },
    /// Some nodes are there and not ready.
    #[error("these nodes of `{profile}` are not ready: {}", nodes.join(", "))]
    NotReady {
        /// The profile.
        profile: String,
        /// Each with the reason that it gives.
        nodes: Vec<String>,
    },
}

impl Explain for ReadyError {
    fn explain(&self) -> Explanation {
        let (Self::NoAnswer { profile, .. } | Self::NotReady { profile, .. }) = self;
        let hint = format!(
            "`minikube -p {profile} kubectl -- get pods -A` shows what does not run, `docker exec {profile} journalctl -u kubelet -n 50` what the node says; the same command again waits again"
        );
        Kind::Cluster.hint(hint)
    }
}

/// One node.
#[derive(Debug)]
struct Node {
    name: String,
    /// Why it is not ready; `None` when it is.
    waiting_for: Option<String>,
}

/// Waits until every node of the profile is ready, and gives their names.
pub(crate) fn wait(session: &Session, profile: &str) -> Result<Vec<String>, ClusterError> {
    let until = Instant::now() + PATIENCE;
    // The cluster is on this machine, whatever proxy leads out of it.
    let command = without_proxies(
        Command::installed(&session.layout.program(BinaryRole::Kubectl))
            .args(["--context", profile, "--request-timeout=10s"])
            // The raw path: kubectl then writes no cache of the API into the home.
            .args(["get", "--raw", "/api/v1/nodes"])
            .timeout(Duration::from_secs(30)),
    );
    loop {
        interrupt::check()?;
        let output = command.run()?;
        let nodes = output.success().then(|| parse(&output.stdout)).flatten();
        let error = match nodes {
            Some(nodes) if !nodes.is_empty() => {
                let waiting: Vec<String> = nodes
                    .iter()
                    .filter_map(|node| Some(format!("{}: {}", node.name, node.waiting_for.as_ref()?)))
                    .collect();
                if waiting.is_empty() {
                    return Ok(nodes.into_iter().map(|node| node.name).collect());
                }
                ReadyError::NotReady {
                    profile: profile.to_owned(),
                    nodes: waiting,
                }
            }
            _ => ReadyError::NoAnswer {
                profile: profile.to_owned(),
                said: output
                    .stderr
                    .lines()
                    .last()
                    .map_or_else(String::new, |line| format!(": {line}")),
            },
        };
        if Instant::now() >= until {
            return Err(error.into());
        }
        thread::sleep(Duration::from_millis(500));
    }
}

/// Reads a `NodeList`. Source: Kubernetes API, `core/v1`.
fn parse(text: &str) -> Option<Vec<Node>> {
    #[derive(Deserialize)]
    struct List {
        items: Vec<Item>,
    }
    #[derive(Deserialize)]
    struct Item {
        metadata: Metadata,
        #[serde(default)]
        status: Status,
    }
    #[derive(Deserialize)]
    struct Metadata {
        name: String,
    }
    #[derive(Default, Deserialize)]
    struct Status {
        #[serde(default)]
        conditions: Vec<Condition>,
    }
    #[derive(Deserialize)]
    struct Condition {
        #[serde(rename = "type")]
        kind: String,
        status: String,
        #[serde(default)]
        message: String,
    }
    let list: List = serde_json::from_str(text).ok()?;
    let node = |item: Item| {
        let ready = item
            .status
            .conditions
            .into_iter()
            .find(|condition| condition.kind == "Ready");
        Node {
            name: item.metadata.name,
            waiting_for: match ready {
                Some(condition) if condition.status == "True" => None,
                Some(condition) => Some(condition.message),
                None => Some("it has not told yet".to_owned()),
            },
        }
    };
    Some(list.items.into_iter().map(node).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_says_why_it_is_not_ready() {
        let nodes = parse(
            r#"{"kind":"List","items":[
                {"metadata":{"name":"a"},"status":{"conditions":[{"type":"DiskPressure","status":"False"},{"type":"Ready","status":"True","message":"ok"}]}},
                {"metadata":{"name":"b"},"status":{"conditions":[{"type":"Ready","status":"False","message":"no network"}]}},
                {"metadata":{"name":"c"},"status":{}}]}"#,
        )
        .expect("list");
        let waiting: Vec<Option<&str>> = nodes.iter().map(|node| node.waiting_for.as_deref()).collect();
        assert_eq!(waiting, [None, Some("no network"), Some("it has not told yet")]);
        assert!(parse("error").is_none());
    }
}
