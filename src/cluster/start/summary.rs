//! What a start leaves for the person to read.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::bundle::ContainerRuntime;
use crate::host::Environment;
use crate::minikube::Way;

/// A cluster that runs.
#[derive(Clone, Debug)]
pub struct Started {
    /// minikube's profile, which is also kubectl's context.
    pub profile: String,
    /// The Kubernetes release.
    pub kubernetes_version: String,
    /// The runtime in the node.
    pub container_runtime: ContainerRuntime,
    /// How the images came into the node.
    pub way: Way,
    /// The nodes, all ready.
    pub nodes: Vec<String>,
    /// How many images each has.
    pub images: usize,
    /// Where the bundle's manifests and other files are, if it has any.
    pub own_files: Option<PathBuf>,
    /// How many objects of the manifests the cluster took.
    pub objects: usize,
    /// How many applications are ready.
    pub applications: usize,
    /// What to type for minikube: its name, or its path where the name is not on PATH.
    pub minikube: String,
    /// What to type for kubectl.
    pub kubectl: String,
    /// minikube's directory.
    pub minikube_home: PathBuf,
    /// Whether a bare `minikube` uses that directory.
    pub minikube_home_is_default: bool,
    /// How long each stage took.
    pub timings: Vec<Timing>,
    /// Whether anything on the host is other than before.
    pub changed: bool,
    /// What the person should know.
    pub notes: Vec<String>,
}

/// How long a stage took.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// The stage.
    pub stage: &'static str,
    /// Its time.
    pub took: Duration,
}

impl Started {
    /// How long the start took.
    #[must_use]
    pub fn took(&self) -> Duration {
        super::total(&self.timings)
    }

    /// What to type next, one command each.
    #[must_use]
    pub fn next_commands(&self) -> Vec<String> {
        let home = if self.minikube_home_is_default {
            String::new()
        } else {
            format!("MINIKUBE_HOME={} ", self.minikube_home.display())
        };
        let profile = if self.profile == "minikube" {
            String::new()
        } else {
            format!(" -p {}", self.profile)
        };
        let Self {
            minikube, kubectl, ..
        } = self;
        vec![
            format!("{kubectl} --context {} get pods -A", self.profile),
            format!("{home}{minikube} status{profile}"),
            format!("{home}{minikube} stop{profile}"),
            // Without these two it looks for a preload in the network first.
            format!("{home}{minikube} start{profile} --preload=false --cache-images=false"),
        ]
    }
}

/// The program's name where typing it runs this very program, else its path.
pub(crate) fn command_name(program: &Path, links: &[PathBuf], environment: &Environment) -> String {
    let linked = links.iter().find(|link| link.file_name() == program.file_name());
    let first_on_path = program.file_name().and_then(|name| {
        environment
            .path_directories()
            .into_iter()
            .map(|directory| directory.join(name))
            .find(|path| path.exists())
    });
    match (linked, program.file_name()) {
        (Some(link), Some(name)) if first_on_path.as_ref() == Some(link) => {
            name.to_string_lossy().into_owned()
        }
        _ => program.display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_type_next_can_be_typed() {
        let started = Started {
            profile: "dev".into(),
            kubernetes_version: "v1.35.4".into(),
            container_runtime: ContainerRuntime::Docker,
            way: Way::Volume,
            nodes: vec!["dev".into()],
            images: 8,
            own_files: None,
            objects: 0,
            applications: 0,
            minikube: "minikube".into(),
            kubectl: "/home/ann/.local/share/minikube-offline/bin/kubectl".into(),
            minikube_home: "/data/.minikube".into(),
            minikube_home_is_default: false,
            timings: Vec::new(),
            changed: true,
            notes: Vec::new(),
        };
        assert_eq!(
            started.next_commands()[..3],
            [
                "/home/ann/.local/share/minikube-offline/bin/kubectl --context dev get pods -A",
                "MINIKUBE_HOME=/data/.minikube minikube status -p dev",
                "MINIKUBE_HOME=/data/.minikube minikube stop -p dev",
            ]
        );
    }

    #[test]
    fn a_program_that_is_not_on_the_path_is_named_in_full() {
        let program = Path::new("/opt/bin/minikube");
        let environment = Environment::of(&[("PATH", "/nowhere")], 0);
        assert_eq!(
            command_name(program, &["/nowhere/minikube".into()], &environment),
            "/opt/bin/minikube"
        );
    }
}
