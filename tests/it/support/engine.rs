//! A client of Docker Engine without an engine, for what happens around one.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use serde_json::json;

use super::program::{Outcome, Sandbox};

/// The program `docker` in a directory of its own.
pub(crate) struct FakeEngine {
    directory: PathBuf,
}

impl FakeEngine {
    /// An engine on another kernel, so that nothing depends on the one that runs.
    pub(crate) fn make(sandbox: &Sandbox) -> Self {
        let directory = sandbox.path("engine");
        fs::create_dir(&directory).expect("a directory");
        let docker = directory.join("docker");
        fs::write(&docker, include_str!("engine.sh")).expect("a script");
        fs::set_permissions(&docker, fs::Permissions::from_mode(0o755)).expect("ours");
        let engine = Self { directory };
        engine.says("MemTotal", 8u64 << 30);
        // What one test does to its engine must not keep another's from its own.
        engine.says("ID", engine.directory.to_string_lossy());
        engine
    }

    /// Changes what the engine says of itself.
    pub(crate) fn says(&self, name: &str, value: impl Into<serde_json::Value>) {
        let path = self.directory.join("info.json");
        let mut info = fs::read(&path).map_or_else(
            |_| {
                json!({
                    "ServerVersion": "28.2.2",
                    "NCPU": 4,
                    "Driver": "overlay2",
                    "CgroupVersion": "2",
                    "KernelVersion": "0.0.0-test",
                    "DockerRootDir": "/no/such/directory",
                })
            },
            |text| serde_json::from_slice(&text).expect("JSON"),
        );
        info[name] = value.into();
        fs::write(path, info.to_string()).expect("a file");
    }

    /// Says as Docker Engine 29 does that it keeps images in a containerd of its own, with this
    /// snapshotter; else, or for a graph driver, that it does not.
    pub(crate) fn keeps_images(&self, driver: &str, in_containerd: bool) {
        self.says("Driver", driver);
        let status = if in_containerd {
            json!([["driver-type", "io.containerd.snapshotter.v1"]])
        } else {
            json!([["Backing Filesystem", "extfs"]])
        };
        self.says("DriverStatus", status);
        let address = "/var/run/docker/containerd/containerd.sock";
        self.says("Containerd", json!({ "Address": address }));
    }

    /// Lets a request, such as `image load`, fail with `said`, until it is called with
    /// nothing.
    pub(crate) fn fails(&self, request: &str, said: Option<&str>) {
        let path = self.directory.join(format!("fail {request}"));
        match said {
            Some(said) => fs::write(path, said).expect("a file"),
            None => fs::remove_file(path).expect("ours"),
        }
    }

    /// Lets `image load` wait once it has got its archive, or go on.
    pub(crate) fn waits(&self, wait: bool) {
        let path = self.directory.join("wait");
        if wait {
            fs::write(path, "").expect("a file");
        } else {
            fs::remove_file(path).expect("ours");
        }
    }

    /// Takes all images and volumes away.
    pub(crate) fn empty(&self) {
        for name in self.has() {
            fs::remove_file(self.directory.join(name)).expect("ours");
        }
    }

    /// The images and volumes that it has.
    pub(crate) fn has(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(&self.directory)
            .expect("a directory")
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .filter(|name| name.starts_with("image ") || name.starts_with("volume "))
            .collect();
        names.sort();
        names
    }

    /// The search path on which it is found first.
    pub(crate) fn path(&self) -> String {
        format!("{}:/usr/local/bin:/usr/bin:/bin", self.directory.display())
    }

    /// Prepares a program to run in the sandbox with this engine.
    pub(crate) fn prepare<'a>(&self, sandbox: &Sandbox, command: &'a mut Command) -> &'a mut Command {
        command
            .current_dir(sandbox.path("."))
            .env_clear()
            .env("HOME", sandbox.path("home"))
            // Root's would be this machine's own.
            .env("XDG_BIN_HOME", sandbox.path("home/.local/bin"))
            .env("PATH", self.path())
    }

    /// Runs a program in the sandbox with this engine.
    pub(crate) fn run(&self, sandbox: &Sandbox, command: &mut Command) -> Outcome {
        Outcome::from(
            self.prepare(sandbox, command)
                .output()
                .expect("the program starts"),
        )
    }
}
