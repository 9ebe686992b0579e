//! What firewalld means for the node's network.

use super::finding::{Finding, note, warning};
use crate::docker::EngineInfo;
use crate::host::Firewalld;

/// The first release that puts its networks into a zone of firewalld's. Source: moby v20.10,
/// `libnetwork/iptables/firewalld.go`, `setupDockerZone`.
const WITH_ZONE: (u32, u32) = (20, 10);

pub(crate) fn examine(firewalld: Firewalld, engine: &EngineInfo) -> Option<Finding> {
    if !firewalld.runs || !firewalld.nftables {
        return None;
    }
    let what = "firewalld is on, and writes its rules with nftables";
    if engine.release().is_some_and(|release| release < WITH_ZONE) {
        return Some(warning(
            what,
            "this Docker Engine writes its own with iptables alone, which firewalld does not heed: the node may be out of reach",
            "set `FirewallBackend=iptables` in /etc/firewalld/firewalld.conf, then `sudo systemctl restart firewalld docker`",
        ));
    }
    Some(note(
        what,
        "Docker puts its networks into the zone `docker`, unless firewalld was started after it",
        "when the node is out of reach: `sudo systemctl restart docker`, and `sudo firewall-cmd --get-active-zones` shows the zones",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preflight::finding::Severity;

    #[test]
    fn only_firewalld_with_nftables_is_a_finding() {
        let engine = |version: &str| EngineInfo {
            server_version: version.into(),
            ..EngineInfo::default()
        };
        for (runs, nftables, version, severity) in [
            (false, true, "19.03.1", None),
            (true, false, "19.03.1", None),
            (true, true, "19.03.1", Some(Severity::Warning)),
            (true, true, "28.2.2", Some(Severity::Note)),
        ] {
            let found = examine(Firewalld { runs, nftables }, &engine(version));
            assert_eq!(found.map(|finding| finding.severity), severity, "{version}");
        }
    }
}
