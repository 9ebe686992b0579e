//! minikube's cache, as it fills it itself.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::FetchError;
use crate::bundle::{Arch, BinaryRole, ImageReference, Version};
use crate::minikube;

/// A minikube cache for one architecture.
#[derive(Clone, Debug)]
pub struct Cache {
    layout: minikube::Cache,
    arch: Arch,
}

impl Cache {
    /// The cache in `directory`, which is minikube's home (`~/.minikube`) or the `cache` in
    /// it. Fails when nothing of a cache is there.
    pub fn open(directory: &Path, arch: Arch) -> Result<Self, FetchError> {
        let inner = directory.join("cache");
        let cache = if inner.is_dir() { &inner } else { directory };
        let layout = minikube::Cache::at(cache.to_owned());
        if !layout.directories().iter().any(|inside| inside.is_dir()) {
            return Err(FetchError::NotACache {
                path: directory.to_owned(),
            });
        }
        Ok(Self { layout, arch })
    }

    /// The architecture that it is looked at for.
    #[must_use]
    pub fn arch(&self) -> Arch {
        self.arch
    }

    /// The file that has this image: `images/<arch>/registry.k8s.io/pause_3.10.1`; an
    /// image of Docker Hub's may be there under its short name.
    #[must_use]
    pub fn image(&self, reference: &ImageReference) -> Option<PathBuf> {
        [reference.to_string(), reference.familiar()]
            .into_iter()
            .map(|name| self.layout.image_named(self.arch, &name))
            .find(|path| path.is_file())
    }

    /// The program, which the cache has when minikube installed this version:
    /// `linux/<arch>/<version>/kubeadm`.
    #[must_use]
    pub fn binary(&self, role: BinaryRole, version: &Version) -> Option<PathBuf> {
        let path = self.layout.binary(self.arch, version, role);
        path.is_file().then_some(path)
    }

    /// The node images, `kic/<arch>/kicbase_v*.tar`, by name. minikube names the one
    /// from its second source `stable_v*`.
    pub fn kicbases(&self) -> Result<Vec<PathBuf>, FetchError> {
        let directory = self.layout.node_images(self.arch);
        if !directory.is_dir() {
            return Ok(Vec::new());
        }
        let read_error = |source| FetchError::read(&directory, source);
        let mut found = Vec::new();
        for entry in fs::read_dir(&directory).map_err(read_error)? {
            let path = entry.map_err(read_error)?.path();
            let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
            let is_node = name.starts_with("kicbase_v") || name.starts_with("stable_v");
            if is_node && path.extension() == Some(OsStr::new("tar")) {
                found.push(path);
            }
        }
        found.sort();
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(path: &Path) {
        fs::create_dir_all(path.parent().expect("parent")).expect("directory");
        fs::write(path, "").expect("file");
    }

    #[test]
    fn files_are_found_by_minikubes_names() {
        let home = tempfile::tempdir().expect("directory");
        let cache = home.path().join("cache");
        for name in [
            "images/amd64/registry.k8s.io/coredns/coredns_v1.13.1",
            "images/amd64/localhost_5000/app_1",
            "images/amd64/busybox_1",
            "kic/amd64/kicbase_v0.0.50@sha256_eb4f.tar",
            "kic/amd64/kicbase_v0.0.49.tar",
            "kic/amd64/kicbase_v0.0.50.tar.lock",
            "kic/arm64/kicbase_v0.0.48.tar",
            "linux/amd64/v1.35.4/kubeadm",
        ] {
            touch(&cache.join(name));
        }
        let image =
            |cache: &Cache, name: &str| cache.image(&ImageReference::parse(name).expect(name)).is_some();
        for directory in [home.path(), &cache] {
            let cache = Cache::open(directory, Arch::Amd64).expect("cache");
            assert!(image(&cache, "registry.k8s.io/coredns/coredns:v1.13.1"));
            assert!(image(&cache, "localhost:5000/app:1"));
            assert!(image(&cache, "busybox:1"));
            assert!(!image(&cache, "busybox:2"));
            let version = "v1.35.4".parse().expect("version");
            assert!(cache.binary(BinaryRole::Kubeadm, &version).is_some());
            assert!(cache.binary(BinaryRole::Kubelet, &version).is_none());
            let names: Vec<_> = cache.kicbases().expect("list");
            let names: Vec<_> = names.iter().filter_map(|path| path.file_name()).collect();
            assert_eq!(names, ["kicbase_v0.0.49.tar", "kicbase_v0.0.50@sha256_eb4f.tar"]);
        }
    }

    #[test]
    fn a_directory_without_a_cache_is_refused() {
        let empty = tempfile::tempdir().expect("directory");
        let error = Cache::open(empty.path(), Arch::Amd64).expect_err("empty");
        assert!(matches!(error, FetchError::NotACache { .. }));
    }
}
