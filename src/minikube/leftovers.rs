//! What minikube leaves in its directory after `minikube delete`.

use std::fs;
use std::path::{Path, PathBuf};

/// What minikube makes in its directory besides profiles, the user's own settings and its
/// cache, as v1.38.1 leaves it after `minikube delete`. Directories go only when empty.
const FILES: [&str; 18] = [
    "ca.crt",
    "ca.key",
    "ca.pem",
    "cert.pem",
    "key.pem",
    "proxy-client-ca.crt",
    "proxy-client-ca.key",
    "certs/ca-key.pem",
    "certs/ca.pem",
    "certs/cert.pem",
    "certs/key.pem",
    "machine_client.lock",
    "last_update_check",
    "logs/audit.json",
    "logs/audit.json.lock",
    "logs/lastStart.txt",
    "machines/server-key.pem",
    "machines/server.pem",
];

/// Its directories, the inner ones first.
const DIRECTORIES: [&str; 8] = [
    "certs", "logs", "machines", "profiles", "config", "addons", "files", "cache",
];

/// minikube's settings, which it leaves empty.
const SETTINGS: &str = "config/config.json";

/// The files in minikube's directory `home` that are of minikube alone.
pub(crate) fn leftover_files(home: &Path) -> Vec<PathBuf> {
    let settings = home.join(SETTINGS);
    let is_empty = fs::read_to_string(&settings).is_ok_and(|text| text.trim() == "{}");
    let files = FILES.iter().map(|name| home.join(name));
    files.chain(is_empty.then_some(settings)).collect()
}

/// The directories in `home`, of which those that are empty may go.
pub(crate) fn leftover_directories(home: &Path) -> Vec<PathBuf> {
    DIRECTORIES.iter().map(|name| home.join(name)).collect()
}
