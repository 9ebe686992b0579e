//! The packager: makes bundles, and does what they do.

use std::process::ExitCode;

fn main() -> ExitCode {
    minikube_offline::cli::packager_main(std::env::args_os())
}
