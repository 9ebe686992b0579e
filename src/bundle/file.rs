//! Files that the packer adds: Kubernetes manifests, charts, and whatever else a site needs.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Digest, Origin};

/// What a file is for. Role and name, and nothing else, decide where it goes on the
/// machine at the site.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FileRole {
    /// Kubernetes objects, in YAML or JSON: a start gives them to the cluster.
    Manifest,
    /// Anything: it is put on the machine, and nothing reads it.
    File,
    /// A Helm chart in an archive: an application installs it.
    Chart,
    /// Values for the chart of an application.
    Values,
}

impl FileRole {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Manifest, Self::File, Self::Chart, Self::Values];

    /// The directory of its files, in the payload and on a machine.
    #[must_use]
    pub fn directory(self) -> &'static str {
        match self {
            Self::Manifest => "manifests",
            Self::File => "files",
            Self::Chart => "charts",
            Self::Values => "values",
        }
    }

    /// The role as the index writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Manifest => "manifest",
            Self::File => "file",
            Self::Chart => "chart",
            Self::Values => "values",
        }
    }
}

impl fmt::Display for FileRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A file that belongs to no platform.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FilePart {
    /// What it is for.
    pub role: FileRole,
    /// Its name, for which [`is_file_name`] holds.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// The SHA-256 of its content.
    pub sha256: Digest,
    /// Where it came from.
    pub origin: Origin,
}

impl FilePart {
    /// Where it lies in the payload, and below a directory that it is extracted to:
    /// `manifests/app.yaml`.
    #[must_use]
    pub fn member_path(&self) -> String {
        format!("{}/{}", self.role.directory(), self.name)
    }
}

/// Whether a file in a bundle can have this name: 1 to 80 of A-Z, a-z, 0-9, `.`, `_` and
/// `-`, the first a letter or a digit. So it is no path, no hidden file and no flag, and
/// has place in a tar header.
#[must_use]
pub fn is_file_name(name: &str) -> bool {
    name.len() <= 80
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_shown_as_the_index_writes_it() {
        for role in FileRole::ALL {
            let written = serde_json::to_value(role).expect("JSON");
            assert_eq!(written, role.name());
            assert_eq!(written, role.to_string());
        }
    }

    #[test]
    fn a_name_is_no_path() {
        for name in ["a", "01-app.yaml", "Chart-1.2.3.tgz", &"x".repeat(80)] {
            assert!(is_file_name(name), "{name}");
        }
        for name in [
            "",
            ".",
            "..",
            ".x",
            "-x",
            "_x",
            "a/b",
            "a b",
            "ü",
            "a\0",
            "a\n",
            &"x".repeat(81),
        ] {
            assert!(!is_file_name(name), "{name:?}");
        }
    }
}
