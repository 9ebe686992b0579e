//! The control groups of this machine.

use std::collections::BTreeSet;
use std::fs;

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
        if let Ok(text) = fs::read_to_string("/sys/fs/cgroup/cgroup.controllers") {
            return Self {
                version: CgroupVersion::V2,
                controllers: text.split_whitespace().map(str::to_owned).collect(),
            };
        }
        let Ok(text) = fs::read_to_string("/proc/cgroups") else {
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
        assert_ne!(Cgroups::of_this_machine().version, CgroupVersion::None);
    }
}
