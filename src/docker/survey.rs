//! What else the engine has on this machine: networks, and nodes of minikube.

use super::{Engine, EngineError};
use crate::host::Subnet;

/// A node of minikube that runs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MinikubeNode {
    /// Its profile.
    pub profile: String,
    /// The most memory that it may use, in bytes; 0 for all.
    pub memory_bytes: u64,
}

/// What minikube puts on each container that it makes. Source: minikube v1.38.1,
/// `drivers/kic/oci/types.go`, `CreatedByLabelKey` and `ProfileLabelKey`.
const CREATED: &str = "label=created_by.minikube.sigs.k8s.io=true";
const NODE: &str = r#"{{index .Config.Labels "name.minikube.sigs.k8s.io"}} {{.HostConfig.Memory}}"#;

impl Engine {
    /// The IPv4 ranges of the engine's networks, with the networks' names.
    pub fn subnets(&self) -> Result<Vec<(String, Subnet)>, EngineError> {
        let ids = self.request(&["network", "ls", "--quiet"])?.stdout;
        let format = "{{.Name}}{{range .IPAM.Config}} {{.Subnet}}{{end}}";
        let mut arguments = vec!["network", "inspect", "--format", format];
        arguments.extend(ids.split_whitespace());
        if arguments.len() == 4 {
            return Ok(Vec::new());
        }
        Ok(parse_subnets(&self.request(&arguments)?.stdout))
    }

    /// The nodes of minikube that run.
    pub fn minikube_nodes(&self) -> Result<Vec<MinikubeNode>, EngineError> {
        let ids = self
            .request(&["container", "ls", "--quiet", "--filter", CREATED])?
            .stdout;
        let mut arguments = vec!["container", "inspect", "--format", NODE];
        arguments.extend(ids.split_whitespace());
        if arguments.len() == 4 {
            return Ok(Vec::new());
        }
        Ok(parse_nodes(&self.request(&arguments)?.stdout))
    }
}

fn parse_subnets(text: &str) -> Vec<(String, Subnet)> {
    text.lines()
        .flat_map(|line| {
            let mut words = line.split_whitespace();
            let name = words.next().unwrap_or_default();
            // IPv6 ranges are none of ours.
            words.filter_map(move |word| Some((name.to_owned(), word.parse().ok()?)))
        })
        .collect()
}

fn parse_nodes(text: &str) -> Vec<MinikubeNode> {
    text.lines()
        .filter_map(|line| {
            let (profile, memory) = line.trim().rsplit_once(' ')?;
            Some(MinikubeNode {
                profile: profile.to_owned(),
                memory_bytes: memory.parse().ok()?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clients_answers_are_read() {
        let text = "bridge 172.17.0.0/16\nhost\nboth fd00::/64 192.168.49.0/24\n";
        let subnets: Vec<String> = parse_subnets(text)
            .iter()
            .map(|(name, subnet)| format!("{name} {subnet}"))
            .collect();
        assert_eq!(subnets, ["bridge 172.17.0.0/16", "both 192.168.49.0/24"]);
        let nodes = parse_nodes("minikube 3221225472\n0\n");
        assert_eq!(nodes.len(), 1);
        assert_eq!(
            (nodes[0].profile.as_str(), nodes[0].memory_bytes),
            ("minikube", 3 << 30)
        );
    }
}
