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
    fn from_str(text: &str) -> Result<Self, VersionWordError> {
        let number = |text: &str| text.parse::<u32>().is_ok_and(|number| number.to_string() == text);
        Ok(match text {
            "latest" => Self::Latest,
            "stable" => Self::Stable,
            _ => {
                let line = text.strip_prefix('v').filter(|line| {
                    line.split_once('.')
                        .is_some_and(|(major, minor)| number(major) && number(minor))
                });
                match line {
                    Some(line) => Self::Line(line.to_owned()),
                    None => Self::Release(
                        text.parse()
                            .map_err(|_| VersionWordError(text.chars().take(80).collect()))?,
                    ),
                }
            }
        })
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
        for text in ["1.35", "v1", "v1.035", "v1.+5", "newest", ""] {
            assert!(text.parse::<VersionWord>().is_err(), "{text}");
        }
    }
}
