//! A spec with gaps, as flags or a file leave it.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;

use super::{Chart, Cni, ImageSource, Level, Platforms, Sources, Spec, SpecError, VersionWord, VolumeSize};
use crate::bundle::{ContainerRuntime, is_bundle_name};

/// What one place (the flags, or the TOML file) says; `None` where it says nothing.
///
/// In TOML the keys are the flags' names: `kubernetes-version`, `from-cache`,
/// `image`, …
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct PartialSpec {
    /// The Kubernetes release, or a word for one.
    pub kubernetes_version: Option<VersionWord>,
    /// The runtime in the node.
    pub container_runtime: Option<ContainerRuntime>,
    /// The platforms of the sites' machines.
    pub platform: Option<Platforms>,
    /// The program minikube, a file for each platform.
    #[serde(deserialize_with = "one_or_several")]
    pub minikube: Option<Vec<PathBuf>>,
    /// The node image; one that is for a single platform, for each.
    #[serde(deserialize_with = "one_or_several")]
    pub kicbase: Option<Vec<ImageSource>>,
    /// Directories with kubeadm, kubelet and kubectl, or files with these names.
    pub binaries: Option<Vec<PathBuf>>,
    /// minikube's home directories, or the caches in them.
    pub from_cache: Option<Vec<PathBuf>>,
    /// Images that go into the node.
    #[serde(rename = "image")]
    pub images: Option<Vec<ImageSource>>,
    /// minikube's addons whose images go into the node.
    #[serde(rename = "addon")]
    pub addons: Option<Vec<String>>,
    /// The network whose images go into the node.
    pub cni: Option<Cni>,
    /// Whether what several control planes need goes into the node.
    pub ha: Option<bool>,
    /// Kubernetes manifests that a start gives to the cluster.
    #[serde(rename = "manifest")]
    pub manifests: Option<Vec<PathBuf>>,
    /// Helm charts that a start installs, in this order.
    #[serde(rename = "chart")]
    pub charts: Option<Vec<Chart>>,
    /// Files that are put on the site's machine.
    #[serde(rename = "include")]
    pub carried: Option<Vec<PathBuf>>,
    /// The file to write.
    #[serde(rename = "bundle")]
    pub output: Option<PathBuf>,
    /// The most that a file of the bundle may hold of the payload.
    pub split: Option<VolumeSize>,
    /// How much time goes into making it small.
    pub level: Option<Level>,
    /// The bundle's name.
    pub name: Option<String>,
    /// Grows with each bundle of one name.
    pub serial: Option<u64>,
    /// The secret key to sign it with.
    pub sign_key: Option<PathBuf>,
    /// Where parts come from that are not given.
    pub sources: Sources,
}

impl PartialSpec {
    /// `self` (the flags) over `file`: what `self` says wins, and a list in `self`
    /// replaces the whole list in `file`.
    #[must_use]
    pub fn merge(self, file: Self) -> Self {
        Self {
            kubernetes_version: self.kubernetes_version.or(file.kubernetes_version),
            container_runtime: self.container_runtime.or(file.container_runtime),
            platform: self.platform.or(file.platform),
            minikube: self.minikube.or(file.minikube),
            kicbase: self.kicbase.or(file.kicbase),
            binaries: self.binaries.or(file.binaries),
            from_cache: self.from_cache.or(file.from_cache),
            images: self.images.or(file.images),
            addons: self.addons.or(file.addons),
            cni: self.cni.or(file.cni),
            ha: self.ha.or(file.ha),
            manifests: self.manifests.or(file.manifests),
            charts: self.charts.or(file.charts),
            carried: self.carried.or(file.carried),
            sources: self.sources.merge(file.sources),
            output: self.output.or(file.output),
            split: self.split.or(file.split),
            level: self.level.or(file.level),
            name: self.name.or(file.name),
            serial: self.serial.or(file.serial),
            sign_key: self.sign_key.or(file.sign_key),
        }
    }

    /// Fills the gaps: this machine's platform, and the name
    /// `minikube-offline-v<major.minor>`, in the current directory and with `.run` for
    /// the output. Fails without a Kubernetes release; a word for one was to be replaced
    /// by it before.
    pub fn resolve(self) -> Result<Spec, SpecError> {
        self.check()?;
        let kubernetes_version = match self.kubernetes_version.ok_or(SpecError::NoKubernetesVersion)? {
            VersionWord::Release(version) => version,
            word => return Err(SpecError::WordOffline { word }),
        };
        let line = kubernetes_version.line();
        let default_name = default_name(&line);
        let output = self.output.unwrap_or_else(|| default_output(line));
        let name = self.name.unwrap_or(default_name);
        Ok(Spec {
            kubernetes_version,
            container_runtime: self.container_runtime,
            platforms: self
                .platform
                .or_else(Platforms::of_this_machine)
                .ok_or(SpecError::NoPlatform)?
                .as_slice()
                .to_vec(),
            minikube: self.minikube.unwrap_or_default(),
            kicbase: self.kicbase.unwrap_or_default(),
            binaries: self.binaries.unwrap_or_default(),
            from_cache: self.from_cache.unwrap_or_default(),
            images: self.images.unwrap_or_default(),
            addons: self.addons.unwrap_or_default(),
            cni: self.cni.unwrap_or_default(),
            ha: self.ha.unwrap_or_default(),
            manifests: self.manifests.unwrap_or_default(),
            charts: self.charts.unwrap_or_default(),
            carried: self.carried.unwrap_or_default(),
            sources: self.sources,
            output,
            split: self.split,
            level: self.level.unwrap_or_default(),
            name,
            serial: self.serial,
            sign_key: self.sign_key,
        })
    }

    /// Fails when a value cannot be meant, whatever the others are.
    pub fn check(&self) -> Result<(), SpecError> {
        self.sources.check()?;
        self.charts.iter().flatten().try_for_each(Chart::check)?;
        match &self.name {
            Some(name) if !is_bundle_name(name) => Err(SpecError::Name { name: name.clone() }),
            _ => Ok(()),
        }
    }

    /// The files and directories that must be there.
    pub(super) fn named_paths(&self) -> Vec<&Path> {
        // Without `..`: a new field has to say whether it names one.
        let Self {
            kubernetes_version: _,
            container_runtime: _,
            platform: _,
            minikube,
            kicbase,
            binaries,
            from_cache,
            images,
            addons: _,
            cni: _,
            ha: _,
            manifests,
            charts,
            carried,
            output,
            split: _,
            level: _,
            name: _,
            serial: _,
            sign_key,
            sources,
        } = self;
        let files = sign_key.iter().chain(&sources.ca);
        let lists = [minikube, binaries, from_cache, manifests, carried]
            .into_iter()
            .flatten()
            .flatten();
        let images = [kicbase, images].into_iter().flatten().flatten();
        let parent = output.as_deref().and_then(Path::parent);
        files
            .chain(lists)
            .map(PathBuf::as_path)
            .chain(charts.iter().flatten().flat_map(Chart::paths))
            .chain(images.filter_map(ImageSource::path))
            .chain(parent.filter(|directory| !directory.as_os_str().is_empty()))
            .collect()
    }

    /// What cannot be had without the network, as it was written.
    pub(super) fn needs_network(&self) -> Option<String> {
        let word = self.kubernetes_version.as_ref();
        let word = word.filter(|word| word.release().is_none());
        let mut images = [&self.kicbase, &self.images].into_iter().flatten().flatten();
        let image = images.find(|image| matches!(image, ImageSource::Docker { .. }));
        let shown = word.map(ToString::to_string).or(image.map(ToString::to_string))?;
        Some(format!("`{shown}`"))
    }

    /// The same with relative paths seen from `directory`.
    #[must_use]
    pub(super) fn seen_from(self, directory: &Path) -> Self {
        let path = |path: PathBuf| directory.join(path);
        let paths = |paths: Vec<PathBuf>| paths.into_iter().map(path).collect();
        let sources = |sources: Vec<ImageSource>| {
            let sources = sources.into_iter();
            sources.map(|source| source.seen_from(directory)).collect()
        };
        Self {
            minikube: self.minikube.map(paths),
            kicbase: self.kicbase.map(sources),
            binaries: self.binaries.map(paths),
            from_cache: self.from_cache.map(paths),
            images: self.images.map(sources),
            manifests: self.manifests.map(paths),
            charts: (self.charts).map(|charts| {
                charts
                    .into_iter()
                    .map(|chart| chart.seen_from(directory))
                    .collect()
            }),
            carried: self.carried.map(paths),
            sources: self.sources.seen_from(directory),
            output: self.output.map(path),
            sign_key: self.sign_key.map(path),
            ..self
        }
    }
}

/// One value, or a list of them.
fn one_or_several<'de, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: FromStr,
    T::Err: std::fmt::Display,
{
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a string or a list of strings")]
    enum Text {
        One(String),
        Several(Vec<String>),
    }
    let texts = match Text::deserialize(deserializer)? {
        Text::One(text) => vec![text],
        Text::Several(texts) => texts,
    };
    let values: Result<Vec<T>, T::Err> = texts.iter().map(|text| text.parse()).collect();
    values.map(Some).map_err(serde::de::Error::custom)
}

fn default_name(line: &str) -> String {
    format!("minikube-offline-{line}")
}

/// The bundle for the line `v1.35` of Kubernetes, where no other name is given.
#[must_use]
#[allow(clippy::needless_pass_by_value, reason = "the form that `map` wants")]
pub fn default_output(line: String) -> PathBuf {
    format!("{}.run", default_name(&line)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> VersionWord {
        text.parse().expect("version")
    }

    #[test]
    fn flags_win_and_their_lists_replace_the_files() {
        let flags = PartialSpec {
            kubernetes_version: Some(version("v1.35.4")),
            binaries: Some(vec!["flags".into()]),
            ..PartialSpec::default()
        };
        let file = PartialSpec {
            kubernetes_version: Some(version("v1.34.0")),
            binaries: Some(vec!["a".into(), "b".into()]),
            from_cache: Some(vec!["cache".into()]),
            level: Some(Level::Max),
            ..PartialSpec::default()
        };
        let spec = flags.merge(file).resolve().expect("spec");
        assert_eq!(spec.kubernetes_version.to_string(), "v1.35.4");
        assert_eq!(spec.binaries, [PathBuf::from("flags")]);
        assert_eq!(spec.from_cache, [PathBuf::from("cache")]);
        assert_eq!(spec.level, Level::Max);
    }

    #[test]
    fn gaps_are_filled() {
        let spec = PartialSpec {
            kubernetes_version: Some(version("v1.35.4")),
            platform: Some("linux/arm64".parse().expect("platform")),
            ..PartialSpec::default()
        }
        .resolve()
        .expect("spec");
        assert_eq!(spec.output, PathBuf::from("minikube-offline-v1.35.run"));
        assert_eq!(spec.name, "minikube-offline-v1.35");
        assert_eq!(spec.container_runtime, None);
        assert_eq!(spec.level, Level::Default);
        assert_eq!(spec.serial, None);
    }

    #[test]
    fn a_spec_without_a_version_or_with_a_bad_name_is_refused() {
        let error = PartialSpec::default().resolve().expect_err("no version");
        assert!(matches!(error, SpecError::NoKubernetesVersion));
        let named = PartialSpec {
            kubernetes_version: Some(version("v1.35.4")),
            name: Some("Über/all".to_owned()),
            ..PartialSpec::default()
        };
        assert!(matches!(named.resolve(), Err(SpecError::Name { .. })));
    }
}
