//! `extract`: what a bundle holds, as plain files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::layout::dot_minikube;
use super::{Cache, CacheContents, Placer, fill_cache};
use crate::bundle::{BinaryRole, BundleIndex, ContainerRuntime, LAYOUT_DOCUMENTS, Member, blob_path};
use crate::failure::{Failure, Kind};
use crate::host::{Environment, FileError};
use crate::progress::Progress;
use crate::verify::VerifiedBundle;

/// What was extracted, and what to do with it.
#[derive(Clone, Debug)]
pub struct Extracted {
    /// Where to.
    pub folder: PathBuf,
    /// How many files.
    pub files: usize,
    /// What to type next, one command each.
    pub next: Vec<String>,
}

/// A folder that nothing can be extracted to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExtractError {
    /// A relative path was given where minikube wants an absolute one.
    #[error("`{path}` is not an absolute path")]
    Relative {
        /// The folder.
        path: PathBuf,
    },
    /// There is something in it.
    #[error("`{path}` is there and not an empty folder")]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
}

impl From<ExtractError> for Failure {
    fn from(error: ExtractError) -> Self {
        let hint = match error {
            ExtractError::NotEmpty { .. } => {
                "name a folder that is empty or not there yet; nothing was changed"
            }
            ExtractError::Relative { .. } => "give the whole path, from `/` on",
        };
        Self::new(Kind::Usage, error).hint(hint)
    }
}

/// Writes every member below `folder`, as the payload's tar has it.
pub fn extract_to(
    bundle: &VerifiedBundle,
    folder: &Path,
    progress: &dyn Progress,
) -> Result<Extracted, Failure> {
    require_empty(folder)?;
    let mut placer = Placer::unrecorded();
    placer.folder(folder)?;
    progress.begin(
        "extract",
        Some(bundle.index().members.iter().map(|member| member.size).sum()),
    );
    let mut members = bundle.members(|_| true);
    let mut files = 0;
    while let Some(mut reader) = members.next_member()? {
        let Some((name, mode)) = destination(reader.member()) else {
            continue;
        };
        placer.file(&folder.join(name), &mut reader, mode, &|bytes| {
            progress.advance(bytes);
        })?;
        files += 1;
    }
    progress.end(&format!("{files} files"));
    Ok(Extracted {
        folder: folder.to_owned(),
        files,
        next: Vec::new(),
    })
}

fn require_empty(folder: &Path) -> Result<(), Failure> {
    let path = folder.to_owned();
    match fs::read_dir(folder).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() != io::ErrorKind::NotADirectory => {
            Err(FileError::at("listed", folder)(error).into())
        }
        _ => Err(ExtractError::NotEmpty { path }.into()),
    }
}

/// Where a member goes: made from what it is, not from what it is called.
fn destination(member: &Member) -> Option<(String, u32)> {
    let program = BinaryRole::ALL
        .into_iter()
        .map(|role| (role.member_path(), 0o755));
    let documents = LAYOUT_DOCUMENTS.map(|name| (name.to_owned(), 0o644));
    program
        .chain(documents)
        .chain([(blob_path(member.sha256), 0o644)])
        .find(|(name, _)| *name == member.path)
}

/// Fills the cache of the minikube home `home`, so that a stock minikube starts
/// without a network.
pub fn extract_to_cache(
    bundle: &VerifiedBundle,
    home: &Path,
    runtime: Option<ContainerRuntime>,
    progress: &dyn Progress,
) -> Result<Extracted, Failure> {
    if !home.is_absolute() {
        let path = home.to_owned();
        return Err(ExtractError::Relative { path }.into());
    }
    let folder = dot_minikube(home);
    let index = bundle.index();
    progress.begin("fill minikube's cache", None);
    let cache = Cache::at(folder.join("cache"));
    let contents = CacheContents::Everything;
    for note in fill_cache(bundle, &cache, contents, &mut Placer::unrecorded(), progress)? {
        progress.note(&note);
    }
    let files = index.images.len() + BinaryRole::KUBERNETES.len();
    progress.end(&format!("{files} files"));
    let runtime = runtime.unwrap_or(index.cluster.container_runtime);
    let root = Environment::of_this_process().is_root();
    Ok(Extracted {
        next: stock_commands(index, &cache, &folder, runtime, root),
        folder,
        files,
    })
}

/// The node image is loaded first: minikube would load it from the cache, too, but
/// then asks a registry for it and waits.
fn stock_commands(
    index: &BundleIndex,
    cache: &Cache,
    home: &Path,
    runtime: ContainerRuntime,
    root: bool,
) -> Vec<String> {
    let node = index.node_image();
    let archive = cache.node_image(node.platform.arch, &node.reference);
    let mut start = format!(
        "MINIKUBE_HOME={} minikube start --driver=docker --container-runtime={runtime} --kubernetes-version={} --base-image={} --preload=false",
        quoted(home),
        index.cluster.kubernetes_version,
        node.reference
    );
    if runtime == ContainerRuntime::Containerd && !carries_kindnet(index) {
        start.push_str(" --cni=bridge");
    }
    if root {
        start.push_str(" --force");
    }
    vec![format!("docker load -i {}", quoted(&archive)), start]
}

/// Whether the bundle has the image of kindnet, which minikube takes as the network
/// for containerd unless it is told otherwise.
#[must_use]
pub fn carries_kindnet(index: &BundleIndex) -> bool {
    index
        .cluster_images()
        .any(|image| image.reference.repository() == "kindest/kindnetd")
}

/// A path for a shell to be typed into.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-+:@".contains(&b);
    if text.bytes().all(plain) {
        text.into_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::Digest;

    fn member(path: &str) -> Member {
        Member {
            path: path.to_owned(),
            size: 3,
            sha256: Digest::of(b"abc"),
        }
    }

    #[test]
    fn a_path_that_no_part_has_goes_nowhere() {
        assert_eq!(
            destination(&member("bin/kubectl")),
            Some(("bin/kubectl".to_owned(), 0o755))
        );
        let blob = blob_path(Digest::of(b"abc"));
        assert_eq!(destination(&member(&blob)), Some((blob.clone(), 0o644)));
        for path in [
            "../etc/passwd",
            "/etc/passwd",
            "bin/../x",
            "images/blobs/sha256/00",
        ] {
            assert_eq!(destination(&member(path)), None, "{path}");
        }
    }

    #[test]
    fn a_path_can_be_pasted_into_a_shell() {
        assert_eq!(quoted(Path::new("/home/ann/.minikube")), "/home/ann/.minikube");
        assert_eq!(quoted(Path::new("/a b/it's")), r"'/a b/it'\''s'");
    }
}
