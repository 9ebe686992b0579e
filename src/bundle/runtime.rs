//! Container runtimes that a node can run.

use super::text::{named_values, serde_as_text};

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

named_values!(ContainerRuntime, RuntimeError: "`{0}` is not a supported container runtime (docker or containerd)");

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
