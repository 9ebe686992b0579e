//! Whether minikube can make as many nodes as are asked for. It says so itself, after
//! minutes: of too many at the first that has no address left.

use super::finding::{Finding, usage};
use crate::minikube::SiteOptions;
use crate::minikube::{CONTROL_PLANES, MOST_NODES};

/// No number of nodes that there can be, whichever the machine: nothing else need be looked
/// at.
pub(crate) fn impossible(options: &SiteOptions) -> Option<Finding> {
    let numbers =
        format!("give a number from 1 to {MOST_NODES} with `--nodes`, which overrides MINIKUBE_NODES");
    if let Some(text) = options.no_number_of_nodes() {
        return Some(usage(
            format!("`--nodes {text}` is no number of nodes"),
            "a cluster has one at least",
            numbers,
        ));
    }
    let count = match options.nodes() {
        count if count <= MOST_NODES => return None,
        u32::MAX => format!("{} nodes or more", u32::MAX),
        count => format!("{count} nodes"),
    };
    Some(usage(
        format!("{count} are asked for, and minikube makes {MOST_NODES} at most"),
        "it gives each node an address of its network's last byte",
        numbers,
    ))
}

/// Nothing is said of a profile that is there: minikube leaves its nodes as they are.
pub(crate) fn examine(options: &SiteOptions, is_new: bool) -> Option<Finding> {
    let count = options.nodes();
    let too_few = is_new && options.asks_high_availability() && count < CONTROL_PLANES;
    too_few.then(|| {
        usage(
            format!("`--ha` with {count} nodes, and minikube makes three control planes at least"),
            "of fewer, none could be lost",
            "leave `--nodes` away, which makes three of them, or `--ha`",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::testing::with;

    #[test]
    fn only_numbers_that_minikube_cannot_make_are_findings() {
        for (arguments, many, few) in [
            ("", false, false),
            ("--nodes=0", true, false),
            ("--nodes=-1", true, false),
            ("-n x", true, false),
            ("--nodes=252", false, false),
            ("--nodes=253", true, false),
            ("--nodes=4294967296", true, false),
            ("--ha", false, false),
            ("--ha --nodes=3", false, false),
            ("--ha --nodes=2", false, true),
            ("--ha --nodes=253", true, false),
            ("--ha --nodes=2 --ha=false", false, false),
        ] {
            let options = with(arguments);
            assert_eq!(impossible(&options).is_some(), many, "{arguments}");
            assert_eq!(examine(&options, true).is_some(), few, "{arguments}");
            assert!(
                examine(&options, false).is_none(),
                "{arguments}: the profile is there"
            );
        }
    }
}
