//! Whether the kernel lets the kubelet account for what pods use.

use super::finding::{Finding, fatal, warning};
use crate::bundle::Version;
use crate::host::{CgroupVersion, Cgroups};

/// What Kubernetes needs. Source: kubernetes/system-validators, `cgroup_validator`; v2
/// has `devices` and `freezer` without a controller, and v1 `cpuacct` beside `cpu`.
const NEEDED_V1: [&str; 6] = ["cpu", "cpuacct", "cpuset", "devices", "freezer", "memory"];
const NEEDED_V2: [&str; 4] = ["cpu", "cpuset", "memory", "pids"];

/// From here on the kubelet refuses cgroup v1, unless told otherwise as minikube does.
/// Source: minikube v1.38.1, `bsutil/kubeadm.go:112-115`.
const REFUSES_V1: (u32, u32) = (1, 35);

pub(super) fn examine(cgroups: &Cgroups, kubernetes: &Version) -> Vec<Finding> {
    let (needed, name): (&[&str], _) = match cgroups.version {
        CgroupVersion::V1 => (&NEEDED_V1, "v1"),
        CgroupVersion::V2 => (&NEEDED_V2, "v2"),
        CgroupVersion::None => {
            return vec![fatal(
                "there are no cgroups on this machine",
                "neither Docker Engine nor the kubelet works without them",
                "mount them: `mount -t cgroup2 none /sys/fs/cgroup`, or let systemd start this machine",
            )];
        }
    };
    let mut findings = Vec::new();
    let missing: Vec<&str> = needed
        .iter()
        .copied()
        .filter(|controller| !cgroups.controllers.contains(*controller))
        .collect();
    if !missing.is_empty() && !cgroups.controllers.is_empty() {
        let memory = if missing.contains(&"memory") {
            "boot with `cgroup_enable=memory cgroup_memory=1` (on a Raspberry Pi in /boot/cmdline.txt)"
        } else {
            "boot without `cgroup_disable=`, with a kernel that has them"
        };
        findings.push(fatal(
            format!("cgroup {name} lacks {}", missing.join(", ")),
            "the kubelet ends at once without them",
            memory,
        ));
    }
    if cgroups.version == CgroupVersion::V1 && (kubernetes.major(), kubernetes.minor()) >= REFUSES_V1 {
        findings.push(warning(
            "this machine has cgroup v1",
            format!("Kubernetes {kubernetes} calls it obsolete; minikube 1.38 and newer has the kubelet take it, older ones do not"),
            "boot with `systemd.unified_cgroup_hierarchy=1`",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::preflight::finding::Severity;

    #[test]
    fn controllers_are_needed_by_version() {
        let all = "cpu cpuacct cpuset devices freezer memory pids";
        for (version, controllers, kubernetes, expected) in [
            (CgroupVersion::V2, "cpuset cpu io memory pids", "v1.35.4", &[][..]),
            (
                CgroupVersion::V2,
                "cpuset cpu io pids",
                "v1.35.4",
                &[Severity::Fatal],
            ),
            (CgroupVersion::V1, all, "v1.34.0", &[]),
            (CgroupVersion::V1, all, "v1.35.0", &[Severity::Warning]),
            (
                CgroupVersion::V1,
                "cpu cpuacct cpuset devices freezer",
                "v1.34.0",
                &[Severity::Fatal],
            ),
            (CgroupVersion::V1, "", "v1.34.0", &[]),
            (CgroupVersion::None, "", "v1.34.0", &[Severity::Fatal]),
        ] {
            let cgroups = Cgroups {
                version,
                controllers: controllers.split_whitespace().map(str::to_owned).collect(),
            };
            let findings = examine(&cgroups, &kubernetes.parse().expect("version"));
            let severities: Vec<Severity> = findings.iter().map(|finding| finding.severity).collect();
            assert_eq!(severities, expected, "{version:?} {controllers} {findings:?}");
        }
    }

    #[test]
    fn a_raspberry_pi_is_told_what_its_command_line_lacks() {
        let cgroups = Cgroups {
            version: CgroupVersion::V2,
            controllers: ["cpu", "cpuset", "pids"].map(str::to_owned).into(),
        };
        let findings = examine(&cgroups, &"v1.34.0".parse().expect("version"));
        assert_eq!(findings[0].what, "cgroup v2 lacks memory");
        assert!(findings[0].mend.contains("cgroup_enable=memory"));
    }
}
