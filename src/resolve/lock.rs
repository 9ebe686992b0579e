//! The lock: every part of a bundle by its digests, so that the same bundle can be
//! packed again.

mod change;
mod file;

use serde::{Deserialize, Serialize};

use super::{BinaryPin, FilePin, ImagePin};
use crate::bundle::{
    Application, Attestation, BinaryRole, ContainerRuntime, ImageReference, Namer, Origin, Platform,
    Timestamp, Version,
};

pub use change::Change;
pub use file::{Difference, LockFile};

/// The version of the lock's own form.
const FORMAT: u32 = 1;

/// What `pack` took, or has to take.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// The version of this form.
    format: u32,
    /// When it was found out what to take from the publishers' servers, where anything was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<Timestamp>,
    /// The Kubernetes release.
    pub kubernetes_version: Version,
    /// The runtime in the node.
    pub container_runtime: ContainerRuntime,
    /// The platforms of the sites' machines.
    pub platforms: Vec<Platform>,
    /// minikube's addons whose images are among these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addons: Vec<String>,
    /// The network whose images are among these, where one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cni: Option<String>,
    /// Whether what several control planes need is among these.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ha: bool,
    /// The binaries, by platform and role.
    #[serde(rename = "binary")]
    pub binaries: Vec<BinaryPin>,
    /// The images, by platform, role and name.
    #[serde(rename = "image")]
    pub images: Vec<ImagePin>,
    /// The files of the packer, by role and name.
    #[serde(rename = "file", default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FilePin>,
    /// What a start installs with Helm, in this order.
    #[serde(rename = "application", default, skip_serializing_if = "Vec::is_empty")]
    pub applications: Vec<Application>,
}

impl Lock {
    /// A lock without parts and without a time, of what every bundle has.
    #[must_use]
    pub fn new(
        kubernetes_version: Version,
        container_runtime: ContainerRuntime,
        platforms: Vec<Platform>,
    ) -> Self {
        Self {
            format: FORMAT,
            resolved: None,
            addons: Vec::new(),
            cni: None,
            ha: false,
            kubernetes_version,
            container_runtime,
            platforms,
            binaries: Vec::new(),
            images: Vec::new(),
            files: Vec::new(),
            applications: Vec::new(),
        }
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

    /// The locked binary of this role for `platform`.
    #[must_use]
    pub fn binary(&self, platform: Platform, role: BinaryRole) -> Option<&BinaryPin> {
        let mut binaries = self.binaries.iter();
        binaries.find(|binary| (binary.platform, binary.role) == (platform, role))
    }

    /// The locked image of this name for `platform`.
    #[must_use]
    pub fn image(&self, platform: Platform, reference: &ImageReference) -> Option<&ImagePin> {
        let mut images = self.images.iter();
        images.find(|image| image.platform == platform && image.reference == *reference)
    }

    /// Whether an image is among these that `addon` needs.
    #[must_use]
    pub fn has_addon(&self, addon: &str) -> bool {
        let mut named = self.images.iter().flat_map(|image| &image.named_by);
        named.any(|by| (by.by, by.name.as_deref()) == (Namer::MinikubeAddon, Some(addon)))
    }

    /// The attestations of every part.
    pub fn attestations(&self) -> impl Iterator<Item = &Attestation> {
        self.origins().flat_map(|origin| &origin.attestations)
    }

    /// Whether a part came from a server.
    #[must_use]
    pub fn is_from_upstream(&self) -> bool {
        self.origins().any(|origin| origin.transport.is_remote())
    }

    fn origins(&self) -> impl Iterator<Item = &Origin> {
        let binaries = self.binaries.iter().map(|binary| &binary.origin);
        binaries.chain(self.images.iter().map(|image| &image.origin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::{Digest, FileRole, ImageRole, NamedBy, Transport, Verification};

    fn platform() -> Platform {
        "linux/arm64".parse().expect("platform")
    }

    fn lock() -> Lock {
        let digest = Digest::of(b"abc");
        let named = NamedBy {
            digest,
            by: Namer::MinikubeAddon,
            name: Some("ingress".to_owned()),
        };
        let origin = Origin {
            url: Some("https://dl.example/kubelet".to_owned()),
            verified_by: vec![named.verification(), Verification::LayerDigests {}],
            ..Origin::by(Transport::Https)
        };
        let mut lock = Lock::new(
            "v1.35.4".parse().expect("version"),
            ContainerRuntime::Docker,
            vec![platform()],
        );
        lock.binaries = vec![BinaryPin {
            role: BinaryRole::Kubelet,
            platform: platform(),
            version: None,
            size: 3,
            sha256: Digest::of(b"abc"),
            origin: origin.clone(),
        }];
        lock.images = vec![ImagePin {
            role: ImageRole::Kubernetes,
            reference: "registry.k8s.io/pause:3.10.1".parse().expect("name"),
            platform: platform(),
            size: Some(7),
            registry_manifest: Some(Digest::of(b"m")),
            config: Digest::of(b"c"),
            layers: vec![Digest::of(b"l")],
            origin,
            named_by: vec![named],
        }];
        lock.files = vec![FilePin {
            role: FileRole::Manifest,
            name: "app.yaml".to_owned(),
            size: 4,
            sha256: Digest::of(b"kind"),
        }];
        lock
    }

    #[test]
    fn a_lock_is_read_as_it_is_written() {
        let text = lock().text();
        assert_eq!(Lock::parse(&text).expect(&text), lock());
        assert!(text.contains("\n[[binary]]\nrole = \"kubelet\"\n"), "{text}");
        let newer = text.replace("format = 1", "format = 2");
        assert!(Lock::parse(&newer).expect_err("newer").contains("format 2"));
        assert!(Lock::parse(&format!("x = 1\n{text}")).is_err());
    }

    #[test]
    fn what_nobody_asked_for_stands_in_no_lock() {
        let plain = lock().text();
        for key in ["resolved", "addons", "cni =", "ha ="] {
            assert!(!plain.contains(key), "{key} in {plain}");
        }
        let mut full = lock();
        full.resolved = "2026-11-25T14:24:56Z".parse().ok();
        full.addons = vec!["metrics-server".to_owned()];
        (full.cni, full.ha) = (Some("flannel".to_owned()), true);
        full.binaries[0].origin.unverified = true;
        let text = full.text();
        assert_eq!(Lock::parse(&text).expect(&text), full);
    }

    #[test]
    fn every_part_that_changed_is_named_with_its_line() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("x.lock");
        std::fs::write(&path, lock().text()).expect("a file");
        let file = LockFile::load(&path).expect("a lock");
        file.check(&lock()).expect("the same");
        let mut found = lock();
        found.binaries[0].sha256 = Digest::of(b"abd");
        found.images.clear();
        let text = file.check(&found).expect_err("changed").to_string();
        let other = Digest::of(b"abd");
        assert!(text.contains(&format!("and there is {other}")), "{text}");
        assert!(
            text.contains("registry.k8s.io/pause:3.10.1 for linux/arm64 (line 27): the lock has"),
            "{text}"
        );
        assert!(text.contains("there is nothing"), "{text}");
        let changes: Vec<String> = lock().changes(&found).iter().map(ToString::to_string).collect();
        assert!(
            changes[0].starts_with("changed  kubelet for linux/arm64: was sha256:"),
            "{changes:?}"
        );
        assert!(
            changes[1].starts_with("removed  registry.k8s.io/pause:3.10.1"),
            "{changes:?}"
        );
        let added = found.changes(&lock()).pop().expect("a change").to_string();
        assert!(
            added.starts_with("added    registry.k8s.io/pause:3.10.1"),
            "{added}"
        );
    }
}
