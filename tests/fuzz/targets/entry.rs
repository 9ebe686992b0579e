//! The parsers as the tests of faults call them.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

#[allow(dead_code)]
#[path = "../../support/draft.rs"]
pub mod draft;
#[allow(dead_code)]
#[path = "../../support/parsers.rs"]
pub mod parsers;
#[path = "../../support/words.rs"]
pub mod words;

/// The one path that a parser may write to.
pub fn scratch() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| std::env::temp_dir().join(format!("minikube-offline-fuzz-{}", std::process::id())))
}
