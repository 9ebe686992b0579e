//! The platforms of the machines that a bundle is for.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use crate::bundle::{Platform, PlatformError};

/// At least one platform, sorted, each once. In text `linux/amd64,linux/arm64`; in TOML
/// the same, or a list.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "Text")]
pub struct Platforms(Vec<Platform>);

/// Text that does not name platforms.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlatformsError {
    /// There is none.
    #[error("no platform is named: `linux/amd64`, `linux/arm64` or both")]
    None,
    /// One is not known.
    #[error(transparent)]
    Unknown(#[from] PlatformError),
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a string or a list of strings")]
enum Text {
    One(String),
    List(Vec<String>),
}

impl Platforms {
    /// The platform that this program was built for; `None` where no bundle can run.
    #[must_use]
    pub fn of_this_machine() -> Option<Self> {
        Platform::of_this_machine().map(|platform| Self(vec![platform]))
    }

    /// These platforms, if there are any.
    #[must_use]
    pub fn of_all(platforms: &[Platform]) -> Option<Self> {
        let mut platforms = platforms.to_vec();
        platforms.sort_unstable();
        platforms.dedup();
        (!platforms.is_empty()).then_some(Self(platforms))
    }

    /// The platforms, sorted.
    #[must_use]
    pub fn as_slice(&self) -> &[Platform] {
        &self.0
    }

    fn of<'a>(names: impl Iterator<Item = &'a str>) -> Result<Self, PlatformsError> {
        let names = names.map(|name| name.trim().parse());
        let platforms: Vec<Platform> = names.collect::<Result<_, _>>()?;
        Self::of_all(&platforms).ok_or(PlatformsError::None)
    }
}

impl FromStr for Platforms {
    type Err = PlatformsError;
    fn from_str(text: &str) -> Result<Self, PlatformsError> {
        Self::of(text.split(','))
    }
}

impl TryFrom<Text> for Platforms {
    type Error = PlatformsError;
    fn try_from(text: Text) -> Result<Self, PlatformsError> {
        match text {
            Text::One(names) => names.parse(),
            Text::List(names) => Self::of(names.iter().map(String::as_str)),
        }
    }
}

impl From<Platform> for Platforms {
    fn from(platform: Platform) -> Self {
        Self(vec![platform])
    }
}

impl fmt::Display for Platforms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&names.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_are_sorted_and_each_is_there_once() {
        let platforms: Platforms = "linux/arm64,linux/amd64, linux/arm64".parse().expect("two");
        assert_eq!(platforms.to_string(), "linux/amd64,linux/arm64");
        let error = "linux/amd64,linux/riscv64".parse::<Platforms>().expect_err("one");
        assert_eq!(
            error.to_string(),
            "`linux/riscv64` is not a platform that can be carried (linux/amd64 or linux/arm64)"
        );
        assert!("".parse::<Platforms>().is_err());
    }
}
