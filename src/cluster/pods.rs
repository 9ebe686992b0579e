//! What keeps pods from being ready.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::bundle::BinaryRole;
use crate::host::{Command, shortened};
use crate::install::Layout;
use crate::minikube::without_proxies;

/// How many pods are named.
const SHOWN: usize = 5;

/// What is not ready in the namespace, a line for each pod: the state of a container, else the
/// last warning about the pod, such as of its probe or its volume. Nothing where nobody answers.
pub(super) fn waiting(layout: &Layout, profile: &str, namespace: &str) -> Vec<String> {
    let pods: List<Pod> = get(layout, profile, &format!("/api/v1/namespaces/{namespace}/pods"));
    let pods: Vec<&Pod> = pods.items.iter().filter(|pod| !pod.is_ready()).collect();
    if pods.is_empty() {
        return Vec::new();
    }
    let events = format!("/api/v1/namespaces/{namespace}/events?fieldSelector=type%3DWarning");
    let events: List<Event> = get(layout, profile, &events);
    // The later ones of a pod win.
    let events = events
        .items
        .iter()
        .map(|event| (event.object.name.as_str(), event));
    let warnings: BTreeMap<&str, &Event> = events.collect();
    let lines = pods.iter().take(SHOWN).map(|pod| {
        let warning = warnings.get(pod.metadata.name.as_str()).copied();
        shortened(&format!("pod {}: {}", pod.metadata.name, pod.reason(warning)))
    });
    let more = pods.len().saturating_sub(SHOWN);
    lines
        .chain((more > 0).then(|| format!("and {more} pods more")))
        .collect()
}

/// The list at this path of the API; an empty one where there is no answer.
fn get<T: DeserializeOwned>(layout: &Layout, profile: &str, path: &str) -> List<T> {
    let kubectl = Command::installed(&layout.program(BinaryRole::Kubectl))
        .args(["--context", profile, "--request-timeout=10s"])
        .args(["get", "--raw", path])
        .timeout(Duration::from_secs(30));
    let output = without_proxies(kubectl).run().ok();
    let list = output.and_then(|output| serde_json::from_str(&output.stdout).ok());
    list.unwrap_or(List { items: Vec::new() })
}

/// Source: Kubernetes API, `core/v1`.
#[derive(Deserialize)]
struct List<T> {
    items: Vec<T>,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "involvedObject")]
    object: Metadata,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct Pod {
    metadata: Metadata,
    #[serde(default)]
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    phase: String,
    conditions: Vec<Condition>,
    init_container_statuses: Vec<Container>,
    container_statuses: Vec<Container>,
}

#[derive(Deserialize)]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct Container {
    name: String,
    image: String,
    #[serde(default)]
    ready: bool,
    #[serde(default)]
    state: State,
}

#[derive(Default, Deserialize)]
struct State {
    waiting: Option<Reason>,
    terminated: Option<Reason>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reason {
    #[serde(default, rename = "reason")]
    word: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    exit_code: i32,
}

impl Pod {
    /// Whether it does its work, or has done it.
    fn is_ready(&self) -> bool {
        let is_ready = |condition: &Condition| condition.kind == "Ready" && condition.status == "True";
        self.status.phase == "Succeeded" || self.status.conditions.iter().any(is_ready)
    }

    /// Why it is not ready.
    fn reason(&self, warning: Option<&Event>) -> String {
        let status = &self.status;
        let containers = status
            .init_container_statuses
            .iter()
            .chain(&status.container_statuses);
        // Those behind an init container wait for it, and say no more than that.
        let telling = containers
            .filter(|container| !container.ready)
            .find_map(|container| {
                let Container {
                    name, image, state, ..
                } = container;
                let waiting = state.waiting.as_ref();
                let waiting =
                    waiting.filter(|it| !matches!(it.word.as_str(), "PodInitializing" | "ContainerCreating"));
                if let Some(Reason { word, message, .. }) = waiting {
                    return Some(format!(
                        "container {name} with image {image}: {}",
                        told(word, message)
                    ));
                }
                let ended = state.terminated.as_ref().filter(|it| it.exit_code != 0)?;
                let code = ended.exit_code;
                Some(format!(
                    "container {name} with image {image}: it ended with exit code {code}"
                ))
            });
        let unscheduled = status
            .conditions
            .iter()
            .find(|it| it.kind == "PodScheduled" && it.status == "False");
        telling
            .or_else(|| unscheduled.map(|condition| condition.message.clone()))
            .or_else(|| warning.map(|event| told(&event.reason, &event.message)))
            .unwrap_or_else(|| format!("it is {}", status.phase))
    }
}

/// A reason with its message, if it has one.
fn told(reason: &str, message: &str) -> String {
    match message.lines().next() {
        Some(line) => format!("{reason}: {line}"),
        None => reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_says_what_keeps_it_from_being_ready() {
        let pod = |status: &str| -> Pod {
            let text = format!(r#"{{"metadata":{{"name":"web"}},"status":{status}}}"#);
            serde_json::from_str(&text).expect("a pod")
        };
        let probe = Event {
            object: Metadata { name: "web".into() },
            reason: "Unhealthy".into(),
            message: "Readiness probe failed: HTTP probe failed with statuscode: 500".into(),
        };
        let running = r#"{"phase":"Running","conditions":[{"type":"Ready","status":"False"}],
            "containerStatuses":[{"name":"app","image":"a:1","state":{"running":{}}}]}"#;
        for (status, expected) in [
            (
                r#"{"phase":"Pending","containerStatuses":[{"name":"app","image":"a:1","ready":false,
                    "state":{"waiting":{"reason":"ImagePullBackOff","message":"Back-off pulling"}}}]}"#,
                "container app with image a:1: ImagePullBackOff: Back-off pulling",
            ),
            (
                r#"{"phase":"Pending","initContainerStatuses":[{"name":"first","image":"b:1",
                    "state":{"terminated":{"exitCode":3}}}],
                    "containerStatuses":[{"name":"app","image":"a:1","state":{"waiting":{"reason":"PodInitializing"}}}]}"#,
                "container first with image b:1: it ended with exit code 3",
            ),
            (
                r#"{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","message":"no volume"}]}"#,
                "no volume",
            ),
            (
                running,
                "Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 500",
            ),
        ] {
            let pod = pod(status);
            assert!(!pod.is_ready());
            assert_eq!(pod.reason(Some(&probe)), expected);
        }
        assert_eq!(pod(running).reason(None), "it is Running");
        assert!(pod(r#"{"phase":"Succeeded"}"#).is_ready());
        assert!(pod(r#"{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}"#).is_ready());
    }
}
