//! Whether the directories that are written to can hold what goes there.

use super::finding::{Finding, fatal, warning};
use crate::host::{FileSystemKind, Mount};
use crate::minikube::quoted;
use crate::shown::human_bytes_at_least;

/// A file on FAT is smaller than 4 GiB.
const FAT_LIMIT: u64 = u32::MAX as u64;

/// A directory with its use.
#[derive(Clone, Debug)]
pub(crate) struct DirectoryFacts {
    /// For people: `the programs`.
    pub(crate) what: &'static str,
    /// What chooses another: `--minikube-home`.
    pub(crate) chosen_by: &'static str,
    /// Whether it lies in the user's home: what is there should be the user's.
    pub(crate) in_home: bool,
    /// Whether programs run from there.
    pub(crate) runs_programs: bool,
    /// The largest file that goes there, in bytes.
    pub(crate) largest_file: u64,
    /// What it is on.
    pub(crate) mount: Mount,
}

pub(crate) fn examine(directories: &[DirectoryFacts]) -> Vec<Finding> {
    directories.iter().filter_map(examine_one).collect()
}

fn examine_one(facts: &DirectoryFacts) -> Option<Finding> {
    let DirectoryFacts { what, mount, .. } = facts;
    let directory = mount.directory.display();
    if mount.denied {
        return Some(fatal(
            format!("this user may not write to `{directory}`"),
            format!("{what} go there"),
            if facts.in_home {
                format!(
                    "make it this user's again, which a run with sudo may have changed: `sudo chown -R $USER {}`",
                    quoted(&mount.directory)
                )
            } else {
                format!("choose a directory of this user's with `{}`", facts.chosen_by)
            },
        ));
    }
    let fix = "choose a directory on ext4, xfs or btrfs with `XDG_DATA_HOME` or `--minikube-home`";
    if facts.runs_programs && mount.no_exec {
        return Some(fatal(
            format!("`{directory}` is mounted noexec"),
            format!("{what} go there and could not be run"),
            "set `XDG_DATA_HOME` to a directory from which programs may be run, such as `XDG_DATA_HOME=/opt/share`",
        ));
    }
    if mount.kind != FileSystemKind::Fat {
        return None;
    }
    if facts.largest_file > FAT_LIMIT {
        return Some(fatal(
            format!("`{directory}` is on a FAT file system"),
            format!(
                "{what} hold a file of {}, and FAT takes less than 4.29 GB",
                human_bytes_at_least(facts.largest_file)
            ),
            fix,
        ));
    }
    Some(warning(
        format!("`{directory}` is on a FAT file system"),
        format!("{what} go there, and it keeps neither links nor permissions"),
        fix,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preflight::finding::Severity;

    #[test]
    fn a_directory_that_the_user_may_not_write_is_told_with_what_chooses_another() {
        for (directory, in_home, fix) in [
            (
                "/home/ann/.minikube",
                true,
                "`sudo chown -R $USER /home/ann/.minikube`",
            ),
            // Nobody should be told to take that.
            ("/etc", false, "`--minikube-home`"),
        ] {
            let facts = DirectoryFacts {
                what: "minikube's files",
                chosen_by: "--minikube-home",
                in_home,
                runs_programs: false,
                largest_file: 1,
                mount: Mount {
                    directory: directory.into(),
                    kind: FileSystemKind::Other,
                    denied: true,
                    no_exec: false,
                },
            };
            let findings = examine(&[facts]);
            assert_eq!(findings[0].severity, Severity::Fatal);
            assert!(findings[0].fix.ends_with(fix), "{}", findings[0].fix);
        }
    }

    #[test]
    fn fat_and_noexec_matter_by_what_goes_there() {
        for (kind, no_exec, runs_programs, largest_file, expected) in [
            (FileSystemKind::Other, false, true, 1 << 40, None),
            (FileSystemKind::Other, true, false, 1, None),
            (FileSystemKind::Other, true, true, 1, Some(Severity::Fatal)),
            (FileSystemKind::Fat, false, true, 1, Some(Severity::Warning)),
            (
                FileSystemKind::Fat,
                false,
                false,
                FAT_LIMIT,
                Some(Severity::Warning),
            ),
            (
                FileSystemKind::Fat,
                false,
                false,
                FAT_LIMIT + 1,
                Some(Severity::Fatal),
            ),
        ] {
            let facts = DirectoryFacts {
                what: "the programs",
                chosen_by: "XDG_DATA_HOME",
                in_home: true,
                runs_programs,
                largest_file,
                mount: Mount {
                    directory: "/stick".into(),
                    denied: false,
                    kind,
                    no_exec,
                },
            };
            let found = examine(&[facts]).first().map(|finding| finding.severity);
            assert_eq!(found, expected, "{kind:?} {no_exec} {largest_file}");
        }
    }
}
