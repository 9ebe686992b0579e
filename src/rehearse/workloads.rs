//! Whether everything in the cluster is ready, and why not.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::Value;

/// Something that is to become ready.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Workload {
    /// `Deployment`, `StatefulSet`, `DaemonSet`, `Job` or `Pod`.
    pub kind: String,
    /// The namespace and the name.
    pub name: String,
    /// Why it is not ready; `None` when it is.
    pub waiting_for: Option<String>,
    /// Waiting longer changes nothing.
    pub hopeless: bool,
}

/// Reads what `kubectl get deployments,statefulsets,daemonsets,jobs,pods -A -o json` printed.
pub(super) fn parse(text: &str) -> Option<Vec<Workload>> {
    let list: Value = serde_json::from_str(text).ok()?;
    Some(
        list.get("items")?
            .as_array()?
            .iter()
            .filter_map(workload)
            .collect(),
    )
}

/// The names of pods that have an address of their own, by that address.
pub(super) fn addresses(text: &str) -> BTreeMap<IpAddr, String> {
    let list: Value = serde_json::from_str(text).unwrap_or_default();
    let items = list["items"].as_array().cloned().unwrap_or_default();
    let pods = items.iter().filter(|item| {
        item["kind"] == "Pod" && item["spec"]["hostNetwork"] != true && item["status"]["podIP"].is_string()
    });
    pods.filter_map(|pod| Some((pod["status"]["podIP"].as_str()?.parse().ok()?, name_of(pod))))
        .collect()
}

fn name_of(item: &Value) -> String {
    let text = |key: &str| item["metadata"][key].as_str().unwrap_or_default();
    format!("{}/{}", text("namespace"), text("name"))
}

fn workload(item: &Value) -> Option<Workload> {
    let kind = item["kind"].as_str()?;
    let number = |value: &Value, default| value.as_u64().unwrap_or(default);
    let (spec, status) = (&item["spec"], &item["status"]);
    let (wanted, there) = match kind {
        "Deployment" | "StatefulSet" => (number(&spec["replicas"], 1), number(&status["readyReplicas"], 0)),
        "DaemonSet" => (
            number(&status["desiredNumberScheduled"], 0),
            number(&status["numberReady"], 0),
        ),
        "Job" => (number(&spec["completions"], 1), number(&status["succeeded"], 0)),
        _ => (0, 0),
    };
    let (waiting_for, hopeless) = match kind {
        "Pod" => pod(item)?,
        "Deployment" | "StatefulSet" | "DaemonSet" | "Job" if there < wanted => {
            (Some(format!("{there} of {wanted} are ready")), false)
        }
        _ => (None, false),
    };
    Some(Workload {
        kind: kind.to_owned(),
        name: name_of(item),
        waiting_for,
        hopeless,
    })
}

/// Whether the container of this name asks the registry although the node has its image.
fn pulls_always(pod: &Value, name: &Value) -> bool {
    let containers = ["initContainers", "containers"].map(|key| pod["spec"][key].as_array());
    let mut containers = containers.into_iter().flatten().flatten();
    containers.any(|container| container["name"] == *name && container["imagePullPolicy"] == "Always")
}

/// Why a pod is not ready; `None` for one that its Job has replaced.
fn pod(item: &Value) -> Option<(Option<String>, bool)> {
    let status = &item["status"];
    let conditions = status["conditions"].as_array().cloned().unwrap_or_default();
    let condition = |kind: &str| conditions.iter().find(|condition| condition["type"] == kind);
    let ready = condition("Ready").is_some_and(|condition| condition["status"] == "True");
    if ready || status["phase"] == "Succeeded" {
        return Some((None, false));
    }
    if status["phase"] == "Failed" && item["metadata"]["ownerReferences"][0]["kind"] == "Job" {
        return None;
    }
    let statuses = ["initContainerStatuses", "containerStatuses"].map(|key| status[key].as_array().cloned());
    for container in statuses.into_iter().flatten().flatten() {
        let image = container["image"].as_str().unwrap_or_default();
        let waiting = container["state"]["waiting"]["reason"]
            .as_str()
            .unwrap_or_default();
        if waiting.contains("ImagePull") || waiting == "ErrImageNeverPull" || waiting == "InvalidImageName" {
            let why = if pulls_always(item, &container["name"]) {
                "is pulled at run time: its imagePullPolicy is Always"
            } else {
                "is not in the bundle"
            };
            return Some((Some(format!("{waiting}: the image `{image}` {why}")), true));
        }
        for state in ["state", "lastState"] {
            let ended = &container[state]["terminated"];
            let reason = ended["reason"].as_str().unwrap_or_default();
            if reason == "OOMKilled" {
                return Some((
                    Some("OOMKilled: it needs more memory than there is".to_owned()),
                    true,
                ));
            }
            if !reason.is_empty() && reason != "Completed" {
                let code = ended["exitCode"].as_i64().unwrap_or_default();
                return Some((
                    Some(format!("its container ended with exit code {code} ({reason})")),
                    false,
                ));
            }
        }
    }
    if let Some(scheduled) = condition("PodScheduled").filter(|condition| condition["status"] == "False") {
        let message = scheduled["message"].as_str().unwrap_or("no node takes it");
        return Some((Some(message.to_owned()), message.contains("Insufficient")));
    }
    let message = condition("Ready").and_then(|condition| condition["message"].as_str());
    Some((
        Some(message.unwrap_or("it has not started yet").to_owned()),
        false,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(item: &str) -> Workload {
        let text = format!(r#"{{"kind":"List","items":[{item}]}}"#);
        parse(&text).expect("a list").remove(0)
    }

    #[test]
    fn each_kind_is_ready_in_its_way() {
        for (item, reason) in [
            (
                r#"{"kind":"Deployment","spec":{"replicas":2},"status":{"readyReplicas":2}}"#,
                None,
            ),
            (
                r#"{"kind":"Deployment","spec":{"replicas":2},"status":{}}"#,
                Some("0 of 2 are ready"),
            ),
            (
                r#"{"kind":"StatefulSet","spec":{},"status":{}}"#,
                Some("0 of 1 are ready"),
            ),
            (
                r#"{"kind":"DaemonSet","status":{"desiredNumberScheduled":3,"numberReady":1}}"#,
                Some("1 of 3 are ready"),
            ),
            (
                r#"{"kind":"Job","spec":{"completions":1},"status":{"succeeded":1}}"#,
                None,
            ),
            (r#"{"kind":"Pod","status":{"phase":"Succeeded"}}"#, None),
            (
                r#"{"kind":"Pod","status":{"phase":"Pending"}}"#,
                Some("it has not started yet"),
            ),
        ] {
            assert_eq!(one(item).waiting_for.as_deref(), reason, "{item}");
        }
    }

    #[test]
    fn an_image_that_is_not_aboard_is_named() {
        let pod = one(
            r#"{"kind":"Pod","metadata":{"namespace":"a","name":"b"},"status":{"containerStatuses":[
                {"image":"x:1","state":{"waiting":{"reason":"ImagePullBackOff"}}}]}}"#,
        );
        assert_eq!(pod.name, "a/b");
        assert!(pod.hopeless);
        let reason = "ImagePullBackOff: the image `x:1` is not in the bundle";
        assert_eq!(pod.waiting_for.as_deref(), Some(reason));
    }

    #[test]
    fn an_image_that_is_always_pulled_is_named() {
        let pod = one(
            r#"{"kind":"Pod","spec":{"containers":[{"name":"c","imagePullPolicy":"Always"}]},"status":{"containerStatuses":[
                {"name":"c","image":"x:1","state":{"waiting":{"reason":"ErrImagePull"}}}]}}"#,
        );
        let reason = "ErrImagePull: the image `x:1` is pulled at run time: its imagePullPolicy is Always";
        assert_eq!(pod.waiting_for.as_deref(), Some(reason));
    }

    #[test]
    fn only_pods_with_an_address_of_their_own_are_named_by_it() {
        let text = r#"{"items":[
            {"kind":"Pod","metadata":{"namespace":"a","name":"b"},"spec":{},"status":{"podIP":"10.244.0.3"}},
            {"kind":"Pod","metadata":{"namespace":"k","name":"h"},"spec":{"hostNetwork":true},"status":{"podIP":"192.168.49.2"}}]}"#;
        let pods = addresses(text);
        assert_eq!(pods, BTreeMap::from([([10, 244, 0, 3].into(), "a/b".to_owned())]));
    }
}
