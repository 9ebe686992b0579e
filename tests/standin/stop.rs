//! Why a command stops: with minikube's own exit codes and names.

/// The end of a command that did not do what it was asked for.
#[derive(Debug)]
pub(crate) struct Stop {
    pub(crate) code: u8,
    pub(crate) id: &'static str,
    pub(crate) message: String,
    pub(crate) advice: String,
}

impl Stop {
    fn new(code: u8, id: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            id,
            message: message.into(),
            advice: String::new(),
        }
    }

    /// A command line that minikube, or this stand-in, does not take.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(14, "MK_USAGE", message)
    }

    /// Too little memory was asked for.
    pub(crate) fn memory(message: impl Into<String>) -> Self {
        Self::new(23, "RSRC_INSUFFICIENT_REQ_MEMORY", message)
    }

    /// Too few processors were asked for.
    pub(crate) fn cores(message: impl Into<String>) -> Self {
        Self::new(29, "RSRC_INSUFFICIENT_CORES", message)
    }

    /// minikube would ask the network, and there is none.
    pub(crate) fn network(message: impl Into<String>) -> Self {
        Self::new(40, "K8S_FAIL_CONNECT", message)
    }

    /// A proxy that an air-gapped start must not see.
    pub(crate) fn proxy(message: impl Into<String>) -> Self {
        Self::new(40, "INET_PROXY", message)
    }

    /// No engine, or none that answers.
    pub(crate) fn engine(message: impl Into<String>) -> Self {
        Self::new(55, "DRV_DOCKER_NOT_RUNNING", message)
    }

    /// Root without `--force`.
    pub(crate) fn root() -> Self {
        let message = "The \"docker\" driver should not be used with root privileges.";
        Self::new(57, "DRV_AS_ROOT", message)
    }

    /// The node could not be made, or lacks what it needs.
    pub(crate) fn provision(message: impl Into<String>) -> Self {
        Self::new(80, "GUEST_PROVISION", message)
    }

    /// The node is there, but Kubernetes did not come up in it.
    pub(crate) fn guest(message: impl Into<String>) -> Self {
        Self::new(80, "GUEST_START", message)
    }

    /// There is no such profile.
    pub(crate) fn no_profile(name: &str) -> Self {
        Self::new(85, "GUEST_NOT_FOUND", format!("Profile \"{name}\" not found."))
    }

    /// The node's runtime does not answer.
    pub(crate) fn runtime(message: impl Into<String>) -> Self {
        Self::new(90, "RUNTIME_ENABLE", message)
    }

    /// The profile exists with another Kubernetes version.
    pub(crate) fn version(message: impl Into<String>) -> Self {
        Self::new(106, "K8S_DOWNGRADE_UNSUPPORTED", message)
    }

    /// Adds what minikube would advise.
    pub(crate) fn advise(mut self, advice: &str) -> Self {
        advice.clone_into(&mut self.advice);
        self
    }
}
