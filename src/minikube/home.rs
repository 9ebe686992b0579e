//! minikube's own directory, and the layout of the cache in it.

use std::path::{Path, PathBuf};

use crate::bundle::{Arch, BinaryRole, ImageReference, Version};
use crate::host::Environment;

/// The home of minikube that is asked for, or that minikube has without it.
pub(crate) fn minikube_home(environment: &Environment, asked: Option<&Path>) -> Option<PathBuf> {
    let variable = || environment.variable("MINIKUBE_HOME").map(PathBuf::from);
    let home = asked
        .map(Path::to_owned)
        .or_else(variable)
        .or_else(|| environment.home())?;
    home.is_absolute().then(|| dot_minikube(&home))
}

/// What minikube wrote of its last start into its directory.
#[must_use]
pub fn last_start_log(minikube_home: &Path) -> PathBuf {
    minikube_home.join("logs/lastStart.txt")
}

/// minikube's rule: a directory with another name gets a `.minikube` inside. Source:
/// minikube v1.38.1, `pkg/minikube/localpath/localpath.go:43-52`.
pub(crate) fn dot_minikube(directory: &Path) -> PathBuf {
    if directory.file_name().is_some_and(|name| name == ".minikube") {
        directory.to_owned()
    } else {
        directory.join(".minikube")
    }
}

/// Where minikube looks for the programs in a node. Source: minikube v1.38.1,
/// `bootstrapper/bsutil/binaries.go:41-127`.
pub(crate) fn binaries_in_node(version: &Version) -> String {
    format!("/var/lib/minikube/binaries/{version}")
}

/// The directories in minikube's cache.
const PROGRAMS: &str = "linux";
const IMAGES: &str = "images";
const NODE_IMAGES: &str = "kic";

/// The layout of minikube's cache.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cache(PathBuf);

impl Cache {
    /// The cache in the directory `root`.
    #[must_use]
    pub fn at(root: PathBuf) -> Self {
        Self(root)
    }

    /// The directories in it, of which one at least is in every cache.
    #[cfg(feature = "packager")]
    pub(crate) fn directories(&self) -> [PathBuf; 3] {
        [PROGRAMS, IMAGES, NODE_IMAGES].map(|name| self.0.join(name))
    }

    /// A Kubernetes program. Source: minikube v1.38.1, `download/binary.go:55-93`.
    #[must_use]
    pub fn binary(&self, arch: Arch, version: &Version, role: BinaryRole) -> PathBuf {
        self.0
            .join(PROGRAMS)
            .join(arch.name())
            .join(version.to_string())
            .join(role.name())
    }

    /// The archive of an image that goes into the node. Source: minikube v1.38.1,
    /// `image/cache.go:67-90` and `image.go:202-206`: each `:` becomes `_`.
    #[must_use]
    pub fn image(&self, arch: Arch, reference: &ImageReference) -> PathBuf {
        self.image_named(arch, &reference.to_string())
    }

    /// The same for an image that minikube was given under this name.
    pub(crate) fn image_named(&self, arch: Arch, name: &str) -> PathBuf {
        self.0.join(IMAGES).join(arch.name()).join(name.replace(':', "_"))
    }

    /// The archive of the node image, under the name that `--base-image` with this
    /// reference looks for. Source: minikube v1.38.1, `download/image.go:55-59`.
    #[must_use]
    pub fn node_image(&self, arch: Arch, reference: &ImageReference) -> PathBuf {
        let path = reference.to_string();
        let base = path.rsplit('/').next().unwrap_or(&path).replace(':', "_");
        self.node_images(arch).join(format!("{base}.tar"))
    }

    /// The directory of the node images.
    pub(crate) fn node_images(&self, arch: Arch) -> PathBuf {
        self.0.join(NODE_IMAGES).join(arch.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cached_files_have_minikubes_names() {
        let cache = Cache::at(PathBuf::from("/c"));
        let parse = |text: &str| text.parse::<ImageReference>().expect("reference");
        assert_eq!(
            cache.image(Arch::Amd64, &parse("registry.k8s.io/coredns/coredns:v1.13.1")),
            Path::new("/c/images/amd64/registry.k8s.io/coredns/coredns_v1.13.1")
        );
        assert_eq!(
            cache.image(Arch::Amd64, &parse("localhost:5000/app:1")),
            Path::new("/c/images/amd64/localhost_5000/app_1")
        );
        assert_eq!(
            cache.node_image(Arch::Arm64, &parse("gcr.io/k8s-minikube/kicbase:v0.0.50")),
            Path::new("/c/kic/arm64/kicbase_v0.0.50.tar")
        );
        assert_eq!(
            cache.binary(
                Arch::Amd64,
                &"v1.35.4".parse().expect("version"),
                BinaryRole::Kubectl
            ),
            Path::new("/c/linux/amd64/v1.35.4/kubectl")
        );
    }
}
