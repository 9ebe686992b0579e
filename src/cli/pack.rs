//! `pack`: parts become a bundle.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::json;

use super::console::Console;
use super::inspect::{ratio, table};
use super::size::{human_bytes, human_duration};
use crate::bundle::{ClusterFacts, ContainerRuntime, Platform, Version};
use crate::failure::Failure;
use crate::fetch;
use crate::host;
use crate::pack::{self, PackOptions, Packed, Stub};
use crate::progress::Progress;
use crate::sign::{Password, Signer};
use crate::spec::{ImageSource, Level, PartialSpec, Spec, load_spec};

/// The largest file that FAT32 holds: its size field has 32 bits.
const FAT32_BYTES: u64 = u32::MAX as u64;

#[derive(clap::Args, Debug)]
pub(super) struct PackArgs {
    /// Take what the flags leave open from this TOML file
    #[arg(short, long, value_name = "BUNDLE.TOML")]
    file: Option<PathBuf>,
    /// The Kubernetes release, such as v1.35.4
    #[arg(long, value_name = "VERSION")]
    kubernetes_version: Option<Version>,
    /// The container runtime in the node: docker or containerd [default: docker]
    #[arg(long, value_name = "RUNTIME")]
    container_runtime: Option<ContainerRuntime>,
    /// The platform of the site's machine [default: this machine's]
    #[arg(long)]
    platform: Option<Platform>,
    /// The program minikube
    #[arg(long, value_name = "FILE")]
    minikube: Option<PathBuf>,
    /// The node image, such as docker-archive:kicbase.tar
    #[arg(long, value_name = "IMAGE")]
    kicbase: Option<ImageSource>,
    /// A folder with kubeadm, kubelet and kubectl, or one of them
    #[arg(long, value_name = "PATH")]
    binaries: Vec<PathBuf>,
    /// A minikube home: take from its cache what is not given otherwise
    #[arg(long, value_name = "FOLDER")]
    from_cache: Vec<PathBuf>,
    /// An image for the node: docker-archive:FILE[:NAME], oci:FOLDER[:TAG] or
    /// docker-daemon:NAME
    #[arg(long = "image", value_name = "IMAGE")]
    images: Vec<ImageSource>,
    /// The bundle to write [default: minikube-offline-v<major.minor>.run]
    #[arg(short = 'o', value_name = "FILE")]
    bundle: Option<PathBuf>,
    /// How hard to compress: fast, default or max
    #[arg(long)]
    level: Option<Level>,
    /// The bundle's name, which stays the same when a newer one replaces it
    #[arg(long)]
    name: Option<String>,
    /// The bundle's number among those of its name
    #[arg(long)]
    serial: Option<u64>,
    /// The stub to put in, instead of this program's own
    #[arg(long, value_name = "FILE")]
    stub: Option<PathBuf>,
    /// Sign it with this secret key of minisign
    #[arg(long, value_name = "SECRET")]
    sign_key: Option<PathBuf>,
    /// Read the key's password from this open file descriptor instead of the terminal
    #[arg(long, value_name = "N", requires = "sign_key")]
    password_fd: Option<u32>,
}

pub(super) fn run(args: PackArgs, console: &Console) -> Result<(), Failure> {
    let begun = Instant::now();
    let signer = match &args.sign_key {
        // Asked now, while somebody is there: packing takes a while.
        Some(path) => Some(Signer::unlock(path, Password::from(args.password_fd))?),
        None => None,
    };
    let (spec, stub) = args.into_spec()?;
    let stub = Stub::find(stub.as_deref(), &host::own_program()?, spec.platform)?;
    let parts = fetch::gather(&spec, console)?;
    let options = PackOptions {
        output: spec.output.clone(),
        name: spec.name.clone(),
        serial: spec.serial,
        cluster: ClusterFacts {
            platform: spec.platform,
            kubernetes_version: spec.kubernetes_version.clone(),
            container_runtime: spec.container_runtime,
        },
        level: spec.level,
        stubs: vec![stub],
        signer: signer.as_ref(),
    };
    let packed = pack::pack(&parts, options, console)?;
    if packed.total_bytes > FAT32_BYTES {
        console.note("the bundle is larger than a file on a FAT32 stick can be: use an exFAT or ext4 one");
    }
    let beside = if let Some(signer) = &signer {
        Some(signer.sign_file(&spec.output, &packed.index, console)?)
    } else {
        note_stale_signature(&spec.output, console);
        None
    };
    let key_id = signer.as_ref().map(|signer| signer.public().key_id().to_string());
    let signature = match (&key_id, &beside) {
        (Some(key_id), Some(beside)) => {
            format!(
                "\nsigned with key {key_id}; for stock minisign: `{}`",
                beside.display()
            )
        }
        _ => String::new(),
    };
    let value = json!({
        "kind": "done",
        "key_id": key_id,
        "signature": beside,
        "bundle": spec.output,
        "total_bytes": packed.total_bytes,
        "plain_bytes": packed.index.plain_size(),
        "milliseconds": u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
    });
    console.result(&(summary(&spec, &packed, begun) + &signature), &value)
}

/// A signature that lies there from before is not of this bundle.
fn note_stale_signature(bundle: &Path, console: &Console) {
    let mut beside = bundle.as_os_str().to_owned();
    beside.push(".minisig");
    let beside = PathBuf::from(beside);
    if beside.symlink_metadata().is_ok() {
        console.note(&format!(
            "`{}` is of an older bundle: this one is not signed",
            beside.display()
        ));
    }
}

impl PackArgs {
    /// The spec, and the stub that is to be used.
    fn into_spec(self) -> Result<(Spec, Option<PathBuf>), Failure> {
        fn given<T>(list: Vec<T>) -> Option<Vec<T>> {
            if list.is_empty() { None } else { Some(list) }
        }
        let flags = PartialSpec {
            kubernetes_version: self.kubernetes_version,
            container_runtime: self.container_runtime,
            platform: self.platform,
            minikube: self.minikube,
            kicbase: self.kicbase,
            binaries: given(self.binaries),
            from_cache: given(self.from_cache),
            images: given(self.images),
            output: self.bundle,
            level: self.level,
            name: self.name,
            serial: self.serial,
        };
        let merged = match self.file {
            Some(path) => flags.merge(load_spec(&path)?),
            None => flags,
        };
        Ok((merged.resolve()?, self.stub))
    }
}

fn summary(spec: &Spec, packed: &Packed, begun: Instant) -> String {
    let mut text = table(&packed.index);
    let plain = packed.index.plain_size();
    let _ = write!(
        text,
        "\n`{}`: {} ({} bytes) from {}, ratio {}, in {}\n\
         carry it to the site and run it there: ./{} -y",
        spec.output.display(),
        human_bytes(packed.total_bytes),
        packed.total_bytes,
        human_bytes(plain),
        ratio(plain, packed.total_bytes),
        human_duration(begun.elapsed()),
        spec.output.file_name().unwrap_or_default().to_string_lossy(),
    );
    text
}
