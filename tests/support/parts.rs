//! Parts for tests: an ELF header and noise for each program, a small archive for
//! each image. They are for linux/arm64, so that no machine of ours asks the
//! programs anything.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use minikube_offline::bundle::{Arch, Digest, Platform};
use serde_json::json;

use super::effort::Random;
use super::stripped::stripped;

/// The images that Kubernetes v1.34.0 needs, and minikube's own.
pub(crate) const IMAGES: [&str; 8] = [
    "registry.k8s.io/kube-apiserver:v1.34.0",
    "registry.k8s.io/kube-controller-manager:v1.34.0",
    "registry.k8s.io/kube-scheduler:v1.34.0",
    "registry.k8s.io/kube-proxy:v1.34.0",
    "registry.k8s.io/coredns/coredns:v1.12.1",
    "registry.k8s.io/pause:3.10.1",
    "registry.k8s.io/etcd:3.6.4-0",
    "gcr.io/k8s-minikube/storage-provisioner:v5",
];

/// The node image of minikube v1.38.1.
pub(crate) const NODE_IMAGE: &str = "gcr.io/k8s-minikube/kicbase:v0.0.50";

/// A directory with everything that a bundle needs.
pub(crate) struct SampleParts {
    directory: PathBuf,
}

impl SampleParts {
    /// Makes the parts in `directory`, the files in an order that `reversed` turns round.
    pub(crate) fn make(directory: &Path, reversed: bool) -> Self {
        fs::create_dir_all(directory.join("images")).expect("a directory");
        fs::create_dir_all(directory.join("binaries")).expect("a directory");
        let mut work: Vec<(bool, &str)> = IMAGES.map(|image| (true, image)).to_vec();
        work.push((true, NODE_IMAGE));
        work.extend(
            [
                "binaries/kubeadm",
                "binaries/kubelet",
                "binaries/kubectl",
                "minikube",
            ]
            .map(|p| (false, p)),
        );
        if reversed {
            work.reverse();
        }
        for (image, name) in work {
            if image {
                write_archive(
                    &directory.join("images").join(file_name(name)),
                    name,
                    &[noise(name, 70_000)],
                );
            } else {
                fs::write(directory.join(name), elf(183, name)).expect("a program");
            }
        }
        Self {
            directory: directory.to_owned(),
        }
    }

    /// The same with a program large enough for a payload of several chunks.
    pub(crate) fn make_large(directory: &Path) -> Self {
        let parts = Self::make(directory, false);
        let mut kubelet = elf(183, "binaries/kubelet");
        kubelet.extend(noise("large", 3_300_000));
        fs::write(directory.join("binaries/kubelet"), kubelet).expect("a program");
        parts
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The flags of `pack` that name every part.
    pub(crate) fn flags(&self) -> Vec<String> {
        let path = |name: &str| self.directory.join(name).to_string_lossy().into_owned();
        let archive =
            |image: &str| format!("docker-archive:{}", path(&format!("images/{}", file_name(image))));
        let mut flags = vec![
            "--kubernetes-version=v1.34.0".to_owned(),
            "--platform=linux/arm64".to_owned(),
            format!("--minikube={}", path("minikube")),
            format!("--binaries={}", path("binaries")),
            format!("--kicbase={}", archive(NODE_IMAGE)),
        ];
        flags.extend(IMAGES.map(|image| format!("--image={}", archive(image))));
        flags
    }

    /// Where the archive of the node image is.
    pub(crate) fn kicbase(&self) -> PathBuf {
        self.directory.join("images").join(file_name(NODE_IMAGE))
    }
}

/// Parts for this very machine, whose programs are the stand-in: they answer what
/// `pack` asks them, and the bundle can be run.
pub(crate) struct RunnableParts {
    directory: PathBuf,
    pub(crate) platform: Platform,
    images: Vec<String>,
}

impl RunnableParts {
    pub(crate) fn make(directory: &Path) -> Self {
        let platform = Platform::of_this_machine().expect("a bundle can be for this machine");
        fs::create_dir_all(directory.join("images")).expect("a directory");
        for program in ["minikube", "kubeadm", "kubelet", "kubectl"] {
            fs::copy(stand_in(), directory.join(program)).expect("the stand-in");
        }
        let kubeadm = Command::new(directory.join("kubeadm"))
            .args(["config", "images", "list", "--kubernetes-version", KUBERNETES])
            .output()
            .expect("the stand-in runs");
        let listed = String::from_utf8(kubeadm.stdout).expect("text");
        let images: Vec<String> = listed
            .lines()
            .chain([NODE_IMAGE, "gcr.io/k8s-minikube/storage-provisioner:v5"])
            .map(str::to_owned)
            .collect();
        for image in &images {
            let archive = directory.join("images").join(file_name(image));
            write_archive_for(platform.arch, &archive, image, &[noise(image, 5_000)]);
        }
        Self {
            directory: directory.to_owned(),
            platform,
            images,
        }
    }

    /// The flags of `pack` that name every part.
    pub(crate) fn flags(&self) -> Vec<String> {
        let path = |name: &str| self.directory.join(name).to_string_lossy().into_owned();
        let mut flags = vec![
            format!("--kubernetes-version={KUBERNETES}"),
            format!("--platform={}", self.platform),
            format!("--minikube={}", path("minikube")),
        ];
        flags.extend(["kubeadm", "kubelet", "kubectl"].map(|name| format!("--binaries={}", path(name))));
        flags.extend(self.images.iter().map(|image| {
            let archive = self.directory.join("images").join(file_name(image));
            image_flag(image, &archive)
        }));
        flags
    }

    /// The platform that this machine does not have.
    pub(crate) fn other(&self) -> Platform {
        let others = Arch::ALL.map(|arch| Platform { arch });
        others
            .into_iter()
            .find(|platform| *platform != self.platform)
            .expect("there are two")
    }

    /// Makes the same parts for the other platform, whose programs nobody runs, and gives
    /// the flags that name both. Two images share a layer with this machine's.
    pub(crate) fn flags_with_other(&self) -> Vec<String> {
        let other = self.other();
        let directory = self.directory.join("other");
        fs::create_dir_all(&directory).expect("a directory");
        let mut flags = self.flags();
        flags.retain(|flag| !flag.starts_with("--platform="));
        flags.push(format!("--platform={other},{}", self.platform));
        for program in ["minikube", "kubeadm", "kubelet", "kubectl"] {
            let path = directory.join(program);
            fs::write(&path, elf(other.arch.elf_machine(), program)).expect("a program");
            let flag = if program == "minikube" {
                "--minikube"
            } else {
                "--binaries"
            };
            flags.push(format!("{flag}={}", path.display()));
        }
        for image in &self.images {
            let is_shared = image.contains("pause") || image == NODE_IMAGE;
            let seed = if is_shared {
                image.clone()
            } else {
                format!("{image} {other}")
            };
            let archive = directory.join(file_name(image));
            write_archive_for(other.arch, &archive, image, &[noise(&seed, 5_000)]);
            flags.push(image_flag(image, &archive));
        }
        flags
    }
}

/// The Kubernetes version that the stand-in's programs have.
const KUBERNETES: &str = "v1.35.4";

/// The stand-in, which `cargo test` builds beside the programs, as short as it gets.
pub(crate) fn stand_in() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_minikube-offline")).with_file_name("examples/minikube-standin");
    assert!(
        path.exists(),
        "run the whole `cargo test`, or `cargo build --example minikube-standin` first"
    );
    stripped(&path)
}

pub(crate) fn image_flag(image: &str, archive: &Path) -> String {
    let flag = if image == NODE_IMAGE {
        "--kicbase"
    } else {
        "--image"
    };
    format!("{flag}=docker-archive:{}", archive.display())
}

pub(crate) fn file_name(image: &str) -> String {
    image.replace(['/', ':'], "_") + ".tar"
}

/// A program that is an ELF file for `machine` (`e_machine`) and nothing more.
pub(crate) fn elf(machine: u16, seed: &str) -> Vec<u8> {
    let mut bytes = vec![0; 64];
    bytes[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    bytes[16..18].copy_from_slice(&2u16.to_le_bytes());
    bytes[18..20].copy_from_slice(&machine.to_le_bytes());
    bytes[20..24].copy_from_slice(&1u32.to_le_bytes());
    bytes.extend(noise(seed, 90_000));
    bytes
}

/// `size` bytes that do not compress, the same for the same seed.
pub(crate) fn noise(seed: &str, size: usize) -> Vec<u8> {
    let digest = Digest::of(seed.as_bytes());
    let seed = digest.as_bytes().first_chunk().expect("a digest has 32 bytes");
    Random::with_seed(u64::from_le_bytes(*seed)).bytes(size)
}

/// A docker-archive with one image, whose layers hold one file each.
pub(crate) fn write_archive(path: &Path, reference: &str, contents: &[Vec<u8>]) {
    write_archive_for(Arch::Arm64, path, reference, contents);
}

pub(crate) fn write_archive_for(arch: Arch, path: &Path, reference: &str, contents: &[Vec<u8>]) {
    let layers: Vec<Vec<u8>> = contents
        .iter()
        .map(|content| tar_of(&[("file", content)]))
        .collect();
    write_archive_of(arch, path, reference, &layers);
}

/// A docker-archive with one image, of these layers.
pub(crate) fn write_archive_of(arch: Arch, path: &Path, reference: &str, layers: &[Vec<u8>]) {
    let diff_ids: Vec<String> = layers.iter().map(|layer| Digest::of(layer).to_string()).collect();
    let config = json!({
        "architecture": arch.name(),
        "os": "linux",
        "config": { "Labels": { "name": reference } },
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
    });
    let config = config.to_string().into_bytes();
    let config_name = format!("{}.json", Digest::of(&config).hex());
    let names: Vec<String> = (0..layers.len())
        .map(|number| format!("{number}/layer.tar"))
        .collect();
    let manifest = json!([{ "Config": config_name, "RepoTags": [reference], "Layers": names }]).to_string();
    let mut files: Vec<(&str, &[u8])> = vec![(&config_name, &config), ("manifest.json", manifest.as_bytes())];
    files.extend(
        names
            .iter()
            .map(String::as_str)
            .zip(layers.iter().map(Vec::as_slice)),
    );
    File::create(path)
        .and_then(|mut file| file.write_all(&tar_of(&files)))
        .expect("an archive");
}

pub(crate) fn tar_of(files: &[(&str, impl AsRef<[u8]>)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.as_ref().len() as u64);
        header.set_mode(0o644);
        builder
            .append_data(&mut header, name, content.as_ref())
            .expect("a tar in memory");
    }
    builder.into_inner().expect("a tar in memory")
}
