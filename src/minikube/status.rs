//! How minikube sees the nodes of a profile.

use serde::Deserialize;

use super::Minikube;
use crate::host::ProcessError;

/// How a node does, in minikube's words: `Running`, `Stopped`, `Nonexistent`, …
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "PascalCase")]
pub struct NodeStatus {
    /// Its name.
    pub name: String,
    /// The container.
    pub host: String,
    /// The kubelet.
    pub kubelet: String,
    /// The API server.
    #[serde(rename = "APIServer")]
    pub api_server: String,
    /// Whether kubectl finds the cluster: `Configured`, `Misconfigured`, …
    #[serde(default)]
    pub kubeconfig: String,
}

impl NodeStatus {
    /// Whether its container, its kubelet and, on a control plane, its API server run.
    #[must_use]
    pub fn runs(&self) -> bool {
        let api_server = ["Running", "Irrelevant"].contains(&self.api_server.as_str());
        self.host == "Running" && self.kubelet == "Running" && api_server
    }

    /// Whether kubectl does not find it: `minikube start` writes that again.
    #[must_use]
    pub fn is_out_of_kubeconfig(&self) -> bool {
        self.kubeconfig == "Misconfigured"
    }
}

impl Minikube {
    /// The profile's nodes.
    pub(crate) fn nodes(&self, profile: &str) -> Result<Vec<NodeStatus>, ProcessError> {
        Ok(parse(&self.status(profile).run()?.stdout))
    }
}

/// An object for one node, an array for several.
fn parse(text: &str) -> Vec<NodeStatus> {
    let text = text.trim();
    serde_json::from_str::<NodeStatus>(text)
        .map(|node| vec![node])
        .or_else(|_| serde_json::from_str(text))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_node_and_several_are_read() {
        let node = r#"{"Name":"minikube","Host":"Stopped","Kubelet":"Stopped","APIServer":"Stopped","Kubeconfig":"Stopped","Worker":false}"#;
        let nodes = parse(node);
        assert!(!nodes[0].is_out_of_kubeconfig());
        let lost = node.replace(r#""Kubeconfig":"Stopped""#, r#""Kubeconfig":"Misconfigured""#);
        assert!(parse(&lost)[0].is_out_of_kubeconfig());
        assert_eq!(nodes[0].host, "Stopped");
        assert_eq!(parse(&format!("[{node},{node}]")).len(), 2);
        assert!(parse("* Profile \"x\" not found").is_empty());
    }
}
