//! Whether a cluster of another release can go to that of the bundle, and what that means.

use super::finding::{Finding, fatal, warning};
use crate::bundle::BundleIndex;
use crate::explain::Kind;
use crate::install::{Receipt, Step, step};
use crate::minikube::{ProfileConfig, SiteOptions};

/// `existing` is the profile that is there.
pub(crate) fn examine(
    index: &BundleIndex,
    options: &SiteOptions,
    existing: &ProfileConfig,
    receipt: &Receipt,
) -> Option<Finding> {
    let name = &options.profile;
    let to = &index.cluster.kubernetes_version;
    let found = &existing.kubernetes_config.kubernetes_version;
    let is_kept = receipt.upgrades().contains_key(name);
    let begin = format!("the profile `{name}` is there, and Kubernetes in it is `{found}`");
    Some(match step(receipt, (name, existing), &index.name, to)? {
        Step::Foreign => fatal(
            format!("{begin}, not `{to}`"),
            "a start would change a cluster that someone uses",
            format!(
                "choose another name with `--profile NAME`, or give that cluster up with `minikube delete -p {name}`"
            ),
        ),
        Step::Older => Finding {
            kind: Kind::Downgrade,
            ..fatal(
                format!("{begin}, which is newer than {to}"),
                "Kubernetes does not go back to an older release",
                if is_kept {
                    "`rollback` goes back to the state from before the last upgrade".to_owned()
                } else {
                    format!(
                        "start the newer bundle, or choose another name with `--profile NAME`; to give that cluster up, `uninstall --profile {name}`"
                    )
                },
            )
        },
        Step::Skips(lines) => fatal(
            format!("{begin}, and {to} is more than one minor release later"),
            "Kubernetes does not skip a minor release",
            format!(
                "start a bundle with Kubernetes {} first, then this one",
                lines.join(", then one with ")
            ),
        ),
        Step::Upgrade(_) if existing.nodes.len() > 1 => fatal(
            format!("{begin}, with {} nodes", existing.nodes.len()),
            "a start upgrades clusters of one node only",
            "choose another name with `--profile NAME` for a new cluster, and move there what runs in this one",
        ),
        Step::Upgrade(upgrade) => warning(
            format!(
                "profile `{name}` is upgraded from Kubernetes {} to {to}",
                upgrade.from
            ),
            format!(
                "images are loaded while the cluster answers; then it is stopped, and its etcd data, certificates and \
                 configuration are kept in the node's volume{}",
                stays(index, existing)
            ),
            format!(
                "what runs in it is away for one to two minutes; an upgrade that fails goes back by itself, and \
                 `rollback` does on request{}",
                if is_kept {
                    "; what is kept of the last upgrade goes"
                } else {
                    ""
                }
            ),
        ),
    })
}

/// minikube leaves a container what it was made of.
fn stays(index: &BundleIndex, existing: &ProfileConfig) -> String {
    let old = &existing.kic_base_image;
    let platform = index.cluster.platforms.first();
    let new = platform.and_then(|platform| index.on(*platform));
    let new = new.map(|view| view.node_image().reference.to_string());
    match new.filter(|new| !old.is_empty() && new != old) {
        Some(new) => format!("; the node stays `{old}`, and gets `{new}` in a new cluster only"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::finding::Severity;
    use super::*;
    use crate::install::Event;
    use crate::install::testing::index;
    use crate::minikube::{KubernetesConfig, NodeConfig};

    #[test]
    fn a_cluster_of_another_release_is_upgraded_or_left_alone() {
        let index = index();
        let mut ours = Receipt::default();
        ours.apply(Event::Bundle {
            name: index.name.clone(),
            serial: 1,
            kubernetes_version: "v1.34.0".to_owned(),
        });
        let name = SiteOptions::default().profile;
        ours.apply(Event::Profile {
            name: name.clone(),
            minikube_home: "/home/ann/.minikube".into(),
            kubeconfig: None,
        });
        ours.apply(Event::ProfileReady {
            name,
            containers: BTreeMap::new(),
        });
        let said = |receipt: &Receipt, version: &str, nodes| {
            let existing = ProfileConfig {
                nodes: vec![NodeConfig::default(); nodes],
                driver: "docker".to_owned(),
                kic_base_image: "gcr.io/k8s-minikube/kicbase:v0.0.48".to_owned(),
                kubernetes_config: KubernetesConfig {
                    kubernetes_version: version.to_owned(),
                    container_runtime: "docker".to_owned(),
                },
            };
            let finding = examine(&index, &SiteOptions::default(), &existing, receipt);
            finding.map(|it| {
                (
                    it.severity,
                    it.kind,
                    format!("{}; {}; {}", it.what, it.why, it.fix),
                )
            })
        };
        assert_eq!(said(&ours, "v1.35.4", 1), None);
        assert_eq!(said(&ours, "", 1), None);
        for (receipt, version, nodes, severity, kind, part) in [
            (
                &Receipt::default(),
                "v1.35.3",
                1,
                Severity::Fatal,
                Kind::Unfit,
                "someone uses",
            ),
            (
                &ours,
                "v1.36.0",
                1,
                Severity::Fatal,
                Kind::Downgrade,
                "does not go back",
            ),
            (
                &ours,
                "v1.32.9",
                1,
                Severity::Fatal,
                Kind::Unfit,
                "Kubernetes v1.33, then one with v1.34 first",
            ),
            (&ours, "v1.34.9", 2, Severity::Fatal, Kind::Unfit, "one node only"),
            (
                &ours,
                "v1.34.9",
                1,
                Severity::Warning,
                Kind::Unfit,
                "from Kubernetes v1.34.9 to v1.35.4",
            ),
            (
                &ours,
                "v1.34.9",
                1,
                Severity::Warning,
                Kind::Unfit,
                "stays `gcr.io/k8s-minikube/kicbase:v0.0.48`, and gets `gcr.io/k8s-minikube/kicbase:v0.0.50`",
            ),
        ] {
            let found = said(receipt, version, nodes).expect(version);
            assert_eq!((found.0, found.1), (severity, kind), "{version}");
            assert!(found.2.contains(part), "{found:?}");
        }
    }
}
