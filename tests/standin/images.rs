//! The images in the node: what must be there, what is, and how it gets there.

use crate::cache::Cached;
use crate::node::Node;
use crate::stop::Stop;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// minikube's own addon, on by default.
pub(crate) const PROVISIONER: &str = "gcr.io/k8s-minikube/storage-provisioner:v5";

/// A container runtime of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runtime {
    Containerd,
    Docker,
}

impl Runtime {
    pub(crate) fn parse(name: &str) -> Result<Self, Stop> {
        match name {
            "containerd" => Ok(Self::Containerd),
            "docker" => Ok(Self::Docker),
            other => Err(Stop::usage(format!(
                "the stand-in has no container runtime {other}"
            ))),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Containerd => "containerd",
            Self::Docker => "docker",
        }
    }

    /// The version that the node's runtime answers with.
    pub(crate) fn version_script(self) -> &'static str {
        match self {
            Self::Containerd => "ctr version >/dev/null && containerd --version | awk '{ print $3 }'",
            Self::Docker => "docker version --format '{{.Server.Version}}'",
        }
    }
}

/// What the given kubeadm wants, and the storage provisioner.
pub(crate) fn required(kubeadm: &Path, version: &str) -> Result<Vec<String>, Stop> {
    let output = Command::new(kubeadm)
        .args(["config", "images", "list", "--kubernetes-version", version])
        .output()
        .map_err(|error| Stop::guest(format!("{}: {error}", kubeadm.display())))?;
    list(&String::from_utf8_lossy(&output.stdout))
}

/// The same, asked of the kubeadm in the node.
pub(crate) fn required_by_node(node: &Node, version: &str) -> Result<Vec<String>, Stop> {
    let kubeadm = format!("/var/lib/minikube/binaries/{version}/kubeadm");
    let output = node
        .run(&[
            &kubeadm,
            "config",
            "images",
            "list",
            "--kubernetes-version",
            version,
        ])
        .map_err(Stop::guest)?;
    list(&output)
}

fn list(output: &str) -> Result<Vec<String>, Stop> {
    let mut images: Vec<String> = output
        .lines()
        .map(str::trim)
        .filter(|line| line.contains('/') && line.contains(':') && !line.contains(' '))
        .map(str::to_owned)
        .collect();
    if images.is_empty() {
        return Err(Stop::guest("kubeadm config images list: no images"));
    }
    images.push(PROVISIONER.to_owned());
    Ok(images)
}

/// Every name that the node's runtime has an image for.
pub(crate) fn names(node: &Node, runtime: Runtime) -> Result<Vec<String>, String> {
    let list = match runtime {
        Runtime::Containerd => node.run(&["ctr", "-n=k8s.io", "images", "ls", "-q"])?,
        Runtime::Docker => node.run(&["docker", "images", "--format", "{{.Repository}}:{{.Tag}}"])?,
    };
    Ok(list
        .lines()
        .filter(|name| !name.starts_with("sha256:"))
        .map(str::to_owned)
        .collect())
}

/// The id of an image in the node.
pub(crate) fn id(node: &Node, runtime: Runtime, reference: &str) -> Option<String> {
    if runtime == Runtime::Docker {
        return node
            .run(&["docker", "image", "inspect", "--format", "{{.Id}}", reference])
            .ok();
    }
    let script = format!(
        "ctr -n=k8s.io images ls name=={} | awk 'NR == 2 {{ print $3 }}'",
        full_name(reference)
    );
    let mut digest = node.sh(&script).ok().filter(|digest| !digest.is_empty())?;
    // An index, the manifest in it, and there the configuration: its digest is the id.
    for _ in 0..3 {
        let content = node.run(&["ctr", "-n=k8s.io", "content", "get", &digest]).ok()?;
        let content: Value = serde_json::from_str(&content).ok()?;
        if let Some(id) = content["config"]["digest"].as_str() {
            return Some(id.to_owned());
        }
        content["manifests"][0]["digest"]
            .as_str()?
            .clone_into(&mut digest);
    }
    None
}

/// The name under which containerd keeps a reference.
fn full_name(reference: &str) -> String {
    match reference.split_once('/') {
        None => format!("docker.io/library/{reference}"),
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => reference.to_owned(),
        Some(_) => format!("docker.io/{reference}"),
    }
}

/// Loads a cached image as minikube does: copies the archive into the node, and
/// gives it to the runtime there.
pub(crate) fn load(node: &Node, runtime: Runtime, image: &Path) -> Result<(), Stop> {
    let name = image.file_name().unwrap_or_default().to_string_lossy();
    let file = format!("/var/lib/minikube/images/{name}");
    let load: &[&str] = match runtime {
        Runtime::Containerd => &["ctr", "-n=k8s.io", "images", "import", &file],
        Runtime::Docker => &["docker", "load", "-i", &file],
    };
    node.copy(image, &file)
        .and_then(|()| node.run(load))
        .map(drop)
        .map_err(|error| Stop::provision(format!("Unable to load cached images: {error}")))
}

/// Checks that the node holds every image, and those from the cache by id.
pub(crate) fn check(
    node: &Node,
    runtime: Runtime,
    references: &[String],
    cached: &[Cached],
) -> Result<(), Stop> {
    for reference in references {
        let found = id(node, runtime, reference).ok_or_else(|| {
            Stop::provision(format!("the node has no image {reference}: it would be pulled"))
        })?;
        let expected = cached.iter().find(|image| image.reference == *reference);
        if let Some(expected) = expected.filter(|image| image.id != found) {
            return Err(Stop::provision(format!(
                "the node's image {reference} is {found}, the cached one {}",
                expected.id
            )));
        }
    }
    Ok(())
}
