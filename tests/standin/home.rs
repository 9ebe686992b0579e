//! minikube's directory and the names of the files in it.

use std::env;
use std::path::{Path, PathBuf};

/// The directory `.minikube`.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    path: PathBuf,
}

impl Home {
    /// `$MINIKUBE_HOME` if it is called `.minikube`, else `.minikube` in it;
    /// without the variable, `.minikube` in the user's home.
    pub(crate) fn from_env() -> Self {
        let given = env::var_os("MINIKUBE_HOME").filter(|home| !home.is_empty());
        let user = env::var_os("HOME").unwrap_or_else(|| "/".into());
        let path = PathBuf::from(given.unwrap_or(user));
        let is_itself = path.file_name().is_some_and(|name| name == ".minikube");
        Self {
            path: if is_itself { path } else { path.join(".minikube") },
        }
    }

    pub(crate) fn profiles(&self) -> PathBuf {
        self.path.join("profiles")
    }

    pub(crate) fn profile(&self, name: &str) -> PathBuf {
        self.profiles().join(name)
    }

    pub(crate) fn machine(&self, name: &str) -> PathBuf {
        self.path.join("machines").join(name)
    }

    pub(crate) fn last_start(&self) -> PathBuf {
        self.path.join("logs/lastStart.txt")
    }

    pub(crate) fn settings(&self) -> PathBuf {
        self.path.join("config/config.json")
    }

    /// The cached kubeadm, kubelet and kubectl of a Kubernetes version.
    pub(crate) fn binaries(&self, version: &str) -> PathBuf {
        self.path.join("cache/linux").join(architecture()).join(version)
    }

    /// The cached archive of an image: every colon of its name becomes `_`.
    pub(crate) fn image(&self, reference: &str) -> PathBuf {
        self.path
            .join("cache/images")
            .join(architecture())
            .join(reference.replace(':', "_"))
    }
}

/// The file that names the clusters: the first in `$KUBECONFIG`.
pub(crate) fn kubeconfig() -> PathBuf {
    let list = env::var("KUBECONFIG").unwrap_or_default();
    match list.split(':').find(|path| !path.is_empty()) {
        Some(path) => PathBuf::from(path),
        None => Path::new(&env::var_os("HOME").unwrap_or_else(|| "/".into())).join(".kube/config"),
    }
}

/// The machine's architecture as Kubernetes calls it.
pub(crate) fn architecture() -> &'static str {
    match env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
