//! minikube's cache: what `--cache-images=true` finds in it, or stops at.

use crate::archive;
use crate::home::Home;
use crate::stop::Stop;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// The programs that a node needs.
pub(crate) const BINARIES: [&str; 3] = ["kubeadm", "kubectl", "kubelet"];

/// An image in the cache, found whole.
#[derive(Debug)]
pub(crate) struct Cached {
    pub(crate) reference: String,
    pub(crate) id: String,
    pub(crate) path: PathBuf,
}

/// Checks the archive of every image in `references`.
pub(crate) fn images(home: &Home, references: &[String]) -> Result<Vec<Cached>, Stop> {
    let mut cached = Vec::new();
    for reference in references {
        let path = home.image(reference);
        if !path.is_file() {
            return Err(Stop::provision(format!(
                "Unable to load cached images: stat {}: no such file or directory \
                 (minikube would pull {reference})",
                path.display()
            )));
        }
        let id = archive::check(&path, reference)
            .map_err(|error| Stop::provision(format!("Unable to load cached images: {error}")))?;
        cached.push(Cached {
            reference: reference.clone(),
            id,
            path,
        });
    }
    Ok(cached)
}

/// The images that the user told minikube to load at each start: the map
/// `cache` in its settings.
pub(crate) fn users_images(home: &Home) -> Vec<String> {
    let settings = fs::read(home.settings()).unwrap_or_default();
    let settings: Value = serde_json::from_slice(&settings).unwrap_or_default();
    settings["cache"]
        .as_object()
        .map(|map| map.keys().cloned().collect())
        .unwrap_or_default()
}

/// Checks that the cached programs of a Kubernetes version are there: ELF files
/// that can be executed, because minikube does not change the mode of a file
/// that it finds.
pub(crate) fn binaries(home: &Home, version: &str, names: &[&str]) -> Result<(), Stop> {
    for name in names {
        let path = home.binaries(version).join(name);
        let refuse = |why: &str| {
            Stop::provision(format!(
                "{}: {why} (minikube would download {name})",
                path.display()
            ))
        };
        let content = fs::read(&path).map_err(|error| refuse(&error.to_string()))?;
        if !content.starts_with(b"\x7fELF") {
            return Err(refuse("not an ELF file"));
        }
        let mode = fs::metadata(&path).map_err(|error| refuse(&error.to_string()))?;
        if mode.permissions().mode() & 0o111 == 0 {
            return Err(refuse("not executable"));
        }
    }
    Ok(())
}
