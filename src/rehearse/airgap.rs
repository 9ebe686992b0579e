//! A host without a network, with a Docker Engine and a home of its own, while this runs.
//!
//! Its namespaces live as long as their first process, a shell that reads this run's pipe: when
//! this run ends, by whatever signal, the pipe closes, the kernel ends every process there, and
//! its mounts, loop device and interfaces are gone with it. What stays is a directory and empty
//! control groups, which the next run, or `--clean`, removes.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::memory::{self, MemoryGroup};
use super::recorder::DNS_SERVER;
use super::{NAME, RehearseError, Request};
use crate::host::{Command, Environment, Lock, Output, Running, interrupt, remove_tree_if_there};

/// What the host is made with, and what has it on Debian.
pub(super) const PROGRAMS: [&str; 7] = ["unshare", "nsenter", "mount", "ip", "sh", "dockerd", "docker"];

const SETUP: Duration = Duration::from_secs(60);

/// The host; it ends when this is dropped.
pub(super) struct AirGapped {
    pub(super) init: u32,
    pub(super) memory: MemoryGroup,
    directory: PathBuf,
    /// Of which only this run's own thread ends any.
    engine: Mutex<Option<Running>>,
    first: Mutex<Option<Running>>,
    _lock: Lock,
}

/// Removes what a rehearsal left that was ended in the middle; holds the lock that keeps others away.
pub(super) fn clean(directory: &Path) -> Result<Lock, RehearseError> {
    let parent = directory.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(parent).map_err(RehearseError::at("make", parent))?;
    let lock = Lock::take(&directory.with_extension("lock"))?;
    remove_tree_if_there(directory)?;
    memory::remove();
    Ok(lock)
}

impl AirGapped {
    /// Makes the host that the request describes.
    pub(super) fn make(request: &Request) -> Result<Self, RehearseError> {
        let directory = request.directory.clone();
        let lock = clean(&directory)?;
        let made = fs::DirBuilder::new().mode(0o700).create(&directory);
        made.map_err(RehearseError::at("make", &directory))?;
        let memory = MemoryGroup::make(request.memory).map_err(RehearseError::at(
            "make a control group in",
            Path::new("/sys/fs/cgroup"),
        ))?;
        let first = Command::new("unshare")
            .args([
                "--fork",
                "--kill-child",
                "--pid",
                "--mount-proc",
                "--mount",
                "--net",
                "--uts",
                "--ipc",
            ])
            .args(["sh", "-c", "cat; exit"])
            .uninterruptible()
            .spawn()?;
        let outer = first.identity().map(|identity| identity.pid).unwrap_or_default();
        let mut host = Self {
            init: 0,
            memory,
            directory,
            engine: Mutex::default(),
            first: Mutex::new(Some(first)),
            _lock: lock,
        };
        host.init = patiently(|| child_of(outer))?.ok_or(RehearseError::NoNamespaces)?;
        host.prepare(request)?;
        Ok(host)
    }

    fn prepare(&mut self, request: &Request) -> Result<(), RehearseError> {
        let resolver = self.directory.join("resolv.conf");
        let text = format!("nameserver {DNS_SERVER}\n");
        fs::write(&resolver, text).map_err(RehearseError::at("write", &resolver))?;
        // Where the system's is a link into /run, that is hidden below.
        let shown = fs::canonicalize("/etc/resolv.conf").unwrap_or_else(|_| "/etc/resolv.conf".into());
        self.do_there(&["mount", "-t", "tmpfs", "tmpfs", "/run"])?;
        if shown.starts_with("/run") {
            let parent = shown.parent().unwrap_or(Path::new("/run")).display().to_string();
            self.do_there(&["mkdir", "-p", &parent])?;
            self.do_there(&[
                "cp",
                &resolver.display().to_string(),
                &shown.display().to_string(),
            ])?;
        } else {
            self.do_there(&[
                "mount",
                "--bind",
                &resolver.display().to_string(),
                &shown.display().to_string(),
            ])?;
        }
        if let Some(limit) = request.memory {
            let own = fs::read_to_string("/proc/meminfo").unwrap_or_default();
            let file = self.directory.join("meminfo");
            fs::write(&file, memory::meminfo(&own, limit)).map_err(RehearseError::at("write", &file))?;
            self.do_there(&["mount", "--bind", &file.display().to_string(), "/proc/meminfo"])?;
        }
        let data = self.data().display().to_string();
        self.do_there(&["mkdir", "-p", &data])?;
        if let Some(bytes) = request.disk {
            let image = self.directory.join("disk");
            let file = fs::File::create(&image).and_then(|file| file.set_len(bytes));
            file.map_err(RehearseError::at("make", &image))?;
            let image = image.display().to_string();
            self.do_there(&["mkfs.ext4", "-q", "-F", "-m", "0", &image])?;
            self.do_there(&["mount", "-o", "loop", &image, &data])?;
        }
        self.do_there(&["mkdir", "-p", &self.home().display().to_string()])?;
        // Packets to anywhere leave by a bridge that has no other end.
        for line in [
            "ip link set lo up",
            "ip link add void type bridge",
            "ip addr add 198.51.100.2/32 dev void",
            "ip addr add 198.51.100.53/32 dev void",
            "ip link set void up",
            "ip route add 198.51.100.1 dev void",
            "ip route add default via 198.51.100.1",
            "ip neigh replace 198.51.100.1 lladdr 02:00:00:00:00:01 dev void",
        ] {
            self.do_there(&line.split(' ').collect::<Vec<_>>())?;
        }
        Ok(())
    }

    /// Starts the engine, and waits until it answers.
    pub(super) fn start_engine(&mut self) -> Result<(), RehearseError> {
        let engine = self
            .command("dockerd")
            .args(["--data-root", &self.data().join("engine").display().to_string()])
            .args(["--host", "unix:///run/docker.sock", "--exec-root", "/run/docker"])
            .args([
                "--pidfile",
                "/run/docker.pid",
                "--cgroup-parent",
                &format!("/{NAME}"),
            ])
            .args(["--exec-opt", "native.cgroupdriver=cgroupfs"])
            .uninterruptible()
            .spawn()?;
        self.engine = Mutex::new(Some(engine));
        let answered = patiently(|| {
            let info = self.command("docker").args(["info"]).timeout(SETUP).run();
            info.is_ok_and(|output| output.success()).then_some(())
        })?;
        if answered.is_some() {
            return Ok(());
        }
        Err(RehearseError::NoEngine)
    }

    /// A program on that host.
    pub(super) fn command(&self, program: &str) -> Command {
        let without = [
            "DOCKER_CONFIG",
            "DOCKER_CONTEXT",
            "DOCKER_HOST",
            "KUBECONFIG",
            "MINIKUBE_HOME",
            "TMPDIR",
            "XDG_CACHE_HOME",
            "XDG_DATA_HOME",
            "XDG_STATE_HOME",
            "http_proxy",
            "https_proxy",
            "HTTP_PROXY",
            "HTTPS_PROXY",
            "ALL_PROXY",
            "all_proxy",
        ];
        let command = Command::new("nsenter")
            .args([
                "--target",
                &self.init.to_string(),
                "--mount",
                "--net",
                "--pid",
                "--uts",
                "--ipc",
            ])
            .args(["--", program])
            .env("HOME", self.home())
            // Root's links would go to /usr/local/bin, which is this machine's.
            .env("XDG_BIN_HOME", self.home().join(".local/bin"))
            .env("KUBECACHEDIR", "/run/kubectl-cache");
        let command = without.iter().fold(command, Command::env_remove);
        // The keys that this user trusts.
        match Environment::of_this_process().home() {
            Some(home)
                if Environment::of_this_process()
                    .variable("XDG_CONFIG_HOME")
                    .is_none() =>
            {
                command.env("XDG_CONFIG_HOME", home.join(".config"))
            }
            _ => command,
        }
    }

    /// Its home.
    pub(super) fn home(&self) -> PathBuf {
        self.data().join("home")
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// The bytes on its disk.
    pub(super) fn disk(&self) -> Option<u64> {
        let data = self.data().display().to_string();
        let output = self
            .command("du")
            .args(["-sx", "--block-size=1", &data])
            .timeout(SETUP)
            .run();
        output.ok()?.stdout.split_whitespace().next()?.parse().ok()
    }

    /// One line for each thing that an uninstall is to remove: files, and what the engine has.
    pub(super) fn inventory(&self) -> Result<Vec<String>, RehearseError> {
        let home = self.home().display().to_string();
        let lists: [(&str, &[&str]); 7] = [
            ("file", &["find", &home, "-type", "f"]),
            ("container", &["docker", "ps", "-a", "--format", "{{.Names}}"]),
            ("volume", &["docker", "volume", "ls", "-q"]),
            (
                "image",
                &["docker", "images", "--format", "{{.Repository}}:{{.Tag}}"],
            ),
            ("network", &["docker", "network", "ls", "--format", "{{.Name}}"]),
            ("interface", &["ip", "-o", "link", "show", "up"]),
            ("mount", &["cat", "/proc/mounts"]),
        ];
        let mut found = Vec::new();
        for (what, line) in lists {
            let output = self.there(line)?;
            let names = output.stdout.lines().map(|line| match what {
                "interface" | "mount" => line.split_whitespace().nth(1).unwrap_or_default(),
                _ => line,
            });
            found.extend(names.map(|name| format!("{what} {name}")));
        }
        Ok(found)
    }

    /// The first processes of the containers that run, by their numbers on that host.
    pub(super) fn containers(&self) -> Vec<u32> {
        let ids = self
            .there(&["docker", "ps", "-q"])
            .map(|output| output.stdout)
            .unwrap_or_default();
        let mut line = vec!["docker", "inspect", "-f", "{{.State.Pid}}"];
        line.extend(ids.lines());
        if line.len() == 4 {
            return Vec::new();
        }
        let pids = self.there(&line).map(|output| output.stdout).unwrap_or_default();
        pids.lines()
            .filter_map(|pid| pid.parse().ok())
            .filter(|pid| *pid > 0)
            .collect()
    }

    fn do_there(&self, line: &[&str]) -> Result<(), RehearseError> {
        self.there(line).map(drop)
    }

    fn there(&self, line: &[&str]) -> Result<Output, RehearseError> {
        let command = self.command(line[0]).args(&line[1..]).timeout(SETUP);
        Ok(command.run()?.require_success()?)
    }
}

impl Drop for AirGapped {
    fn drop(&mut self) {
        let held = |running: &mut Mutex<Option<Running>>| {
            let running = running.get_mut().unwrap_or_else(PoisonError::into_inner);
            running.take()
        };
        drop(held(&mut self.engine));
        // Its input ends, and with it every process of the namespace.
        drop(held(&mut self.first).map(Running::finish));
        // Its mounts go a moment after its last process.
        for _ in 0..50 {
            if remove_tree_if_there(&self.directory).is_ok() {
                break;
            }
            thread::sleep(Duration::from_millis(100));
        }
        memory::remove();
    }
}

/// Asks again and again for a while; `None` when nothing came of it.
fn patiently<T>(mut ask: impl FnMut() -> Option<T>) -> Result<Option<T>, RehearseError> {
    let until = Instant::now() + SETUP;
    loop {
        if let Some(answer) = ask() {
            return Ok(Some(answer));
        }
        if Instant::now() > until {
            return Ok(None);
        }
        interrupt::check()?;
        thread::sleep(Duration::from_millis(100));
    }
}

/// The child of a process, once it is the shell that was asked for.
fn child_of(parent: u32) -> Option<u32> {
    let entries = fs::read_dir("/proc").ok()?.flatten();
    let mut numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    numbers.find(|pid| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        is_shell_of(&stat, parent)
    })
}

/// Source: proc(5): `pid (comm) state ppid`.
fn is_shell_of(stat: &str, parent: u32) -> bool {
    let Some((name, rest)) = stat.rsplit_once(") ") else {
        return false;
    };
    name.ends_with("(sh") && rest.split(' ').nth(1) == Some(&parent.to_string())
}

impl RehearseError {
    pub(super) fn at(done: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { done, path, source }
    }
}
