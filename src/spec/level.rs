//! How much time `pack` spends on size.

use crate::bundle::text::{named_values, serde_as_text};

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

named_values!(Level, LevelError: "`{0}` is not a level (fast, default or max)");

serde_as_text!(Level);
