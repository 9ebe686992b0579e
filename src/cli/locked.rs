//! Which flags ask for something else than the lock that `--locked` takes.

use crate::bundle::{BinaryRole, Platform, in_words};
use crate::resolve::{LockFile, ResolveError};
use crate::spec::{Cni, ImageSource, PartialSpec, VersionWord};

/// Fails when `asked` says something else than the lock: before anything is read or downloaded.
pub(super) fn check(asked: &PartialSpec, file: &LockFile) -> Result<(), ResolveError> {
    let contradictions = contradictions(asked, file);
    if contradictions.is_empty() {
        return Ok(());
    }
    Err(ResolveError::Contradicted {
        lock: file.path.clone(),
        contradictions,
    })
}

/// As `--platform` takes them.
fn listed(platforms: &[Platform]) -> String {
    let names: Vec<String> = platforms.iter().map(ToString::to_string).collect();
    names.join(",")
}

fn cni_of(file: &LockFile) -> Option<Cni> {
    file.lock.cni.as_ref()?.parse().ok()
}

/// Each flag, or key, that the lock contradicts, with what either says.
fn contradictions(asked: &PartialSpec, file: &LockFile) -> Vec<String> {
    let lock = &file.lock;
    let mut found = Vec::new();
    let mut differ = |flag: String, has: String| found.push(format!("`{flag}`: the lock has {has}"));
    let word = asked.kubernetes_version.as_ref();
    if let Some(word) = word.filter(|word| is_another(word, file)) {
        differ(
            format!("--kubernetes-version {word}"),
            lock.kubernetes_version.to_string(),
        );
    }
    if let Some(runtime) = asked
        .container_runtime
        .filter(|runtime| *runtime != lock.container_runtime)
    {
        differ(
            format!("--container-runtime {runtime}"),
            lock.container_runtime.to_string(),
        );
    }
    if let Some(platforms) = &asked.platform
        && platforms.as_slice() != lock.platforms
    {
        differ(
            format!("--platform {}", listed(platforms.as_slice())),
            in_words(&lock.platforms),
        );
    }
    if let Some(version) = &asked.sources.minikube_version {
        let mut binaries = lock.binaries.iter();
        let locked = binaries.find(|binary| binary.role == BinaryRole::Minikube);
        match locked.and_then(|minikube| minikube.version.as_ref()) {
            Some(locked) if locked != version => {
                differ(format!("--minikube-version {version}"), locked.to_string());
            }
            _ => {}
        }
    }
    let has = |list: &[String]| match list {
        [] => "none".to_owned(),
        list => list.join(", "),
    };
    for addon in asked.addons.iter().flatten() {
        // One of before these stood in a lock is known by what its images are there for.
        if !lock.addons.contains(addon) && !lock.has_addon(addon) {
            differ(
                format!("--addon {addon}"),
                format!("the addons {}", has(&lock.addons)),
            );
        }
    }
    // The names of a network's images have its own in them.
    let has_image = |word: &str| {
        lock.images
            .iter()
            .any(|image| image.reference.repository().contains(word))
    };
    match (asked.cni, cni_of(file)) {
        (Some(cni), Some(locked)) if cni != locked => differ(format!("--cni {cni}"), locked.to_string()),
        (Some(cni), None) if !matches!(cni, Cni::Auto | Cni::Bridge) && !has_image(cni.name()) => {
            differ(format!("--cni {cni}"), "no image of it".to_owned());
        }
        _ => {}
    }
    if asked.ha == Some(true) && !lock.ha && !has_image("kube-vip") {
        differ("--ha".to_owned(), "no image of kube-vip".to_owned());
    }
    for image in asked.images.iter().flatten() {
        let (ImageSource::Docker { reference, .. } | ImageSource::DockerDaemon { reference }) = image else {
            // What is in a file is known when it was read.
            continue;
        };
        if !lock.images.iter().any(|locked| locked.reference == *reference) {
            differ(format!("--image {image}"), "no such image".to_owned());
        }
    }
    found
}

/// Whether the word cannot stand for the lock's release. What is the newest one nobody knows
/// yet, and a lock is there to say it.
fn is_another(word: &VersionWord, file: &LockFile) -> bool {
    let locked = &file.lock.kubernetes_version;
    match word {
        VersionWord::Release(version) => version != locked,
        VersionWord::Line(_) => word.line() != Some(locked.line()),
        VersionWord::Latest | VersionWord::Stable => false,
    }
}
