//! Parts of a few hundred bytes each, for bundles that are kept: in files, and on a server
//! with upstream's layout.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use minikube_offline::bundle::{Arch, Digest, ImageReference};

use super::parts::{IMAGES, NODE_IMAGE, elf, file_name, image_flag, tar_of, write_archive_for};
use super::program::Sandbox;
use super::registry::{Draft, Packing, Registry};
use super::server::{Reply, Seen, Server};

const VERSION: &str = "v1.34.0";
const PROGRAMS: [&str; 4] = ["minikube", "kubeadm", "kubelet", "kubectl"];

/// The flag for a bundle for both platforms.
pub(crate) const BOTH: &str = "--platform=linux/amd64,linux/arm64";

/// Writes the parts for linux/arm64 below `directory` and gives the flags that pack them.
pub(crate) fn files(directory: &Path) -> Vec<String> {
    fs::create_dir_all(directory).expect("a directory");
    let mut flags = vec![
        "--offline".to_owned(),
        format!("--kubernetes-version={VERSION}"),
        "--platform=linux/arm64".to_owned(),
    ];
    for role in PROGRAMS {
        let path = directory.join(role);
        fs::write(&path, program(Arch::Arm64, role)).expect("a program");
        let flag = if role == "minikube" {
            "minikube"
        } else {
            "binaries"
        };
        flags.push(format!("--{flag}={}", path.display()));
    }
    for image in IMAGES.into_iter().chain([NODE_IMAGE]) {
        let archive = directory.join(file_name(image));
        write_archive_for(Arch::Arm64, &archive, image, &[image.as_bytes().to_vec()]);
        flags.push(image_flag(image, &archive));
    }
    flags
}

/// The flag with a stub that no machine runs.
pub(crate) fn stub(sandbox: &Sandbox, arch: Arch) -> String {
    let path = sandbox.path(&format!("small-stub-{}", arch.name()));
    let head = short_elf(arch, "stub");
    fs::write(&path, [&head[..], b"minikube-offline-stub format 1\n"].concat()).expect("a stub");
    format!("--stub={}", path.display())
}

/// Servers with the parts for both platforms.
#[derive(Default)]
pub(crate) struct Upstream {
    /// Content by path.
    files: BTreeMap<String, Vec<u8>>,
    pub(crate) registry: Registry,
    /// Where the registry has Kubernetes' images, and the digest of each one's list.
    pub(crate) images: Vec<(String, Digest)>,
}

impl Upstream {
    /// The parts, none of them signed.
    pub(crate) fn new() -> Self {
        let mut upstream = Self::default();
        for arch in Arch::ALL {
            for role in PROGRAMS {
                let bytes = program(arch, role);
                let path = match role {
                    "minikube" => format!("/minikube/v1.38.1/minikube-linux-{}", arch.name()),
                    _ => format!("/release/{VERSION}/bin/linux/{}/{role}", arch.name()),
                };
                let sum = Digest::of(&bytes).hex().into_bytes();
                upstream.files.insert(format!("{path}.sha256"), sum);
                upstream.files.insert(path, bytes);
            }
        }
        for image in IMAGES.into_iter().chain([NODE_IMAGE]) {
            let reference: ImageReference = image.parse().expect("a name");
            let repository = repository(&reference);
            let drafts = Arch::ALL.map(|arch| draft(arch, image));
            let digest = upstream.registry.add(&repository, reference.tag(), &drafts);
            if repository.starts_with("k8s/") {
                upstream.images.push((repository, digest));
            }
        }
        upstream
    }

    /// Path and content of this program for each platform.
    pub(crate) fn programs(&self, role: &str) -> Vec<(String, Vec<u8>)> {
        let end = format!("/{role}");
        let programs = self.files.iter().filter(|(path, _)| path.ends_with(&end));
        programs
            .map(|(path, bytes)| (path.clone(), bytes.clone()))
            .collect()
    }

    /// Does not have the files with this end of a path any more.
    pub(crate) fn forget(&mut self, end: &str) {
        self.files.retain(|path, _| !path.ends_with(end));
    }

    pub(crate) fn put(&mut self, path: String, content: Vec<u8>) {
        self.files.insert(path, content);
    }

    /// Begins to serve them; the flags of `pack` that name them.
    pub(crate) fn serve(self) -> (Server, Vec<String>) {
        let Self { files, registry, .. } = self;
        let server = Server::start(move |seen: &Seen| match files.get(&seen.target) {
            Some(bytes) => Reply::file(seen, bytes, "\"1\""),
            None => registry.answer(seen),
        });
        let host = server.host();
        let flags = vec![
            format!("--kubernetes-version={VERSION}"),
            "--minikube-version=v1.38.1".to_owned(),
            BOTH.to_owned(),
            format!("--binary-upstream={}", server.url("/release")),
            format!("--release-upstream={}", server.url("/minikube")),
            format!("--registry-upstream=registry.k8s.io={host}/k8s"),
            format!("--registry-upstream=gcr.io={host}"),
            format!("--insecure-registry={host}"),
            format!("--kicbase=docker://{NODE_IMAGE}"),
        ];
        (server, flags)
    }
}

/// Where the registry has the image.
pub(crate) fn repository(reference: &ImageReference) -> String {
    match reference.registry() {
        "registry.k8s.io" => format!("k8s/{}", reference.repository()),
        _ => reference.repository().to_owned(),
    }
}

/// An image for one platform; one of them has the same layer for each.
fn draft(arch: Arch, image: &str) -> Draft {
    let content = if image.contains("/pause:") {
        image.to_owned()
    } else {
        format!("{image} for {}", arch.name())
    };
    let layer = tar_of(&[("file", content)]);
    Draft {
        diff_id: Digest::of(&layer),
        layer,
        packing: Packing::Plain,
        oci: true,
        ..Draft::new(arch, image)
    }
}

/// An ELF header with 64 bytes behind it; these are in frozen bundles.
fn short_elf(arch: Arch, seed: &str) -> Vec<u8> {
    let first = Digest::of(seed.as_bytes());
    let second = Digest::of(first.as_bytes());
    let header = &elf(arch.elf_machine(), seed)[..64];
    [header, first.as_bytes(), second.as_bytes()].concat()
}

/// A program that is not run, or for x86-64 one that answers what `pack` asks.
fn program(arch: Arch, role: &str) -> Vec<u8> {
    if arch == Arch::Arm64 {
        return short_elf(arch, role);
    }
    match role {
        "minikube" => speaking("v1.38.1\n", ""),
        "kubeadm" => speaking(&format!("{VERSION}\n"), &(IMAGES[..7].join("\n") + "\n")),
        "kubelet" => speaking(&format!("Kubernetes {VERSION}\n"), ""),
        _ => speaking(
            &format!(r#"{{"clientVersion":{{"gitVersion":"{VERSION}"}}}}"#),
            "",
        ),
    }
}

/// A program for x86-64 that writes `short` when it has at most four arguments, else `long`.
/// Sources: System V ABI, chapter 4; its AMD64 supplement, 3.4.1, for the stack at the start.
fn speaking(short: &str, long: &str) -> Vec<u8> {
    const BASE: u64 = 0x40_0000;
    const CODE_AT: usize = 64 + 56;
    const CODE_BYTES: usize = 55;
    // From the end of each `lea` to its text.
    let number = |number: usize| u32::try_from(number).expect("a short text").to_le_bytes();
    let (to_short, to_long) = (number(CODE_BYTES - 15), number(CODE_BYTES - 29 + short.len()));
    let code = [
        &[0x48, 0x8b, 0x04, 0x24][..], // mov rax, [rsp]: how many, the name included
        &[0x48, 0x83, 0xf8, 0x05],     // cmp rax, 5
        &[0x48, 0x8d, 0x35],           // lea rsi, [short]
        &to_short,
        &[0xba], // mov edx, its size
        &number(short.len()),
        &[0x7e, 12],         // jle: past the next two
        &[0x48, 0x8d, 0x35], // lea rsi, [long]
        &to_long,
        &[0xba], // mov edx, its size
        &number(long.len()),
        &[0xbf, 1, 0, 0, 0],  // mov edi, 1
        &[0xb8, 1, 0, 0, 0],  // mov eax, write
        &[0x0f, 0x05],        // syscall
        &[0x31, 0xff],        // xor edi, edi
        &[0xb8, 60, 0, 0, 0], // mov eax, exit
        &[0x0f, 0x05],        // syscall
    ]
    .concat();
    assert_eq!(code.len(), CODE_BYTES);
    let total = (CODE_AT + CODE_BYTES + short.len() + long.len()) as u64;
    let quads = |quads: &[u64]| {
        quads
            .iter()
            .flat_map(|quad| quad.to_le_bytes())
            .collect::<Vec<u8>>()
    };
    let halves = |halves: &[u16]| {
        halves
            .iter()
            .flat_map(|half| half.to_le_bytes())
            .collect::<Vec<u8>>()
    };
    [
        &b"\x7fELF\x02\x01\x01"[..],
        &[0; 9],
        &halves(&[2, Arch::Amd64.elf_machine(), 1, 0]),
        &quads(&[BASE + CODE_AT as u64, 64, 0]),
        // Flags, and the sizes of the headers: one segment, no section.
        &halves(&[0, 0, 64, 56, 1, 0, 0, 0]),
        // One segment to load, to read and execute.
        &halves(&[1, 0, 5, 0]),
        &quads(&[0, BASE, BASE, total, total, 4096]),
        &code,
        short.as_bytes(),
        long.as_bytes(),
    ]
    .concat()
}
