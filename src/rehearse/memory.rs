//! The control group of the rehearsal's containers: their limit, their peak, who was ended.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::NAME;
use crate::host::{CgroupVersion, Cgroups};

const ROOT: &str = "/sys/fs/cgroup";

/// The memory that all containers of the rehearsal share.
pub(super) struct MemoryGroup {
    directory: PathBuf,
    v2: bool,
}

impl MemoryGroup {
    /// Makes the group, with a limit in bytes. Source: cgroups(7); Linux, `Documentation/admin-guide`.
    pub(super) fn make(limit: Option<u64>) -> io::Result<Self> {
        let v2 = Cgroups::of_this_machine().version == CgroupVersion::V2;
        let directory = Path::new(ROOT).join(if v2 { "" } else { "memory" }).join(NAME);
        fs::create_dir_all(&directory)?;
        let group = Self { directory, v2 };
        if !v2 {
            // Of older kernels: without, what is below is not counted.
            let _ = fs::write(group.directory.join("memory.use_hierarchy"), "1");
        }
        if let Some(limit) = limit {
            let file = if v2 { "memory.max" } else { "memory.limit_in_bytes" };
            fs::write(group.directory.join(file), limit.to_string())?;
        }
        Ok(group)
    }

    /// The most that was used at once, where the kernel tells.
    pub(super) fn peak(&self) -> Option<u64> {
        let file = if self.v2 {
            "memory.peak"
        } else {
            "memory.max_usage_in_bytes"
        };
        fs::read_to_string(self.directory.join(file))
            .ok()?
            .trim()
            .parse()
            .ok()
    }

    /// How many processes the kernel ended for want of memory, here and below.
    pub(super) fn ended(&self) -> u64 {
        let file = if self.v2 {
            "memory.events"
        } else {
            "memory.oom_control"
        };
        let entries = WalkDir::new(&self.directory).into_iter().flatten();
        let groups = entries.filter(|entry| entry.file_name() == file);
        let counts: Vec<u64> = groups
            .filter_map(|entry| Some(kills(&fs::read_to_string(entry.path()).ok()?)))
            .collect();
        // That of v2 counts what is below.
        if self.v2 {
            counts.into_iter().max().unwrap_or_default()
        } else {
            counts.into_iter().sum()
        }
    }
}

fn kills(text: &str) -> u64 {
    let lines = text.lines().filter_map(|line| line.strip_prefix("oom_kill "));
    lines.filter_map(|number| number.trim().parse::<u64>().ok()).sum()
}

/// Removes the groups of a rehearsal, whose processes have ended.
pub(super) fn remove() {
    let hierarchies = fs::read_dir(ROOT)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    for directory in hierarchies.chain([PathBuf::from(ROOT)]) {
        let entries = WalkDir::new(directory.join(NAME))
            .contents_first(true)
            .into_iter()
            .flatten();
        for entry in entries.filter(|entry| entry.file_type().is_dir()) {
            let _ = fs::remove_dir(entry.path());
        }
    }
}

/// `/proc/meminfo` of a host with at most `limit` bytes.
pub(super) fn meminfo(own: &str, limit: u64) -> String {
    let most = limit / 1024;
    let line = |line: &str| {
        let mut fields = line.split_whitespace();
        let (Some(name), Some(number)) = (fields.next(), fields.next()) else {
            return format!("{line}\n");
        };
        match (name, number.parse::<u64>()) {
            ("MemTotal:" | "MemFree:" | "MemAvailable:", Ok(number)) => {
                format!("{name} {} kB\n", number.min(most))
            }
            ("SwapTotal:" | "SwapFree:", _) => format!("{name} 0 kB\n"),
            _ => format!("{line}\n"),
        }
    };
    own.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limited_host_has_no_more_memory_than_was_given() {
        let own = "MemTotal:       24000000 kB\nMemFree:         1000000 kB\nSwapTotal: 5 kB\nDirty: 7 kB\n";
        let limited = "MemTotal: 4000000 kB\nMemFree: 1000000 kB\nSwapTotal: 0 kB\nDirty: 7 kB\n";
        assert_eq!(meminfo(own, 4_096_000_000), limited);
    }

    #[test]
    fn processes_that_the_kernel_ended_are_counted() {
        assert_eq!(kills("oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"), 3);
        assert_eq!(kills("low 0\noom 1\noom_kill 2\noom_group_kill 0\n"), 2);
    }
}
