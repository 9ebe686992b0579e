//! Where the engine keeps its data, as far as this machine sees that directory.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Engine, EngineInfo};

/// What the containerd of the system is told. Source: containerd, `defaults/defaults_unix.go`.
const CONTAINERD_CONFIG: &str = "/etc/containerd/config.toml";
const CONTAINERD_ROOT: &str = "/var/lib/containerd";

/// Where the system's containerd listens; an engine without it starts one of its own, with a
/// socket in its own directory for what runs.
const CONTAINERD_SOCKETS: [&str; 2] = [
    "/run/containerd/containerd.sock",
    "/var/run/containerd/containerd.sock",
];

impl Engine {
    /// Where it has volumes and, unless containerd has them, images.
    #[must_use]
    pub fn data_directory(&self) -> Option<PathBuf> {
        let directory = PathBuf::from(&self.info.docker_root_dir);
        (directory.is_absolute() && fs::metadata(&directory).is_ok()).then_some(directory)
    }

    /// Where it has images, and what containers write beside their volumes.
    #[must_use]
    pub fn image_directory(&self) -> Option<PathBuf> {
        // Where that is not seen, the engine is on another machine.
        let data = self.data_directory()?;
        let config = || fs::read_to_string(CONTAINERD_CONFIG).unwrap_or_default();
        Some(images_in(&self.info, &data, config))
    }

    /// What to do where there is no room for images.
    #[must_use]
    pub fn room_for_images(&self) -> String {
        let directory = self
            .image_directory()
            .unwrap_or_else(|| self.info.docker_root_dir.clone().into());
        format!(
            "free space in `{0}`, where Docker keeps images (`df -h {0}`), for example with `docker image prune`, then \
             run the same command again",
            directory.display()
        )
    }
}

/// The directory of the images. `docker info` names no directory of containerd's. Measured with Docker
/// Engine 29.9.3: with the system's containerd they are in that one's root, `/var/lib/containerd`
/// unless its config says otherwise; with one of the engine's own in `containerd/daemon` below
/// the engine's directory.
fn images_in(info: &EngineInfo, data: &Path, config: impl FnOnce() -> String) -> PathBuf {
    if !info.keeps_images_in_containerd() {
        return data.to_owned();
    }
    let address = info
        .containerd
        .as_ref()
        .map(|containerd| containerd.address.as_str());
    // Docker Engine before 28 does not say it: packages start it with the system's.
    if address.is_none_or(|address| address.is_empty() || CONTAINERD_SOCKETS.contains(&address)) {
        root_in(&config()).unwrap_or_else(|| CONTAINERD_ROOT.into())
    } else {
        data.join("containerd/daemon")
    }
}

/// `root = "/data/containerd"` before the first table of containerd's config.
fn root_in(config: &str) -> Option<PathBuf> {
    let mut lines = config
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with('['));
    lines.find_map(|line| {
        let (key, value) = line.split_once('=')?;
        let value = value.trim();
        let quote = value.chars().next().filter(|first| ['"', '\''].contains(first))?;
        let (path, _) = value[1..].split_once(quote)?;
        (key.trim() == "root" && path.starts_with('/')).then(|| path.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(driver: &str, kind: &str, containerd: &str, config: &str) -> String {
        let said = format!(
            r#"{{"ServerVersion":"29.9.3","Driver":"{driver}","DriverStatus":[{kind}],"DockerRootDir":"/data"{containerd}}}"#
        );
        let info = serde_json::from_str(&said).expect(&said);
        let found = images_in(&info, Path::new("/data"), || config.to_owned());
        found.display().to_string()
    }

    #[test]
    fn images_are_in_containerds_root_or_in_the_engines() {
        let snapshotter = r#"["driver-type","io.containerd.snapshotter.v1"]"#;
        let system = r#","Containerd":{"Address":"/run/containerd/containerd.sock"}"#;
        let own = r#","Containerd":{"Address":"/var/run/docker/containerd/containerd.sock"}"#;
        let rootless = r#","Containerd":{"Address":"/run/user/1000/docker/containerd/containerd.sock"}"#;
        let graph = r#"["Backing Filesystem","extfs"]"#;
        let config = "version = 3\n  root = '/big/containerd' # here\n[plugins]\nroot = '/no'\n";
        for (driver, kind, containerd, config, expected) in [
            ("overlayfs", snapshotter, system, "", "/var/lib/containerd"),
            ("native", snapshotter, system, "", "/var/lib/containerd"),
            ("overlayfs", snapshotter, "", "", "/var/lib/containerd"),
            ("overlayfs", snapshotter, system, config, "/big/containerd"),
            (
                "overlayfs",
                snapshotter,
                system,
                "[x]\nroot = \"/no\"",
                "/var/lib/containerd",
            ),
            (
                "overlayfs",
                snapshotter,
                system,
                "# root = \"/no\"",
                "/var/lib/containerd",
            ),
            ("btrfs", snapshotter, own, config, "/data/containerd/daemon"),
            (
                "fuse-overlayfs",
                snapshotter,
                rootless,
                "",
                "/data/containerd/daemon",
            ),
            ("overlay2", graph, system, config, "/data"),
            ("btrfs", graph, own, "", "/data"),
        ] {
            assert_eq!(
                directory(driver, kind, containerd, config),
                expected,
                "{driver} {containerd}"
            );
        }
    }
}
