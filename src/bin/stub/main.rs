//! The program inside every bundle: verifies it and starts its cluster.

use std::process::ExitCode;

fn main() -> ExitCode {
    minikube_offline::cli::stub_main(std::env::args_os())
}
