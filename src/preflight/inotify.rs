//! Whether the node's processes can watch as many files as they do.

use super::finding::{Finding, warning};
use crate::host::InotifyLimits;

/// What several nodes need, or one whose processes share the limits with a user's own.
/// Source: kind.sigs.k8s.io, "Known Issues", "Pod errors due to too many open files".
const SEVERAL: (u64, u64) = (512, 524_288);

/// The kernel's defaults, with which one node works. Source: Linux v6.1,
/// `fs/notify/inotify/inotify_user.c`, `inotify_user_setup`.
const ONE: (u64, u64) = (128, 8192);

pub(crate) fn examine(limits: InotifyLimits, nodes: u32, rootless: bool) -> Option<Finding> {
    let (instances, watches) = if nodes > 1 || rootless { SEVERAL } else { ONE };
    let low: Vec<(&str, u64, u64)> = [
        ("fs.inotify.max_user_instances", limits.instances, instances),
        ("fs.inotify.max_user_watches", limits.watches, watches),
    ]
    .into_iter()
    .filter_map(|(name, limit, least)| Some((name, limit?, least)))
    .filter(|(_, limit, least)| limit < least)
    .collect();
    if low.is_empty() {
        return None;
    }
    let listed = |form: &dyn Fn(&(&str, u64, u64)) -> String, between: &str| {
        low.iter().map(form).collect::<Vec<_>>().join(between)
    };
    let what = listed(
        &|(name, limit, least)| format!("{name} is {limit}, less than {least}"),
        " and ",
    );
    let lines = listed(&|(name, _, least)| format!("{name}={least}"), " ");
    Some(warning(
        what,
        "all nodes' processes share it with others of their user; when it is used up, pods end with `too many open files`",
        format!(
            "`printf '%s\\n' {lines} | sudo tee /etc/sysctl.d/99-minikube-offline.conf`, then `sudo sysctl --system`"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preflight::finding::Severity;

    #[test]
    fn low_limits_are_a_warning_for_as_many_nodes() {
        let limits = |instances, watches| InotifyLimits {
            instances: Some(instances),
            watches: Some(watches),
        };
        for (found, nodes, rootless, low) in [
            (InotifyLimits::default(), 3, true, None),
            (limits(128, 65_536), 1, false, None),
            (limits(512, 524_288), 3, true, None),
            (
                limits(64, 65_536),
                1,
                false,
                Some("fs.inotify.max_user_instances=128"),
            ),
            (
                limits(128, 524_288),
                2,
                false,
                Some("fs.inotify.max_user_instances=512"),
            ),
            (
                limits(128, 524_288),
                1,
                true,
                Some("fs.inotify.max_user_instances=512"),
            ),
            (
                limits(128, 65_536),
                3,
                false,
                Some("fs.inotify.max_user_instances=512 fs.inotify.max_user_watches=524288"),
            ),
        ] {
            let finding = examine(found, nodes, rootless);
            let fix = finding.as_ref().map(|finding| finding.fix.clone());
            let expected = low.map(|low| {
                format!(
                    "`printf '%s\\n' {low} | sudo tee /etc/sysctl.d/99-minikube-offline.conf`, then `sudo sysctl --system`"
                )
            });
            assert_eq!(fix, expected, "{found:?} {nodes} {rootless}");
            assert!(finding.is_none_or(|finding| finding.severity == Severity::Warning));
        }
        let text = examine(limits(64, 1 << 20), 3, false).expect("a finding").what;
        assert_eq!(text, "fs.inotify.max_user_instances is 64, less than 512");
    }
}
