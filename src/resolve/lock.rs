//! The lock: every part of a bundle by its digests, so that the same bundle can be
//! packed again.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::ResolveError;
use crate::bundle::{
    BinaryRole, ContainerRuntime, Digest, ImageReference, ImageRole, Origin, Platform, PublishedSignature,
    Version, in_words,
};

/// The version of the lock's own form.
const FORMAT: u32 = 1;

/// What `pack` took, or has to take.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Lock {
    /// The version of this form.
    format: u32,
    /// The Kubernetes release.
    pub kubernetes_version: Version,
    /// The runtime in the node.
    pub container_runtime: ContainerRuntime,
    /// The platforms of the sites' machines.
    pub platforms: Vec<Platform>,
    /// The programs, by platform and role.
    #[serde(rename = "program")]
    pub programs: Vec<LockedProgram>,
    /// The images, by platform, role and name.
    #[serde(rename = "image")]
    pub images: Vec<LockedImage>,
}

/// A program in the lock.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LockedProgram {
    /// What it is for.
    pub role: BinaryRole,
    /// The platform that it runs on.
    pub platform: Platform,
    /// Its release, where it is known.
    pub version: Option<Version>,
    /// Its size in bytes.
    pub size: u64,
    /// The SHA-256 of its content.
    pub sha256: Digest,
    /// Where it was downloaded.
    pub url: Option<String>,
    /// How it came.
    pub origin: Origin,
}

/// An image in the lock.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LockedImage {
    /// What it is for.
    pub role: ImageRole,
    /// Its name.
    pub reference: ImageReference,
    /// The platform that it runs on.
    pub platform: Platform,
    /// The size of its layers, uncompressed, in bytes; not known before they are there.
    pub size: Option<u64>,
    /// The digest of its manifest in the registry, where it came from one.
    pub manifest: Option<Digest>,
    /// The digest of its config.
    pub config: Digest,
    /// The digests of its uncompressed layers, lowest first.
    pub diff_ids: Vec<Digest>,
    /// How it came.
    pub origin: Origin,
}

impl Lock {
    /// A lock of these parts.
    #[must_use]
    pub fn new(
        kubernetes_version: Version,
        container_runtime: ContainerRuntime,
        platforms: Vec<Platform>,
        programs: Vec<LockedProgram>,
        images: Vec<LockedImage>,
    ) -> Self {
        Self {
            format: FORMAT,
            kubernetes_version,
            container_runtime,
            platforms,
            programs,
            images,
        }
    }

    /// Reads the file `path`.
    pub fn load(path: &Path) -> Result<Self, ResolveError> {
        let text = fs::read_to_string(path).map_err(|source| ResolveError::LockFile {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text).map_err(|reason| ResolveError::LockText {
            path: path.to_owned(),
            reason,
        })
    }

    /// Reads the text of a lock; the error is one line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let lock: Self = toml::from_str(text).map_err(|error| error.message().replace('\n', ", "))?;
        if lock.format != FORMAT {
            return Err(format!(
                "it has format {}, and this program knows {FORMAT}",
                lock.format
            ));
        }
        Ok(lock)
    }

    /// The text of the lock, the same for the same parts.
    #[must_use]
    pub fn text(&self) -> String {
        let parts = toml::to_string(self).expect("a lock has nothing that TOML cannot say");
        format!("# The parts of a bundle: `minikube-offline pack --locked` takes exactly these.\n{parts}")
    }

    /// The locked program of this role for `platform`.
    #[must_use]
    pub fn program(&self, platform: Platform, role: BinaryRole) -> Option<&LockedProgram> {
        let mut programs = self.programs.iter();
        programs.find(|program| (program.platform, program.role) == (platform, role))
    }

    /// The locked image of this name for `platform`.
    #[must_use]
    pub fn image(&self, platform: Platform, reference: &ImageReference) -> Option<&LockedImage> {
        let mut images = self.images.iter();
        images.find(|image| image.platform == platform && image.reference == *reference)
    }

    /// The signatures of every part.
    pub fn signatures(&self) -> impl Iterator<Item = &PublishedSignature> {
        let programs = self.programs.iter().map(|program| &program.origin);
        let images = self.images.iter().map(|image| &image.origin);
        programs.chain(images).flat_map(|origin| &origin.signatures)
    }

    /// Fails with every part in which `found` is not what this lock says.
    pub fn check(&self, found: &Self) -> Result<(), ResolveError> {
        let mut differences = Vec::new();
        let mut compare = |what: &str, locked: String, found: String| {
            if locked != found {
                differences.push(format!("{what}: the lock has {locked}, and there is {found}"));
            }
        };
        compare(
            "Kubernetes",
            self.kubernetes_version.to_string(),
            found.kubernetes_version.to_string(),
        );
        compare(
            "runtime",
            self.container_runtime.to_string(),
            found.container_runtime.to_string(),
        );
        compare("platforms", in_words(&self.platforms), in_words(&found.platforms));
        for (name, locked, found) in paired(&self.digests(), &found.digests()) {
            compare(&name, locked, found);
        }
        if differences.is_empty() {
            return Ok(());
        }
        Err(ResolveError::NotLocked { differences })
    }

    /// Each part by its name with the digest that identifies it.
    fn digests(&self) -> Vec<(String, Digest)> {
        let programs = self.programs.iter().map(|program| {
            (
                format!("{} for {}", program.role, program.platform),
                program.sha256,
            )
        });
        let images = self.images.iter().map(|image| {
            (
                format!("{} for {}", image.reference, image.platform),
                image.config,
            )
        });
        programs.chain(images).collect()
    }
}

/// Every name of either list, with what each has for it.
fn paired(locked: &[(String, Digest)], found: &[(String, Digest)]) -> Vec<(String, String, String)> {
    let of = |list: &[(String, Digest)], name: &str| {
        let there = list.iter().find(|(other, _)| other == name);
        there.map_or_else(|| "nothing".to_owned(), |(_, digest)| digest.to_string())
    };
    let mut names: Vec<&String> = locked.iter().chain(found).map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .map(|name| (name.clone(), of(locked, name), of(found, name)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform() -> Platform {
        "linux/arm64".parse().expect("platform")
    }

    fn lock() -> Lock {
        let origin = Origin {
            signatures: Vec::new(),
            transport: "https".to_owned(),
            evidence: vec!["a \"quoted\" sentence".to_owned()],
        };
        Lock::new(
            "v1.35.4".parse().expect("version"),
            ContainerRuntime::Docker,
            vec![platform()],
            vec![LockedProgram {
                role: BinaryRole::Kubelet,
                platform: platform(),
                version: None,
                size: 3,
                sha256: Digest::of(b"abc"),
                url: Some("https://dl.example/kubelet".to_owned()),
                origin: origin.clone(),
            }],
            vec![LockedImage {
                role: ImageRole::Kubernetes,
                reference: "registry.k8s.io/pause:3.10.1".parse().expect("name"),
                platform: platform(),
                size: Some(7),
                manifest: Some(Digest::of(b"m")),
                config: Digest::of(b"c"),
                diff_ids: vec![Digest::of(b"l")],
                origin,
            }],
        )
    }

    #[test]
    fn a_lock_is_read_as_it_is_written() {
        let text = lock().text();
        assert_eq!(Lock::parse(&text).expect(&text), lock());
        assert!(text.contains("\n[[program]]\nrole = \"kubelet\"\n"), "{text}");
        let newer = text.replace("format = 1", "format = 2");
        assert!(Lock::parse(&newer).expect_err("newer").contains("format 2"));
        assert!(Lock::parse(&format!("x = 1\n{text}")).is_err());
    }

    #[test]
    fn every_part_that_changed_is_named() {
        lock().check(&lock()).expect("the same");
        let mut found = lock();
        found.programs[0].sha256 = Digest::of(b"abd");
        found.images.clear();
        let text = lock().check(&found).expect_err("changed").to_string();
        let other = Digest::of(b"abd");
        assert!(text.contains(&format!("and there is {other}")), "{text}");
        assert!(
            text.contains("registry.k8s.io/pause:3.10.1 for linux/arm64: the lock has"),
            "{text}"
        );
        assert!(text.contains("there is nothing"), "{text}");
    }
}
