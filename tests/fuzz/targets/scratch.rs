//! The one path that a parser may write to.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

pub fn path() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| std::env::temp_dir().join(format!("minikube-offline-fuzz-{}", std::process::id())))
}
