//! The program that every bundle has inside, run on a bundle.

use std::path::Path;
use std::process::Command;

/// The program on `bundle`, without any variables; the verb is to be added.
pub(crate) fn on(bundle: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_minikube-offline-stub"));
    command.env_clear().arg("--bundle").arg(bundle);
    command
}

/// Runs it to its end in the home `home`: the exit code, and what it said on stderr.
pub(crate) fn ended(command: &mut Command, home: &Path) -> (Option<i32>, String) {
    let output = command.env("HOME", home).output().expect("it runs");
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}
