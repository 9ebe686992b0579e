//! What minikube wrote of a profile.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::nodes::node_name;
use crate::host::FileError;

/// A profile's configuration. Source: minikube v1.38.1, `pkg/minikube/config/types.go`,
/// `ClusterConfig`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "PascalCase", default)]
pub struct ProfileConfig {
    /// What the node runs on: `docker`.
    pub driver: String,
    /// The image that its containers are made of.
    pub kic_base_image: String,
    /// What runs in it.
    pub kubernetes_config: KubernetesConfig,
    /// The nodes that minikube has made, or begun to make.
    pub nodes: Vec<NodeConfig>,
}

/// A node in a profile's configuration. Source: the same, `Node`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "PascalCase", default)]
pub struct NodeConfig {
    /// `m02`; of the first node it is empty.
    pub name: String,
}

/// The Kubernetes part of a profile's configuration.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "PascalCase", default)]
pub struct KubernetesConfig {
    /// The release: `v1.35.4`.
    pub kubernetes_version: String,
    /// The runtime: `docker`.
    pub container_runtime: String,
}

impl ProfileConfig {
    /// The names of the nodes, as their containers have them.
    #[must_use]
    pub fn node_names(&self, profile: &str) -> Vec<String> {
        let names = self.nodes.iter();
        let mut names: Vec<String> = names.map(|node| node_name(profile, &node.name)).collect();
        if names.is_empty() {
            names.push(profile.to_owned());
        }
        names
    }

    /// The directory of a profile.
    #[must_use]
    pub fn directory(minikube_home: &Path, profile: &str) -> PathBuf {
        minikube_home.join("profiles").join(profile)
    }

    /// Reads a profile's configuration; `None` where minikube has no such profile, or
    /// was killed before it wrote it.
    pub fn load(minikube_home: &Path, profile: &str) -> Result<Option<Self>, FileError> {
        let path = Self::directory(minikube_home, profile).join("config.json");
        match fs::read(&path) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(FileError::at("read", &path)(error)),
        }
    }

    /// The names of all profiles.
    #[must_use]
    pub fn names(minikube_home: &Path) -> Vec<String> {
        let Ok(entries) = fs::read_dir(minikube_home.join("profiles")) else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .flatten()
            .filter(|entry| entry.path().join("config.json").is_file())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort();
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minikubes_own_file_is_read() {
        let config: ProfileConfig = serde_json::from_str(
            r#"{"Name":"minikube","Driver":"docker","Memory":2200,"KubernetesConfig":{"KubernetesVersion":"v1.35.4","ContainerRuntime":"containerd","CNI":"bridge"},"Nodes":[{"Name":"","IP":"192.168.49.2"},{"Name":"m02"}]}"#,
        )
        .expect("config");
        assert_eq!(config.driver, "docker");
        assert_eq!(config.kubernetes_config.container_runtime, "containerd");
        assert_eq!(config.node_names("dev"), ["dev", "dev-m02"]);
        assert_eq!(ProfileConfig::default().node_names("dev"), ["dev"]);
    }
}
