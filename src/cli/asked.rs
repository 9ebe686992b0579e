//! The flags that say what a bundle is to hold, and where that comes from.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::console::Console;
use super::ground::require_writable_for_root;
use super::locked;
use super::sources::{SourceArgs, upstream};
use crate::bundle::ContainerRuntime;
use crate::failure::{Failure, Kind};
use crate::fetch::Upstream;
use crate::resolve::LockFile;
use crate::spec::{
    Cni, ImageSource, Level, PartialSpec, Platforms, Spec, VersionWord, VolumeSize, check_accepted,
    default_output, load_spec,
};

/// The parts of the help.
const STARTS: &str = "What it starts";
const PARTS: &str = "Parts that are at hand";
pub(super) const BUNDLE: &str = "The bundle";

#[derive(clap::Args, Debug)]
pub(super) struct SpecArgs {
    /// Take what the flags leave open from this TOML file
    #[arg(short, long, value_name = "BUNDLE.TOML")]
    file: Option<PathBuf>,
    /// The Kubernetes release: v1.37.2, v1.37 for its newest patch, stable or latest
    #[arg(long, value_name = "VERSION", help_heading = STARTS)]
    kubernetes_version: Option<VersionWord>,
    /// The container runtime in the node [default: minikube's own choice]
    #[arg(long, value_name = "RUNTIME", help_heading = STARTS)]
    container_runtime: Option<ContainerRuntime>,
    /// The platforms of the sites' machines, such as linux/amd64,linux/arm64 [default: this machine's]
    #[arg(long, value_name = "PLATFORM,...", help_heading = STARTS)]
    platform: Option<Platforms>,
    /// The program minikube; once for each platform
    #[arg(long, value_name = "FILE", help_heading = PARTS)]
    minikube: Vec<PathBuf>,
    /// The node image, such as docker-archive:kicbase.tar; one that is for a single platform once for each
    #[arg(long, value_name = "IMAGE", help_heading = PARTS)]
    kicbase: Vec<ImageSource>,
    /// A directory with kubeadm, kubelet and kubectl, or one of them
    #[arg(long, value_name = "PATH", help_heading = PARTS)]
    binaries: Vec<PathBuf>,
    /// A minikube home: take from its cache what is not given otherwise
    #[arg(long, value_name = "DIR", help_heading = PARTS)]
    from_cache: Vec<PathBuf>,
    /// An image for the node: `NAME` or `docker://NAME`, `docker-archive:FILE[:NAME]`,
    /// `oci-archive:FILE[:TAG]`, `oci:DIR[:TAG]` or `docker-daemon:NAME`
    #[arg(long = "image", value_name = "IMAGE", help_heading = PARTS)]
    images: Vec<ImageSource>,
    /// An addon of minikube's whose images go into the node
    #[arg(long = "addon", value_name = "NAME", help_heading = STARTS)]
    addons: Vec<String>,
    /// The CNI whose images are packed; those of another with `--image docker://NAME` [default: auto,
    /// what one node needs; several need calico, cilium, flannel or kindnet]
    #[arg(long, value_name = "NAME", help_heading = STARTS)]
    cni: Option<Cni>,
    /// What several control planes need goes into the node: kube-vip and, without another `--cni`, kindnet
    #[arg(long, help_heading = STARTS)]
    ha: bool,
    /// A Kubernetes manifest, in YAML or JSON, that a start gives to the cluster; the images
    /// that it names are packed
    #[arg(long = "manifest", value_name = "FILE", help_heading = STARTS)]
    manifests: Vec<PathBuf>,
    /// A file that a start puts on the machine
    #[arg(long = "include", value_name = "FILE", help_heading = PARTS)]
    carried: Vec<PathBuf>,
    /// The bundle to write [default: minikube-offline-v<major.minor>.run]
    #[arg(short = 'o', long, value_name = "FILE", help_heading = BUNDLE)]
    bundle: Option<PathBuf>,
    /// Put the payload into volumes of at most SIZE beside the bundle: 4000M for FAT32
    #[arg(long, value_name = "SIZE", help_heading = BUNDLE)]
    split: Option<VolumeSize>,
    /// How hard to compress [default: default]
    #[arg(long, help_heading = BUNDLE)]
    level: Option<Level>,
    /// The bundle's name, which stays the same when a newer one replaces it
    #[arg(long, help_heading = BUNDLE)]
    name: Option<String>,
    /// The bundle's number among those of its name [default: one more than that of the bundle
    /// that it replaces, or 1]
    #[arg(long, help_heading = BUNDLE, value_parser = whole_number)]
    serial: Option<u64>,
    /// Sign it with this secret key of minisign
    #[arg(long, value_name = "SECRET", help_heading = BUNDLE)]
    sign_key: Option<PathBuf>,
    #[command(flatten)]
    sources: SourceArgs,
}

fn whole_number(text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| "it is no whole number, such as 7".to_owned())
}

/// `-o json` is the format elsewhere.
fn refuse_format(bundle: Option<&Path>) -> Result<(), Failure> {
    let word = bundle.and_then(Path::to_str).unwrap_or_default();
    if !["json", "yaml", "text", "table", "wide"].contains(&word) {
        return Ok(());
    }
    let message = format!("`-o {word}`: `-o` names the bundle to write; the format is `--output json`");
    Err(Failure::new(Kind::Usage, message).hint(format!("a bundle of that name is `-o ./{word}`")))
}

/// What is to be packed, and the servers that give what is not given.
pub(super) struct Settled {
    pub(super) spec: Spec,
    pub(super) upstream: Option<Upstream>,
    /// What has to come, if that is known before.
    pub(super) lock: Option<LockFile>,
}

impl SpecArgs {
    /// What the flags and the file ask for.
    pub(super) fn merged(self) -> Result<PartialSpec, Failure> {
        fn given<T>(list: Vec<T>) -> Option<Vec<T>> {
            if list.is_empty() { None } else { Some(list) }
        }
        refuse_format(self.bundle.as_deref())?;
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
            cni: self.cni,
            ha: self.ha.then_some(true),
            manifests: given(self.manifests),
            carried: given(self.carried),
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
        require_writable_for_root(merged.output.as_deref().unwrap_or(Path::new("")))?;
        check_accepted(&merged)?;
        Ok(merged)
    }
}

/// Finds out what `asked` means today, or, when it is `locked`, what the lock beside the
/// bundle says.
pub(super) fn settle(mut asked: PartialSpec, locked: bool, console: &Console) -> Result<Settled, Failure> {
    let upstream = upstream(&asked.sources, locked, console)?;
    let mut lock = None;
    if locked {
        let file = LockFile::load(&lock_of(&asked)?)?;
        locked::check(&asked, &file)?;
        asked.kubernetes_version = Some(file.lock.kubernetes_version.clone().into());
        asked.platform = Platforms::of_all(&file.lock.platforms).or(asked.platform);
        lock = Some(file);
    } else if let (Some(upstream), Some(word)) = (&upstream, &asked.kubernetes_version) {
        asked.kubernetes_version = Some(upstream.release(word, console)?.into());
    }
    let spec = asked.resolve()?;
    Ok(Settled { spec, upstream, lock })
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
pub(super) fn lock_beside(bundle: &Path) -> PathBuf {
    if bundle.extension() == Some(OsStr::new("run")) {
        return bundle.with_extension("lock");
    }
    let mut name = bundle.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[derive(clap::Parser)]
    struct Alone {
        #[command(flatten)]
        _args: SpecArgs,
    }

    #[test]
    fn every_flag_is_a_key_but_those_that_are_about_one_run() {
        let about_one_run = ["binary-upstream", "file", "registry-upstream", "release-upstream"];
        let command = Alone::command();
        let mut flags: Vec<&str> = command
            .get_arguments()
            .map(|flag| flag.get_long().expect("a long form"))
            .filter(|flag| !about_one_run.contains(flag))
            .collect();
        let mut keys = crate::spec::all_keys();
        flags.sort_unstable();
        keys.sort_unstable();
        assert_eq!(flags, keys);
    }
}
