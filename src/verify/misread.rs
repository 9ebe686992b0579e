//! What was read wrongly and, when it was asked for again, rightly: the bundle is whole,
//! and the person should know that the medium is about to fail.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::host::held;
use crate::progress::Progress;

/// How many runs of bytes are named; a medium that fails everywhere is still told of in
/// one line.
const NAMED: usize = 2;

/// A run of bytes that was wrong once.
#[derive(Clone, Debug)]
struct Run {
    path: PathBuf,
    offset: u64,
    size: u64,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, offset, size } = self;
        write!(f, "`{}` bytes {offset} to {}", path.display(), offset + size)
    }
}

/// Makes the next reading of `file` one of the medium, where the medium has a say in it.
/// All of the file, for a page that is only partly named stays in memory, and so does one
/// of several that are kept as one. Source: Linux, `mm/fadvise.c` and `mm/truncate.c`,
/// `mapping_try_invalidate`.
pub fn forget_cached(file: &File) {
    let _ = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed);
}

/// The runs of bytes that were wrong once, since the person was last told.
#[derive(Debug, Default)]
pub struct Misread(Mutex<Vec<Run>>);

impl Misread {
    /// One more.
    pub fn add(&self, path: &Path, offset: u64, size: u64) {
        let path = path.to_owned();
        self.runs().push(Run { path, offset, size });
    }

    /// Tells of all of them, and forgets them.
    pub fn tell(&self, progress: &dyn Progress) {
        let runs = std::mem::take(&mut *self.runs());
        if runs.is_empty() {
            return;
        }
        let named: Vec<String> = runs.iter().take(NAMED).map(ToString::to_string).collect();
        let more = match runs.len() - named.len() {
            0 => String::new(),
            1 => " and 1 run of bytes more".to_owned(),
            more => format!(" and {more} runs of bytes more"),
        };
        progress.warn(&format!(
            "read wrongly, and rightly the second time: {}{more}; the medium, its cable or this \
             machine's memory is failing; nothing wrong was used, but copy the bundle to another medium \
             while it can be read",
            named.join(", ")
        ));
    }

    fn runs(&self) -> std::sync::MutexGuard<'_, Vec<Run>> {
        held(&self.0)
    }
}
