//! The host's Docker Engine, by its command line, as minikube uses it.

use crate::stop::Stop;
use std::io::Write;
use std::process::{Command, Stdio};

/// Runs `docker ARGS`; gives what it printed, or what it complained of.
pub(crate) fn docker(args: &[&str]) -> Result<String, String> {
    docker_with(args, &[])
}

/// Runs `docker ARGS` with `input` on its stdin.
pub(crate) fn docker_with(args: &[&str], input: &[u8]) -> Result<String, String> {
    let complain = |error| format!("docker {}: {error}", args.join(" "));
    let mut child = Command::new("docker")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(complain)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A command that does not read its stdin is no error.
        stdin.write_all(input).ok();
    }
    let output = child.wait_with_output().map_err(complain)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned());
    }
    let said = [output.stderr, output.stdout].concat();
    Err(format!(
        "docker {}: {}: {}",
        args.join(" "),
        output.status,
        String::from_utf8_lossy(&said).trim()
    ))
}

/// Checks that there is an engine, and that it answers.
pub(crate) fn check() -> Result<(), Stop> {
    docker(&["version", "--format", "{{.Server.Version}}"])
        .map(drop)
        .map_err(|error| Stop::engine(error).advise("Start the Docker service"))
}

/// Whether `docker images` lists a reference: a part of a line is enough, as
/// for minikube.
pub(crate) fn has_image(reference: &str) -> Result<bool, Stop> {
    let list = docker(&["images", "--format", "{{.Repository}}:{{.Tag}}@{{.Digest}}"]);
    Ok(list
        .map_err(Stop::engine)?
        .contains(reference.trim_start_matches("docker.io/")))
}

/// The labels of a volume as JSON, if there is such a volume.
pub(crate) fn volume_labels(name: &str) -> Option<serde_json::Value> {
    let labels = docker(&["volume", "inspect", "--format", "{{json .Labels}}", name]).ok()?;
    serde_json::from_str(&labels).ok()
}
