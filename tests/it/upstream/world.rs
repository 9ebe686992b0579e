//! Servers with upstream's layout, and packs from them.

use std::fmt::Write as _;
use std::fs;
use std::sync::{Arc, Mutex};

use minikube_offline::bundle::{Arch, Digest, Platform};
use serde_json::{Value, json};

use crate::support::authority::Authority;
use crate::support::parts::{elf, stand_in};
use crate::support::program::{Outcome, Sandbox};
use crate::support::registry::{Draft, Registry};
use crate::support::server::{Reply, Seen, Server};
use crate::support::stripped;

pub(super) const VERSION: &str = "v1.37.2";

/// The tag of kindnet that the world's minikube names.
pub(super) const KINDNETD: &str = "v20260213-ea8e5717";

/// The images of the networks that the world's minikube has manifests of, as v1.38.1 names
/// them.
pub(super) const NETWORKS: [(&str, &[&str]); 3] = [
    (
        "calico",
        &[
            "quay.io/calico/cni:v3.31.3",
            "quay.io/calico/kube-controllers:v3.31.3",
            "quay.io/calico/node:v3.31.3",
        ],
    ),
    (
        "cilium",
        &[
            "quay.io/cilium/cilium:v1.19.0",
            "quay.io/cilium/cilium-envoy:v1.35.9-1768828720-c6e4827ebca9c47af2a3a6540c563c30947bae29",
            "quay.io/cilium/operator-generic:v1.19.0",
        ],
    ),
    (
        "flannel",
        &[
            "ghcr.io/flannel-io/flannel:v0.28.1",
            "ghcr.io/flannel-io/flannel-cni-plugin:v1.9.0-flannel1",
        ],
    ),
];

/// The image of `--ha` that the world's minikube names, as v1.38.1 does.
pub(super) const KUBE_VIP: &str = "ghcr.io/kube-vip/kube-vip:v1.0.4";

/// Where the world has minikube's list of its releases.
pub(super) const LIST: &str = "/minikube/releases-v2.json";

/// Content by path.
type Files = Vec<(String, Vec<u8>)>;

/// Servers with upstream's layout, in one: `dl.k8s.io`, minikube's releases, and the
/// registries.
pub(super) struct World {
    pub(super) server: Server,
    files: Arc<Mutex<Files>>,
    /// What its minikube says of the network's side.
    answers: Value,
    /// The lines with images of its manifests.
    manifests: String,
}

impl World {
    pub(super) fn new() -> Self {
        Self::with(|_, reply| reply)
    }

    /// A world whose answers pass through `change`.
    pub(super) fn with(change: impl Fn(&Seen, Reply) -> Reply + Send + Sync + 'static) -> Self {
        Self::build(None, change)
    }

    /// A world in which Kubernetes' programs and images are signed by `authority`'s signer.
    pub(super) fn build(
        authority: Option<&Authority>,
        change: impl Fn(&Seen, Reply) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let arch = Platform::of_this_machine().expect("a platform").arch;
        let mut registry = Registry::default();
        let other = other(arch);
        add_kubernetes(&mut registry, [arch, other], authority);
        let kicbase = registry.add(
            "k8s-minikube/kicbase",
            "v0.0.51",
            &[arch, other].map(|arch| Draft::new(arch, "kicbase")),
        );
        registry.copy("k8s-minikube/kicbase", "hub/kicbase/stable");
        let hello = registry.add(
            "k8s/hello",
            "1",
            &[arch, other].map(|arch| Draft::new(arch, "hello")),
        );
        registry.add(
            "hub/kindest/kindnetd",
            KINDNETD,
            &[arch, other].map(|arch| Draft::new(arch, "kindnetd")),
        );
        let manifests = add_networks(&mut registry, [arch, other]);
        let answers = answers(kicbase, hello);
        let name = arch.name();
        let words = ["stable-1.37", "stable"];
        let mut files = Files::from(words.map(|word| (format!("/release/{word}.txt"), VERSION.into())));
        for role in ["kubeadm", "kubelet", "kubectl"] {
            let path = format!("/release/{VERSION}/bin/linux/{name}/{role}");
            files.push((path, kubernetes_program(role)));
            let path = format!("/release/{VERSION}/bin/linux/{}/{role}", other.name());
            files.push((path, elf(other.elf_machine(), role)));
        }
        files.extend(minikubes("v1.39.0", &manifests, &answers));
        let sums: Vec<_> = files
            .iter()
            .filter(|(path, _)| !path.contains(".txt"))
            .map(|(path, bytes)| {
                (
                    format!("{path}.sha256"),
                    format!("{}\n", Digest::of(bytes).hex()).into_bytes(),
                )
            })
            .collect();
        if let Some(authority) = authority {
            let programs = files.iter().filter(|(path, _)| path.contains("/bin/linux/"));
            let signed = programs.flat_map(|(path, bytes)| {
                [
                    (format!("{path}.sig"), authority.sign(bytes).into_bytes()),
                    (
                        format!("{path}.cert"),
                        authority.published_certificate().into_bytes(),
                    ),
                ]
            });
            let signed: Vec<_> = signed.collect();
            files.extend(signed);
        }
        files.extend(sums);
        let files = Arc::new(Mutex::new(files));
        let shared = Arc::clone(&files);
        let server = Server::start(move |seen: &Seen| {
            let files = shared.lock().expect("no panic");
            let reply = match files.iter().find(|(path, _)| *path == seen.target) {
                Some((_, bytes)) => Reply::file(seen, bytes, "\"1\""),
                None => registry.answer(seen),
            };
            drop(files);
            change(seen, reply)
        });
        let world = Self {
            server,
            files,
            answers,
            manifests,
        };
        world.list_releases(&["v1.39.0"]);
        world
    }

    pub(super) fn change(&self, path_end: &str, change: impl Fn(&mut Vec<u8>)) {
        let mut files = self.files.lock().expect("no panic");
        for (path, bytes) in files.iter_mut().filter(|(path, _)| path.ends_with(path_end)) {
            let _ = path;
            change(bytes);
        }
    }

    /// Its minikubes do not have `text` any more, and nothing says what these programs
    /// should be.
    pub(super) fn unname(&self, text: &str) {
        self.remove(LIST);
        for arch in ["amd64", "arm64"] {
            self.change(&format!("minikube-linux-{arch}"), |program| {
                while let Some(start) = program
                    .windows(text.len())
                    .position(|bytes| bytes == text.as_bytes())
                {
                    program[start..start + text.len()].fill(b'#');
                }
            });
            self.remove(&format!("minikube-linux-{arch}.sha256"));
        }
    }

    pub(super) fn remove(&self, path_end: &str) {
        self.files
            .lock()
            .expect("no panic")
            .retain(|(path, _)| !path.ends_with(path_end));
    }

    /// The SHA-256 of a file, as a checksum beside it has it.
    pub(super) fn sum_of(&self, path_end: &str) -> String {
        let files = self.files.lock().expect("no panic");
        let mut found = files.iter().filter(|(path, _)| path.ends_with(path_end));
        let (_, bytes) = found.next().expect("a file");
        format!("{}\n", Digest::of(bytes).hex())
    }

    /// Puts another minikube among the releases, with its checksums, that has these releases
    /// of Kubernetes. It stands in no list yet.
    pub(super) fn add_minikube(&self, version: &str, kubernetes: &[&str]) {
        self.add_minikube_with(version, kubernetes, "v5");
    }

    /// The same with this tag of the storage provisioner.
    pub(super) fn add_minikube_with(&self, version: &str, kubernetes: &[&str], provisioner: &str) {
        let mut answers = self.answers.clone();
        let image = format!("gcr.io/k8s-minikube/storage-provisioner:{provisioner}");
        answers["addons"]["storage-provisioner"] = json!([image]);
        answers["version"] = version.into();
        answers["kubernetes"] = kubernetes.into();
        let programs = minikubes(version, &self.manifests, &answers);
        let sums = programs.iter().map(|(path, bytes)| {
            let sum = format!("{}\n", Digest::of(bytes).hex());
            (format!("{path}.sha256"), sum.into_bytes())
        });
        let sums: Files = sums.collect();
        self.files
            .lock()
            .expect("no panic")
            .extend(programs.into_iter().chain(sums));
    }

    /// Lists these releases, in this order, with the checksums of the programs that are there.
    pub(super) fn list_releases(&self, versions: &[&str]) {
        let mut files = self.files.lock().expect("no panic");
        files.retain(|(path, _)| path != LIST);
        let entries = versions.iter().map(|version| {
            let mut checksums = json!({});
            for arch in Arch::ALL {
                let wanted = format!("/minikube/{version}/minikube-linux-{}", arch.name());
                if let Some((_, program)) = files.iter().find(|(path, _)| *path == wanted) {
                    checksums[arch.name()] = json!({ "darwin": "0", "linux": Digest::of(program).hex() });
                }
            }
            json!({ "checksums": checksums, "name": version })
        });
        let list = Value::Array(entries.collect());
        files.push((LIST.to_owned(), list.to_string().into_bytes()));
    }

    pub(super) fn pack(&self, sandbox: &Sandbox, version: &str, more: &[&str]) -> Outcome {
        sandbox.packager(self.arguments(version, more))
    }

    /// The same with flags that had to be put together.
    pub(super) fn pack_also(&self, sandbox: &Sandbox, own: &[String], more: &[&str]) -> Outcome {
        let own = own.iter().map(String::as_str);
        let flags: Vec<&str> = own.chain(more.iter().copied()).collect();
        self.pack(sandbox, VERSION, &flags)
    }

    /// Resolves what a pack with the same flags would take.
    pub(super) fn resolve(&self, sandbox: &Sandbox, version: &str, more: &[&str]) -> Outcome {
        let mut arguments = self.arguments(version, more);
        arguments.retain(|argument| !argument.starts_with("--stub="));
        "resolve".clone_into(&mut arguments[0]);
        sandbox.packager(arguments)
    }

    /// The packager's arguments to pack from this world into `x.run`.
    pub(super) fn arguments(&self, version: &str, more: &[&str]) -> Vec<String> {
        let host = self.server.host();
        let mut arguments = vec![
            "pack".to_owned(),
            format!("--kubernetes-version={version}"),
            format!("--binary-upstream={}", self.server.url("/release")),
            format!("--release-upstream={}/", self.server.url("/minikube")),
            format!("--registry-upstream=registry.k8s.io={host}/k8s"),
            format!("--registry-upstream=gcr.io={host}"),
            format!("--registry-upstream=docker.io={host}/hub"),
            format!("--registry-upstream=ghcr.io={host}/ghcr.io"),
            format!("--registry-upstream=quay.io={host}/quay.io"),
            format!("--insecure-registry={host}"),
            format!("--stub={}", stripped::stub().display()),
            "-o=x.run".to_owned(),
        ];
        arguments.extend(more.iter().map(ToString::to_string));
        arguments
    }
}

/// The image for `arch`. Some configs have the building machine's instead: that of
/// `storage-provisioner:v5` (minikube's issue 10402), and once etcd's (kubernetes#99656).
fn draft(arch: Arch, repository: &str) -> Draft {
    let is_mislabelled = ["k8s/etcd", "k8s-minikube/storage-provisioner"].contains(&repository);
    if !is_mislabelled || arch == Arch::Amd64 {
        return Draft::new(arch, repository);
    }
    Draft {
        config_arch: Arch::Amd64,
        ..Draft::new(arch, &format!("{repository} {}", arch.name()))
    }
}

/// What the world's minikube says of the network's side.
fn answers(kicbase: Digest, hello: Digest) -> Value {
    json!({
        "version": "v1.39.0",
        "kubernetes": ["v1.37.0", "v1.36.2", "v1.35.6", "v1.28.0"],
        "kindnet": format!("kindnetd:{KINDNETD}"),
        "node_image": format!("gcr.io/k8s-minikube/kicbase:v0.0.51@{kicbase}"),
        "addons": {
            "default-storageclass": [],
            "greeter": [format!("registry.k8s.io/hello:1@{hello}")],
            "storage-provisioner": ["gcr.io/k8s-minikube/storage-provisioner:v5"],
            "traefik": [],
        },
    })
}

/// The architecture that this machine does not have.
pub(super) fn other(arch: Arch) -> Arch {
    let mut all = Arch::ALL.into_iter();
    all.find(|other| *other != arch).expect("there are two")
}

/// The images of Kubernetes, and minikube's provisioner; those of Kubernetes signed.
fn add_kubernetes(registry: &mut Registry, archs: [Arch; 2], authority: Option<&Authority>) {
    for (repository, tag) in [
        ("k8s/kube-apiserver", VERSION),
        ("k8s/kube-controller-manager", VERSION),
        ("k8s/kube-scheduler", VERSION),
        ("k8s/kube-proxy", VERSION),
        ("k8s/coredns/coredns", "v1.14.6"),
        ("k8s/pause", "3.10.2"),
        ("k8s/etcd", "3.7.0-0"),
        ("k8s-minikube/storage-provisioner", "v5"),
        ("k8s-minikube/storage-provisioner", "v5.0.1"),
    ] {
        let drafts = archs.map(|arch| draft(arch, repository));
        let digest = registry.add(repository, tag, &drafts);
        if let (Some(authority), true) = (authority, repository.starts_with("k8s/")) {
            registry.sign(repository, digest, authority);
        }
    }
}

/// Puts the networks' images into the registry; gives the lines that name them, as minikube
/// v1.38.1's manifests have them.
fn add_networks(registry: &mut Registry, archs: [Arch; 2]) -> String {
    let mut manifests = String::new();
    let of_ha: (&str, &[&str]) = ("ha", &[KUBE_VIP]);
    for (_, images) in NETWORKS.into_iter().chain([of_ha]) {
        for (host, image) in images.iter().map(|image| image.split_once('/').expect("a host")) {
            let (repository, tag) = image.split_once(':').expect("a tag");
            let repository = format!("{host}/{repository}");
            let drafts = archs.map(|arch| Draft::new(arch, &repository));
            let digest = registry.add(&repository, tag, &drafts);
            let _ = if repository.contains("cilium") {
                writeln!(manifests, "        image: \"{host}/{image}@{digest}\"")
            } else {
                writeln!(manifests, "        image: {host}/{image}")
            };
        }
    }
    manifests
}

/// A minikube for each architecture, by path; that of this machine gives these answers.
fn minikubes(version: &str, manifests: &str, answers: &Value) -> Files {
    let own = Platform::of_this_machine().expect("a platform").arch;
    let of = |arch: Arch| {
        let path = format!("/minikube/{version}/minikube-linux-{}", arch.name());
        let program = if arch == own {
            let program = fs::read(stand_in()).expect("the stand-in");
            [
                &program[..],
                format!("\n{manifests}\nstandin-answers {answers}").as_bytes(),
            ]
            .concat()
        } else {
            elf(arch.elf_machine(), &format!("minikube {version}"))
        };
        (path, program)
    };
    Arch::ALL.map(of).into()
}

/// The stand-in with a mark, so that no two programs are the same file, as a program of this
/// Kubernetes.
pub(super) fn kubernetes_program(role: &str) -> Vec<u8> {
    let program = fs::read(stand_in()).expect("the stand-in");
    let answers = format!(
        "{role}\nstandin-answers {}",
        json!({ "kubernetes_version": VERSION })
    );
    [&program[..], answers.as_bytes()].concat()
}
