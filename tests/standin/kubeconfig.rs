//! The user's kubeconfig, which the stand-in writes as JSON while a cluster is in it.

use crate::home;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;

/// The lists in a kubeconfig.
const LISTS: [&str; 3] = ["clusters", "contexts", "users"];

/// What minikube leaves of a kubeconfig when its last cluster is gone.
const EMPTY: &str =
    "apiVersion: v1\nclusters: null\ncontexts: null\ncurrent-context: \"\"\nkind: Config\nusers: null\n";

/// Adds a cluster under `name` and makes it the current one. `admin` is the
/// cluster's own kubeconfig; where it has none, only the name is kept.
pub(crate) fn add(name: &str, admin: Option<&Value>, kubectl: &Path) -> Result<(), String> {
    let mut config = load(kubectl)?;
    remove_entries(&mut config, name);
    let nothing = json!({});
    let cluster = admin.map_or(json!({ "server": "https://192.0.2.1" }), |admin| {
        admin["clusters"][0]["cluster"].clone()
    });
    let user = admin.map_or(nothing, |admin| admin["users"][0]["user"].clone());
    let context = json!({ "cluster": name, "namespace": "default", "user": name });
    for (list, entry) in LISTS.into_iter().zip([
        json!({ "name": name, "cluster": cluster }),
        json!({ "name": name, "context": context }),
        json!({ "name": name, "user": user }),
    ]) {
        if let Some(list) = config[list].as_array_mut() {
            list.push(entry);
        }
    }
    config["current-context"] = json!(name);
    save(&config)
}

/// Removes a cluster that `add` added.
pub(crate) fn remove(name: &str, kubectl: &Path) -> Result<(), String> {
    if !home::kubeconfig().exists() {
        return Ok(());
    }
    let mut config = load(kubectl)?;
    remove_entries(&mut config, name);
    if config["current-context"] == name {
        config["current-context"] = json!("");
    }
    save(&config)
}

/// Whether a cluster of that name is in it.
pub(crate) fn has(name: &str, kubectl: &Path) -> bool {
    load(kubectl).is_ok_and(|config| {
        config["clusters"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|entry| entry["name"] == name)
    })
}

/// The context that kubectl uses when it is told nothing else.
pub(crate) fn current(kubectl: &Path) -> Option<String> {
    load(kubectl).ok()?["current-context"].as_str().map(str::to_owned)
}

fn remove_entries(config: &mut Value, name: &str) {
    for list in LISTS {
        if let Some(list) = config[list].as_array_mut() {
            list.retain(|entry| entry["name"] != name);
        }
    }
}

/// Reads the file; where it is YAML, kubectl makes JSON of it.
fn load(kubectl: &Path) -> Result<Value, String> {
    let path = home::kubeconfig();
    let content = fs::read(&path).unwrap_or_default();
    let mut config: Value = if content.is_empty() || content == EMPTY.as_bytes() {
        json!({ "apiVersion": "v1", "kind": "Config", "preferences": {} })
    } else if let Ok(config) = serde_json::from_slice(&content) {
        config
    } else {
        let output = Command::new(kubectl)
            .args(["config", "view", "--raw", "-o", "json", "--kubeconfig"])
            .arg(&path)
            .output()
            .map_err(|error| format!("{}: {error}", kubectl.display()))?;
        serde_json::from_slice(&output.stdout).map_err(|error| format!("{}: {error}", path.display()))?
    };
    for list in LISTS {
        if !config[list].is_array() {
            config[list] = json!([]);
        }
    }
    Ok(config)
}

fn save(config: &Value) -> Result<(), String> {
    let path = home::kubeconfig();
    let is_empty = |list| config[list].as_array().is_none_or(Vec::is_empty);
    let content = if LISTS.into_iter().all(is_empty) {
        EMPTY.into()
    } else {
        serde_json::to_vec_pretty(config).unwrap_or_default()
    };
    fs::create_dir_all(path.parent().unwrap_or(&path))
        .and_then(|()| fs::write(&path, content))
        .map_err(|error| format!("{}: {error}", path.display()))
}
