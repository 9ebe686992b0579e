//! Credential helpers: programs that keep what `docker login` was given.

use std::ffi::OsString;
use std::io::Write;
use std::time::Duration;

use serde::Deserialize;

use super::UpstreamError;
use super::credentials::Credentials;
use crate::host::{Command, ProcessError};

/// A helper may ask a person to unlock what it keeps.
const PATIENCE: Duration = Duration::from_secs(120);

/// Instead of a user's name before an identity token. Source: docker/cli,
/// `cli/config/credentials/native_store.go`.
const IDENTITY_TOKEN: &str = "<token>";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

/// Runs `docker-credential-NAME get`, found on `path`: the registry on its stdin, JSON
/// on its stdout.
pub(super) fn ask(
    helper: &str,
    host: &str,
    path: Option<&OsString>,
) -> Result<Option<Credentials>, UpstreamError> {
    let program = format!("docker-credential-{helper}");
    let failed = |reason: &str| UpstreamError::Credentials {
        helper: program.clone(),
        host: host.to_owned(),
        reason: reason.chars().take(200).collect(),
    };
    let mut command = Command::new(&program).arg("get").timeout(PATIENCE);
    if let Some(path) = path {
        command = command.env("PATH", path);
    }
    let output = command.spawn().and_then(|mut running| {
        // A helper that does not read says why on its stdout.
        let _ = running.write_all(host.as_bytes());
        running.finish()
    });
    let output = output.map_err(|error| match error {
        ProcessError::Interrupted(interruption) => UpstreamError::Interrupted(interruption),
        error => failed(&error.to_string()),
    })?;
    if !output.success() {
        // Its way to say that it has none. Source: docker-credential-helpers, credentials/error.go.
        if output.stdout.contains("credentials not found") {
            return Ok(None);
        }
        let said = [output.stdout.trim(), output.stderr.trim()]
            .into_iter()
            .find(|said| !said.is_empty());
        return Err(failed(said.unwrap_or("it failed and did not say why")));
    }
    // Not the parser's own words: they may quote a password.
    let answer: Answer =
        serde_json::from_str(&output.stdout).map_err(|_| failed("its answer is not what a helper says"))?;
    Ok(match (answer.username, answer.secret) {
        (_, secret) if secret.is_empty() => None,
        (user, token) if user == IDENTITY_TOKEN => Some(Credentials::IdentityToken(token)),
        (user, password) => Some(Credentials::Password { user, password }),
    })
}
