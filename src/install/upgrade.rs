//! A cluster that goes from one release of Kubernetes to another, and its state from before.

use serde::{Deserialize, Serialize};

use super::receipt::{InstalledBundle, Receipt};
use crate::bundle::Version;
use crate::minikube::ProfileConfig;

/// An upgrade of one profile: at work, or done and still to be taken back.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Upgrade {
    /// The bundle that the cluster was of.
    pub bundle: String,
    /// Its serial.
    pub serial: u64,
    /// The Kubernetes release in it.
    pub from: String,
    /// The bundle that the cluster goes to.
    pub to_bundle: String,
    /// The Kubernetes release in that.
    pub to: String,
    /// How far it is.
    pub state: UpgradeState,
}

/// How far an upgrade is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case", deny_unknown_fields)]
pub enum UpgradeState {
    /// The cluster is as it was: programs and images are brought to where they are needed.
    Loading,
    /// The cluster may be stopped, half new, or half old again.
    Changing,
    /// The nodes are ready. The state from before is kept.
    Done {
        /// When it was kept, in seconds since 1970.
        at: u64,
        /// How many bytes it has.
        bytes: u64,
    },
}

/// What a bundle with another release is to a cluster.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step {
    /// The next release, or a later patch.
    Upgrade(Upgrade),
    /// Minor releases are between them, which Kubernetes does not skip.
    Skips(Vec<String>),
    /// An older release.
    Older,
    /// A cluster of another bundle, or of none.
    Foreign,
}

impl Upgrade {
    /// Whether the profile is neither in its old state nor in its new one.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        !matches!(self.state, UpgradeState::Done { .. })
    }
}

/// What the bundle `name` with Kubernetes `to` is to the `profile`; nothing where the releases
/// are the same, or minikube does not say which one there is.
#[must_use]
pub fn step(
    receipt: &Receipt,
    (profile, config): (&str, &ProfileConfig),
    name: &str,
    to: &Version,
) -> Option<Step> {
    let unfinished = receipt.upgrades().get(profile).filter(|it| it.is_unfinished());
    // What minikube wrote of it is undone first.
    let found = unfinished.map_or(&config.kubernetes_config.kubernetes_version, |it| &it.from);
    let from: Version = found.parse().ok().filter(|from| from != to)?;
    let bundle = receipt
        .bundles()
        .filter(|bundle| stem(&bundle.name) == stem(name))
        .max_by_key(|bundle| (bundle.kubernetes_version == *found, bundle.name == name));
    let of = match (unfinished, bundle) {
        (Some(it), _) if stem(&it.bundle) == stem(name) => (it.bundle.clone(), it.serial),
        (None, Some(InstalledBundle { name, serial, .. })) => (name.clone(), *serial),
        _ => return Some(Step::Foreign),
    };
    if !receipt.profiles().get(profile).is_some_and(|known| known.ready) {
        return Some(Step::Foreign);
    }
    if *to < from || to.major() != from.major() {
        return Some(Step::Older);
    }
    if to.minor() > from.minor() + 1 {
        let between = from.minor() + 1..to.minor();
        return Some(Step::Skips(
            between.map(|minor| format!("v{}.{minor}", to.major())).collect(),
        ));
    }
    let (bundle, serial) = of;
    Some(Step::Upgrade(Upgrade {
        bundle,
        serial,
        from: from.to_string(),
        to_bundle: name.to_owned(),
        to: to.to_string(),
        state: UpgradeState::Loading,
    }))
}

/// The name of a bundle without the minor release that `pack` ends it with: `acme-v1.35`.
fn stem(name: &str) -> &str {
    let is_line = |end: &str| {
        let (major, minor) = end.split_once('.').unwrap_or_default();
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        is_number(major) && is_number(minor)
    };
    match name.rsplit_once("-v") {
        Some((stem, line)) if is_line(line) => stem,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::install::Event;
    use crate::minikube::KubernetesConfig;

    fn receipt(bundle: &str, version: &str) -> Receipt {
        let mut receipt = Receipt::default();
        receipt.apply(Event::Bundle {
            name: bundle.to_owned(),
            serial: 3,
            kubernetes_version: version.to_owned(),
        });
        receipt.apply(Event::Profile {
            name: "dev".to_owned(),
            minikube_home: "/home/ann/.minikube".into(),
            kubeconfig: None,
        });
        receipt.apply(Event::ProfileReady {
            name: "dev".to_owned(),
            containers: BTreeMap::new(),
        });
        receipt
    }

    fn config(version: &str) -> ProfileConfig {
        ProfileConfig {
            kubernetes_config: KubernetesConfig {
                kubernetes_version: version.to_owned(),
                container_runtime: "docker".to_owned(),
            },
            ..ProfileConfig::default()
        }
    }

    #[test]
    fn only_the_next_release_of_the_same_bundle_is_an_upgrade() {
        let receipt = receipt("acme-v1.35", "v1.35.3");
        let said = |profile, name: &str, from, to: &str| {
            let config = config(from);
            match step(&receipt, (profile, &config), name, &to.parse().expect("version")) {
                None => "same".to_owned(),
                Some(Step::Upgrade(it)) => format!("{} {} {} {}", it.bundle, it.serial, it.from, it.to),
                Some(Step::Skips(lines)) => lines.join(" "),
                Some(other) => format!("{other:?}"),
            }
        };
        for (name, from, to, expected) in [
            ("acme-v1.35", "v1.35.3", "v1.35.3", "same"),
            ("acme-v1.35", "", "v1.35.4", "same"),
            ("acme-v1.35", "v1.35.3", "v1.35.4", "acme-v1.35 3 v1.35.3 v1.35.4"),
            ("acme-v1.36", "v1.35.3", "v1.36.0", "acme-v1.35 3 v1.35.3 v1.36.0"),
            ("acme-v1.38", "v1.35.3", "v1.38.0", "v1.36 v1.37"),
            ("acme-v1.35", "v1.35.3", "v1.35.2", "Older"),
            ("other-v1.35", "v1.35.3", "v1.35.4", "Foreign"),
            ("acme", "v1.35.3", "v1.35.4", "acme-v1.35 3 v1.35.3 v1.35.4"),
        ] {
            assert_eq!(said("dev", name, from, to), expected, "{name}: {from} to {to}");
        }
        assert_eq!(said("theirs", "acme-v1.35", "v1.35.3", "v1.35.4"), "Foreign");
    }

    #[test]
    fn a_killed_upgrade_begins_where_the_cluster_was() {
        let mut receipt = receipt("acme-v1.35", "v1.35.3");
        let to: Version = "v1.36.1".parse().expect("version");
        let Some(Step::Upgrade(mut begun)) = step(&receipt, ("dev", &config("v1.35.3")), "acme-v1.36", &to)
        else {
            panic!("no upgrade");
        };
        begun.state = UpgradeState::Changing;
        receipt.apply(Event::Upgrade {
            profile: "dev".to_owned(),
            upgrade: begun.clone(),
        });
        // minikube has written the new release by then.
        begun.state = UpgradeState::Loading;
        let again = step(&receipt, ("dev", &config("v1.36.1")), "acme-v1.36", &to);
        assert_eq!(again, Some(Step::Upgrade(begun)));
    }

    #[test]
    fn only_a_minor_release_is_cut_off_a_name() {
        for (name, expected) in [
            ("acme-v1.35", "acme"),
            ("acme-v2", "acme-v2"),
            ("acme-vx.1", "acme-vx.1"),
            ("acme", "acme"),
            ("a-v1.-v1.35", "a-v1."),
        ] {
            assert_eq!(stem(name), expected);
        }
    }
}
