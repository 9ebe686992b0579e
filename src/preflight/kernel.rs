//! Whether the kernel has what a node in a container needs.

use super::finding::{Finding, Severity, fatal, note, warning};
use crate::host::{Feature, Kernel};

/// A part of the kernel: any of these modules will do.
pub(crate) struct Need {
    pub(crate) modules: &'static [&'static str],
    severity: Severity,
    why: &'static str,
}

const fn need(modules: &'static [&'static str], severity: Severity, why: &'static str) -> Need {
    Need {
        modules,
        severity,
        why,
    }
}

const RULES: &str = "kube-proxy's rules use it, and without them no service has an address that answers";

/// Sources: minikube v1.38.1, `cruntime/docker.go:572-604` for overlay; kubernetes
/// v1.35, `pkg/proxy/iptables/proxier.go`, for what its rules match with; kubernetes.io,
/// "Container Runtimes", for `br_netfilter`.
pub(crate) const NEEDS: [Need; 14] = [
    need(
        &["overlay"],
        Severity::Fatal,
        "the node's runtime keeps images with it",
    ),
    need(&["bridge"], Severity::Fatal, "it joins the pods of a node"),
    need(&["veth"], Severity::Fatal, "it leads into each pod"),
    need(
        &["ip_tables", "nf_tables"],
        Severity::Fatal,
        "kube-proxy writes its rules there",
    ),
    need(&["nf_conntrack"], Severity::Fatal, RULES),
    need(&["nf_nat"], Severity::Fatal, RULES),
    need(&["xt_addrtype"], Severity::Fatal, RULES),
    need(&["xt_comment"], Severity::Fatal, RULES),
    need(&["xt_conntrack"], Severity::Fatal, RULES),
    need(&["xt_mark"], Severity::Fatal, RULES),
    need(&["xt_tcpudp"], Severity::Fatal, RULES),
    need(&["xt_MASQUERADE", "ipt_MASQUERADE"], Severity::Fatal, RULES),
    need(
        &["xt_statistic"],
        Severity::Warning,
        "a service with several pods behind it has no rules without it",
    ),
    need(
        &["br_netfilter"],
        Severity::Warning,
        "a service whose pod is on the same node may not answer",
    ),
];

/// What a rootless engine needs besides: programs in the node ask for these by name. Source:
/// kind.sigs.k8s.io, "Rootless", "Host requirements".
const ROOTLESS: [&str; 4] = ["ip6_tables", "ip6table_nat", "ip_tables", "iptable_nat"];

pub(crate) fn examine(kernel: &Kernel, rootless: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut unknown = Vec::new();
    let mut unloaded = Vec::new();
    for need in &NEEDS {
        let name = need.modules.join(" or ");
        let best = need.modules.iter().max_by_key(|module| kernel.feature(module));
        let best = best.copied().unwrap_or_default();
        match kernel.feature(best) {
            Feature::Present => {}
            Feature::Loadable => unloaded.push(best),
            Feature::Unknown => unknown.push(name),
            Feature::Locked => findings.push(lacks(
                need,
                format!("{name} is not loaded, and this kernel loads no more modules until it boots again"),
                format!(
                    "`echo {best} | sudo tee -a /etc/modules-load.d/minikube-offline.conf`, then `sudo reboot`"
                ),
            )),
            Feature::Absent => findings.push(lacks(
                need,
                format!("Linux {} has no {name}", kernel.release),
                format!(
                    "install all modules of this kernel from the system's own package media (Debian: `sudo apt-get \
                     install --reinstall linux-image-{0}`, or one that is not made for a cloud; Ubuntu: `sudo apt-get \
                     install linux-modules-extra-{0}`; Fedora and RHEL: `sudo dnf install kernel-modules-{0} \
                     kernel-modules-extra-{0}`), or boot one that has {name}",
                    kernel.release
                ),
            )),
        }
    }
    if rootless {
        findings.extend(not_loaded(kernel, unloaded));
    }
    if !unknown.is_empty() {
        findings.push(note(
            format!(
                "there is no list of modules in /lib/modules/{}, and {} cannot be seen",
                kernel.release,
                unknown.join(", ")
            ),
            "a node needs them; they may well be built in",
            "nothing has to be done when Docker works here; `zgrep -E 'OVERLAY_FS|NETFILTER' /proc/config.gz` may tell",
        ));
    }
    findings
}

/// Where an engine runs without root, nobody in it may load a module.
fn not_loaded(kernel: &Kernel, mut unloaded: Vec<&str>) -> Option<Finding> {
    let more = ROOTLESS.into_iter();
    unloaded.extend(more.filter(|module| kernel.feature(module) == Feature::Loadable));
    unloaded.sort_unstable();
    unloaded.dedup();
    if unloaded.is_empty() {
        return None;
    }
    let names = unloaded.join(" ");
    Some(warning(
        format!("Docker Engine is rootless, and these modules are not loaded: {names}"),
        "nothing in a rootless engine may load one, and the rules of kube-proxy and of the pods' network need them",
        format!(
            "`sudo modprobe -a {names}`, and for each boot `printf '%s\\n' {names} | sudo tee \
             /etc/modules-load.d/minikube-offline.conf`"
        ),
    ))
}

fn lacks(need: &Need, what: String, fix: String) -> Finding {
    if need.severity == Severity::Fatal {
        fatal(what, need.why, fix)
    } else {
        warning(what, need.why, fix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: &str = "overlay bridge veth nf_tables nf_conntrack nf_nat xt_addrtype xt_comment xt_conntrack \
        xt_mark xt_tcpudp xt_MASQUERADE xt_statistic br_netfilter";

    fn set(names: &str) -> std::collections::BTreeSet<String> {
        names.split_whitespace().map(str::to_owned).collect()
    }

    fn kernel(present: &str, loadable: Option<&str>, locked: bool) -> Kernel {
        Kernel {
            release: "6.1.0".into(),
            present: set(present),
            loadable: loadable.map(set),
            loading_disabled: locked,
        }
    }

    #[test]
    fn each_module_is_there_can_come_or_is_named() {
        let without = |name: &str| {
            ALL.split_whitespace()
                .filter(|module| *module != name)
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(examine(&kernel(ALL, None, true), false), []);
        assert_eq!(examine(&kernel("", Some(ALL), false), false), []);
        let old = ALL
            .replace("xt_MASQUERADE", "ipt_MASQUERADE")
            .replace("nf_tables", "ip_tables");
        assert_eq!(examine(&kernel(&old, Some(""), false), false), []);
        let mut tried = 0;
        for need in &NEEDS {
            let module = need
                .modules
                .iter()
                .find(|name| set(ALL).contains(**name))
                .expect("one of them");
            for (kernel, said) in [
                (kernel(&without(module), Some(""), false), "has no"),
                (kernel(&without(module), Some(ALL), true), "loads no more modules"),
            ] {
                let findings = examine(&kernel, false);
                assert_eq!(findings.len(), 1, "{module}: {findings:?}");
                assert_eq!(findings[0].severity, need.severity, "{module}");
                assert!(findings[0].what.contains(said) && findings[0].what.contains(module));
                let loads = format!("`echo {module} | sudo tee -a /etc/modules-load.d/");
                let fix = &findings[0].fix;
                assert_eq!(fix.contains(&loads), kernel.loading_disabled, "{fix}");
                tried += 1;
            }
        }
        assert_eq!(tried, 28);
    }

    #[test]
    fn what_cannot_be_seen_is_no_reason_against_a_start() {
        let findings = examine(&kernel("overlay bridge", None, false), false);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].severity, Severity::Note);
        assert!(findings[0].what.contains("veth") && !findings[0].what.contains("overlay,"));
    }

    #[test]
    fn a_rootless_engine_needs_modules_that_are_loaded() {
        let loadable = format!("{ALL} ip_tables ip6_tables iptable_nat");
        let loaded = format!("{ALL} ip_tables ip6_tables iptable_nat ip6table_nat");
        assert_eq!(examine(&kernel(&loaded, Some(&loadable), false), true), []);
        let present = "overlay bridge veth nf_conntrack nf_nat ip6_tables xt_addrtype xt_comment xt_conntrack \
            xt_mark xt_tcpudp xt_MASQUERADE xt_statistic nf_tables";
        let findings = examine(&kernel(present, Some(&loadable), false), true);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(findings[0].severity, Severity::Warning);
        assert_eq!(
            findings[0].what,
            "Docker Engine is rootless, and these modules are not loaded: br_netfilter ip_tables iptable_nat"
        );
        assert_eq!(
            findings[0].fix,
            "`sudo modprobe -a br_netfilter ip_tables iptable_nat`, and for each boot `printf '%s\\n' br_netfilter \
             ip_tables iptable_nat | sudo tee /etc/modules-load.d/minikube-offline.conf`"
        );
        assert_eq!(examine(&kernel(present, Some(&loadable), false), false), []);
    }
}
