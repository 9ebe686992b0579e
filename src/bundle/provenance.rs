//! Where a part came from, and what proves it, as data. No program reads display text.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Attestation, Digest, Version, is_plain, limits};

/// How a part came to the packer: skopeo's names of transports, and three more.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// From a registry, every blob compared with the digest that its manifest names.
    Docker,
    /// From an archive of `docker save`.
    DockerArchive,
    /// From Docker Engine.
    DockerDaemon,
    /// From a file.
    File,
    /// From a server.
    Https,
    /// From minikube's cache.
    MinikubeCache,
    /// From an OCI layout in a directory.
    Oci,
    /// From an OCI layout in an archive.
    OciArchive,
}

impl Transport {
    /// The name, as index and lock have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::DockerArchive => "docker-archive",
            Self::DockerDaemon => "docker-daemon",
            Self::File => "file",
            Self::Https => "https",
            Self::MinikubeCache => "minikube-cache",
            Self::Oci => "oci",
            Self::OciArchive => "oci-archive",
        }
    }

    /// Whether it leads to a server.
    #[must_use]
    pub fn is_remote(self) -> bool {
        matches!(self, Self::Docker | Self::Https)
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a part came from, as far as it does not depend on the packer's directories.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// How it came.
    pub transport: Transport,
    /// Where it was downloaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What it was compared with before it was packed.
    pub verified_by: Vec<Verification>,
    /// Whether the packer's user took it although nothing said what it should be.
    pub unverified: bool,
    /// The publisher's attestations that the bundle has.
    pub attestations: Vec<Attestation>,
    /// Why there is none, where they were looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unattested: Option<Unattested>,
}

/// Why a downloaded part has no attestation.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unattested {
    /// The publisher has none with a certificate.
    NotFound,
    /// A server that should know did not answer.
    NoAnswer,
    /// There are only Sigstore bundles, which format 1 has no place for.
    SigstoreBundle,
}

/// What a part was compared with.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Verification {
    /// The checksum that its publisher has next to it.
    PublisherChecksum {
        /// The checksum.
        digest: Digest,
        /// Where it was.
        url: String,
    },
    /// The publisher's list of releases.
    ReleaseList {
        /// The checksum in it.
        digest: Digest,
        /// Where it was.
        url: String,
    },
    /// The checksum that a mirror has next to it. Only damage on the way shows in it.
    MirrorChecksum {
        /// The checksum.
        digest: Digest,
        /// Where it was.
        url: String,
    },
    /// What its registry has under the tag.
    RegistryTag {
        /// The registry's host.
        subject: String,
        /// The digest of the image manifest or image index.
        digest: Digest,
    },
    /// What a mirror has under the tag.
    MirrorTag {
        /// The mirror's host.
        subject: String,
        /// The digest of the image manifest or image index.
        digest: Digest,
    },
    /// The image index: its manifest for the part's platform.
    ImageIndex {
        /// The digest of that manifest.
        digest: Digest,
    },
    /// The image index: it names the part's platform, and the published config another one, so
    /// that the packer corrected the config.
    CorrectedPlatform {
        /// The platform in the published config.
        subject: String,
        /// The digest of the published config.
        digest: Digest,
    },
    /// The digest that minikube has for its node image.
    MinikubeNodeImage {
        /// The digest.
        digest: Digest,
    },
    /// The digest that minikube's addon has.
    MinikubeAddon {
        /// The addon.
        subject: String,
        /// The digest.
        digest: Digest,
    },
    /// The digest in minikube's manifest of a CNI, or of kube-vip.
    CniManifest {
        /// The CNI.
        subject: String,
        /// The digest.
        digest: Digest,
    },
    /// The digest in a Kubernetes manifest of the bundle.
    UserManifest {
        /// The digest.
        digest: Digest,
    },
    /// The digest by which the user asked for it.
    UserDigest {
        /// The digest.
        digest: Digest,
    },
    /// The digest in a lock that has nothing else with a digest.
    Lock {
        /// The digest.
        digest: Digest,
    },
    /// What the binary itself reports.
    SelfReportedVersion {
        /// The version.
        subject: Version,
    },
    /// The digests of layers that the image's config lists.
    LayerDigests {},
}

/// Who names an image by digest.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Namer {
    /// minikube, for its node.
    MinikubeNodeImage,
    /// An addon of minikube's.
    MinikubeAddon,
    /// minikube's manifest of a CNI, or of kube-vip.
    CniManifest,
    /// A Kubernetes manifest of the bundle.
    UserManifest,
    /// The packer's user.
    UserDigest,
}

/// A digest by which an image is named: a start gives it that name in the node.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NamedBy {
    /// The digest of its image manifest or image index in the registry.
    pub digest: Digest,
    /// Who names it.
    pub by: Namer,
    /// The addon or the CNI; there for these two only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl NamedBy {
    /// The minikube addon that names the image.
    #[must_use]
    pub fn addon(&self) -> Option<&str> {
        self.name.as_deref().filter(|_| self.by == Namer::MinikubeAddon)
    }

    /// The comparison with this digest.
    #[must_use]
    pub fn verification(&self) -> Verification {
        let digest = self.digest;
        let subject = self.name.clone().unwrap_or_default();
        match self.by {
            Namer::MinikubeNodeImage => Verification::MinikubeNodeImage { digest },
            Namer::MinikubeAddon => Verification::MinikubeAddon { subject, digest },
            Namer::CniManifest => Verification::CniManifest { subject, digest },
            Namer::UserManifest => Verification::UserManifest { digest },
            Namer::UserDigest => Verification::UserDigest { digest },
        }
    }

    fn is_whole(&self) -> bool {
        let has_name = matches!(self.by, Namer::MinikubeAddon | Namer::CniManifest);
        self.name.is_some() == has_name && self.name.as_deref().is_none_or(is_subject)
    }
}

impl Verification {
    /// The digest that was compared, where one was.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        match self {
            Self::PublisherChecksum { digest, .. }
            | Self::ReleaseList { digest, .. }
            | Self::MirrorChecksum { digest, .. }
            | Self::RegistryTag { digest, .. }
            | Self::MirrorTag { digest, .. }
            | Self::ImageIndex { digest }
            | Self::CorrectedPlatform { digest, .. }
            | Self::MinikubeNodeImage { digest }
            | Self::MinikubeAddon { digest, .. }
            | Self::CniManifest { digest, .. }
            | Self::UserManifest { digest }
            | Self::UserDigest { digest }
            | Self::Lock { digest } => Some(*digest),
            Self::SelfReportedVersion { .. } | Self::LayerDigests {} => None,
        }
    }

    fn is_plain(&self) -> bool {
        match self {
            Self::PublisherChecksum { url, .. }
            | Self::ReleaseList { url, .. }
            | Self::MirrorChecksum { url, .. } => is_url(url),
            Self::RegistryTag { subject, .. }
            | Self::MirrorTag { subject, .. }
            | Self::CorrectedPlatform { subject, .. }
            | Self::MinikubeAddon { subject, .. }
            | Self::CniManifest { subject, .. } => is_subject(subject),
            Self::SelfReportedVersion { subject } => is_subject(&subject.to_string()),
            _ => true,
        }
    }
}

impl Origin {
    /// The origin of a part that came so, and was compared with nothing yet.
    #[must_use]
    pub fn by(transport: Transport) -> Self {
        Self {
            transport,
            url: None,
            verified_by: Vec::new(),
            unverified: false,
            attestations: Vec::new(),
            unattested: None,
        }
    }

    /// The part was compared with this, if again.
    pub fn compared(&mut self, with: Verification) {
        if !self.verified_by.contains(&with) {
            self.verified_by.push(with);
        }
    }

    /// Whether the part was compared with its publisher's checksum.
    #[must_use]
    pub fn agrees_with_publisher(&self) -> bool {
        let published = |verification: &Verification| {
            matches!(
                verification,
                Verification::PublisherChecksum { .. } | Verification::ReleaseList { .. }
            )
        };
        self.verified_by.iter().any(published)
    }

    /// Whether all in it is such as a part can have; the reason where it is not. Text is one
    /// line of plain text. A binary is what is signed itself; for an image a document is.
    pub(super) fn check(&self, is_image: bool) -> Result<(), &'static str> {
        if !self.url.as_deref().is_none_or(is_url) {
            return Err("has a URL that is too long or not plain text");
        }
        if self.verified_by.len() > limits::VERIFICATIONS {
            return Err("was verified by too many things");
        }
        if !self.verified_by.iter().all(Verification::is_plain) {
            return Err("was verified by something that is too long or not plain text");
        }
        if self.unattested.is_some() && !self.attestations.is_empty() {
            return Err("has an attestation, and a reason for having none");
        }
        if self.attestations.len() > limits::ATTESTATIONS {
            return Err("has too many attestations");
        }
        let mut attestations = self.attestations.iter();
        attestations.try_for_each(|attestation| attestation.check(is_image))
    }
}

/// Fails when an image cannot be named so.
pub(super) fn check_names(named_by: &[NamedBy]) -> Result<(), &'static str> {
    if named_by.len() > limits::VERIFICATIONS {
        return Err("is named by too many digests");
    }
    if !named_by.iter().all(NamedBy::is_whole) {
        return Err("has a name by digest that lacks its `name`, or has one that it cannot have");
    }
    Ok(())
}

pub(super) fn is_url(url: &str) -> bool {
    url.len() <= limits::URL_BYTES && is_plain(url)
}

fn is_subject(subject: &str) -> bool {
    (1..=limits::SUBJECT_BYTES).contains(&subject.len()) && is_plain(subject)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_kinds() -> Vec<Verification> {
        use Verification as V;
        let (digest, url, subject) = (
            Digest::of(b"x"),
            || "https://x.example".to_owned(),
            || "x".to_owned(),
        );
        let version = "v1.36.2".parse().expect("a version");
        vec![
            V::PublisherChecksum { digest, url: url() },
            V::ReleaseList { digest, url: url() },
            V::MirrorChecksum { digest, url: url() },
            V::RegistryTag {
                subject: subject(),
                digest,
            },
            V::MirrorTag {
                subject: subject(),
                digest,
            },
            V::ImageIndex { digest },
            V::CorrectedPlatform {
                subject: subject(),
                digest,
            },
            V::MinikubeNodeImage { digest },
            V::MinikubeAddon {
                subject: subject(),
                digest,
            },
            V::CniManifest {
                subject: subject(),
                digest,
            },
            V::UserManifest { digest },
            V::UserDigest { digest },
            V::Lock { digest },
            V::SelfReportedVersion { subject: version },
            V::LayerDigests {},
        ]
    }

    #[test]
    fn every_kind_is_read_as_it_is_written() {
        let kinds = [
            "publisher-checksum",
            "release-list",
            "mirror-checksum",
            "registry-tag",
            "mirror-tag",
            "image-index",
            "corrected-platform",
            "minikube-node-image",
            "minikube-addon",
            "cni-manifest",
            "user-manifest",
            "user-digest",
            "lock",
            "self-reported-version",
            "layer-digests",
        ];
        let mut origin = Origin::by(Transport::Https);
        origin.verified_by = all_kinds();
        for (verification, kind) in origin.verified_by.iter().zip(kinds) {
            let json = serde_json::to_string(verification).expect("JSON");
            assert!(json.starts_with(&format!(r#"{{"kind":"{kind}""#)), "{json}");
            assert_eq!(
                &serde_json::from_str::<Verification>(&json).expect(&json),
                verification
            );
            let more = json.replacen('{', r#"{"text":"a sentence","#, 1);
            assert!(serde_json::from_str::<Verification>(&more).is_err(), "{more}");
        }
        assert_eq!(origin.verified_by.len(), kinds.len());
        assert_eq!(origin.check(false), Ok(()));
        let toml = toml::to_string(&origin).expect("TOML");
        assert_eq!(toml::from_str::<Origin>(&toml).expect(&toml), origin);
    }

    #[test]
    fn a_kind_that_is_not_known_is_refused() {
        let error = serde_json::from_str::<Verification>(r#"{"kind":"fulcio","digest":"x"}"#);
        let text = error.expect_err("unknown").to_string();
        assert!(
            text.starts_with("unknown variant `fulcio`, expected one of"),
            "{text}"
        );
    }

    #[test]
    fn a_transport_is_shown_as_the_index_writes_it() {
        use Transport as T;
        let all = [
            T::Docker,
            T::DockerArchive,
            T::DockerDaemon,
            T::File,
            T::Https,
            T::MinikubeCache,
            T::Oci,
            T::OciArchive,
        ];
        for transport in all {
            assert_eq!(serde_json::to_value(transport).expect("JSON"), transport.name());
        }
    }

    #[test]
    fn text_of_an_origin_is_one_line_of_plain_text() {
        let of = |subject: &str, url: &str| {
            let mut origin = Origin::by(Transport::Docker);
            origin.url = Some(url.to_owned());
            let (subject, digest) = (subject.to_owned(), Digest::of(b"x"));
            origin.verified_by = vec![Verification::RegistryTag { subject, digest }];
            origin.check(true).err()
        };
        let (subject, url) = (limits::SUBJECT_BYTES, limits::URL_BYTES);
        assert_eq!(of(&"s".repeat(subject), &"u".repeat(url)), None);
        let (bad_url, bad) = (
            Some("has a URL that is too long or not plain text"),
            Some("was verified by something that is too long or not plain text"),
        );
        assert_eq!(of("s", &"u".repeat(url + 1)), bad_url);
        assert_eq!(of(&"s".repeat(subject + 1), "u"), bad);
        for forged in [
            "x)\n  minikube: its SHA-256 is",
            "a\rb",
            "a\u{2028}b",
            "\u{202e}a",
            "\u{9b}2J",
            "\t",
        ] {
            assert_eq!(of(forged, "u"), bad, "{forged:?}");
            assert_eq!(of("s", forged), bad_url, "{forged:?}");
        }
    }

    #[test]
    fn only_an_addon_and_a_cni_have_a_name() {
        let named = |by, name: Option<&str>| {
            let (digest, name) = (Digest::of(b"x"), name.map(str::to_owned));
            check_names(&[NamedBy { digest, by, name }]).is_ok()
        };
        assert!(named(Namer::MinikubeAddon, Some("ingress")) && named(Namer::UserDigest, None));
        assert!(!named(Namer::MinikubeAddon, None) && !named(Namer::UserDigest, Some("x")));
        assert!(!named(Namer::CniManifest, Some("a\nb")));
    }
}
