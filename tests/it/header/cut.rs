//! A bundle that ends too early, anywhere in what a shell reads: no shell calls it a success.

use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;

use crate::support::effort::{long, report};
use crate::support::program::{Sandbox, bytes};

/// Of `#!/bin/sh` alone every shell makes an empty script, and of nothing, too.
const SHEBANG: usize = "#!/bin/sh\n".len();

const SHELLS: [&[&str]; 4] = [&["dash"], &["busybox", "sh"], &["bash"], &["bash", "--posix"]];

const CUT_SHORT: &str = "error: this bundle is cut short; copy the file again\n";

/// A copy of `bundle`'s first bytes, as `name`.
fn front(sandbox: &Sandbox, bundle: &Path, name: &str, bytes: u64) -> PathBuf {
    let path = sandbox.path(name);
    let mut front = File::open(bundle).unwrap().take(bytes);
    std::io::copy(&mut front, &mut File::create(&path).unwrap()).unwrap();
    path
}

fn run(shell: &[&str], path: &Path) -> Output {
    let mut command = Command::new(shell[0]);
    let command = command.args(&shell[1..]).arg(path).arg("list").env_clear();
    command
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .output()
        .unwrap()
}

/// Every length of the header's text, the longest first, under `shell`.
fn cut_everywhere(shell: &[&str], path: &Path, text_bytes: usize, step: usize) -> usize {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    // The message is there as soon as its own line is.
    let spoken = bytes(path)
        .iter()
        .skip(SHEBANG)
        .position(|byte| *byte == b'\n')
        .unwrap()
        + SHEBANG;
    let lengths = (SHEBANG + 1..text_bytes).rev().step_by(step);
    for length in lengths.clone() {
        file.set_len(length as u64).unwrap();
        let Output { status, stderr, .. } = run(shell, path);
        let said = String::from_utf8_lossy(&stderr);
        assert!(
            status.code() != Some(0) && !said.is_empty(),
            "{shell:?}, {length} bytes: {status}"
        );
        if length >= spoken {
            assert_eq!(status.code(), Some(4), "{shell:?}, {length} bytes: {said}");
            assert!(said.ends_with(CUT_SHORT), "{shell:?}, {length} bytes: {said}");
        }
    }
    lengths.count()
}

#[test]
fn a_header_cut_anywhere_fails_and_says_so() {
    let sandbox = Sandbox::new();
    let bundle = sandbox.runnable_bundle("whole.run");
    let mut header = [0; 8192];
    File::open(&bundle).unwrap().read_exact(&mut header).unwrap();
    // The brace that ends the script; the padding comes after it.
    let text_bytes = header.iter().rposition(|byte| *byte == b'}').unwrap();
    let found: Vec<_> = SHELLS
        .into_iter()
        .filter(|shell| Command::new(shell[0]).args(["-c", ":"]).output().is_ok())
        .collect();
    thread::scope(|scope| {
        for (at, shell) in found.iter().enumerate() {
            let path = front(&sandbox, &bundle, &format!("cut {at}"), text_bytes as u64);
            // Every length where there is time for a run of the shell for each: `make test-long`.
            let step = match at {
                _ if long() => 1,
                0 => 5,
                _ => 13,
            };
            scope.spawn(move || {
                let lengths = cut_everywhere(shell, &path, text_bytes, step);
                report(&format!("{lengths} lengths of the header under {shell:?}"));
            });
        }
    });
    assert!(found.len() >= 2, "{found:?}");
}

#[test]
fn a_bundle_cut_behind_its_header_names_both_lengths() {
    let sandbox = Sandbox::new();
    let bundle = sandbox.runnable_bundle("whole.run");
    let whole = fs::metadata(&bundle).unwrap().len();
    let text = fs::read(&bundle).unwrap();
    let text_bytes = text[..8192].iter().rposition(|byte| *byte == b'}').unwrap() as u64 + 1;
    let lengths = [
        text_bytes,
        text_bytes + 1,
        8191,
        8192,
        8193,
        12_288,
        500_000,
        whole - 1,
    ];
    let path = front(&sandbox, &bundle, "cut.run", whole - 1);
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    for length in lengths.into_iter().rev() {
        file.set_len(length).unwrap();
        for shell in SHELLS.iter().take(2) {
            if Command::new(shell[0]).args(["-c", ":"]).output().is_err() {
                report(&format!("skipped: {} is not here", shell[0]));
                continue;
            }
            let outcome = run(shell, &path);
            let said = String::from_utf8_lossy(&outcome.stderr);
            let expected = format!(
                "error: {} is cut short: {length} of {whole} bytes\n\n\
                 hint: copy the file again from where it was packed, and compare both with sha256sum\n",
                path.display()
            );
            assert_eq!(
                (outcome.status.code(), &*said),
                (Some(4), &*expected),
                "{shell:?}"
            );
        }
    }
}
