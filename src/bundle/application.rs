//! Applications: Helm charts that a start installs.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{FilePart, FileRole};

/// The longest name of a release: Helm keeps its records in objects that have it in theirs.
/// Source: Helm v4, `pkg/chart/common/util`: `ValidateReleaseName`.
const RELEASE_BYTES: usize = 53;

/// The longest name of a namespace. Source: Kubernetes, RFC 1123 labels.
const NAMESPACE_BYTES: usize = 63;

/// A chart with its values, and the release that it becomes.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// The release's name, for which [`is_release_name`] holds.
    pub release: String,
    /// The namespace, for which [`is_namespace`] holds.
    pub namespace: String,
    /// The name of its chart, a file with the role `chart`.
    pub chart: String,
    /// The names of its values, files with the role `values`; a later one wins.
    pub values: Vec<String>,
}

/// Whether a release can have this name: labels of a-z, 0-9 and `-`, joined by `.`.
#[must_use]
pub fn is_release_name(name: &str) -> bool {
    name.len() <= RELEASE_BYTES && name.split('.').all(is_label)
}

/// Whether a namespace can have this name.
#[must_use]
pub fn is_namespace(name: &str) -> bool {
    name.len() <= NAMESPACE_BYTES && is_label(name)
}

/// a-z, 0-9 and `-`, the first and the last no `-`.
fn is_label(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !text.is_empty() && text.bytes().all(allowed) && !text.starts_with('-') && !text.ends_with('-')
}

/// Whether the applications and the files agree, as a sentence where they do not: each chart
/// and each file of values is used, and is there.
pub(super) fn check(applications: &[Application], files: &[FilePart]) -> Result<(), String> {
    let mut releases = BTreeSet::new();
    let mut used = BTreeSet::new();
    for application in applications {
        let Application {
            release,
            namespace,
            chart,
            values,
        } = application;
        if !is_release_name(release) || !is_namespace(namespace) {
            return Err(format!(
                "an application has the release {release:?} in the namespace {namespace:?}"
            ));
        }
        if !releases.insert((namespace, release)) {
            return Err(format!(
                "there are two releases `{release}` in the namespace `{namespace}`"
            ));
        }
        used.insert((FileRole::Chart, chart.as_str()));
        used.extend(values.iter().map(|name| (FileRole::Values, name.as_str())));
    }
    let there = files.iter().map(|file| (file.role, file.name.as_str()));
    let there = there.filter(|(role, _)| matches!(role, FileRole::Chart | FileRole::Values));
    if !there.eq(used) {
        return Err("the applications name other charts and values than there are".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_that_kubernetes_takes() {
        for name in ["web", "a", "web-2", "web.v2", &"x".repeat(53)] {
            assert!(is_release_name(name), "{name}");
        }
        for name in [
            "",
            "-web",
            "web-",
            "Web",
            "a_b",
            "a b",
            "a..b",
            ".",
            "ü",
            "--debug",
            &"x".repeat(54),
        ] {
            assert!(!is_release_name(name), "{name}");
        }
        assert!(is_namespace("team-1") && !is_namespace("team.1") && !is_namespace(&"x".repeat(64)));
    }
}
