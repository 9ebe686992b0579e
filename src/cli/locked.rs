//! What `--locked` takes from the lock, and which flags say something else.

use crate::bundle::{BinaryRole, ImageRole, Platform, Transport, in_words};
use crate::fetch::has_addon;
use crate::resolve::{ImagePin, LockFile, ResolveError};
use crate::spec::{Cni, ImageSource, PartialSpec, VersionWord};

/// Fills the gaps of `asked` with what the lock has. Fails when `asked` says something else
/// than the lock: before anything is read or downloaded.
pub(super) fn fill(asked: &mut PartialSpec, file: &LockFile) -> Result<(), ResolveError> {
    let contradictions = contradictions(asked, file);
    if !contradictions.is_empty() {
        return Err(ResolveError::Contradicted {
            lock: file.path.clone(),
            contradictions,
        });
    }
    let lock = &file.lock;
    asked.kubernetes_version = Some(lock.kubernetes_version.clone().into());
    asked.container_runtime = Some(lock.container_runtime);
    asked.platform = listed(&lock.platforms).parse().ok();
    if !lock.addons.is_empty() {
        asked.addons = Some(lock.addons.clone());
    }
    if let Some(cni) = cni_of(file) {
        asked.cni = Some(cni);
    }
    if lock.ha {
        asked.ha = Some(true);
    }
    fill_images(asked, file);
    Ok(())
}

/// Adds the images of whoever packed that registries have. Which ones are in a file that is
/// given now is known when it was read, so then nothing is added.
fn fill_images(asked: &mut PartialSpec, file: &LockFile) {
    let given = asked.images.as_deref().unwrap_or_default();
    if !given
        .iter()
        .all(|image| matches!(image, ImageSource::Docker { .. }))
    {
        return;
    }
    let is_given = |locked: &ImagePin| {
        given.iter().any(
            |image| matches!(image, ImageSource::Docker { reference, .. } if *reference == locked.reference),
        )
    };
    let open = file.lock.images.iter().filter(|image| {
        // One that is there for the first platform is there for each.
        Some(&image.platform) == file.lock.platforms.first()
            && image.role == ImageRole::Application
            && image.origin.transport == Transport::Docker
            && !is_given(image)
    });
    let open: Vec<ImageSource> = open
        .map(|image| ImageSource::Docker {
            reference: image.reference.clone(),
            digest: None,
        })
        .collect();
    if !open.is_empty() {
        asked.images.get_or_insert_default().extend(open);
    }
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
        if !lock.addons.contains(addon) && !has_addon(lock, addon) {
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
