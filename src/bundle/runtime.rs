//! Container runtimes that a node can run.

use std::fmt;
use std::str::FromStr;

use super::text::serde_as_text;

/// The container runtime inside the node, by minikube's name for it. In text: `containerd`,
/// `docker`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ContainerRuntime {
    /// containerd.
    Containerd,
    /// Docker Engine with cri-dockerd.
    Docker,
}

impl ContainerRuntime {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Containerd, Self::Docker];

    /// The value of minikube's `--container-runtime`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Containerd => "containerd",
            Self::Docker => "docker",
        }
    }
}

/// Text that names no runtime which is supported.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a supported container runtime (docker or containerd)")]
pub struct RuntimeError(String);

impl fmt::Display for ContainerRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ContainerRuntime {
    type Err = RuntimeError;
    fn from_str(text: &str) -> Result<Self, RuntimeError> {
        Self::ALL
            .into_iter()
            .find(|runtime| runtime.name() == text)
            .ok_or_else(|| RuntimeError(text.to_owned()))
    }
}

serde_as_text!(ContainerRuntime);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_is_read_as_it_is_written() {
        for (runtime, name) in [
            (ContainerRuntime::Containerd, "containerd"),
            (ContainerRuntime::Docker, "docker"),
        ] {
            assert_eq!((runtime.name(), runtime.to_string().as_str()), (name, name));
            assert_eq!(name.parse::<ContainerRuntime>().expect("known"), runtime);
        }
        assert!("cri-o".parse::<ContainerRuntime>().is_err());
    }
}
