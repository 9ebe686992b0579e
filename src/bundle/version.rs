//! Versions of Kubernetes and minikube.

use std::fmt;
use std::str::FromStr;

use super::text::serde_as_text;

/// A release version with its `v`: `v1.35.4`, `v1.36.0-rc.1`. Ordered as semver orders it:
/// `v1.36.0-rc.2` comes before `v1.36.0-rc.10`, and that before its release.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Version(semver::Version);

/// What a name of a file may hold; a longer one is not a release.
const LONGEST_PRERELEASE: usize = 64;

/// A version with a larger number is not a release, and readers need not agree on it.
const LARGEST_NUMBER: u64 = u32::MAX as u64;

/// Text that is not a release version.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a release version such as `v1.35.4`")]
pub struct VersionError(String);

impl Version {
    /// The first number.
    #[must_use]
    pub fn major(&self) -> u64 {
        self.0.major
    }

    /// The second number.
    #[must_use]
    pub fn minor(&self) -> u64 {
        self.0.minor
    }

    /// The third number.
    #[must_use]
    pub fn patch(&self) -> u64 {
        self.0.patch
    }

    /// Whether it comes before a release: `v1.36.0-rc.1`.
    #[must_use]
    pub fn is_prerelease(&self) -> bool {
        !self.0.pre.is_empty()
    }

    /// `v1.35`: what the name of a bundle says.
    #[must_use]
    pub fn line(&self) -> String {
        format!("v{}.{}", self.0.major, self.0.minor)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

impl FromStr for Version {
    type Err = VersionError;
    fn from_str(text: &str) -> Result<Self, VersionError> {
        text.strip_prefix('v')
            .and_then(|numbers| semver::Version::parse(numbers).ok())
            .filter(|version| version.build.is_empty() && version.pre.len() <= LONGEST_PRERELEASE)
            .filter(|version| version.major.max(version.minor).max(version.patch) <= LARGEST_NUMBER)
            .map(Self)
            .ok_or_else(|| VersionError(text.chars().take(80).collect()))
    }
}

serde_as_text!(Version);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_as_it_is_written() {
        let long = format!("v1.36.0-{}", "x".repeat(64));
        for text in ["v1.35.4", "v0.0.1", "v1.36.0-rc.1", "v1.36.0-a-b", &long] {
            assert_eq!(text.parse::<Version>().expect(text).to_string(), text);
        }
        for text in [
            "1.35.4",
            "v1.35",
            "v1.35.4.1",
            "v4294967296.0.0",
            "v1.035.4",
            "v1.+5.4",
            "v1.35.4-",
            "v1.35.4/..",
            "v1.36.0-rc_1",
            "v1.36.0-rc.01",
            "v1.36.0+build",
            &format!("v1.36.0-{}", "x".repeat(65)),
            "latest",
        ] {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_release_comes_after_its_candidates() {
        let version = |text: &str| text.parse::<Version>().expect("version");
        let of = version("v2.35.4");
        assert_eq!((of.major(), of.minor(), of.patch()), (2, 35, 4));
        assert_eq!(of.line(), "v2.35");
        assert!(version("v1.9.9") < version("v1.10.0"));
        assert!(version("v1.36.0-rc.1") < version("v1.36.0"));
        assert!(version("v1.36.0-rc.2") < version("v1.36.0-rc.10"));
        assert!(version("v1.36.0-alpha.10") < version("v1.36.0-beta.1"));
        assert!(version("v1.36.0-rc.1").is_prerelease() && !of.is_prerelease());
    }
}
