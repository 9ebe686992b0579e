//! Programs whose system calls are watched, or disturbed.

use std::process::Command;

use super::effort::report;

/// Whether `strace` can do that here; says so where it cannot.
pub(crate) fn strace_works() -> bool {
    let traced = Command::new("strace")
        .args(["-qq", "-o", "/dev/null", "true"])
        .status();
    let works = traced.is_ok_and(|status| status.success());
    if !works {
        report("skipped: there is no strace that works here");
    }
    works
}
