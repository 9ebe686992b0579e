//! The flags that say what a bundle is to hold, and where that comes from.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::console::Console;
use super::ground::require_writable_for_root;
use super::locked;
use super::sources::{SourceArgs, upstream};
use super::usage;
use crate::bundle::ContainerRuntime;
use crate::failure::{Failure, Kind};
use crate::fetch::Upstream;
use crate::host::{Environment, Trusted};
use crate::resolve::LockFile;
use crate::spec::{
    Chart, Cni, ImageSource, Level, PartialSpec, Platforms, Spec, SpecError, VersionWord, VolumeSize,
    check_accepted, default_output, load_spec,
};

/// The parts of the help.
const STARTS: &str = "Cluster";
const PARTS: &str = "Local parts";
pub(super) const BUNDLE: &str = "Bundle";

#[derive(clap::Args, Debug)]
pub(super) struct SpecArgs {
    /// TOML file with values for flags that are not given [default: ./bundle.toml,
    /// when --kubernetes-version is not given]
    #[arg(value_name = "FILE.toml", conflicts_with = "file")]
    spec: Option<PathBuf>,
    /// Same as FILE.toml
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Kubernetes release: v1.37.2, v1.37 (newest patch), stable or latest
    #[arg(long, value_name = "VERSION", help_heading = STARTS)]
    kubernetes_version: Option<VersionWord>,
    /// Container runtime in the nodes [default: minikube decides]
    #[arg(long, value_name = "RUNTIME", help_heading = STARTS)]
    container_runtime: Option<ContainerRuntime>,
    /// Platforms of the hosts: linux/amd64,linux/arm64 [default: this one]
    #[arg(long, value_name = "PLATFORM,...", help_heading = STARTS)]
    platform: Option<Platforms>,
    /// minikube binary; once for each platform
    #[arg(long, value_name = "FILE", help_heading = PARTS)]
    minikube: Vec<PathBuf>,
    /// Node image, such as docker-archive:kicbase.tar; once for each platform
    #[arg(long, value_name = "IMAGE", help_heading = PARTS)]
    kicbase: Vec<ImageSource>,
    /// kubeadm, kubelet or kubectl, or a directory with them
    #[arg(long, value_name = "PATH", help_heading = PARTS)]
    binaries: Vec<PathBuf>,
    /// minikube home whose cache to take missing parts from
    #[arg(long, value_name = "DIR", help_heading = PARTS)]
    from_cache: Vec<PathBuf>,
    /// Application image: NAME, docker-archive:FILE[:NAME], docker-daemon:NAME,
    /// oci-archive:FILE[:TAG] or oci:DIR[:TAG]
    #[arg(long = "image", value_name = "IMAGE", help_heading = PARTS)]
    images: Vec<ImageSource>,
    /// Addon of minikube to pack and enable
    #[arg(long = "addon", value_name = "NAME", help_heading = STARTS)]
    addons: Vec<String>,
    /// CNI to pack [default: auto, for one node]; several nodes need calico, cilium,
    /// flannel or kindnet
    #[arg(long, value_name = "NAME", help_heading = STARTS)]
    cni: Option<Cni>,
    /// Pack what several control planes need: kube-vip and, without --cni, kindnet
    #[arg(long, help_heading = STARTS)]
    ha: bool,
    /// Kubernetes manifest to apply after the start; its images are packed
    #[arg(long = "manifest", value_name = "FILE", help_heading = STARTS)]
    manifests: Vec<PathBuf>,
    /// Helm chart to install after the start; its images are packed. Several, in their
    /// order, are [[chart]] tables in bundle.toml
    #[arg(long = "chart", value_name = "FILE|DIR", help_heading = STARTS)]
    charts: Vec<PathBuf>,
    /// Values for the chart; a later file wins
    #[arg(long, value_name = "FILE", requires = "charts", help_heading = STARTS)]
    values: Vec<PathBuf>,
    /// Namespace of the chart's release [default: default]
    #[arg(long, value_name = "NAME", requires = "charts", help_heading = STARTS)]
    namespace: Option<String>,
    /// Release that the chart becomes [default: the chart's name]
    #[arg(long, value_name = "NAME", requires = "charts", help_heading = STARTS)]
    release: Option<String>,
    /// Extra file to install on the host
    #[arg(long = "include", value_name = "FILE", help_heading = PARTS)]
    carried: Vec<PathBuf>,
    /// Bundle to write [default: minikube-offline-v<major.minor>.run]
    #[arg(short = 'o', long, value_name = "FILE", help_heading = BUNDLE)]
    bundle: Option<PathBuf>,
    /// Split the bundle into volumes of at most SIZE: 4000M for FAT32
    #[arg(long, value_name = "SIZE", help_heading = BUNDLE)]
    split: Option<VolumeSize>,
    /// Compression level [default: default]
    #[arg(long, help_heading = BUNDLE)]
    level: Option<Level>,
    /// Name of the bundle; a newer bundle of the same name replaces it
    #[arg(long, help_heading = BUNDLE)]
    name: Option<String>,
    /// Number among the bundles of its name [default: that of the replaced
    /// bundle + 1, or 1]
    #[arg(long, help_heading = BUNDLE, value_parser = whole_number)]
    serial: Option<u64>,
    /// Sign the bundle with this secret key
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
    /// The file to read: the one that is named or, without a Kubernetes version, `./bundle.toml`.
    fn spec_file(&self) -> Result<Option<PathBuf>, Failure> {
        if let Some(named) = &self.spec
            && named.extension() != Some(OsStr::new("toml"))
        {
            return Err(usage::not_a_spec(&named.to_string_lossy()));
        }
        let named = self.spec.clone().or_else(|| self.file.clone());
        let own = Path::new("bundle.toml");
        if named.is_some() || self.kubernetes_version.is_some() || !own.is_file() {
            return Ok(named);
        }
        let environment = Environment::of_this_process();
        if environment.is_root() {
            Trusted::by(environment.uid()).require("the file", own)?;
        }
        Ok(Some(own.to_owned()))
    }

    /// The charts of the flags.
    fn charts(&self) -> Result<Option<Vec<Chart>>, SpecError> {
        let flags = [
            ("--values", !self.values.is_empty()),
            ("--release", self.release.is_some()),
        ];
        let used = flags.into_iter().find(|(_, is_given)| *is_given);
        if let (Some((flag, _)), charts @ 2..) = (used, self.charts.len()) {
            return Err(SpecError::ChartFlag { flag, charts });
        }
        let charts = self.charts.iter().map(|path| Chart {
            path: path.clone(),
            values: self.values.clone(),
            namespace: self.namespace.clone(),
            release: self.release.clone(),
        });
        Ok((!self.charts.is_empty()).then(|| charts.collect()))
    }

    /// What the flags and the file ask for.
    pub(super) fn merged(self) -> Result<PartialSpec, Failure> {
        fn given<T>(list: Vec<T>) -> Option<Vec<T>> {
            if list.is_empty() { None } else { Some(list) }
        }
        refuse_format(self.bundle.as_deref())?;
        let file = self.spec_file()?;
        let charts = self.charts()?;
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
            charts,
            carried: given(self.carried),
            output: self.bundle,
            split: self.split,
            level: self.level,
            name: self.name,
            serial: self.serial,
            sign_key: self.sign_key,
            sources: self.sources.into_sources(),
        };
        let merged = match file {
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
        // The last three are keys of a chart's table.
        let about_one_run = [
            "binary-upstream",
            "file",
            "registry-upstream",
            "release-upstream",
            "namespace",
            "release",
            "values",
        ];
        let command = Alone::command();
        let mut flags: Vec<&str> = command
            .get_arguments()
            .filter(|arg| !arg.is_positional())
            .map(|flag| flag.get_long().expect("a long form"))
            .filter(|flag| !about_one_run.contains(flag))
            .collect();
        let mut keys = crate::spec::all_keys();
        flags.sort_unstable();
        keys.sort_unstable();
        assert_eq!(flags, keys);
    }
}
