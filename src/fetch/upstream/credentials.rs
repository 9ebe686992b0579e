//! What `docker login` left for this user.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::UpstreamError;
use crate::host::Environment;

/// Docker Hub's name in config.json.
const HUB: &str = "https://index.docker.io/v1/";

/// A name and a password.
#[derive(Clone, Eq, PartialEq)]
pub(super) struct Credentials {
    pub(super) user: String,
    pub(super) password: String,
}

/// docker's config.json, as far as it is about registries.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Config {
    auths: HashMap<String, Entry>,
    cred_helpers: HashMap<String, String>,
    creds_store: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    auth: String,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entry(***)")
    }
}

/// Where docker keeps credentials for this user.
#[derive(Debug)]
pub(super) struct DockerConfig {
    path: Option<PathBuf>,
}

impl DockerConfig {
    pub(super) fn of(environment: &Environment) -> Self {
        let folder = environment
            .absolute_path("DOCKER_CONFIG")
            .or_else(|| environment.home().map(|home| home.join(".docker")));
        Self {
            path: folder.map(|folder| folder.join("config.json")),
        }
    }

    /// The credentials for the registry `host`: of its own helper, of the helper for
    /// all, or written there. Without the file there are none.
    pub(super) fn credentials(&self, host: &str) -> Result<Option<Credentials>, UpstreamError> {
        let text = self.path.as_ref().and_then(|path| fs::read(path).ok());
        let Some(config) = text.and_then(|text| serde_json::from_slice::<Config>(&text).ok()) else {
            return Ok(None);
        };
        let names = match host {
            "docker.io" | "registry-1.docker.io" => vec![HUB.to_owned(), "docker.io".to_owned()],
            _ => vec![
                host.to_owned(),
                format!("https://{host}"),
                format!("http://{host}"),
            ],
        };
        for name in &names {
            let helper = config.cred_helpers.get(name).or(config.creds_store.as_ref());
            if let Some(helper) = helper
                && let Some(found) = ask_helper(helper, name)?
            {
                return Ok(Some(found));
            }
            if let Some(found) = config.auths.get(name).and_then(|entry| decode(&entry.auth)) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

fn decode(auth: &str) -> Option<Credentials> {
    let text = String::from_utf8(STANDARD.decode(auth.trim()).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some(Credentials {
        user: user.to_owned(),
        // docker pads old files with zeros.
        password: password.trim_end_matches('\0').to_owned(),
    })
}

/// Runs `docker-credential-NAME get`: the registry on its stdin, JSON on its stdout.
fn ask_helper(helper: &str, host: &str) -> Result<Option<Credentials>, UpstreamError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        username: String,
        secret: String,
    }
    let program = format!("docker-credential-{helper}");
    let failed = |reason: String| UpstreamError::Credentials {
        helper: program.clone(),
        host: host.to_owned(),
        reason,
    };
    let mut child = Command::new(&program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A helper that does not read says why on its stdout.
        let _ = stdin.write_all(host.as_bytes());
    }
    let output = child
        .wait_with_output()
        .map_err(|error| failed(error.to_string()))?;
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if !output.status.success() {
        // Its way to say that it has none. Source: docker-credential-helpers, credentials/error.go.
        if said.contains("credentials not found") {
            return Ok(None);
        }
        return Err(failed(said.chars().take(200).collect()));
    }
    let answer: Answer = serde_json::from_str(&said).map_err(|error| failed(error.to_string()))?;
    Ok((!answer.secret.is_empty()).then_some(Credentials {
        user: answer.username,
        password: answer.secret,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_docker_login_wrote_is_found_by_the_registrys_host() {
        let folder = tempfile::tempdir().expect("folder");
        let auth = STANDARD.encode("me:pass:word");
        let text = format!(
            "{{\"auths\":{{\"r.example:5000\":{{\"auth\":\"{auth}\"}},\"{HUB}\":{{\"auth\":\"{auth}\"}}}},\"x\":1}}"
        );
        fs::write(folder.path().join("config.json"), text).expect("file");
        let path = folder.path().to_string_lossy();
        let config = DockerConfig::of(&Environment::of(&[("DOCKER_CONFIG", &path)], 0));
        for host in ["r.example:5000", "registry-1.docker.io"] {
            let found = config.credentials(host).expect(host).expect(host);
            assert_eq!(
                (found.user.as_str(), found.password.as_str()),
                ("me", "pass:word")
            );
        }
        assert!(config.credentials("r.example").expect("read").is_none());
    }

    #[test]
    fn a_helper_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().expect("folder");
        let text = r#"{"credHelpers":{"r.example":"no-such-helper"}}"#;
        fs::write(folder.path().join("config.json"), text).expect("file");
        let path = folder.path().to_string_lossy();
        let config = DockerConfig::of(&Environment::of(&[("DOCKER_CONFIG", &path)], 0));
        let error = config
            .credentials("r.example")
            .err()
            .expect("no helper")
            .to_string();
        assert!(error.contains("`docker-credential-no-such-helper`"), "{error}");
    }
}
