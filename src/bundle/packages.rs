//! The software packages inside parts: the member `packages.json`.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Digest, is_plain};

/// Where the packages of every part are in the payload.
pub const PACKAGES_PATH: &str = "packages.json";

/// The packages inside one part.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PartPackages {
    /// The part: the digest of an image's config, or of a binary.
    pub part: Digest,
    /// What its package databases and Go build information list, sorted, each once.
    pub packages: Vec<Package>,
    /// The package databases in it that were not read, by their paths.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
}

/// A software package.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// The kind of package.
    pub kind: PackageKind,
    /// Its name: for Go the module's path.
    pub name: String,
    /// Its version, as its database has it.
    pub version: String,
    /// The architecture that its database names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arch: Option<String>,
    /// The distribution that it belongs to, `ID` and `VERSION_ID` of os-release(5): `debian-12`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distro: Option<String>,
    /// Its licences, as its maintainers name them; empty where nothing in the part does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub licenses: Vec<String>,
}

/// A kind of package, named as package URLs name their types
/// (<https://github.com/package-url/purl-spec>).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PackageKind {
    /// Alpine's apk.
    Apk,
    /// Debian's dpkg.
    Deb,
    /// A Go module that is linked into a binary.
    Golang,
}

impl Package {
    /// Whether each of its texts can be shown to people.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let texts = [&self.name, &self.version].into_iter();
        let texts = texts.chain(&self.arch).chain(&self.distro).chain(&self.licenses);
        !self.name.is_empty() && texts.into_iter().all(|text| text.len() <= 512 && is_plain(text))
    }

    /// Its package URL.
    #[must_use]
    pub fn purl(&self) -> String {
        let id = |default| {
            let distro = self.distro.as_deref().unwrap_or(default);
            Escaped(distro.split_once('-').map_or(distro, |(id, _)| id))
        };
        let name = match self.kind {
            PackageKind::Apk => format!("{}/{}", id("alpine"), Escaped(&self.name)),
            PackageKind::Deb => format!("{}/{}", id("debian"), Escaped(&self.name)),
            // The segments of a namespace are escaped one by one.
            PackageKind::Golang => {
                let segments = self.name.split('/').map(|segment| Escaped(segment).to_string());
                segments.collect::<Vec<_>>().join("/")
            }
        };
        let qualifiers = [("arch", &self.arch), ("distro", &self.distro)];
        let qualifiers: Vec<String> = qualifiers
            .into_iter()
            .filter_map(|(key, value)| Some(format!("{key}={}", Escaped(value.as_ref()?))))
            .collect();
        let mark = if qualifiers.is_empty() { "" } else { "?" };
        let (kind, version) = (self.kind, Escaped(&self.version));
        format!("pkg:{kind}/{name}@{version}{mark}{}", qualifiers.join("&"))
    }
}

impl fmt::Display for PackageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Apk => "apk",
            Self::Deb => "deb",
            Self::Golang => "golang",
        })
    }
}

/// A text, percent-encoded as package URLs want it.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.bytes() {
            if byte.is_ascii_alphanumeric() || b".-_~:".contains(&byte) {
                write!(f, "{}", byte as char)?;
            } else {
                write!(f, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(kind: PackageKind, name: &str, version: &str, distro: Option<&str>) -> Package {
        Package {
            kind,
            name: name.to_owned(),
            version: version.to_owned(),
            arch: (kind != PackageKind::Golang).then(|| "amd64".to_owned()),
            distro: distro.map(str::to_owned),
            licenses: Vec::new(),
        }
    }

    #[test]
    fn a_package_has_the_url_of_its_type() {
        let deb = package(
            PackageKind::Deb,
            "libstdc++6",
            "1:12.2.0-14+b1",
            Some("debian-12"),
        );
        assert_eq!(
            deb.purl(),
            "pkg:deb/debian/libstdc%2B%2B6@1:12.2.0-14%2Bb1?arch=amd64&distro=debian-12"
        );
        let ubuntu = package(PackageKind::Deb, "zlib1g", "1.3", Some("ubuntu-24.04"));
        assert_eq!(
            ubuntu.purl(),
            "pkg:deb/ubuntu/zlib1g@1.3?arch=amd64&distro=ubuntu-24.04"
        );
        let module = package(PackageKind::Golang, "k8s.io/api", "v0.35.4", None);
        assert_eq!(module.purl(), "pkg:golang/k8s.io/api@v0.35.4");
        let apk = package(PackageKind::Apk, "musl", "1.2.5-r0", None);
        assert_eq!(apk.purl(), "pkg:apk/alpine/musl@1.2.5-r0?arch=amd64");
    }
}
