//! strace: which calls a program makes, and one of them made to fail.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::subjects::through;

/// Calls that change something, or that reading depends on. Those that a machine does
/// not know are left out by the `?`.
const CALLS: [&str; 24] = [
    "?open",
    "openat",
    "read",
    "pread64",
    "write",
    "pwrite64",
    "writev",
    "?rename",
    "renameat",
    "renameat2",
    "?mkdir",
    "mkdirat",
    "?unlink",
    "unlinkat",
    "?rmdir",
    "fsync",
    "fdatasync",
    "ftruncate",
    "?link",
    "linkat",
    "?symlink",
    "symlinkat",
    "fchmod",
    "copy_file_range",
];

/// One call: the `number`-th of this name in its thread.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Call {
    pub(super) name: String,
    pub(super) number: usize,
    /// Whether it changes a file system.
    pub(super) changes: bool,
    shown: String,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.name, self.number, self.shown)
    }
}

/// What happens to a call.
#[derive(Clone, Copy)]
pub(super) enum Fault {
    Kill,
    Error(&'static str),
    /// This read fails, and every one after it.
    Gone,
}

/// Why calls cannot be made to fail here.
pub(super) fn missing() -> Option<String> {
    let tried = Command::new("strace")
        .args([
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            "inject=getppid:error=EIO:when=1",
            "true",
        ])
        .output();
    match tried {
        Err(error) => Some(format!("strace: {error}")),
        Ok(output) if !output.status.success() => Some(format!(
            "strace may not trace here: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        )),
        Ok(_) => None,
    }
}

/// The program, whose calls are written to `log`.
pub(super) fn listing(program: &Command, follow: bool, log: &Path) -> Command {
    let mut arguments = vec!["-qq".to_owned(), "-o".to_owned(), log.display().to_string()];
    if follow {
        arguments.push("-f".to_owned());
    }
    arguments.extend(["-e".to_owned(), format!("trace={}", CALLS.join(","))]);
    through("strace", &arguments, program)
}

/// The calls in `log`.
pub(super) fn calls(log: &Path) -> Vec<Call> {
    let log = fs::read_to_string(log).expect("strace's log");
    let mut counts: HashMap<(&str, &str), usize> = HashMap::new();
    let mut calls: Vec<Call> = Vec::new();
    // Counted in each thread: what is the loader's in one is not touched in another.
    let (mut loading, mut loader) = (true, Vec::new());
    for line in log.lines() {
        let (thread, rest) = match line.split_once(' ') {
            Some((pid, rest)) if pid.bytes().all(|b| b.is_ascii_digit()) => (pid, rest.trim_start()),
            _ => ("", line),
        };
        let Some((name, shown)) = rest.split_once('(') else {
            continue;
        };
        if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            continue;
        }
        let number = counts.entry((thread, name)).or_default();
        *number += 1;
        // What the loader opens and reads is not ours.
        loading = match name {
            "read" | "pread64" => loading,
            _ => shown.contains(".so") || shown.contains("/etc/ld"),
        };
        let call = Call {
            name: name.to_owned(),
            number: *number,
            changes: changes(name, shown),
            shown: shown.chars().take(70).collect(),
        };
        let same = |there: &Call| (&there.name, there.number) == (&call.name, call.number);
        if loading {
            loader.push(call);
        } else if !calls.iter().chain(&loader).any(same) {
            calls.push(call);
        }
    }
    calls
}

fn changes(name: &str, shown: &str) -> bool {
    match name {
        "open" | "openat" => shown.contains("O_CREAT"),
        "read" | "pread64" => false,
        "write" => !shown.starts_with("1,") && !shown.starts_with("2,"),
        _ => true,
    }
}

/// The program, with a fault at `call`.
pub(super) fn injecting(program: &Command, follow: bool, call: &Call, fault: Fault) -> Command {
    let number = call.number;
    let fault = match fault {
        Fault::Kill => format!("signal=SIGKILL:when={number}"),
        Fault::Error(errno) => format!("error={errno}:when={number}"),
        Fault::Gone => format!("error=EIO:when={number}+"),
    };
    let mut arguments: Vec<String> = ["-qq", "-o", "/dev/null"].map(str::to_owned).into();
    if follow {
        arguments.push("-f".to_owned());
    }
    arguments.extend(["-e".to_owned(), format!("trace={}", call.name)]);
    arguments.extend(["-e".to_owned(), format!("inject={}:{fault}", call.name)]);
    through("strace", &arguments, program)
}
