//! Images in this machine's Docker Engine.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::FetchError;
use crate::bundle::ImageReference;
use crate::resolve::{AskError, run};

/// An engine that does not tell its version within this does not answer.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Lets the engine write the image to the file `archive`; however long that takes.
///
/// The `docker` in PATH is run with this program's environment, so that its context and
/// `DOCKER_HOST` hold.
pub(super) fn save(reference: &ImageReference, archive: &Path) -> Result<PathBuf, FetchError> {
    let name = reference.familiar();
    docker(&["version", "--format", "{{.Server.Version}}"], Some(TIMEOUT))
        .map_err(|source| FetchError::NoEngine { source })?;
    let refused = |source| FetchError::EngineImage {
        reference: reference.clone(),
        source,
    };
    docker(&["image", "inspect", "--format", "{{.Id}}", &name], Some(TIMEOUT)).map_err(refused)?;
    let mut command = Command::new("docker");
    command.args(["save", "--output"]).arg(archive).arg(&name);
    run(command, None).map_err(refused)?;
    Ok(archive.to_owned())
}

fn docker(arguments: &[&str], timeout: Option<Duration>) -> Result<String, AskError> {
    let mut command = Command::new("docker");
    command.args(arguments);
    run(command, timeout)
}
