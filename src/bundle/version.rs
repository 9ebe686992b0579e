//! Versions of Kubernetes and minikube.

use std::fmt;
use std::str::FromStr;

use super::text::serde_as_text;

/// A release version with its `v`: `v1.35.4`, `v1.36.0-rc.1`. Ordered as semver
/// orders its numbers; a pre-release comes before its release.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Version {
    major: u32,
    minor: u32,
    patch: u32,
    pre: Option<String>,
}

/// Text that is not a release version.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a release version such as `v1.35.4`")]
pub struct VersionError(String);

impl Version {
    /// The first number.
    #[must_use]
    pub fn major(&self) -> u32 {
        self.major
    }

    /// The second number.
    #[must_use]
    pub fn minor(&self) -> u32 {
        self.minor
    }

    /// The third number.
    #[must_use]
    pub fn patch(&self) -> u32 {
        self.patch
    }

    /// Whether it comes before a release: `v1.36.0-rc.1`.
    #[must_use]
    pub fn is_prerelease(&self) -> bool {
        self.pre.is_some()
    }

    /// `v1.35`: what the name of a bundle says.
    #[must_use]
    pub fn line(&self) -> String {
        format!("v{}.{}", self.major, self.minor)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let rank = |version: &Self| (version.major, version.minor, version.patch, version.pre.is_none());
        rank(self)
            .cmp(&rank(other))
            .then_with(|| self.pre.cmp(&other.pre))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}.{}.{}", self.major, self.minor, self.patch)?;
        self.pre.as_ref().map_or(Ok(()), |pre| write!(f, "-{pre}"))
    }
}

impl FromStr for Version {
    type Err = VersionError;
    fn from_str(text: &str) -> Result<Self, VersionError> {
        parse(text).ok_or_else(|| VersionError(text.chars().take(80).collect()))
    }
}

serde_as_text!(Version);

fn parse(text: &str) -> Option<Version> {
    let (numbers, pre) = match text.strip_prefix('v')?.split_once('-') {
        Some((numbers, pre)) => (numbers, Some(pre)),
        None => (&text[1..], None),
    };
    let identifier =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if pre.is_some_and(|pre| pre.len() > 64 || !pre.split('.').all(identifier)) {
        return None;
    }
    let mut numbers = numbers.split('.').map(|number| {
        let canonical = number == "0" || !number.starts_with('0');
        let digits = number.bytes().all(|b| b.is_ascii_digit());
        number.parse::<u32>().ok().filter(|_| canonical && digits)
    });
    let version = Version {
        major: numbers.next()??,
        minor: numbers.next()??,
        patch: numbers.next()??,
        pre: pre.map(str::to_owned),
    };
    numbers.next().is_none().then_some(version)
}

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
            "v1.035.4",
            "v1.+5.4",
            "v1.35.4-",
            "v1.35.4/..",
            "v1.36.0-rc_1",
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
        assert!(version("v1.36.0-rc.1").is_prerelease() && !of.is_prerelease());
    }
}
