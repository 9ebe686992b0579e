//! Whether Docker Engine can run a node.

use super::cgroup::boot_with;
use super::finding::{Finding, fatal, note, warning};
use crate::docker::EngineInfo;
use crate::minikube::{OLDEST_ENGINE, PRELOAD_DRIVERS, RECOMMENDED_ENGINE};

const NEWER: &str = "install a newer Docker Engine from this system's package media";

/// What there is to say of an engine that answers at `endpoint`, where that is not the
/// usual socket.
pub(crate) fn examine(engine: &EngineInfo, endpoint: Option<&str>) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(version(engine));
    findings.extend(rootless(engine));
    findings.extend(storage(engine));
    findings.extend(endpoint.map(elsewhere));
    findings
}

fn version(engine: &EngineInfo) -> Option<Finding> {
    let what = format!("Docker Engine is {}", engine.server_version);
    match engine.release()? {
        release if release < OLDEST_ENGINE => Some(fatal(what, "minikube needs 18.09 or newer", NEWER)),
        release if release < RECOMMENDED_ENGINE => {
            Some(warning(what, "minikube recommends 20.10 or newer", NEWER))
        }
        _ => None,
    }
}

/// Source: minikube v1.38.1, kicbase's `entrypoint:41-60`.
fn rootless(engine: &EngineInfo) -> Option<Finding> {
    if !engine.rootless() {
        return None;
    }
    if engine.cgroup_version == "1" {
        return Some(fatal(
            "Docker Engine is rootless and the machine has cgroup v1",
            "minikube needs cgroup v2 for a rootless engine",
            format!(
                "{}; or use the system's Docker Engine",
                boot_with("systemd.unified_cgroup_hierarchy=1")
            ),
        ));
    }
    let missing: Vec<&str> = [
        (engine.cpu_cfs_quota, "cpu"),
        (engine.memory_limit, "memory"),
        (engine.pids_limit, "pids"),
    ]
    .into_iter()
    .filter_map(|(has, controller)| (has == Some(false)).then_some(controller))
    .collect();
    if missing.is_empty() {
        return Some(note(
            "Docker Engine is rootless",
            "the kubelet runs in a user namespace, and each volume and image lies in the user's home",
            "use the system's Docker Engine to do without",
        ));
    }
    Some(fatal(
        format!(
            "Docker Engine is rootless and its user may not use the cgroup controllers {}",
            missing.join(", ")
        ),
        "the node ends at once without them",
        "as root write `[Service]` and `Delegate=cpu cpuset io memory pids` to \
         /etc/systemd/system/user@.service.d/delegate.conf, then `systemctl daemon-reload` and log in again",
    ))
}

fn storage(engine: &EngineInfo) -> Vec<Finding> {
    let mut findings = Vec::new();
    let driver = engine.driver.as_str();
    let data = engine.docker_root_dir.as_str();
    if driver == "vfs" {
        findings.push(warning(
            "Docker Engine's storage driver is `vfs`",
            "each layer and each container is a whole copy: the node takes several times the space and starts slowly",
            "set `\"storage-driver\": \"overlay2\"` in /etc/docker/daemon.json and restart Docker; its images must then be loaded again",
        ));
    } else if engine.keeps_images_in_containerd() && driver == "native" {
        findings.push(warning(
            "Docker Engine keeps images with containerd's snapshotter `native`",
            "each layer and each container is a whole copy: the node takes several times the space and starts slowly",
            "remove `\"storage-driver\": \"native\"` from /etc/docker/daemon.json and restart Docker; its images must then be loaded again",
        ));
    } else if !driver.is_empty() && !PRELOAD_DRIVERS.contains(&driver) {
        findings.push(note(
            format!("Docker Engine's storage driver is `{driver}`"),
            "minikube's own preload would need overlay2; this bundle's images come by the node's own runtime, with every `--image-load`",
            "nothing has to be done",
        ));
    }
    let backing = engine.driver_status("Backing Filesystem");
    if engine.driver_status("Supports d_type") == Some("false") {
        findings.push(fatal(
            format!("the file system of `{data}` does not say what kind its entries are (xfs with ftype=0)"),
            "the node's runtime cannot keep images in a volume there",
            format!("put `{data}` on a file system with ftype=1 (`xfs_info` shows it), or on ext4"),
        ));
    } else if backing == Some("overlayfs") || backing == Some("nfs") {
        findings.push(warning(
            format!("Docker Engine keeps its data on {}", backing.unwrap_or_default()),
            "the node's runtime may not be able to put its own overlay on top of that",
            format!("mount ext4 or xfs at `{data}`; when Docker itself runs in a container, a volume"),
        ));
    }
    findings
}

fn elsewhere(endpoint: &str) -> Finding {
    if endpoint.starts_with("unix:") {
        return note(
            format!("Docker Engine is reached at `{endpoint}`"),
            "a docker context or `DOCKER_HOST` names it, and minikube is given it as `DOCKER_HOST`",
            "use `docker context use default` and unset `DOCKER_HOST` for the machine's own",
        );
    }
    warning(
        format!("Docker Engine is at `{endpoint}`"),
        "the cluster runs on that machine, whose space and kernel cannot be looked at from here",
        "run the bundle there, or use `docker context use default` and unset `DOCKER_HOST`",
    )
}

/// The engine runs under another kernel than this program: in a virtual machine, or far
/// away.
pub(crate) fn other_kernel(engine: &EngineInfo, release: &str) -> Option<Finding> {
    let theirs = engine.kernel_version.as_str();
    (!theirs.is_empty() && !release.is_empty() && theirs != release).then(|| {
        note(
            format!("Docker Engine runs under Linux {theirs}, and this program under {release}"),
            "the engine's machine is another one, so its kernel, cgroups and routes were not looked at",
            "run `preflight` on that machine to look at them",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preflight::finding::Severity;

    fn info(json: &str) -> EngineInfo {
        serde_json::from_str(json).expect("docker info")
    }

    #[test]
    fn each_engine_has_what_is_to_be_said_of_it() {
        let rootless = |more: &str| format!(r#"{{"SecurityOptions":["name=rootless"]{more}}}"#);
        for (json, severity, said) in [
            (
                r#"{"ServerVersion":"18.06.3"}"#.to_owned(),
                Severity::Fatal,
                "18.09",
            ),
            (
                r#"{"ServerVersion":"19.03.1"}"#.into(),
                Severity::Warning,
                "20.10",
            ),
            (rootless(r#","CgroupVersion":"1""#), Severity::Fatal, "cgroup v2"),
            (
                rootless(r#","CgroupVersion":"2","CpuCfsQuota":false,"MemoryLimit":true,"PidsLimit":false"#),
                Severity::Fatal,
                "cpu, pids",
            ),
            (
                rootless(r#","CgroupVersion":"2","CpuCfsQuota":true"#),
                Severity::Note,
                "user namespace",
            ),
            (r#"{"Driver":"vfs"}"#.into(), Severity::Warning, "overlay2"),
            (
                r#"{"Driver":"btrfs"}"#.into(),
                Severity::Note,
                "every `--image-load`",
            ),
            (
                r#"{"Driver":"overlay2","DriverStatus":[["Supports d_type","false"]]}"#.into(),
                Severity::Fatal,
                "ftype=1",
            ),
            (
                r#"{"Driver":"overlay2","DriverStatus":[["Backing Filesystem","overlayfs"]]}"#.into(),
                Severity::Warning,
                "overlayfs",
            ),
        ] {
            let findings = examine(&info(&json), None);
            assert_eq!(findings.len(), 1, "{json}: {findings:?}");
            assert_eq!(findings[0].severity, severity, "{json}");
            let text = format!("{:?}", findings[0]);
            assert!(text.contains(said), "{said} in {text}");
        }
    }

    #[test]
    fn a_usual_engine_has_nothing_to_mend() {
        let usual = r#"{"ServerVersion":"20.10.24+dfsg1","Driver":"overlay2","CgroupVersion":"1",
            "DriverStatus":[["Backing Filesystem","extfs"],["Supports d_type","true"]],
            "SecurityOptions":["name=seccomp,profile=default"],"CpuCfsQuota":true,"KernelVersion":"6.1"}"#;
        assert_eq!(examine(&info(usual), None), []);
        assert_eq!(other_kernel(&info(usual), "6.1"), None);
        assert!(other_kernel(&info(usual), "6.2").is_some());
    }

    #[test]
    fn an_engine_elsewhere_is_named() {
        for (endpoint, severity) in [
            ("unix:///run/user/1000/docker.sock", Severity::Note),
            ("tcp://192.0.2.1:2376", Severity::Warning),
            ("ssh://ann@host", Severity::Warning),
        ] {
            let findings = examine(&info("{}"), Some(endpoint));
            assert_eq!(findings[0].severity, severity, "{endpoint}");
            assert!(findings[0].what.contains(endpoint));
        }
    }
}
