//! Whether the profile can have its name, and is not another's.

use super::finding::{Finding, fatal, usage};
use crate::bundle::BundleIndex;
use crate::minikube::{LABEL, is_profile_name};
use crate::minikube::{ProfileConfig, SiteOptions};

/// No name that minikube and Kubernetes take, whichever the machine.
pub(crate) fn impossible(options: &SiteOptions) -> Option<Finding> {
    if !is_profile_name(&options.profile) {
        return Some(usage(
            format!("`{}` cannot be the name of a profile", options.profile),
            format!(
                "minikube takes letters, digits and `-`, 2 to {LABEL}, and no `-` at the start or the end"
            ),
            "give another name with `--profile`",
        ));
    }
    let longest = options.node_names().max_by_key(String::len)?;
    (longest.len() > LABEL).then(|| {
        let most = LABEL - (longest.len() - options.profile.len());
        usage(
            format!(
                "the node `{longest}` would have a name of {} characters",
                longest.len()
            ),
            format!("Kubernetes takes {LABEL} at most"),
            format!("give a name of {most} characters at most with `--profile`, or ask for fewer nodes"),
        )
    })
}

/// `existing` is the profile of this name, where there is one.
pub(crate) fn examine(
    index: &BundleIndex,
    options: &SiteOptions,
    existing: Option<&ProfileConfig>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Some(profile) = existing else {
        return findings;
    };
    let found = &profile.kubernetes_config;
    let runtime = options.runtime(index.cluster.container_runtime).name();
    for (thing, found, wanted) in [
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
    use crate::explain::Kind;
    use crate::install::testing::{index, with};
    use crate::minikube::KubernetesConfig;

    #[test]
    fn another_cluster_of_this_name_is_left_alone() {
        let profile = |driver: &str, version: &str, runtime: &str| ProfileConfig {
            nodes: Vec::new(),
            driver: driver.into(),
            kubernetes_config: KubernetesConfig {
                kubernetes_version: version.into(),
                container_runtime: runtime.into(),
            },
            ..ProfileConfig::default()
        };
        for (existing, reasons) in [
            (profile("docker", "v1.35.4", "docker"), 0),
            (profile("", "", ""), 0),
            (profile("kvm2", "v1.34.0", "docker"), 1),
            (profile("kvm2", "v1.34.0", "containerd"), 2),
        ] {
            let findings = examine(&index(), &SiteOptions::default(), Some(&existing));
            assert_eq!(findings.len(), reasons, "{findings:?}");
        }
    }

    #[test]
    fn a_name_that_is_refused_later_is_a_usage_error() {
        let long = "a".repeat(60);
        for (profile, nodes, what) in [
            ("dev", "--nodes=252", None),
            (&long, "", None),
            (
                "../x",
                "",
                Some("`../x` cannot be the name of a profile".to_owned()),
            ),
            (
                "abc-",
                "",
                Some("`abc-` cannot be the name of a profile".to_owned()),
            ),
            (
                &long,
                "--nodes=2",
                Some(format!(
                    "the node `{long}-m02` would have a name of 64 characters"
                )),
            ),
            (&long[1..], "--nodes=2", None),
            (
                &long[1..],
                "--nodes=100",
                Some(format!(
                    "the node `{}-m100` would have a name of 64 characters",
                    &long[1..]
                )),
            ),
        ] {
            let options = SiteOptions {
                profile: profile.into(),
                ..with(nodes)
            };
            let finding = impossible(&options);
            assert!(finding.as_ref().is_none_or(|finding| finding.kind == Kind::Usage));
            assert_eq!(finding.map(|finding| finding.what), what);
        }
        let options = SiteOptions {
            profile: long,
            ..with("--ha")
        };
        let fix = impossible(&options).expect("a finding").fix;
        assert_eq!(
            fix,
            "give a name of 59 characters at most with `--profile`, or ask for fewer nodes"
        );
    }
}
