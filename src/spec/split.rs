//! How long a volume of a split bundle may be.

use std::fmt;
use std::str::FromStr;

use crate::bundle::limits::CHUNK_BYTES;
use crate::bundle::text::serde_as_text;

/// The most that a volume may hold. In text a number with K, M or G, each 1024 times
/// the one before, and `iB` behind it or not: `4000M`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct VolumeSize(u64);

/// Text that is no such size.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VolumeSizeError {
    /// It is not a number with one of the letters, or with none for bytes.
    #[error("`{0}` is not a size such as 4000M, 3900MiB or 2G")]
    NoSize(String),
    /// A volume holds whole chunks, of one MiB each.
    #[error("`{0}` is too small: a volume holds at least 1M")]
    TooSmall(String),
}

impl VolumeSize {
    /// The length of every volume but the last in bytes: whole chunks.
    #[must_use]
    pub fn bytes(self) -> u64 {
        self.0
    }
}

impl fmt::Display for VolumeSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}M", self.0 / CHUNK_BYTES)
    }
}

impl FromStr for VolumeSize {
    type Err = VolumeSizeError;
    fn from_str(text: &str) -> Result<Self, VolumeSizeError> {
        let shown = || text.chars().take(80).collect::<String>();
        let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
        let unit = match &text[digits.len()..] {
            "" => Some(1),
            "K" | "KiB" => Some(1 << 10),
            "M" | "MiB" => Some(1 << 20),
            "G" | "GiB" => Some(1 << 30),
            _ => None,
        };
        // Digits alone: `parse` would take a sign, too.
        let number = digits.bytes().all(|b| b.is_ascii_digit());
        let bytes = number.then(|| digits.parse::<u64>().ok()).flatten();
        let bytes = bytes
            .zip(unit)
            .and_then(|(number, unit)| number.checked_mul(unit));
        let bytes = bytes.ok_or_else(|| VolumeSizeError::NoSize(shown()))?;
        match bytes - bytes % CHUNK_BYTES {
            0 => Err(VolumeSizeError::TooSmall(shown())),
            whole => Ok(Self(whole)),
        }
    }
}

serde_as_text!(VolumeSize);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_a_binary_unit_and_is_whole_mebibytes() {
        for (text, mebibytes) in [
            ("4000M", 4000),
            ("3900MiB", 3900),
            ("2G", 2048),
            ("1GiB", 1024),
            ("1024K", 1),
            ("2047KiB", 1),
            ("1048576", 1),
            ("4294967295", 4095),
        ] {
            let size: VolumeSize = text.parse().expect(text);
            assert_eq!(size.bytes(), mebibytes << 20, "{text}");
            assert_eq!(size.to_string().parse::<VolumeSize>().expect("again"), size);
        }
    }

    #[test]
    fn nonsense_is_refused() {
        let refused = |text: &str| text.parse::<VolumeSize>().expect_err(text).to_string();
        for text in [
            "",
            "M",
            "4000MB",
            "4000 M",
            "4000m",
            "+4M",
            "-4M",
            "1.5G",
            "0x10M",
            "4T",
            "4M4M",
            "M4",
            "99999999999999999999",
            "17179869184G",
            "4Mé",
        ] {
            let expected = format!("`{text}` is not a size such as 4000M, 3900MiB or 2G");
            assert_eq!(refused(text), expected);
        }
        for text in ["0", "0M", "1023K", "1048575"] {
            assert_eq!(
                refused(text),
                format!("`{text}` is too small: a volume holds at least 1M")
            );
        }
    }
}
