//! What the person at the site asks for.

use std::path::PathBuf;
use std::time::Duration;

use crate::bundle::ContainerRuntime;
use crate::bundle::text::named_values;

/// How images come into the node.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Way {
    /// The volume, and the cache when that fails.
    #[default]
    Auto,
    /// Archives in minikube's cache, which minikube loads one by one.
    Cache,
    /// The node's own runtime fills the node's volume before the node is made.
    Volume,
}

impl Way {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Cache, Self::Volume];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Cache => "cache",
            Self::Volume => "volume",
        }
    }
}

named_values!(Way, WayError: "`{0}` is not a way to bring images into the node (auto, cache or volume)");

/// Options of `start`, and of the preflight before it.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct SiteOptions {
    /// minikube's profile.
    pub profile: String,
    /// The runtime in the node, instead of the bundle's.
    pub container_runtime: Option<ContainerRuntime>,
    /// minikube's `--cpus`.
    pub cpus: Option<String>,
    /// minikube's `--memory`.
    pub memory: Option<String>,
    /// Instead of the variable `MINIKUBE_HOME`.
    pub minikube_home: Option<PathBuf>,
    /// How images come into the node.
    pub way: Way,
    /// Whether the proxy variables stay.
    pub keep_proxy: bool,
    /// Whether the bundle may be older than what is installed.
    pub allow_downgrade: bool,
    /// Whether what a failed start made stays, to be looked at.
    pub keep_failed: bool,
    /// Whether the bundle's manifests are given to the cluster.
    pub manifests: bool,
    /// Whether the bundle's charts are installed in the cluster.
    pub applications: bool,
    /// How long each may take until it is ready.
    pub application_timeout: Duration,
    /// Whether a new cluster gets the addons that the bundle was packed with.
    pub packed_addons: bool,
    /// Goes to `minikube start` as it is, last.
    pub extra_args: Vec<String>,
}

impl Default for SiteOptions {
    fn default() -> Self {
        Self {
            profile: "minikube".to_owned(),
            container_runtime: None,
            cpus: None,
            memory: None,
            minikube_home: None,
            way: Way::Auto,
            keep_proxy: false,
            allow_downgrade: false,
            keep_failed: false,
            manifests: true,
            applications: true,
            application_timeout: Duration::from_secs(600),
            packed_addons: true,
            extra_args: Vec::new(),
        }
    }
}

impl SiteOptions {
    /// The runtime that the node gets: `of_bundle` unless another is asked for.
    #[must_use]
    pub fn runtime(&self, of_bundle: ContainerRuntime) -> ContainerRuntime {
        self.container_runtime.unwrap_or(of_bundle)
    }

    /// Whether the person gave `flag` to minikube after `--`.
    #[must_use]
    pub fn passes(&self, flag: &str) -> bool {
        self.extra_args.iter().any(|argument| {
            argument
                .strip_prefix(flag)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        })
    }

    /// The addons that minikube is asked for, which it takes as lists, and adds them up.
    #[must_use]
    pub fn addons(&self) -> Vec<String> {
        let values = self.values_of("--addons");
        let names = values.iter().flat_map(|list| list.split(','));
        let mut names: Vec<String> = names.map(|name| name.trim().to_owned()).collect();
        names.sort();
        names.dedup();
        names.retain(|name| !name.is_empty());
        names
    }

    /// How many processors a node is to have: what stands after `--` comes last and wins.
    #[must_use]
    pub(crate) fn cpus_asked(&self) -> Option<String> {
        self.values_of("--cpus").pop().or_else(|| self.cpus.clone())
    }

    /// How much memory a node is to have.
    #[must_use]
    pub(crate) fn memory_asked(&self) -> Option<String> {
        let shorthand = self.values_of("-m").pop();
        let behind = self.values_of("--memory").pop().or(shorthand);
        behind.or_else(|| self.memory.clone())
    }

    /// The values of `flag` in what goes to minikube, as `--flag=VALUE` or `--flag VALUE`.
    #[must_use]
    pub(crate) fn values_of(&self, flag: &str) -> Vec<String> {
        let mut values = Vec::new();
        let mut arguments = self.extra_args.iter();
        while let Some(argument) = arguments.next() {
            match argument.strip_prefix(flag) {
                Some("") => values.extend(arguments.next().cloned()),
                Some(rest) => values.extend(rest.strip_prefix('=').map(str::to_owned)),
                None => {}
            }
        }
        values
    }
}

/// minikube's rule for a profile's name: letters, digits and dashes, at least two, a
/// letter or digit first and last. Underscores and dots, which it once took, are refused.
/// Source: minikube v1.38.1, `pkg/minikube/config/profile.go:81`.
#[must_use]
pub(crate) fn is_profile_name(name: &str) -> bool {
    (2..=LABEL).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-')
}

/// So many characters a node's name may have, which Kubernetes makes the value of a label,
/// and Linux a name of a host. Source: kubernetes.io, "Labels and Selectors".
pub(crate) const LABEL: usize = 63;

/// Words that minikube takes for a number of processors or bytes. Source: minikube v1.38.1,
/// `pkg/minikube/constants/constants.go`, `MaxResources` and `NoLimit`.
const AMOUNTS: [&str; 2] = ["max", "no-limit"];

/// Whether minikube reads this as its `--cpus`. It takes 0 for what it cannot read.
#[must_use]
pub(crate) fn is_cpus(text: &str) -> bool {
    AMOUNTS.contains(&text) || text.parse::<u32>().is_ok()
}

/// Whether minikube reads this as its `--memory`: a number, maybe with a fraction, and a
/// unit. Source: docker/go-units, `FromHumanSize`.
#[must_use]
pub(crate) fn is_memory(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let end = lower
        .rfind(|c: char| c.is_ascii_digit() || c == '.')
        .map_or(0, |at| at + 1);
    let (number, unit) = lower.split_at(end);
    let unit = unit.strip_prefix(' ').unwrap_or(unit);
    let units = ["", "b"].map(str::to_owned).into_iter().chain(
        ["k", "m", "g", "t", "p"]
            .into_iter()
            .flat_map(|prefix| ["", "b", "ib"].map(|rest| format!("{prefix}{rest}"))),
    );
    let is_number = number.starts_with(|c: char| c.is_ascii_digit()) && number.parse::<f64>().is_ok();
    AMOUNTS.contains(&text) || is_number && units.into_iter().any(|known| known == unit)
}

/// minikube's `--memory` in MiB, where it is a number: `4096`, `4g`, `4096mb`.
#[must_use]
pub(crate) fn memory_mib(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let digits = lower.find(|c: char| !c.is_ascii_digit()).unwrap_or(lower.len());
    let number: u64 = lower[..digits].parse().ok()?;
    match &lower[digits..] {
        "" | "m" | "mb" | "mib" => Some(number),
        "g" | "gb" | "gib" => number.checked_mul(1024),
        "k" | "kb" | "kib" => Some(number / 1024),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_as_minikube_reads_it() {
        for (text, mib) in [
            ("4096", Some(4096)),
            ("4g", Some(4096)),
            ("2048MB", Some(2048)),
            ("max", None),
            ("", None),
        ] {
            assert_eq!(memory_mib(text), mib, "{text}");
        }
    }

    #[test]
    fn what_minikube_cannot_read_as_an_amount_is_told_apart() {
        for text in ["2", "16", "max", "no-limit"] {
            assert!(is_cpus(text), "{text}");
        }
        for text in ["", "x", "-1", "1.5", "2 cpus", "maximum"] {
            assert!(!is_cpus(text), "{text}");
        }
        for text in ["4096", "4g", "4GB", "2.5 gib", "1048576k", "max", "no-limit"] {
            assert!(is_memory(text), "{text}");
        }
        for text in ["", "foo", "g", "5x", "-4g", "4  g", "4gg", "1.2.3g"] {
            assert!(!is_memory(text), "{text}");
        }
    }

    #[test]
    fn what_stands_behind_wins_and_lists_of_addons_add_up() {
        let options = SiteOptions {
            cpus: Some("2".into()),
            memory: Some("2g".into()),
            extra_args: ["--cpus=4", "-m", "4g", "--addons", "b,a", "--addons=a,,c"]
                .map(str::to_owned)
                .into(),
            ..SiteOptions::default()
        };
        assert_eq!(options.cpus_asked().as_deref(), Some("4"));
        assert_eq!(options.memory_asked().as_deref(), Some("4g"));
        assert_eq!(options.addons(), ["a", "b", "c"]);
        let plain = SiteOptions {
            extra_args: Vec::new(),
            ..options
        };
        assert_eq!(plain.cpus_asked().as_deref(), Some("2"));
        assert_eq!(plain.memory_asked().as_deref(), Some("2g"));
        assert!(plain.addons().is_empty());
    }

    #[test]
    fn a_flag_is_found_with_and_without_its_value() {
        let options = SiteOptions {
            extra_args: vec!["--wait=none".into(), "--cni".into(), "calico".into()],
            ..SiteOptions::default()
        };
        assert!(options.passes("--wait") && options.passes("--cni"));
        assert!(!options.passes("--wait-timeout") && !options.passes("--cn"));
        assert_eq!(options.values_of("--wait"), ["none"]);
        assert_eq!(options.values_of("--cni"), ["calico"]);
        assert!(options.values_of("--cn").is_empty());
    }

    #[test]
    fn a_profile_name_is_no_path_and_no_flag() {
        assert!(is_profile_name("minikube") && is_profile_name("a1"));
        for name in ["", "a", "-x", "x-", "a/b", "..", "a b", "a_b"] {
            assert!(!is_profile_name(name), "{name}");
        }
    }
}
