//! The nodes that minikube makes for a profile, and what it calls them: as their
//! containers, their volumes and Kubernetes do.

use std::num::IntErrorKind;

use super::options::SiteOptions;

/// The most nodes that minikube makes on Docker: each has an address behind the gateway's
/// `.1`, and those above `.253` are not given. Source: minikube v1.38.1,
/// `pkg/drivers/kic/kic.go:117`, "too many machines to calculate an IP".
pub(crate) const MOST_NODES: u32 = 252;

/// As many control planes `--ha` makes. Source: minikube v1.38.1, `start.go:519`.
pub(crate) const CONTROL_PLANES: u32 = 3;

impl SiteOptions {
    /// How many nodes minikube is asked for: [`u32::MAX`] stands for all that are more. Of
    /// flags that are repeated the last one holds, as in minikube.
    #[must_use]
    pub fn nodes(&self) -> u32 {
        // Source: minikube v1.38.1, `start_flags.go:743`, `validateHANodeCount`.
        let without = if self.asks_high_availability() {
            CONTROL_PLANES
        } else {
            1
        };
        self.count_and_others().0.unwrap_or(without)
    }

    /// Whether something goes to minikube besides the number of nodes.
    #[must_use]
    pub fn passes_more_than_nodes(&self) -> bool {
        self.count_and_others().1 > 0
    }

    /// The first value of `--nodes` that is no number of nodes.
    pub(crate) fn no_number_of_nodes(&self) -> Option<&str> {
        let mut values = self.values_of_nodes().filter_map(|(_, value)| value);
        values.find(|value| count(value).is_none_or(|count| count == 0))
    }

    /// The last number of nodes that is given, and how many arguments are about other things.
    fn count_and_others(&self) -> (Option<u32>, usize) {
        let (mut nodes, mut others) = (None, 0);
        for (argument, value) in self.values_of_nodes() {
            match value.and_then(count) {
                Some(count) => nodes = Some(count),
                None if argument == "--ha" || argument.starts_with("--ha=") => {}
                None => others += 1,
            }
        }
        (nodes, others)
    }

    /// Each argument, and its value where it is about the number of nodes.
    fn values_of_nodes(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let mut arguments = self.extra_args.iter().map(String::as_str);
        std::iter::from_fn(move || {
            let argument = arguments.next()?;
            let long = argument.strip_prefix("--nodes");
            let long = long.filter(|rest| rest.is_empty() || rest.starts_with('='));
            let value = match long.or_else(|| argument.strip_prefix("-n")) {
                Some("") => arguments.next(),
                // `-n2`, too.
                Some(rest) => Some(rest.strip_prefix('=').unwrap_or(rest)),
                None => None,
            };
            Some((argument, value))
        })
    }

    /// Whether minikube is asked for several nodes.
    #[must_use]
    pub fn asks_several_nodes(&self) -> bool {
        self.asks_high_availability() || self.nodes() > 1
    }

    /// Whether minikube is asked for several control planes, which are three nodes at least.
    pub(crate) fn asks_high_availability(&self) -> bool {
        let flags = self.extra_args.iter().rev();
        let last = flags.into_iter().find_map(|argument| {
            let value = argument.strip_prefix("--ha")?;
            (value.is_empty() || value.starts_with('=')).then_some(value)
        });
        last.is_some_and(|value| !matches!(value, "=false" | "=0" | "=f" | "=F" | "=FALSE" | "=False"))
    }

    /// The names of the nodes that minikube makes for a new profile.
    pub fn node_names(&self) -> impl Iterator<Item = String> + '_ {
        (1..=self.nodes().clamp(1, MOST_NODES)).map(|number| match number {
            1 => self.profile.clone(),
            _ => node_name(&self.profile, &format!("m{number:02}")),
        })
    }
}

fn count(text: &str) -> Option<u32> {
    match text.parse::<u32>() {
        Err(error) if *error.kind() == IntErrorKind::PosOverflow => Some(u32::MAX),
        parsed => parsed.ok(),
    }
}

/// The name of a profile's node by the one that it has in the profile, which of the first
/// is empty. Source: minikube v1.38.1, `pkg/minikube/config/profile.go:338`, `MachineName`,
/// and `pkg/minikube/node/node.go:249`, `Name`.
pub(crate) fn node_name(profile: &str, name: &str) -> String {
    if name.is_empty() {
        profile.to_owned()
    } else {
        format!("{profile}-{name}")
    }
}

/// Whether a node with this name may be one of the profile's: `dev-m02` may be a profile,
/// too.
#[must_use]
pub fn may_be_node_of(profile: &str, name: &str) -> bool {
    let number = name
        .strip_prefix(profile)
        .and_then(|rest| rest.strip_prefix("-m"));
    let is_number = |text: &str| text.len() >= 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    name == profile || number.is_some_and(is_number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::testing::with;

    #[test]
    fn several_nodes_are_asked_for_in_each_of_minikubes_spellings() {
        for (arguments, nodes) in [
            ("--nodes 2", 2),
            ("--nodes=2", 2),
            ("-n 2", 2),
            ("-n=3", 3),
            ("-n2", 2),
            ("--ha", 3),
            ("--ha=true", 3),
            ("--ha --nodes 5", 5),
            ("--nodes=1 --nodes=2", 2),
            ("-n 1 --nodes=2", 2),
            ("--wait=none -n 2 --cni bridge", 2),
        ] {
            assert_eq!(with(arguments).nodes(), nodes, "{arguments}");
            assert!(with(arguments).asks_several_nodes(), "{arguments}");
        }
        for one in [
            "",
            "--nodes 1",
            "-n 1",
            "-n1",
            "--nodes=2 --nodes=1",
            "--nodes=2 -n 1",
            "--ha=false",
            "--ha --ha=false",
            "--nodes=many",
            "--network=n",
            "--namespace=2",
        ] {
            assert!(!with(one).asks_several_nodes(), "{one}");
        }
    }

    #[test]
    fn what_is_not_about_nodes_is_counted() {
        for (arguments, more) in [
            ("", false),
            ("--nodes 2", false),
            ("-n2 --ha", false),
            ("--nodes 2 --cpus=4", true),
            ("--wait none", true),
            ("--nodes=many", true),
        ] {
            assert_eq!(with(arguments).passes_more_than_nodes(), more, "{arguments}");
        }
    }

    #[test]
    fn nodes_are_called_as_minikube_calls_them() {
        let names: Vec<String> = with("--nodes=3").node_names().collect();
        assert_eq!(names, ["minikube", "minikube-m02", "minikube-m03"]);
        for (arguments, count) in [
            ("--nodes=0", 1),
            ("--nodes=-1", 1),
            ("--nodes=252", 252),
            ("--nodes=4294967296", 252),
        ] {
            assert_eq!(with(arguments).node_names().count(), count, "{arguments}");
        }
        for name in ["minikube", "minikube-m02", "minikube-m113"] {
            assert!(may_be_node_of("minikube", name), "{name}");
        }
        for name in [
            "minikube-",
            "minikube-m",
            "minikube-m2",
            "minikube-m0x",
            "minikub",
            "minikube02",
            "other",
        ] {
            assert!(!may_be_node_of("minikube", name), "{name}");
        }
    }
}
