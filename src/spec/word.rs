//! A Kubernetes version as a person may say it.

use std::fmt;
use std::str::FromStr;

use crate::bundle::Version;
use crate::bundle::text::serde_as_text;

/// A release, or a word that stands for one: `v1.35.4`, `v1.35` (its newest patch),
/// `stable`, `latest`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum VersionWord {
    /// The newest build, pre-releases included.
    Latest,
    /// The newest patch release of this line, such as `1.35`.
    Line(String),
    /// This release.
    Release(Version),
    /// The newest release.
    Stable,
}

impl VersionWord {
    /// `v1.35`, where the word says it.
    #[must_use]
    pub fn line(&self) -> Option<String> {
        match self {
            Self::Line(line) => Some(format!("v{line}")),
            Self::Release(version) => Some(version.line()),
            Self::Latest | Self::Stable => None,
        }
    }

    /// The release, where the word names one.
    #[must_use]
    pub fn release(&self) -> Option<&Version> {
        match self {
            Self::Release(version) => Some(version),
            _ => None,
        }
    }
}

/// Text that stands for no release.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is no version of Kubernetes: give `v1.35.4`, `v1.35` for its newest patch, `stable` or `latest`"
)]
pub struct VersionWordError(String);

impl FromStr for VersionWord {
    type Err = VersionWordError;
    /// With `v` or without, as minikube takes it (v1.38.1, `cmd/minikube/cmd/start.go:1808`).
    fn from_str(text: &str) -> Result<Self, VersionWordError> {
        let number = |text: &str| text.parse::<u32>().is_ok_and(|number| number.to_string() == text);
        let bare = text.strip_prefix('v').unwrap_or(text);
        let line = bare.split_once('.');
        let is_line = line.is_some_and(|(major, minor)| number(major) && number(minor));
        match text {
            "latest" => Ok(Self::Latest),
            "stable" => Ok(Self::Stable),
            _ if is_line => Ok(Self::Line(bare.to_owned())),
            _ => match format!("v{bare}").parse() {
                Ok(version) => Ok(Self::Release(version)),
                Err(_) => Err(VersionWordError(text.chars().take(80).collect())),
            },
        }
    }
}

serde_as_text!(read_only VersionWord);

impl fmt::Display for VersionWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => f.write_str("latest"),
            Self::Line(line) => write!(f, "v{line}"),
            Self::Release(version) => write!(f, "{version}"),
            Self::Stable => f.write_str("stable"),
        }
    }
}

impl From<Version> for VersionWord {
    fn from(version: Version) -> Self {
        Self::Release(version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_not_a_release() {
        for text in ["latest", "stable", "v1.35", "v1.35.4", "v1.36.0-rc.1"] {
            assert_eq!(text.parse::<VersionWord>().expect(text).to_string(), text);
        }
        assert_eq!("v1.35".parse::<VersionWord>().expect("line").release(), None);
        for (text, meant) in [("1.35", "v1.35"), ("1.35.4", "v1.35.4")] {
            assert_eq!(text.parse::<VersionWord>().expect(text).to_string(), meant);
        }
        for text in [
            "1", "v1", "v1.035", "v1.+5", "vv1.35", "vv1.35.4", "vlatest", "newest", "",
        ] {
            assert!(text.parse::<VersionWord>().is_err(), "{text}");
        }
    }
}
