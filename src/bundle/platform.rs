//! Operating system and architecture, as the OCI image spec names them.

use std::fmt;
use std::str::FromStr;

use super::text::serde_as_text;

/// An architecture that a cluster node can have, by its Go name (`GOARCH`), which
/// Kubernetes, minikube and the OCI image spec use.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Arch {
    /// x86-64.
    Amd64,
    /// `AArch64`.
    Arm64,
}

impl Arch {
    /// The Go name: `amd64`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }

    /// What `uname -m` prints on it: `x86_64`.
    #[must_use]
    pub fn machine(self) -> &'static str {
        match self {
            Self::Amd64 => "x86_64",
            Self::Arm64 => "aarch64",
        }
    }

    /// The value of `e_machine` in an ELF header (System V ABI): 62, 183.
    #[must_use]
    pub fn elf_machine(self) -> u16 {
        match self {
            Self::Amd64 => 62,
            Self::Arm64 => 183,
        }
    }

    /// All of them.
    pub const ALL: [Self; 2] = [Self::Amd64, Self::Arm64];
}

/// A platform; only Linux nodes are carried. In text: `linux/amd64`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Platform {
    /// The architecture.
    pub arch: Arch,
}

/// Text that names no platform which a bundle can be for.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a platform that can be carried (linux/amd64 or linux/arm64)")]
pub struct PlatformError(String);

impl Platform {
    /// The platform that this program was built for; `None` where no bundle can run.
    #[must_use]
    pub fn of_this_machine() -> Option<Self> {
        Arch::ALL
            .into_iter()
            .find(|arch| arch.machine() == std::env::consts::ARCH)
            .map(|arch| Self { arch })
    }
}

/// The platforms as in a sentence: `linux/amd64 and linux/arm64`.
#[must_use]
pub fn in_words(platforms: &[Platform]) -> String {
    let names: Vec<String> = platforms.iter().map(ToString::to_string).collect();
    names.join(" and ")
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "linux/{}", self.arch.name())
    }
}

impl FromStr for Platform {
    type Err = PlatformError;
    fn from_str(text: &str) -> Result<Self, PlatformError> {
        Arch::ALL
            .into_iter()
            .map(|arch| Self { arch })
            .find(|platform| platform.to_string() == text)
            .ok_or_else(|| PlatformError(text.to_owned()))
    }
}

serde_as_text!(Platform);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_architecture_has_its_names_and_its_number() {
        let of = |arch: Arch| (arch.name(), arch.machine(), arch.elf_machine());
        assert_eq!(of(Arch::Amd64), ("amd64", "x86_64", 62));
        assert_eq!(of(Arch::Arm64), ("arm64", "aarch64", 183));
        let all = Arch::ALL.map(|arch| Platform { arch });
        assert_eq!(in_words(&all), "linux/amd64 and linux/arm64");
    }
}
