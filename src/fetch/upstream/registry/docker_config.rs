//! What `docker login` left for this user.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::credentials::Credentials;
use super::{UpstreamError, helper};
use crate::host::Environment;

/// Docker Hub's name in config.json.
const HUB: &str = "https://index.docker.io/v1/";

/// docker's config.json, as far as it is about registries.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Config {
    auths: HashMap<String, Entry>,
    cred_helpers: HashMap<String, String>,
    creds_store: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
}

/// Where docker keeps credentials for this user.
#[derive(Debug)]
pub(super) struct DockerConfig {
    path: Option<PathBuf>,
    /// Where helpers are looked for.
    programs: Option<OsString>,
}

impl DockerConfig {
    pub(super) fn of(environment: &Environment) -> Self {
        let folder = environment
            .absolute_path("DOCKER_CONFIG")
            .or_else(|| environment.home().map(|home| home.join(".docker")));
        Self {
            path: folder.map(|folder| folder.join("config.json")),
            programs: environment.variable("PATH").map(OsString::from),
        }
    }

    /// The credentials for the registry `host`: of its own helper, of the helper for
    /// all, or written there. Without the file there are none.
    pub(super) fn credentials(&self, host: &str) -> Result<Option<Credentials>, UpstreamError> {
        let config = self.read()?;
        let names = match host {
            "docker.io" | "registry-1.docker.io" => vec![HUB.to_owned(), "docker.io".to_owned()],
            _ => vec![
                host.to_owned(),
                format!("https://{host}"),
                format!("http://{host}"),
            ],
        };
        // A helper is asked by the first of the names: that is what docker stores by.
        let own = names.iter().find_map(|name| config.cred_helpers.get(name));
        if let Some(helper) = own.or(config.creds_store.as_ref())
            && let Some(found) = helper::ask(helper, &names[0], self.programs.as_ref())?
        {
            return Ok(Some(found));
        }
        let mut written = names.iter().filter_map(|name| config.auths.get(name));
        Ok(written.find_map(Entry::credentials))
    }

    fn read(&self) -> Result<Config, UpstreamError> {
        let Some(path) = &self.path else {
            return Ok(Config::default());
        };
        let refused = |reason: String| UpstreamError::DockerConfig {
            path: path.clone(),
            reason,
        };
        match fs::read(path) {
            Ok(text) => serde_json::from_slice(&text)
                // Where, and not what: it may quote a password.
                .map_err(|error| refused(format!("line {}, column {}", error.line(), error.column()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Config::default()),
            Err(error) => Err(refused(error.to_string())),
        }
    }
}

impl Entry {
    fn credentials(&self) -> Option<Credentials> {
        if !self.identitytoken.is_empty() {
            return Some(Credentials::IdentityToken(self.identitytoken.clone()));
        }
        if !self.password.is_empty() {
            return Some(Credentials::Password {
                user: self.username.clone(),
                password: self.password.clone(),
            });
        }
        let text = String::from_utf8(STANDARD.decode(self.auth.trim()).ok()?).ok()?;
        let (user, password) = text.split_once(':')?;
        Some(Credentials::Password {
            user: user.to_owned(),
            // docker pads old files with zeros.
            password: password.trim_end_matches('\0').to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> (tempfile::TempDir, DockerConfig) {
        let folder = tempfile::tempdir().expect("folder");
        fs::write(folder.path().join("config.json"), text).expect("file");
        let path = folder.path().to_string_lossy().into_owned();
        let config = DockerConfig::of(&Environment::of(&[("DOCKER_CONFIG", &path)], 0));
        (folder, config)
    }

    fn password(user: &str, password: &str) -> Credentials {
        let (user, password) = (user.to_owned(), password.to_owned());
        Credentials::Password { user, password }
    }

    #[test]
    fn what_docker_login_wrote_is_found_by_the_registrys_host() {
        let auth = STANDARD.encode("me:pass:word");
        let (_folder, config) = config(&format!(
            r#"{{"auths":{{"r.example:5000":{{"auth":"{auth}"}},"{HUB}":{{"auth":"{auth}"}},
            "https://old.example":{{"username":"me","password":"plain"}},
            "token.example":{{"auth":"{auth}","identitytoken":"refresh"}}}},"x":1}}"#
        ));
        let found = |host| config.credentials(host).expect("a config");
        assert!(found("r.example:5000") == Some(password("me", "pass:word")));
        assert!(found("registry-1.docker.io") == Some(password("me", "pass:word")));
        assert!(found("old.example") == Some(password("me", "plain")));
        assert!(found("token.example") == Some(Credentials::IdentityToken("refresh".to_owned())));
        assert!(found("r.example").is_none());
    }

    #[test]
    fn a_config_that_is_none_is_named_without_what_is_in_it() {
        let (folder, config) = config(r#"{"auths":{"r.example":"c2VjcmV0"}}"#);
        let error = config.credentials("r.example").expect_err("no config");
        let path = folder.path().join("config.json");
        assert_eq!(
            error.to_string(),
            format!(
                "`{}` is not what `docker login` writes: line 1, column 32",
                path.display()
            )
        );
    }
}
