//! A profile: what minikube remembers of a cluster, in `config.json`.

use crate::home::Home;
use crate::images::Runtime;
use crate::node::Node;
use crate::stop::Stop;
use serde_json::{Value, json};
use std::fs;

/// The fields of a profile that the stand-in itself needs.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) runtime: Runtime,
    pub(crate) base_image: String,
    pub(crate) cpus: u32,
    pub(crate) memory_mb: u32,
    /// How many nodes there are by now.
    pub(crate) nodes: usize,
}

impl Profile {
    /// Reads a profile; nothing when there is none.
    pub(crate) fn load(home: &Home, name: &str) -> Option<Self> {
        let config = Self::config(home, name)?;
        let kubernetes = &config["KubernetesConfig"];
        Some(Self {
            name: name.to_owned(),
            version: kubernetes["KubernetesVersion"].as_str()?.to_owned(),
            runtime: Runtime::parse(kubernetes["ContainerRuntime"].as_str()?).ok()?,
            base_image: config["KicBaseImage"].as_str()?.to_owned(),
            cpus: u32::try_from(config["CPUs"].as_u64()?).ok()?,
            memory_mb: u32::try_from(config["Memory"].as_u64()?).ok()?,
            nodes: config["Nodes"].as_array()?.len(),
        })
    }

    /// Its nodes, the first one first.
    pub(crate) fn all_nodes(&self) -> impl DoubleEndedIterator<Item = Node> + '_ {
        (1..=self.nodes).map(|number| Node::numbered(&self.name, number))
    }

    /// The flag of an earlier start.
    pub(crate) fn flag(&self, name: &str) -> Option<&str> {
        match name {
            "base-image" => Some(&self.base_image),
            "cni" => Some("bridge"),
            "container-runtime" => Some(self.runtime.name()),
            "driver" => Some("docker"),
            "kubernetes-version" => Some(&self.version),
            _ => None,
        }
    }

    /// The whole `config.json`.
    pub(crate) fn config(home: &Home, name: &str) -> Option<Value> {
        let config = fs::read(home.profile(name).join("config.json")).ok()?;
        serde_json::from_slice(&config).ok()
    }

    /// Reads a profile that must exist.
    pub(crate) fn open(home: &Home, name: &str) -> Result<Self, Stop> {
        Self::load(home, name).ok_or_else(|| Stop::no_profile(name))
    }

    /// The names of all profiles, in order.
    pub(crate) fn names(home: &Home) -> Vec<String> {
        let directories = fs::read_dir(home.profiles()).into_iter().flatten().flatten();
        let mut names: Vec<String> = directories
            .map(|directory| directory.file_name().to_string_lossy().into_owned())
            .filter(|name| Self::load(home, name).is_some())
            .collect();
        names.sort();
        names
    }

    /// Writes `config.json`, with the fields of minikube's that say something.
    pub(crate) fn save(&self, home: &Home) -> Result<(), Stop> {
        let (socket, cni) = match self.runtime {
            Runtime::Containerd => ("unix:///run/containerd/containerd.sock", "bridge"),
            Runtime::Docker => ("/var/run/cri-dockerd.sock", ""),
        };
        let node = |number: usize| {
            json!({
                "Name": if number == 1 { String::new() } else { format!("m{number:02}") },
                "IP": Node::numbered(&self.name, number).address(),
                "Port": 8443,
                "KubernetesVersion": self.version,
                "ContainerRuntime": self.runtime.name(),
                "ControlPlane": number == 1,
                "Worker": true,
            })
        };
        let config = json!({
            "Name": self.name,
            "KeepContext": false,
            "EmbedCerts": false,
            "MinikubeISO": "",
            "KicBaseImage": self.base_image,
            "Memory": self.memory_mb,
            "CPUs": self.cpus,
            "DiskSize": 20000,
            "Driver": "docker",
            "APIServerPort": 8443,
            "KubernetesConfig": {
                "KubernetesVersion": self.version,
                "ClusterName": self.name,
                "Namespace": "default",
                "APIServerHAVIP": "",
                "APIServerName": "minikubeCA",
                "DNSDomain": "cluster.local",
                "ContainerRuntime": self.runtime.name(),
                "CRISocket": socket,
                "NetworkPlugin": "cni",
                "ServiceCIDR": "10.96.0.0/12",
                "ImageRepository": "",
                "ShouldLoadCachedImages": true,
                "CNI": cni,
            },
            "Nodes": (1..=self.nodes).map(node).collect::<Vec<_>>(),
            "Addons": { "default-storageclass": true, "storage-provisioner": true },
            "MultiNodeRequested": self.nodes > 1,
        });
        let directory = home.profile(&self.name);
        let content = serde_json::to_vec_pretty(&config).unwrap_or_default();
        fs::create_dir_all(&directory)
            .and_then(|()| fs::create_dir_all(home.machine(&self.name)))
            .and_then(|()| fs::write(directory.join("config.json"), content))
            .map_err(|error| Stop::provision(format!("{}: {error}", directory.display())))
    }

    /// Forgets the profile.
    pub(crate) fn delete(home: &Home, name: &str) {
        for directory in [home.profile(name), home.machine(name)] {
            fs::remove_dir_all(directory).ok();
        }
    }
}
