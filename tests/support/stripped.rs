//! Programs of this build without what is for debugging: most of a quick build, which
//! every test would copy, pack and hash.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

static STRIPPED: Mutex<BTreeMap<PathBuf, PathBuf>> = Mutex::new(BTreeMap::new());

/// `program` without what is for debugging, or itself where there is no `strip`.
///
/// Another program writes it: one that this process has open for writing, or a child that
/// it just began to start, cannot be executed.
pub(crate) fn stripped(program: &Path) -> PathBuf {
    let mut stripped = STRIPPED.lock().expect("no test panics here");
    if let Some(path) = stripped.get(program) {
        return path.clone();
    }
    let name = program.file_name().expect("a program").display();
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let own = directory.join(format!("{name}.{}", std::process::id()));
    let strip = Command::new("strip").arg("-o").args([&own, program]).status();
    let path = if strip.is_ok_and(|status| status.success()) {
        let path = directory.join(name.to_string());
        // Another run of the tests may execute the one of before.
        fs::rename(own, &path).expect("ours");
        path
    } else {
        program.to_owned()
    };
    stripped.insert(program.to_owned(), path.clone());
    path
}

/// The stub of this build, as a bundle has it inside.
pub(crate) fn stub() -> PathBuf {
    stripped(Path::new(env!("CARGO_BIN_EXE_minikube-offline-stub")))
}
