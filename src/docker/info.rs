//! `docker info`.

use serde::Deserialize;

use super::EngineError;
use crate::host::Output;

/// What an engine says of itself. Source: Docker Engine API, "Get system information".
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct EngineInfo {
    /// Its release: `20.10.24+dfsg1`.
    pub server_version: String,
    /// Where it keeps its data.
    pub docker_root_dir: String,
    /// Its storage driver.
    pub driver: String,
    /// The memory of its machine in bytes.
    pub mem_total: u64,
    /// The processors of its machine.
    #[serde(rename = "NCPU")]
    pub cpus: u64,
    /// `name=rootless` among them.
    pub security_options: Option<Vec<String>>,
    /// 1 or 2; empty before 20.10.
    pub cgroup_version: String,
    /// What `uname -m` prints on its machine.
    pub architecture: String,
    /// The kernel of its machine, as `uname -r` prints it.
    pub kernel_version: String,
    /// What tells this engine from every other.
    #[serde(rename = "ID")]
    pub id: String,
    /// Whether it can limit a container's memory; `None` from engines that do not say.
    pub memory_limit: Option<bool>,
    /// Whether it can limit a container's processor time.
    pub cpu_cfs_quota: Option<bool>,
    /// Whether it can limit a container's processes.
    pub pids_limit: Option<bool>,
    /// What its storage driver says, as pairs.
    pub driver_status: Option<Vec<(String, String)>>,
    /// The containerd that it uses, from engines that say so; also where images are not there.
    pub containerd: Option<Containerd>,
    /// Why it cannot answer, from clients that do not exit with 1 then.
    pub server_errors: Vec<String>,
}

/// The containerd that an engine uses.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Containerd {
    /// Its socket.
    pub address: String,
}

impl EngineInfo {
    /// Whether it runs without root.
    #[must_use]
    pub fn rootless(&self) -> bool {
        self.security_options
            .iter()
            .flatten()
            .any(|option| option == "rootless" || option.split(',').any(|part| part == "name=rootless"))
    }

    /// What its storage driver says of `name`: `Backing Filesystem`, `Supports d_type`.
    #[must_use]
    pub fn driver_status(&self, name: &str) -> Option<&str> {
        let mut pairs = self.driver_status.iter().flatten();
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether it keeps images in containerd, with their layers as they came: then the
    /// driver is a snapshotter of containerd's, whichever that is. Source: moby,
    /// `daemon/containerd/service.go`, `LayerStoreStatus`; measured with Docker Engine 29.9.3.
    #[must_use]
    pub fn keeps_images_in_containerd(&self) -> bool {
        self.driver_status("driver-type")
            .is_some_and(|kind| kind.starts_with("io.containerd.snapshotter."))
    }

    /// The first two numbers of its release.
    #[must_use]
    pub fn release(&self) -> Option<(u32, u32)> {
        let mut numbers = self.server_version.split('.').map(|number| {
            let digits = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
            number[..digits].parse().ok()
        });
        Some((numbers.next()??, numbers.next()??))
    }
}

pub(crate) fn parse(output: &Output) -> Result<EngineInfo, EngineError> {
    let info: Result<EngineInfo, _> = serde_json::from_str(output.stdout.trim());
    let complaint = match &info {
        Ok(info) if !info.server_errors.is_empty() => Some(info.server_errors.join("; ")),
        _ if !output.success() => Some(output.stderr.clone()),
        _ => None,
    };
    match complaint {
        Some(said) if said.contains("permission denied") => Err(EngineError::Denied { said }),
        Some(said) => Err(EngineError::NotAnswering { said }),
        // podman's `docker` writes another object, with names of its own.
        None if info.as_ref().is_ok_and(|info| info.server_version.is_empty()) => {
            Err(EngineError::NotDocker {
                said: output.stderr.clone(),
            })
        }
        None => info.map_err(|source| EngineError::Answer {
            command: output.command.clone(),
            source,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(code: i32, stdout: &str, stderr: &str) -> Result<EngineInfo, EngineError> {
        parse(&Output {
            command: "docker info".to_owned(),
            code: Some(code),
            stdout: stdout.to_owned(),
            stderr: stderr.to_owned(),
        })
    }

    #[test]
    fn a_release_has_two_numbers() {
        let info = answer(0, r#"{"ServerVersion":"20.10.24+dfsg1","NCPU":2,"MemTotal":8,"SecurityOptions":["name=seccomp,profile=default","name=rootless"]}"#, "").expect("info");
        assert_eq!((info.release(), info.cpus), (Some((20, 10)), 2));
        assert!(info.rootless());
    }

    #[test]
    fn any_snapshotter_means_that_images_are_in_containerd() {
        let keeps = |driver: &str, status: &str| {
            let said = format!(r#"{{"ServerVersion":"29.9.3","Driver":"{driver}","DriverStatus":{status}}}"#);
            answer(0, &said, "").expect("info").keeps_images_in_containerd()
        };
        for snapshotter in ["overlayfs", "native", "btrfs", "zfs", "fuse-overlayfs"] {
            let status = r#"[["driver-type","io.containerd.snapshotter.v1"]]"#;
            assert!(keeps(snapshotter, status), "{snapshotter}");
        }
        for driver in ["overlay2", "btrfs", "vfs"] {
            assert!(!keeps(driver, r#"[["Backing Filesystem","extfs"]]"#), "{driver}");
        }
        assert!(!keeps("overlay2", "null"));
    }

    #[test]
    fn a_daemon_that_is_down_is_told_from_one_that_refuses() {
        let down = answer(
            0,
            r#"{"ServerErrors":["Cannot connect to the Docker daemon"]}"#,
            "",
        );
        assert!(matches!(down, Err(EngineError::NotAnswering { .. })), "{down:?}");
        let denied = answer(
            1,
            "{}",
            "permission denied while trying to connect to the Docker daemon socket",
        );
        assert!(matches!(denied, Err(EngineError::Denied { .. })), "{denied:?}");
        assert!(matches!(answer(0, "what?", ""), Err(EngineError::Answer { .. })));
        let podman = answer(
            0,
            r#"{"host":{"arch":"amd64","cgroupVersion":"v2"},"version":{"APIVersion":"5.2.2","Version":"5.2.2"}}"#,
            "Emulate Docker CLI using podman.",
        );
        assert!(matches!(podman, Err(EngineError::NotDocker { .. })), "{podman:?}");
    }
}
