//! How much time `pack` spends on size.

use std::fmt;
use std::str::FromStr;

use crate::bundle::text::serde_as_text;

/// How much time goes into making the bundle small. In text: `fast`, `default`, `max`.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Level {
    /// As small as a minute allows.
    #[default]
    Default,
    /// As quick as the disk allows.
    Fast,
    /// As small as it gets.
    Max,
}

impl Level {
    /// All of them, from quick to small.
    pub const ALL: [Self; 3] = [Self::Fast, Self::Default, Self::Max];

    /// The value of `--level`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Fast => "fast",
            Self::Max => "max",
        }
    }
}

/// Text that names no level.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a level (fast, default or max)")]
pub struct LevelError(String);

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Level {
    type Err = LevelError;
    fn from_str(text: &str) -> Result<Self, LevelError> {
        Self::ALL
            .into_iter()
            .find(|level| level.name() == text)
            .ok_or_else(|| LevelError(text.to_owned()))
    }
}

serde_as_text!(Level);
