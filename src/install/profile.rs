//! What minikube wrote of a profile.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::host::FileError;

/// A profile's configuration. Source: minikube v1.38.1, `pkg/minikube/config/types.go`,
/// `ClusterConfig`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "PascalCase", default)]
pub struct ProfileConfig {
    /// What the node runs on: `docker`.
    pub driver: String,
    /// What runs in it.
    pub kubernetes_config: KubernetesConfig,
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
    /// The folder of a profile.
    #[must_use]
    pub fn folder(minikube_home: &Path, profile: &str) -> PathBuf {
        minikube_home.join("profiles").join(profile)
    }

    /// Reads a profile's configuration; `None` where minikube has no such profile, or
    /// was killed before it wrote it.
    pub fn load(minikube_home: &Path, profile: &str) -> Result<Option<Self>, FileError> {
        let path = Self::folder(minikube_home, profile).join("config.json");
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
            r#"{"Name":"minikube","Driver":"docker","Memory":2200,"KubernetesConfig":{"KubernetesVersion":"v1.35.4","ContainerRuntime":"containerd","CNI":"bridge"}}"#,
        )
        .expect("config");
        assert_eq!(config.driver, "docker");
        assert_eq!(config.kubernetes_config.container_runtime, "containerd");
    }
}
