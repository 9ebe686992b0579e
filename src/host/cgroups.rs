//! The control groups of this machine.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Which of the two there is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum CgroupVersion {
    /// Neither.
    #[default]
    None,
    /// A hierarchy for each controller, with or without v2 beside them.
    V1,
    /// One hierarchy.
    V2,
}

/// What can be accounted for and limited.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Cgroups {
    /// Which there is.
    pub version: CgroupVersion,
    /// The controllers that are on; empty where the kernel does not say.
    pub controllers: BTreeSet<String>,
}

impl Cgroups {
    /// Those of this machine. Source: cgroups(7).
    #[must_use]
    pub fn of_this_machine() -> Self {
        Self::under(Path::new("/"))
    }

    /// Those of the machine whose root is this directory.
    fn under(root: &Path) -> Self {
        if let Ok(text) = fs::read_to_string(root.join("sys/fs/cgroup/cgroup.controllers")) {
            return Self {
                version: CgroupVersion::V2,
                controllers: text.split_whitespace().map(str::to_owned).collect(),
            };
        }
        let Ok(text) = fs::read_to_string(root.join("proc/cgroups")) else {
            return Self::default();
        };
        Self {
            version: CgroupVersion::V1,
            controllers: enabled(&text),
        }
    }
}

/// `#subsys_name hierarchy num_cgroups enabled`.
fn enabled(text: &str) -> BTreeSet<String> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            matches!(fields[..], [_, _, _, "1"]).then(|| fields[0].to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_controller_that_was_switched_off_at_boot_is_not_on() {
        let text = "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t1\t1\t1\nmemory\t0\t1\t0\n";
        assert_eq!(enabled(text), BTreeSet::from(["cpu".to_owned()]));
    }

    #[test]
    fn the_version_is_the_one_whose_file_is_there() {
        let root = tempfile::tempdir().expect("a directory");
        let controllers = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(Cgroups::under(root.path()), Cgroups::default());
        let put = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            fs::write(path, text).expect("a file");
        };
        put("proc/cgroups", "cpu\t1\t1\t1\nmemory\t0\t1\t0\n");
        let first = Cgroups {
            version: CgroupVersion::V1,
            controllers: controllers(&["cpu"]),
        };
        assert_eq!(Cgroups::under(root.path()), first);
        put("sys/fs/cgroup/cgroup.controllers", "cpu memory pids\n");
        let second = Cgroups {
            version: CgroupVersion::V2,
            controllers: controllers(&["cpu", "memory", "pids"]),
        };
        assert_eq!(Cgroups::under(root.path()), second);
    }
}
