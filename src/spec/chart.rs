//! Charts that a bundle installs.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::SpecError;
use crate::bundle::{is_namespace, is_release_name};

/// A Helm chart, and the release that it becomes: a table of `chart` in `bundle.toml`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Chart {
    /// The archive or the directory.
    pub path: PathBuf,
    /// Files with values for it; a later one wins.
    #[serde(default)]
    pub values: Vec<PathBuf>,
    /// The namespace [default: `default`].
    pub namespace: Option<String>,
    /// The release [default: the chart's name].
    pub release: Option<String>,
}

impl Chart {
    /// The namespace that it goes into.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or("default")
    }

    /// Every path that must be there.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        let values = self.values.iter().map(PathBuf::as_path);
        std::iter::once(self.path.as_path()).chain(values)
    }

    /// The same with relative paths seen from `directory`.
    pub(super) fn seen_from(self, directory: &Path) -> Self {
        let values = self.values.iter().map(|path| directory.join(path));
        Self {
            path: directory.join(&self.path),
            values: values.collect(),
            ..self
        }
    }

    /// Fails when Kubernetes takes none of these names.
    pub(super) fn check(&self) -> Result<(), SpecError> {
        let name = |what, name: &str| SpecError::ReleaseName {
            what,
            name: name.chars().take(200).collect(),
        };
        match (&self.release, &self.namespace) {
            (Some(release), _) if !is_release_name(release) => Err(name("release", release)),
            (_, Some(namespace)) if !is_namespace(namespace) => Err(name("namespace", namespace)),
            _ => Ok(()),
        }
    }
}
