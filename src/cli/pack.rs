//! `pack`: parts become a bundle.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::json;

use super::console::Console;
use super::inspect::{all, ratio, table};
use super::size::{human_bytes, human_duration};
use super::sources::{SourceArgs, upstream};
use super::volumes::{counted, volumes};
use crate::bundle::{ClusterFacts, ContainerRuntime};
use crate::failure::{Failure, Kind};
use crate::fetch::{self, Upstream};
use crate::host::{self, AtomicFile};
use crate::pack::{self, PackOptions, Packed, Stub};
use crate::progress::Progress;
use crate::resolve::Lock;
use crate::sign::{Password, Signer};
use crate::spec::{
    ImageSource, Level, PartialSpec, Platforms, Spec, VersionWord, VolumeSize, default_output, load_spec,
};

/// The largest file that FAT32 holds: its size field has 32 bits.
const FAT32_BYTES: u64 = u32::MAX as u64;

#[derive(clap::Args, Debug)]
pub(super) struct PackArgs {
    /// Take what the flags leave open from this TOML file
    #[arg(short, long, value_name = "BUNDLE.TOML")]
    file: Option<PathBuf>,
    /// The Kubernetes release: v1.35.4, v1.35 for its newest patch, stable or latest
    #[arg(long, value_name = "VERSION")]
    kubernetes_version: Option<VersionWord>,
    /// The container runtime in the node: docker or containerd [default: docker]
    #[arg(long, value_name = "RUNTIME")]
    container_runtime: Option<ContainerRuntime>,
    /// The platforms of the sites' machines, such as linux/amd64,linux/arm64 [default: this machine's]
    #[arg(long, value_name = "PLATFORM,...")]
    platform: Option<Platforms>,
    /// The program minikube; once for each platform
    #[arg(long, value_name = "FILE")]
    minikube: Vec<PathBuf>,
    /// The node image, such as docker-archive:kicbase.tar; one that is for a single platform once for each
    #[arg(long, value_name = "IMAGE")]
    kicbase: Vec<ImageSource>,
    /// A folder with kubeadm, kubelet and kubectl, or one of them
    #[arg(long, value_name = "PATH")]
    binaries: Vec<PathBuf>,
    /// A minikube home: take from its cache what is not given otherwise
    #[arg(long, value_name = "FOLDER")]
    from_cache: Vec<PathBuf>,
    /// An image for the node: `docker://NAME`, `docker-archive:FILE[:NAME]`,
    /// `oci:FOLDER[:TAG]` or `docker-daemon:NAME`
    #[arg(long = "image", value_name = "IMAGE")]
    images: Vec<ImageSource>,
    /// An addon of minikube's whose images go into the node
    #[arg(long = "addon", value_name = "NAME")]
    addons: Vec<String>,
    /// The bundle to write [default: minikube-offline-v<major.minor>.run]
    #[arg(short = 'o', value_name = "FILE")]
    bundle: Option<PathBuf>,
    /// Put the payload into volumes of at most SIZE beside the bundle: 4000M for FAT32
    #[arg(long, value_name = "SIZE")]
    split: Option<VolumeSize>,
    /// How hard to compress: fast, default or max
    #[arg(long)]
    level: Option<Level>,
    /// The bundle's name, which stays the same when a newer one replaces it
    #[arg(long)]
    name: Option<String>,
    /// The bundle's number among those of its name
    #[arg(long)]
    serial: Option<u64>,
    /// The stub to put in, instead of this program's own; once for each platform
    #[arg(long, value_name = "FILE")]
    stub: Vec<PathBuf>,
    /// Take exactly what the lock beside the bundle says
    #[arg(long)]
    locked: bool,
    /// Sign it with this secret key of minisign
    #[arg(long, value_name = "SECRET")]
    sign_key: Option<PathBuf>,
    /// Read the key's password from this open file descriptor instead of the terminal
    #[arg(long, value_name = "N")]
    password_fd: Option<u32>,
    #[command(flatten)]
    sources: SourceArgs,
}

pub(super) fn run(args: PackArgs, console: &Console) -> Result<(), Failure> {
    let begun = Instant::now();
    let (stubs, locked, password_fd) = (args.stub.clone(), args.locked, args.password_fd);
    let asked = args.merged()?;
    let signer = match &asked.sign_key {
        // Asked now, while somebody is there: packing takes a while.
        Some(path) => Some(Signer::unlock(path, Password::from(password_fd))?),
        None if password_fd.is_some() => return Err(no_key()),
        None => None,
    };
    let (spec, upstream, locked) = settle(asked, locked)?;
    let stubs = Stub::find(&stubs, &host::own_program()?, &spec.platforms)?;
    let mut parts = fetch::gather(&spec, upstream.as_ref(), console)?;
    if let Some(lock) = locked {
        parts = parts.as_locked(&lock, spec.container_runtime)?;
    }
    let lock = parts.lock(spec.container_runtime);
    let options = PackOptions {
        output: spec.output.clone(),
        split: spec.split,
        name: spec.name.clone(),
        serial: spec.serial,
        cluster: ClusterFacts {
            platforms: spec.platforms.clone(),
            kubernetes_version: spec.kubernetes_version.clone(),
            container_runtime: spec.container_runtime,
        },
        level: spec.level,
        stubs,
        signer: signer.as_ref(),
    };
    let packed = pack::pack(&parts, options, console)?;
    AtomicFile::write(&lock_beside(&spec.output), lock.text().as_bytes(), 0o644)?;
    if packed.longest_bytes() > FAT32_BYTES {
        console.note(
            "the bundle has a file larger than one on a FAT32 stick can be: \
             split it with `--split 4000M`, or use an exFAT or ext4 stick",
        );
    }
    for stale in pack::stale_volumes(&spec.output, packed.index.volumes.len()) {
        console.note(&format!(
            "`{}` is of an older bundle: no part of this one",
            stale.display()
        ));
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
        "volumes": volumes(&spec.output, &packed.index),
        "total_bytes": packed.total_bytes(),
        "plain_bytes": packed.index.plain_size(),
        "milliseconds": u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
    });
    console.result(&(summary(&spec, &packed, begun) + &signature), &value)
}

fn no_key() -> Failure {
    Failure::new(
        Kind::Usage,
        "`--password-fd` is given, and no key that it unlocks",
    )
    .hint("add `--sign-key FILE`, or `sign-key` to the TOML file")
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
    /// What the flags and the file ask for.
    fn merged(self) -> Result<PartialSpec, Failure> {
        fn given<T>(list: Vec<T>) -> Option<Vec<T>> {
            if list.is_empty() { None } else { Some(list) }
        }
        let flags = PartialSpec {
            kubernetes_version: self.kubernetes_version,
            container_runtime: self.container_runtime,
            platform: self.platform,
            minikube: given(self.minikube),
            kicbase: given(self.kicbase),
            binaries: given(self.binaries),
            from_cache: given(self.from_cache),
            images: given(self.images),
            addons: given(self.addons),
            output: self.bundle,
            split: self.split,
            level: self.level,
            name: self.name,
            serial: self.serial,
            sign_key: self.sign_key,
            sources: self.sources.into_sources(),
        };
        let merged = match self.file {
            Some(path) => flags.merge(load_spec(&path)?),
            None => flags,
        };
        merged.check()?;
        Ok(merged)
    }
}

/// The spec, the servers that give what it does not, and what has to come.
fn settle(mut asked: PartialSpec, locked: bool) -> Result<(Spec, Option<Upstream>, Option<Lock>), Failure> {
    let mut upstream = upstream(&asked.sources)?;
    let mut lock = None;
    if locked {
        let locked = Lock::load(&lock_of(&asked)?)?;
        let word = asked.kubernetes_version.take();
        let release = word.filter(|word| word.release().is_some());
        asked.kubernetes_version = release.or(Some(locked.kubernetes_version.clone().into()));
        upstream = upstream.map(|upstream| upstream.locked(locked.clone()));
        lock = Some(locked);
    }
    if let (Some(upstream), Some(word)) = (&upstream, &asked.kubernetes_version) {
        asked.kubernetes_version = Some(upstream.release(word)?.into());
    }
    Ok((asked.resolve()?, upstream, lock))
}

/// The lock of the bundle that `spec` will make.
fn lock_of(spec: &PartialSpec) -> Result<PathBuf, Failure> {
    let line = spec.kubernetes_version.as_ref().and_then(VersionWord::line);
    let output = spec.output.clone().or_else(|| line.map(default_output));
    output.map(|output| lock_beside(&output)).ok_or_else(|| {
        Failure::new(
            Kind::Usage,
            "`--locked` needs to know which bundle's lock to take",
        )
        .hint("name the bundle with `-o`, or its Kubernetes version")
    })
}

/// `NAME.lock` for `NAME.run`.
fn lock_beside(bundle: &Path) -> PathBuf {
    if bundle.extension() == Some(OsStr::new("run")) {
        return bundle.with_extension("lock");
    }
    let mut name = bundle.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

fn summary(spec: &Spec, packed: &Packed, begun: Instant) -> String {
    let mut text = table(&packed.index, &all(&packed.index));
    let plain = packed.index.plain_size();
    let total = packed.total_bytes();
    let output = spec.output.display();
    let count = packed.index.volumes.len();
    let files = if count == 0 {
        format!("`{output}`")
    } else {
        format!("`{output}` and {}", counted(count))
    };
    let _ = write!(
        text,
        "\n{files}: {} ({total} bytes) from {}, ratio {}, in {}\n",
        human_bytes(total),
        human_bytes(plain),
        ratio(plain, total),
        human_duration(begun.elapsed()),
    );
    let name = spec.output.file_name().unwrap_or_default().to_string_lossy();
    let _ = match count {
        0 => write!(text, "carry it to the site and run it there: ./{name} -y"),
        _ => write!(
            text,
            "carry all {} files to the site, into one folder, and run the first there: ./{name} -y",
            count + 1
        ),
    };
    text
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[derive(clap::Parser)]
    struct Alone {
        #[command(flatten)]
        _args: PackArgs,
    }

    #[test]
    fn every_flag_is_a_key_but_those_that_are_about_one_run() {
        let about_one_run = ["file", "locked", "password-fd", "registry-upstream", "stub"];
        let command = Alone::command();
        let mut flags: Vec<&str> = command
            .get_arguments()
            .map(|flag| flag.get_long().unwrap_or("output"))
            .filter(|flag| !about_one_run.contains(flag))
            .collect();
        let mut keys = crate::spec::all_keys();
        flags.sort_unstable();
        keys.sort_unstable();
        assert_eq!(flags, keys);
    }
}
