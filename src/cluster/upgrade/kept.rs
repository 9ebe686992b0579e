//! The state of a node from before an upgrade: a copy within the node's own volume, which
//! goes with the node, and takes no space where the file system shares blocks.

use std::time::Duration;

use super::UpgradeError;
use crate::cluster::ClusterError;
use crate::docker::{Engine, EngineError};
use crate::host::{AtomicFile, FileError};
use crate::install::Session;
use crate::minikube::ProfileConfig;
use crate::minikube::state::{BEGIN, FORGET, KEEP, RESTORE};

/// How long a disk may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// Keeps the state of the node, which it stops for that; gives its bytes.
pub(super) fn keep(session: &Session, engine: &Engine, profile: &str) -> Result<u64, ClusterError> {
    let path = config_file(session, profile);
    let config = std::fs::read_to_string(&path).map_err(FileError::at("read", &path))?;
    let said = in_node(engine, profile, KEEP, Some(&config))?;
    let bytes = said.trim().parse();
    bytes.map_err(|_| {
        UpgradeError::Node {
            profile: profile.to_owned(),
            said,
        }
        .into()
    })
}

/// Gives the node and minikube's profile their state from before. The node's container runs.
pub(super) fn restore(session: &Session, engine: &Engine, profile: &str) -> Result<(), ClusterError> {
    let config = in_node(engine, profile, RESTORE, None)?;
    if !config.trim().is_empty() {
        AtomicFile::write(&config_file(session, profile), config.as_bytes(), 0o600)?;
    }
    Ok(())
}

/// Removes what was kept.
pub(super) fn forget(engine: &Engine, profile: &str) -> Result<(), ClusterError> {
    in_node(engine, profile, FORGET, None).map(|_| ())
}

fn config_file(session: &Session, profile: &str) -> std::path::PathBuf {
    ProfileConfig::directory(&session.layout.minikube_home, profile).join("config.json")
}

/// Runs a script in the node; what it prints.
fn in_node(engine: &Engine, node: &str, script: &str, stdin: Option<&str>) -> Result<String, ClusterError> {
    use std::io::Write;
    let script = format!("{BEGIN}{script}");
    let command = engine.docker([
        "container",
        "exec",
        "--interactive",
        node,
        "/bin/sh",
        "-c",
        &script,
    ]);
    let mut running = command.timeout(PATIENCE).spawn().map_err(EngineError::from)?;
    if let Some(text) = stdin {
        // Where it takes no more, it has ended, and says why.
        let _ = running.write_all(text.as_bytes());
    }
    running.end_input();
    let output = running.finish().map_err(EngineError::from)?;
    Ok(output.require_success().map_err(EngineError::from)?.stdout)
}
