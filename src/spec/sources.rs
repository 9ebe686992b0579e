//! Where parts come from that are not given.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;

use super::SpecError;
use crate::bundle::Version;
use crate::bundle::text::named_values;
use crate::bundle::text::serde_as_text;
use crate::shown::masked;

/// Where, and how, parts are downloaded that are not given. In TOML the table
/// `[sources]`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Sources {
    /// Nothing is downloaded.
    pub offline: bool,
    /// The release of minikube; without it the newest that has the Kubernetes version.
    pub minikube_version: Option<Version>,
    /// Before `https://dl.k8s.io/release`, which says what it must give.
    pub binary_mirror: Option<String>,
    /// Before minikube's release page, which says what it must give.
    pub release_mirror: Option<String>,
    /// Where images of a registry are looked for first, in this order.
    #[serde(rename = "registry-mirror")]
    pub registry_mirrors: Vec<RegistryMirror>,
    /// The registry and directory that has Kubernetes' and minikube's images.
    pub image_repository: Option<ImageRepository>,
    /// The country whose mirror has them.
    pub image_mirror_country: Option<MirrorCountry>,
    /// The proxy for everything.
    pub proxy: Option<String>,
    /// Files with certificates of authorities that are trusted as well.
    pub ca: Vec<PathBuf>,
    /// Registries without TLS, or whose certificates are not checked.
    #[serde(rename = "insecure-registry")]
    pub insecure_registries: Vec<String>,
    /// Parts that are taken although nothing proves them: programs and images by name.
    pub accept_unverified: Vec<String>,
    /// Hosts that stand for a registry itself; for tests.
    #[serde(skip)]
    pub registry_upstreams: Vec<RegistryMirror>,
    /// What stands for `https://dl.k8s.io/release` itself; for tests.
    #[serde(skip)]
    pub binary_upstream: Option<String>,
    /// What stands for minikube's release page itself; for tests.
    #[serde(skip)]
    pub release_upstream: Option<String>,
}

/// `REGISTRY=HOST[:PORT][/DIR]`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RegistryMirror {
    /// Whose images it has.
    pub registry: String,
    /// Its host, with a port where it needs one.
    pub host: String,
    /// What stands before the repositories' names there, or nothing.
    pub directory: String,
}

/// `HOST[:PORT][/DIR]`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ImageRepository(String);

impl ImageRepository {
    /// The text, without a scheme and a slash at the end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ImageRepository {
    type Err = ImageRepositoryError;
    /// As minikube v1.38.1 has it (`cmd/minikube/cmd/start.go:1632`), except that it does
    /// not look for one by itself.
    fn from_str(text: &str) -> Result<Self, ImageRepositoryError> {
        let place = text.split_once("://").map_or(text, |(_, place)| place);
        let place = place.trim_end_matches('/');
        // With a name and a password it is refused later, by a message that does not show them.
        let (secret, host) = authority(place);
        let rest = &place[secret.map_or(0, |secret| secret.len() + 1)..];
        let is_host = !host.is_empty()
            && host
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-.:".contains(c));
        if !is_host || place.eq_ignore_ascii_case("auto") || rest.contains(['@', ' ']) {
            return Err(ImageRepositoryError(masked(text).chars().take(200).collect()));
        }
        Ok(Self(place.to_owned()))
    }
}

serde_as_text!(read_only ImageRepository);

/// Text that names no place for images.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a registry and a directory such as `mirror.example/k8s`")]
pub struct ImageRepositoryError(String);

/// A country with a public mirror of Kubernetes' images.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum MirrorCountry {
    /// China.
    Cn,
}

named_values!(MirrorCountry, MirrorCountryError: "`{0}` has no known mirror; there is one for `cn`");

impl MirrorCountry {
    /// All of them.
    pub const ALL: [Self; 1] = [Self::Cn];

    /// The value of `--image-mirror-country`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cn => "cn",
        }
    }

    /// The repository. Source: minikube v1.38.1, `pkg/minikube/constants/constants.go`.
    #[must_use]
    pub fn image_repository(self) -> &'static str {
        match self {
            Self::Cn => "registry.cn-hangzhou.aliyuncs.com/google_containers",
        }
    }
}

/// Text that names no mirror.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a registry's mirror such as `registry.k8s.io=mirror.example/k8s`")]
pub struct RegistryMirrorError(String);

impl Sources {
    /// `self` (the flags) over `file`; a list in `self` replaces the one in `file`.
    #[must_use]
    pub fn merge(self, file: Self) -> Self {
        fn list<T>(first: Vec<T>, second: Vec<T>) -> Vec<T> {
            if first.is_empty() { second } else { first }
        }
        Self {
            offline: self.offline || file.offline,
            minikube_version: self.minikube_version.or(file.minikube_version),
            binary_mirror: self.binary_mirror.or(file.binary_mirror),
            release_mirror: self.release_mirror.or(file.release_mirror),
            registry_mirrors: list(self.registry_mirrors, file.registry_mirrors),
            image_repository: self.image_repository.or(file.image_repository),
            image_mirror_country: self.image_mirror_country.or(file.image_mirror_country),
            proxy: self.proxy.or(file.proxy),
            ca: list(self.ca, file.ca),
            insecure_registries: list(self.insecure_registries, file.insecure_registries),
            accept_unverified: list(self.accept_unverified, file.accept_unverified),
            registry_upstreams: list(self.registry_upstreams, file.registry_upstreams),
            binary_upstream: self.binary_upstream.or(file.binary_upstream),
            release_upstream: self.release_upstream.or(file.release_upstream),
        }
    }

    /// The registry and directory that has Kubernetes' and minikube's images.
    #[must_use]
    pub fn images_place(&self) -> Option<&str> {
        let country = self.image_mirror_country.map(MirrorCountry::image_repository);
        self.image_repository
            .as_ref()
            .map(ImageRepository::as_str)
            .or(country)
    }

    /// Fails when an address that would stand in the lock, the bundle and in messages
    /// holds a name or a password (RFC 3986, section 3.2.1).
    pub fn check(&self) -> Result<(), SpecError> {
        let Self {
            binary_mirror,
            release_mirror,
            image_repository,
            registry_mirrors,
            ..
        } = self;
        let addresses = [
            ("--binary-mirror", binary_mirror.as_deref()),
            ("--release-mirror", release_mirror.as_deref()),
            (
                "--image-repository",
                image_repository.as_ref().map(ImageRepository::as_str),
            ),
        ];
        let mirrors = registry_mirrors.iter();
        let mirrors = mirrors.map(|mirror| ("--registry-mirror", Some(mirror.host.as_str())));
        for (flag, address) in addresses.into_iter().chain(mirrors) {
            let address = address.unwrap_or_default();
            let address = address.split_once("://").map_or(address, |(_, rest)| rest);
            if authority(address).0.is_some() {
                return Err(SpecError::Credentials { flag });
            }
        }
        Ok(())
    }

    /// The same with relative paths seen from `directory`.
    #[must_use]
    pub(super) fn seen_from(self, directory: &Path) -> Self {
        Self {
            ca: self.ca.into_iter().map(|path| directory.join(path)).collect(),
            ..self
        }
    }
}

/// The name and password, where there is one, and the host of an address without a scheme.
pub(super) fn authority(address: &str) -> (Option<&str>, &str) {
    let authority = address.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.rsplit_once('@') {
        Some((secret, host)) => (Some(secret), host),
        None => (None, authority),
    }
}

impl FromStr for RegistryMirror {
    type Err = RegistryMirrorError;
    fn from_str(text: &str) -> Result<Self, RegistryMirrorError> {
        let refused = || RegistryMirrorError(masked(text).chars().take(200).collect());
        let (registry, location) = text.split_once('=').ok_or_else(refused)?;
        let (host, directory) = location.split_once('/').unwrap_or((location, ""));
        let plain = |text: &str| !text.is_empty() && !text.contains(['/', '@', ' ']);
        // With a name and a password it is refused later, by a message that does not show them.
        let (_, alone) = authority(location);
        let port = alone.split_once(':').map(|(_, port)| port);
        let has_port = port.is_none_or(|port| port.parse::<u16>().is_ok());
        if !plain(registry) || !plain(alone) || !has_port || text.ends_with('/') {
            return Err(refused());
        }
        Ok(Self {
            registry: registry.to_owned(),
            host: host.to_owned(),
            directory: directory.to_owned(),
        })
    }
}

impl fmt::Display for RegistryMirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.registry, self.host)?;
        if self.directory.is_empty() {
            return Ok(());
        }
        write!(f, "/{}", self.directory)
    }
}

serde_as_text!(RegistryMirror);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_for_images_needs_no_scheme_and_no_slash_at_its_end() {
        let read = |text: &str| text.parse::<ImageRepository>().map(|place| place.0).ok();
        let same = Some("mirror.example:5000/k8s".to_owned());
        assert_eq!(read("mirror.example:5000/k8s"), same);
        assert_eq!(read("https://mirror.example:5000/k8s/"), same);
        assert_eq!(read("mirror"), Some("mirror".to_owned()));
        for text in ["", "auto", "Auto", "/k8s", "a b", "mirror.example/a@b", "u:p@"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn an_address_with_a_password_is_refused_without_being_shown() {
        let all = [
            ("binary-mirror", "https://user:secret@m.example/release"),
            ("release-mirror", "https://user@m.example"),
            ("image-repository", "user:secret@m.example:5000/k8s"),
            ("image-repository", "https://user:secret@m.example/k8s"),
        ]
        .map(|(key, value)| (key, format!("{key} = \"{value}\"")));
        let mirrors = [
            "docker.io=user:secret@m.example:5000/k8s",
            "docker.io=user@m.example",
        ]
        .map(|value| ("registry-mirror", format!("registry-mirror = [\"{value}\"]")));
        for (key, text) in all.into_iter().chain(mirrors) {
            let sources: Sources = toml::from_str(&text).expect(&text);
            let error = sources.check().expect_err(&text).to_string();
            assert!(
                error.contains(&format!("`--{key}` holds a name or a password")),
                "{error}"
            );
            assert!(!error.contains("secret"), "{error}");
        }
        let fine =
            "registry-mirror = [\"docker.io=m.example/k8s\"]\nbinary-mirror = \"http://m.example/a@b\"";
        let sources: Sources = toml::from_str(fine).expect(fine);
        assert!(sources.check().is_ok());
    }

    #[test]
    fn a_mirror_is_a_host_with_or_without_a_directory() {
        for text in [
            "registry.k8s.io=mirror.example:5000/k8s/all",
            "docker.io=localhost",
        ] {
            assert_eq!(text.parse::<RegistryMirror>().expect(text).to_string(), text);
        }
        for text in ["", "a", "a=", "=b", "a=https://b", "a=b/"] {
            assert!(text.parse::<RegistryMirror>().is_err(), "{text}");
        }
    }
}
