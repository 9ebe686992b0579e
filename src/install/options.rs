//! What the person at the site asks for.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::bundle::ContainerRuntime;

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

/// Text that names no way.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a way to bring images into the node (auto, cache or volume)")]
pub struct WayError(String);

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

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Way {
    type Err = WayError;
    fn from_str(text: &str) -> Result<Self, WayError> {
        Self::ALL
            .into_iter()
            .find(|way| way.name() == text)
            .ok_or_else(|| WayError(text.to_owned()))
    }
}

/// Options of `start`, and of the preflight before it.
#[derive(Clone, Debug)]
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

    /// The values of `flag` in what goes to minikube, as `--flag=VALUE` or `--flag VALUE`.
    #[must_use]
    pub(super) fn values_of(&self, flag: &str) -> Vec<String> {
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
/// letter or digit first. Underscores and dots, which it once took, are refused.
#[must_use]
pub(super) fn is_profile_name(name: &str) -> bool {
    (2..=63).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !name.starts_with('-')
}

/// minikube's `--memory` in MiB, where it is a number: `4096`, `4g`, `4096mb`.
#[must_use]
pub(super) fn memory_mib(text: &str) -> Option<u64> {
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
        for name in ["", "a", "-x", "a/b", "..", "a b", "a_b"] {
            assert!(!is_profile_name(name), "{name}");
        }
    }
}
