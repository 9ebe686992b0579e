//! Whether the profile can have its name, and is not another's.

use super::finding::{Finding, fatal, usage};
use crate::bundle::BundleIndex;
use crate::install::options::is_profile_name;
use crate::install::{ProfileConfig, SiteOptions};

/// `existing` is the profile of this name, where there is one.
pub(super) fn examine(
    index: &BundleIndex,
    options: &SiteOptions,
    existing: Option<&ProfileConfig>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !is_profile_name(&options.profile) {
        findings.push(usage(
            format!("`{}` cannot be the name of a profile", options.profile),
            "minikube takes letters, digits and `-`, at least two, and no `-` at the start",
            "give another name with `--profile`",
        ));
    }
    let Some(profile) = existing else {
        return findings;
    };
    let found = &profile.kubernetes_config;
    let version = index.cluster.kubernetes_version.to_string();
    let runtime = options.runtime(index.cluster.container_runtime).name();
    for (thing, found, wanted) in [
        ("Kubernetes", found.kubernetes_version.as_str(), version.as_str()),
        ("the container runtime", found.container_runtime.as_str(), runtime),
        ("the driver", profile.driver.as_str(), "docker"),
    ] {
        if !found.is_empty() && found != wanted {
            let name = &options.profile;
            findings.push(fatal(
                format!("the profile `{name}` is there, and {thing} in it is `{found}`, not `{wanted}`"),
                "a start would change a cluster that someone uses",
                format!(
                    "choose another name with `--profile NAME`, or give that cluster up with `minikube delete -p {name}`"
                ),
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Kind;
    use crate::install::KubernetesConfig;
    use crate::install::testing::index;

    #[test]
    fn another_cluster_of_this_name_is_left_alone() {
        let profile = |driver: &str, version: &str, runtime: &str| ProfileConfig {
            nodes: Vec::new(),
            driver: driver.into(),
            kubernetes_config: KubernetesConfig {
                kubernetes_version: version.into(),
                container_runtime: runtime.into(),
            },
        };
        for (existing, reasons) in [
            (profile("docker", "v1.35.4", "docker"), 0),
            (profile("", "", ""), 0),
            (profile("docker", "v1.34.0", "docker"), 1),
            (profile("kvm2", "v1.34.0", "containerd"), 3),
        ] {
            let findings = examine(&index(), &SiteOptions::default(), Some(&existing));
            assert_eq!(findings.len(), reasons, "{findings:?}");
        }
    }

    #[test]
    fn a_name_that_minikube_refuses_is_a_mistake_in_the_command_line() {
        let options = SiteOptions {
            profile: "../x".into(),
            ..SiteOptions::default()
        };
        let findings = examine(&index(), &options, None);
        assert_eq!((findings.len(), findings[0].kind), (1, Kind::Usage));
    }
}
