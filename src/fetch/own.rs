//! The files of the packer: found, named, hashed. The manifests among them say which
//! images have to come with them.

mod objects;

use std::path::{Path, PathBuf};

use super::FetchError;
use super::found::FoundImage;
use super::helm;
use super::parts::LocalFile;
use super::programs::digest;
use super::sniff::require_file;
use super::upstream::WantedImage;
use crate::bundle::{FilePart, FileRole, ImageRole, Namer, Origin, Platform, Transport, is_file_name};
use crate::host::in_parallel;
use crate::progress::Progress;
use crate::spec::Spec;
pub(super) use objects::NamedImage;

/// The manifests and the other files that the spec names, by role and name.
pub(super) fn gather(spec: &Spec) -> Result<Vec<LocalFile>, FetchError> {
    let manifests = spec.manifests.iter().map(|path| (FileRole::Manifest, path));
    let others = spec.carried.iter().map(|path| (FileRole::File, path));
    let mut named = Vec::new();
    for (role, path) in manifests.chain(others) {
        named.push((role, name_of(path)?, path));
    }
    named.sort();
    named.dedup();
    if let Some([(role, name, first), (.., second)]) = named
        .windows(2)
        .find(|pair| (pair[0].0, &pair[0].1) == (pair[1].0, &pair[1].1))
    {
        return Err(FetchError::Conflict {
            what: format!("the {role} `{name}`"),
            first: first.display().to_string(),
            second: second.display().to_string(),
        });
    }
    for (.., path) in &named {
        require_file(path)?;
    }
    let read = in_parallel(&named, |(role, name, path)| {
        let (sha256, size) = digest(path)?;
        Ok(LocalFile {
            part: FilePart {
                role: *role,
                name: name.clone(),
                size,
                sha256,
                origin: Origin::by(Transport::File),
            },
            path: (*path).clone(),
        })
    });
    read.into_iter().collect()
}

/// The name by which the bundle carries the file.
fn name_of(path: &Path) -> Result<String, FetchError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if is_file_name(&name) {
        return Ok(name.into_owned());
    }
    Err(FetchError::FileName {
        path: path.to_owned(),
    })
}

/// The images that the manifests of the spec name, each with the manifest that does.
pub(super) fn images(
    spec: &Spec,
    progress: &dyn Progress,
) -> Result<Vec<(PathBuf, WantedImage)>, FetchError> {
    let mut images: Vec<(PathBuf, WantedImage)> = Vec::new();
    for path in &spec.manifests {
        add(objects::images(path)?, path, &mut images, progress)?;
    }
    Ok(images)
}

/// The images that the objects name which the chart `path` becomes.
pub(super) fn rendered(path: &Path, text: &str) -> Result<Vec<NamedImage>, FetchError> {
    objects::parse(text).map_err(|reason| helm::refused(path, "renders no Kubernetes objects", &reason))
}

/// Adds images that the manifest or chart `path` names.
pub(super) fn add(
    named: Vec<NamedImage>,
    path: &Path,
    images: &mut Vec<(PathBuf, WantedImage)>,
    progress: &dyn Progress,
) -> Result<(), FetchError> {
    for named in named {
        let because = (Namer::UserManifest, None);
        let image = WantedImage::parse(ImageRole::Application, &named.name, &because);
        let image = image.ok_or_else(|| FetchError::Manifest {
            path: path.to_owned(),
            reason: format!("`{}` in it does not name an image", named.name),
        })?;
        if named.is_always_pulled {
            progress.note(&format!(
                "`{}`: a node pulls `{}` whenever it starts it, which fails without a network: give it a tag that is not `latest`, or `imagePullPolicy: IfNotPresent`",
                path.display(),
                named.name
            ));
        }
        match images
            .iter_mut()
            .find(|(_, other)| other.reference == image.reference)
        {
            Some((_, other)) => other.join(&image)?,
            None => images.push((path.to_owned(), image)),
        }
    }
    Ok(())
}

/// Says which of the images are on this machine, and go by a digest in a manifest: what is
/// in a file has none that a node would know it by.
pub(super) fn note_digests(named: &[(PathBuf, WantedImage)], found: &[FoundImage], progress: &dyn Progress) {
    for (path, image) in named.iter().filter(|(_, image)| image.pinned.is_some()) {
        let there = found.iter().find(|there| there.pin.reference == image.reference);
        if let Some(there) = there {
            progress.note(&format!(
                "`{}` names `{}` by a digest, which is not compared with `{}`, and by which a node does not find it: \
                 its pod does not come up without a network; name it by its tag alone, or have it downloaded",
                path.display(),
                image.reference,
                there.place
            ));
        }
    }
}

/// Fails when nothing may be downloaded, and a manifest names what is not among `found` for
/// each of `platforms`.
pub(super) fn refuse_missing(
    named: &[(PathBuf, WantedImage)],
    found: &[FoundImage],
    platforms: &[Platform],
) -> Result<(), FetchError> {
    for (path, image) in named {
        let is_there = |platform: &&Platform| {
            let mut found = found.iter().map(|there| &there.pin);
            found.any(|there| (&there.reference, there.platform) == (&image.reference, **platform))
        };
        if let Some(platform) = platforms.iter().find(|platform| !is_there(platform)) {
            return Err(FetchError::ManifestImage {
                path: path.clone(),
                reference: image.reference.clone(),
                platform: *platform,
            });
        }
    }
    Ok(())
}
