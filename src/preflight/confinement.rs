//! What `SELinux` and `AppArmor` mean for a start: nothing that would stop it, as the node
//! is a privileged container, which neither confines.

use super::finding::{Finding, note};
use crate::host::Confinement;

pub(crate) fn examine(confinement: Confinement, rootless: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    if confinement.selinux_enforcing {
        findings.push(note(
            "SELinux is enforcing",
            "the node is a privileged container, which it does not confine; directories that are given to the node, as with `minikube mount`, keep their own labels",
            "nothing has to be done; `ausearch -m avc -ts recent` shows what was denied",
        ));
    }
    if confinement.apparmor {
        let restricted = confinement.user_namespaces_restricted && rootless;
        findings.push(note(
            "AppArmor is on",
            if restricted {
                "it restricts user namespaces, which a rootless engine and its node need"
            } else {
                "the node is started with `apparmor=unconfined`, so it is not confined"
            },
            "nothing has to be done while Docker works; `journalctl -k -g apparmor` shows what was denied",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preflight::finding::Severity;

    #[test]
    fn neither_stops_a_start_and_both_are_told() {
        for (selinux_enforcing, apparmor, count) in [
            (false, false, 0),
            (true, false, 1),
            (false, true, 1),
            (true, true, 2),
        ] {
            let confinement = Confinement {
                selinux_enforcing,
                apparmor,
                user_namespaces_restricted: true,
            };
            let findings = examine(confinement, true);
            assert_eq!(findings.len(), count);
            assert!(findings.iter().all(|finding| finding.severity == Severity::Note));
        }
    }
}
