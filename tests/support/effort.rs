//! How much is tried, from which seed, and what came of it.
//!
//! `MINIKUBE_OFFLINE_TEST_LONG=1` tries all, `MINIKUBE_OFFLINE_TEST_SEED=N` repeats a run.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use tempfile::TempDir;

/// Whether everything is to be tried, for as long as it takes.
pub(crate) fn long() -> bool {
    std::env::var_os("MINIKUBE_OFFLINE_TEST_LONG").is_some_and(|value| value != "0")
}

/// `short` or `long`, as it was asked for.
pub(crate) fn rounds(short: u64, long: u64) -> u64 {
    if self::long() { long } else { short }
}

/// What may be skipped where nothing else may, by words of the reason: programs and kernels
/// that `.ci/run` does not install.
const OPTIONAL: [&str; 16] = [
    "MINIKUBE_OFFLINE_TEST_HELM does not name a Helm",
    "MINIKUBE_OFFLINE_TEST_MINIKUBE does not name a minikube",
    "cosign is not installed",
    "docker-registry is not installed",
    "tinyproxy is not installed",
    "skopeo is not on this machine",
    "containerd is not on this machine",
    "this kernel",
    "no file system of a program's own",
    "a medium that reads wrong once: ",
    "from a flaky medium: ",
    "on a flaky medium: ",
    " without power",
    "a stick in a loop device: ",
    "the sample parts are for this machine",
    "the snapshots of a start are of root's on linux/amd64",
];

/// Says what was tried, also where the harness keeps the output of tests that pass. In CI, and
/// with `MINIKUBE_OFFLINE_REQUIRE_ALL=1`, what is skipped and should have run is a failure.
pub(crate) fn report(text: &str) {
    let _ = writeln!(io::stderr(), "tried: {text}");
    let set = |name, value: &str| std::env::var_os(name).is_some_and(|is| is == value);
    if set("CI", "true") || set("MINIKUBE_OFFLINE_REQUIRE_ALL", "1") {
        let reason = text.strip_prefix("skipped: ");
        assert!(reason.is_none_or(may_be_skipped), "{text}: it should have run");
    }
}

/// Whether a test may be skipped for this reason where all others have to run.
pub(crate) fn may_be_skipped(reason: &str) -> bool {
    let needs_root = ["only root", "root may", "in a namespace", "in a user namespace"];
    let is_root = rustix::process::geteuid().is_root();
    OPTIONAL.iter().any(|part| reason.contains(part))
        || !is_root && needs_root.iter().any(|part| reason.contains(part))
}

/// A directory in memory where there is one: a million writes need no disk.
pub(crate) fn directory() -> TempDir {
    let memory = PathBuf::from("/dev/shm");
    let place = if memory.is_dir() {
        memory
    } else {
        std::env::temp_dir()
    };
    let mut name = tempfile::Builder::new();
    name.prefix("minikube-offline-faults-");
    name.tempdir_in(place)
        .or_else(|_| name.tempdir())
        .expect("a directory")
}

/// Numbers from a seed: splitmix64 (Steele, Lea, Flood, OOPSLA 2014).
#[derive(Clone, Debug)]
pub(crate) struct Random {
    seed: u64,
    state: u64,
}

impl Random {
    /// From the seed that was given, or from the clock.
    pub(crate) fn new() -> Self {
        let given = std::env::var("MINIKUBE_OFFLINE_TEST_SEED").ok();
        let given = given.map(|text| text.parse().expect("MINIKUBE_OFFLINE_TEST_SEED is a number"));
        let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let seed = given.unwrap_or_else(|| u64::from(clock.subsec_nanos()) ^ clock.as_secs());
        Self::with_seed(seed)
    }

    /// From this seed.
    pub(crate) fn with_seed(seed: u64) -> Self {
        Self { seed, state: seed }
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// The same seed's numbers for another worker.
    pub(crate) fn fork(&self, worker: u64) -> Self {
        let state = self.seed ^ worker.wrapping_mul(0xd1b5_4a32_d192_ed03);
        Self {
            seed: self.seed,
            state,
        }
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`, which is not 0.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// A place in a slice of `length`.
    pub(crate) fn place(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).expect("below a length")
    }

    /// `count` bytes that do not compress.
    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        for piece in bytes.chunks_mut(8) {
            piece.copy_from_slice(&self.next().to_le_bytes()[..piece.len()]);
        }
        bytes
    }
}
