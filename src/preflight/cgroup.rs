//! Whether the kernel lets the kubelet account for what pods use.

use super::finding::{Finding, fatal, note, warning};
use crate::bundle::Version;
use crate::host::{CgroupVersion, Cgroups};

/// What Kubernetes needs. Source: kubernetes/system-validators, `cgroup_validator`; v2
/// has `devices` and `freezer` without a controller, and v1 `cpuacct` beside `cpu`.
const NEEDED_V1: [&str; 6] = ["cpu", "cpuacct", "cpuset", "devices", "freezer", "memory"];
const NEEDED_V2: [&str; 4] = ["cpu", "cpuset", "memory", "pids"];

/// From here on the kubelet refuses cgroup v1, unless told otherwise as minikube does: with
/// `failCgroupV1: false`, which v1.37 still takes. Sources: KEP-5573; minikube v1.38.1,
/// `bsutil/kubeadm.go:112-115`, the same in eb25dbc703.
const REFUSES_V1: (u64, u64) = (1, 35);
const TELLS_OTHERWISE: (u64, u64) = (1, 38);

/// `minikube` is the bundle's, where its version is known.
pub(crate) fn examine(cgroups: &Cgroups, kubernetes: &Version, minikube: Option<&Version>) -> Vec<Finding> {
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
            format!(
                "{}; on a Raspberry Pi write both to the end of the line in /boot/firmware/cmdline.txt, or \
                 /boot/cmdline.txt before Debian 12",
                boot_with("cgroup_enable=memory cgroup_memory=1")
            )
        } else {
            "boot without `cgroup_disable=`, which `cat /proc/cmdline` shows, with a kernel that has them"
                .to_owned()
        };
        findings.push(fatal(
            format!("cgroup {name} lacks {}", missing.join(", ")),
            "the kubelet ends at once without them",
            memory,
        ));
    }
    if cgroups.version == CgroupVersion::V1 && line(kubernetes) >= REFUSES_V1 {
        let fix = boot_with("systemd.unified_cgroup_hierarchy=1");
        let what = "this machine has cgroup v1";
        findings.push(if minikube.is_some_and(|version| line(version) >= TELLS_OTHERWISE) {
            let why = format!(
                "Kubernetes {kubernetes} calls it obsolete, and takes it because minikube tells its kubelet \
                 `failCgroupV1: false`; a later one may not"
            );
            note(what, why, fix)
        } else {
            let why = format!(
                "the kubelet of Kubernetes {kubernetes} ends there, unless minikube is 1.38 or newer and tells it otherwise"
            );
            warning(what, why, fix)
        });
    }
    findings
}

/// The commands that give the kernel `arguments` from its next boot on. Source: Debian's
/// grub-mkconfig, `/etc/default/grub`; Fedora's grubby(8).
pub(crate) fn boot_with(arguments: &str) -> String {
    format!(
        "boot with `{arguments}`: on Debian and Ubuntu `echo 'GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX {arguments}\"' | \
         sudo tee -a /etc/default/grub` and `sudo update-grub`, on Fedora and RHEL `sudo grubby --update-kernel=ALL \
         --args='{arguments}'`; then `sudo reboot`"
    )
}

fn line(version: &Version) -> (u64, u64) {
    (version.major(), version.minor())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preflight::finding::Severity;

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
            let findings = examine(&cgroups, &kubernetes.parse().expect("version"), None);
            let severities: Vec<Severity> = findings.iter().map(|finding| finding.severity).collect();
            assert_eq!(severities, expected, "{version:?} {controllers} {findings:?}");
        }
    }

    #[test]
    fn a_minikube_that_has_the_kubelet_take_v1_makes_it_a_note() {
        let cgroups = Cgroups {
            version: CgroupVersion::V1,
            ..Cgroups::default()
        };
        for (kubernetes, minikube, severity, why) in [
            (
                "v1.35.0",
                "v1.37.0",
                Severity::Warning,
                "the kubelet of Kubernetes v1.35.0 ends there",
            ),
            (
                "v1.35.0",
                "v1.38.1",
                Severity::Note,
                "Kubernetes v1.35.0 calls it obsolete, and takes it",
            ),
            (
                "v1.37.2",
                "v1.39.0",
                Severity::Note,
                "Kubernetes v1.37.2 calls it obsolete, and takes it because minikube tells its kubelet \
                 `failCgroupV1: false`; a later one may not",
            ),
        ] {
            let minikube = minikube.parse().expect("version");
            let findings = examine(&cgroups, &kubernetes.parse().expect("version"), Some(&minikube));
            assert_eq!(findings[0].severity, severity, "{minikube}");
            assert!(findings[0].why.starts_with(why), "{}", findings[0].why);
        }
    }

    #[test]
    fn a_raspberry_pi_is_told_what_its_command_line_lacks() {
        let cgroups = Cgroups {
            version: CgroupVersion::V2,
            controllers: ["cpu", "cpuset", "pids"].map(str::to_owned).into(),
        };
        let findings = examine(&cgroups, &"v1.34.0".parse().expect("version"), None);
        assert_eq!(findings[0].what, "cgroup v2 lacks memory");
        assert!(findings[0].fix.contains("cgroup_enable=memory"));
        for part in [
            "sudo update-grub",
            "sudo grubby --update-kernel=ALL --args='cgroup_enable",
            "/boot/firmware/",
        ] {
            assert!(findings[0].fix.contains(part), "{}", findings[0].fix);
        }
    }
}
