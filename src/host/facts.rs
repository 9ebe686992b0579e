//! What the machine has: space, memory, processors, time.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::FileError;

/// The file system that a path is, or will be, on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FileSystem {
    /// Its device number: paths with the same one share the space.
    pub device: u64,
    /// The existing directory that was asked.
    pub directory: PathBuf,
    /// What this user can still write, in bytes.
    pub free_bytes: u64,
    /// Whether it can be written at all.
    pub read_only: bool,
    /// Whether it is FAT, whose files end before 4 GiB. exFAT is another one.
    pub is_fat: bool,
}

/// Source: Linux, `include/uapi/linux/magic.h`.
const MSDOS_SUPER_MAGIC: i64 = 0x4d44;

impl FileSystem {
    /// The file system of `path`, or of the nearest directory above it that is there.
    pub fn of(path: &Path) -> Result<Self, FileError> {
        let directory = existing_ancestor(path);
        let device = fs::metadata(&directory)
            .map_err(FileError::at("looked at", &directory))?
            .dev();
        let facts = rustix::fs::statvfs(&directory)
            .map_err(|error| FileError::at("looked at", &directory)(error.into()))?;
        let kind = rustix::fs::statfs(&directory)
            .map_err(|error| FileError::at("looked at", &directory)(error.into()))?;
        Ok(Self {
            device,
            is_fat: kind.f_type == MSDOS_SUPER_MAGIC,
            free_bytes: facts.f_bavail.saturating_mul(facts.f_frsize),
            read_only: facts.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY),
            directory,
        })
    }
}

/// `path`, or the nearest directory above it that is there.
#[must_use]
pub fn existing_ancestor(path: &Path) -> PathBuf {
    path.ancestors()
        .find(|path| fs::metadata(path).is_ok())
        .unwrap_or(Path::new("/"))
        .to_owned()
}

/// The machine's memory.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MemoryFacts {
    /// All of it.
    pub total_bytes: u64,
    /// What can be used without swapping.
    pub available_bytes: u64,
}

/// The machine's memory, where the kernel says.
#[must_use]
pub fn available_memory() -> Option<MemoryFacts> {
    parse_meminfo(&fs::read_to_string("/proc/meminfo").ok()?)
}

/// Source: proc(5), `/proc/meminfo`; its "kB" are 1024 bytes.
fn parse_meminfo(text: &str) -> Option<MemoryFacts> {
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        kibibytes.checked_mul(1024)
    };
    Some(MemoryFacts {
        total_bytes: field("MemTotal:")?,
        available_bytes: field("MemAvailable:").or_else(|| field("MemFree:"))?,
    })
}

/// How many processors this process may use.
#[must_use]
pub fn cpu_count() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Seconds since 1970. Clocks at a site may be wrong: for people, never for decisions.
#[must_use]
pub fn unix_seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// Nanoseconds since 1970, for names that are not used twice.
#[must_use]
pub fn unix_nanoseconds() -> u128 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meminfo_is_read_in_kibibytes() {
        let text = "MemTotal:        8046224 kB\nMemFree:          200000 kB\nMemAvailable:    4000000 kB\n";
        let facts = parse_meminfo(text).expect("facts");
        assert_eq!(facts.total_bytes, 8_046_224 * 1024);
        assert_eq!(facts.available_bytes, 4_000_000 * 1024);
        assert_eq!(parse_meminfo("MemTotal: many kB\n"), None);
    }

    #[test]
    fn a_path_that_is_not_there_yet_has_a_file_system() {
        let facts = FileSystem::of(Path::new("/tmp/no/such/directory/yet")).expect("facts");
        assert_eq!(facts.directory, existing_ancestor(Path::new("/tmp/no/such")));
        assert!(facts.free_bytes > 0);
    }
}
