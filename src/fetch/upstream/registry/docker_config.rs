//! What `docker login`, `podman login` and `skopeo login` left for this user.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::credentials::Credentials;
use super::place::Place;
use super::{UpstreamError, helper};
use crate::bundle::null_as_default;
use crate::host::Environment;

/// Docker Hub's name in config.json.
const HUB: &str = "https://index.docker.io/v1/";

/// docker's config.json, as far as it is about registries.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Config {
    #[serde(deserialize_with = "null_as_default")]
    auths: HashMap<String, Entry>,
    #[serde(deserialize_with = "null_as_default")]
    cred_helpers: HashMap<String, String>,
    creds_store: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    #[serde(deserialize_with = "null_as_default")]
    auth: String,
    #[serde(deserialize_with = "null_as_default")]
    username: String,
    #[serde(deserialize_with = "null_as_default")]
    password: String,
    #[serde(deserialize_with = "null_as_default")]
    identitytoken: String,
}

/// Where docker and podman keep credentials for this user.
#[derive(Debug)]
pub(super) struct DockerConfig {
    /// In the order in which they are read. Source of podman's: containers/image,
    /// `docs/containers-auth.json.5.md`.
    paths: Vec<PathBuf>,
    /// Where helpers are looked for.
    programs: Option<OsString>,
}

/// What a user has for a registry.
#[derive(Default)]
pub(super) struct Keys {
    pub(super) credentials: Option<Credentials>,
    /// Why a helper gave none: told where the registry then lets nobody in.
    pub(super) failure: Option<UpstreamError>,
}

impl DockerConfig {
    pub(super) fn of(environment: &Environment) -> Self {
        let home = |below: &str| environment.home().map(|home| home.join(below));
        let directory =
            |variable: &str, file: &str| environment.absolute_path(variable).map(|at| at.join(file));
        let paths = [
            directory("DOCKER_CONFIG", "config.json").or_else(|| home(".docker/config.json")),
            environment.absolute_path("REGISTRY_AUTH_FILE"),
            directory("XDG_RUNTIME_DIR", "containers/auth.json"),
            directory("XDG_CONFIG_HOME", "containers/auth.json")
                .or_else(|| home(".config/containers/auth.json")),
        ];
        Self {
            paths: paths.into_iter().flatten().collect(),
            programs: environment.variable("PATH").map(OsString::from),
        }
    }

    /// The credentials for `place`: of its registry's own helper, of the helper for all, or
    /// written there. Without the files there are none.
    pub(super) fn credentials(&self, place: &Place) -> Result<Keys, UpstreamError> {
        let host = &place.host;
        let names = match host.as_str() {
            "docker.io" | "registry-1.docker.io" => vec![HUB.to_owned(), "docker.io".to_owned()],
            _ => vec![
                host.to_owned(),
                format!("https://{host}"),
                format!("http://{host}"),
            ],
        };
        let mut keys = Keys::default();
        for path in &self.paths {
            let config = read(path)?;
            // A helper is asked by the first of the names: that is what docker stores by.
            let own = names.iter().find_map(|name| config.cred_helpers.get(name));
            let helper = own
                .or(config.creds_store.as_ref())
                .filter(|name| !name.is_empty());
            if let Some(helper) = helper {
                match helper::ask(helper, &names[0], self.programs.as_ref()) {
                    Err(error @ UpstreamError::Credentials { .. }) => keys.failure = Some(error),
                    found => keys.credentials = found?,
                }
            }
            // podman may have some for a repository, or for all below a name.
            let mut below = format!("{host}/{}", place.repository);
            while keys.credentials.is_none() && below.len() > host.len() {
                keys.credentials = config.auths.get(&below).and_then(Entry::credentials);
                below.truncate(below.rfind('/').unwrap_or_default());
            }
            if keys.credentials.is_none() {
                let mut written = names.iter().filter_map(|name| config.auths.get(name));
                keys.credentials = written.find_map(Entry::credentials);
            }
            if keys.credentials.is_some() {
                return Ok(keys);
            }
        }
        Ok(keys)
    }
}

fn read(path: &Path) -> Result<Config, UpstreamError> {
    let refused = |reason: String| UpstreamError::DockerConfig {
        path: path.to_owned(),
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
        let directory = tempfile::tempdir().expect("directory");
        fs::write(directory.path().join("config.json"), text).expect("file");
        let path = directory.path().to_string_lossy().into_owned();
        let config = DockerConfig::of(&Environment::of(&[("DOCKER_CONFIG", &path)], 0));
        (directory, config)
    }

    fn place(name: &str) -> Place {
        let (host, repository) = name.split_once('/').unwrap_or((name, "team/app"));
        Place {
            host: host.to_owned(),
            repository: repository.to_owned(),
        }
    }

    #[test]
    fn what_podman_login_wrote_is_read_after_dockers() {
        let directory = tempfile::tempdir().expect("directory");
        let write = |path: &str, name: &str, user: &str| {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
            let auth = STANDARD.encode(format!("{user}:x"));
            fs::write(
                path,
                format!(r#"{{"auths":{{"{name}":{{"auth":"{auth}"}}}},"credHelpers":null}}"#),
            )
            .expect("file");
        };
        let (home, run) = (directory.path().join("home"), directory.path().join("run"));
        let file = directory.path().join("auth.json");
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let (home, run, file) = (text(&home), text(&run), text(&file));
        let variables = [
            ("HOME", home.as_str()),
            ("XDG_RUNTIME_DIR", &run),
            ("REGISTRY_AUTH_FILE", &file),
        ];
        let config = DockerConfig::of(&Environment::of(&variables, 1));
        let user = |name: &str| match config.credentials(&place(name)).expect("a config").credentials {
            Some(Credentials::Password { user, .. }) => Some(user),
            _ => None,
        };
        assert_eq!(user("r.example"), None);
        write("home/.config/containers/auth.json", "r.example", "config");
        assert_eq!(user("r.example").as_deref(), Some("config"));
        write("run/containers/auth.json", "r.example/team", "run");
        assert_eq!(user("r.example/team/app").as_deref(), Some("run"));
        assert_eq!(user("r.example/other/app").as_deref(), Some("config"));
        write("auth.json", "r.example", "file");
        assert_eq!(user("r.example").as_deref(), Some("file"));
        write("home/.docker/config.json", "r.example", "docker");
        assert_eq!(user("r.example").as_deref(), Some("docker"));
    }

    fn password(user: &str, password: &str) -> Credentials {
        let (user, password) = (user.to_owned(), password.to_owned());
        Credentials::Password { user, password }
    }

    #[test]
    fn what_docker_login_wrote_is_found_by_the_registrys_host() {
        let auth = STANDARD.encode("me:pass:word");
        let (_directory, config) = config(&format!(
            r#"{{"auths":{{"r.example:5000":{{"auth":"{auth}"}},"{HUB}":{{"auth":"{auth}"}},
            "https://old.example":{{"username":"me","password":"plain"}},
            "token.example":{{"auth":"{auth}","identitytoken":"refresh"}}}},"x":1}}"#
        ));
        let found = |host: &str| config.credentials(&place(host)).expect("a config").credentials;
        assert!(found("r.example:5000") == Some(password("me", "pass:word")));
        assert!(found("registry-1.docker.io") == Some(password("me", "pass:word")));
        assert!(found("old.example") == Some(password("me", "plain")));
        assert!(found("token.example") == Some(Credentials::IdentityToken("refresh".to_owned())));
        assert!(found("r.example").is_none());
    }

    #[test]
    fn a_config_that_is_none_is_named_without_what_is_in_it() {
        let (directory, config) = config(r#"{"auths":{"r.example":"c2VjcmV0"}}"#);
        let error = config.credentials(&place("r.example")).err().expect("no config");
        let path = directory.path().join("config.json");
        assert_eq!(
            error.to_string(),
            format!(
                "`{}` is not what `docker login` and `podman login` write: line 1, column 32",
                path.display()
            )
        );
    }
}
