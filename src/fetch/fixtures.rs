//! Small parts for tests: programs, archives, layouts.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::download::fetch_by_asking;
use super::resolve::{Resolver, Then};
use super::{FetchError, Parts};
use crate::bundle::{Arch, Digest, Platform};
use crate::explain::{Explain, Explanation, Kind};
use crate::host::{Ask, AskError};
use crate::progress::{Progress, Silent};
use crate::spec::{ImageSource, PartialSpec, Spec};

/// The least 64-bit program for `arch`: a header, one segment header over the whole
/// file, and `content`.
pub(super) fn elf(arch: Arch, content: &[u8]) -> Vec<u8> {
    let mut file = b"\x7fELF\x02\x01\x01".to_vec();
    file.resize(120, 0);
    file[16] = 2;
    file[18..20].copy_from_slice(&arch.elf_machine().to_le_bytes());
    file[32] = 64;
    (file[54], file[56]) = (56, 1);
    file.extend_from_slice(content);
    let size = file.len() as u64;
    file[96..104].copy_from_slice(&size.to_le_bytes());
    file
}

/// A tar of these files; a name with ` -> ` in it is a symbolic link.
pub(super) fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        if let Some((name, target)) = name.split_once(" -> ") {
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_size(0);
            builder.append_link(&mut header, name, target).expect("memory");
        } else {
            header.set_size(content.len() as u64);
            builder.append_data(&mut header, name, *content).expect("memory");
        }
    }
    builder.into_inner().expect("memory")
}

/// A config for these uncompressed layers.
pub(super) fn config(arch: Arch, layers: &[&[u8]]) -> Vec<u8> {
    let diff_ids: Vec<Digest> = layers.iter().map(|layer| Digest::of(layer)).collect();
    let config = json!({
        "architecture": arch.name(),
        "os": "linux",
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
    });
    config.to_string().into_bytes()
}

/// What `docker save` writes for one image with one layer.
pub(super) fn docker_archive(tags: &[&str], layer: &[u8]) -> Vec<u8> {
    docker_archive_for(Arch::Amd64, tags, layer)
}

/// The same for an architecture.
pub(super) fn docker_archive_for(arch: Arch, tags: &[&str], layer: &[u8]) -> Vec<u8> {
    let config = config(arch, &[layer]);
    let name = format!("{}.json", Digest::of(&config).hex());
    let manifest = json!([{ "Config": name, "RepoTags": tags, "Layers": ["layer/layer.tar"] }]);
    tar(&[
        (&name, &config),
        ("layer/layer.tar", layer),
        ("manifest.json", manifest.to_string().as_bytes()),
    ])
}

/// `bytes` as gzip writes them.
pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// An OCI layout that is being written.
pub(super) struct LayoutWriter {
    pub(super) directory: PathBuf,
}

impl LayoutWriter {
    pub(super) fn new(directory: &Path) -> Self {
        fs::create_dir_all(directory.join("blobs/sha256")).expect("directory");
        fs::write(directory.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).expect("file");
        Self {
            directory: directory.to_owned(),
        }
    }

    /// Writes a blob; gives its descriptor.
    pub(super) fn blob(&self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = Digest::of(bytes);
        fs::write(self.directory.join("blobs/sha256").join(digest.hex()), bytes).expect("file");
        json!({ "mediaType": media_type, "digest": digest, "size": bytes.len() })
    }

    /// Writes an image with one gzip layer; gives its manifest's descriptor.
    pub(super) fn image(&self, arch: Arch, layer: &[u8]) -> Value {
        let layer_type = "application/vnd.oci.image.layer.v1.tar+gzip";
        let stored = self.blob(layer_type, &gzip(layer));
        self.manifest(&config(arch, &[layer]), &[stored])
    }

    /// Writes a manifest; gives its descriptor.
    pub(super) fn manifest(&self, config: &[u8], layers: &[Value]) -> Value {
        let config = self.blob("application/vnd.oci.image.config.v1+json", config);
        let manifest = json!({ "schemaVersion": 2, "config": config, "layers": layers });
        self.blob(
            "application/vnd.oci.image.manifest.v1+json",
            manifest.to_string().as_bytes(),
        )
    }

    /// Writes an index as a blob; gives its descriptor.
    pub(super) fn nested(&self, manifests: &[Value]) -> Value {
        let index = json!({ "schemaVersion": 2, "manifests": manifests });
        self.blob(
            "application/vnd.oci.image.index.v1+json",
            index.to_string().as_bytes(),
        )
    }

    /// Writes `index.json`.
    pub(super) fn finish(&self, manifests: &[Value]) {
        let index = json!({ "schemaVersion": 2, "manifests": manifests });
        fs::write(self.directory.join("index.json"), index.to_string()).expect("file");
    }
}

/// The layout as a tar, with `more` files.
pub(super) fn layout_tar(layout: &LayoutWriter, more: &[(&str, &[u8])]) -> Vec<u8> {
    let mut files: Vec<(String, Vec<u8>)> = ["oci-layout", "index.json"]
        .map(|name| {
            (
                name.to_owned(),
                fs::read(layout.directory.join(name)).expect("file"),
            )
        })
        .into();
    for blob in fs::read_dir(layout.directory.join("blobs/sha256")).expect("directory") {
        let blob = blob.expect("entry");
        let name = format!("blobs/sha256/{}", blob.file_name().to_string_lossy());
        files.push((name, fs::read(blob.path()).expect("file")));
    }
    let files = files
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    tar(&files.chain(more.iter().copied()).collect::<Vec<_>>())
}

/// `descriptor` with the annotation that has an image's name or tag.
pub(super) fn named(mut descriptor: Value, name: &str) -> Value {
    descriptor["annotations"] = json!({ "org.opencontainers.image.ref.name": name });
    descriptor
}

/// `descriptor` with a platform.
pub(super) fn on(mut descriptor: Value, arch: &str) -> Value {
    descriptor["platform"] = json!({ "os": "linux", "architecture": arch });
    descriptor
}

pub(super) const VERSION: &str = "v1.37.2";
pub(super) const NODE: &str = "gcr.io/k8s-minikube/kicbase:v0.0.51";
pub(super) const PAUSE: &str = "registry.k8s.io/pause:3.10.2";
pub(super) const PROVISIONER: &str = "gcr.io/k8s-minikube/storage-provisioner:v5";

pub(super) fn arch() -> Arch {
    Platform::of_this_machine().expect("amd64 or arm64").arch
}

pub(super) fn other_arch() -> Arch {
    if arch() == Arch::Amd64 {
        Arch::Arm64
    } else {
        Arch::Amd64
    }
}

/// Programs that answer as the real ones do; this Kubernetes needs one image.
#[expect(clippy::unnecessary_wraps, reason = "it stands for what can fail")]
pub(super) fn answers(program: &Path, arguments: &[&str]) -> Result<String, AskError> {
    let name = program.file_name().and_then(|name| name.to_str());
    Ok(match (name, arguments[0]) {
        (Some("kubeadm"), "config") => format!("{PAUSE}\n"),
        (Some("kubelet"), _) => format!("Kubernetes {VERSION}\n"),
        (Some("kubectl"), _) => format!(r#"{{"clientVersion":{{"gitVersion":"{VERSION}"}}}}"#),
        (Some("minikube"), _) => "v1.39.0\n".to_owned(),
        _ => format!("{VERSION}\n"),
    })
}

/// The parts of `spec`, all of which are here, by asking binaries by way of `ask`.
pub(super) fn gather(ask: Ask<'_>, spec: &Spec, progress: &dyn Progress) -> Result<Parts, FetchError> {
    let (upstream, then) = (None, Then::Fetch);
    let resolver = Resolver {
        spec,
        upstream,
        then,
        ask,
        progress,
    };
    fetch_by_asking(ask, resolver.plan()?, None, progress)
}

/// A directory with every part, by flags' names: `minikube`, `binaries`, `kicbase.tar`,
/// `pause.tar`, `provisioner.tar`.
pub(super) struct Site {
    pub(super) directory: TempDir,
}

impl Site {
    pub(super) fn new() -> Self {
        let site = Self {
            directory: tempfile::tempdir().expect("directory"),
        };
        for name in [
            "minikube",
            "binaries/kubeadm",
            "binaries/kubelet",
            "binaries/kubectl",
        ] {
            site.write(name, &elf(arch(), name.as_bytes()));
        }
        site.image("kicbase.tar", NODE, b"node");
        site.image("pause.tar", PAUSE, b"pause");
        site.image("provisioner.tar", PROVISIONER, b"provisioner");
        site
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(super) fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("parent")).expect("directory");
        fs::write(path, bytes).expect("file");
    }

    pub(super) fn image(&self, name: &str, tag: &str, layer: &[u8]) {
        self.write(name, &docker_archive_for(arch(), &[tag], layer));
    }

    pub(super) fn archive(&self, name: &str) -> ImageSource {
        ImageSource::DockerArchive {
            path: self.path(name),
            reference: None,
        }
    }

    pub(super) fn spec(&self) -> Spec {
        let spec = PartialSpec {
            kubernetes_version: Some(VERSION.parse().expect("version")),
            minikube: Some(vec![self.path("minikube")]),
            binaries: Some(vec![self.path("binaries")]),
            kicbase: Some(vec![self.archive("kicbase.tar")]),
            images: Some(vec![self.archive("pause.tar"), self.archive("provisioner.tar")]),
            ..PartialSpec::default()
        };
        spec.resolve().expect("spec")
    }

    /// The message, with this directory as `DIR`, and its kind.
    pub(super) fn refused(&self, spec: &Spec) -> (String, Kind) {
        let error = gather(&answers, spec, &Silent).expect_err("refused");
        let Explanation { kind, hints } = error.explain();
        assert!(!hints.concat().is_empty());
        let directory = self.directory.path().display().to_string();
        (error.to_string().replace(&directory, "DIR"), kind)
    }
}
