//! The software packages in an image's layers: databases of dpkg and apk, and what Go
//! writes into its binaries.
//!
//! Nothing here can fail a pack: what cannot be read is listed as unread, and a layer that
//! is not a tar has no packages.

mod apk;
mod deb;
mod golang;
mod stanza;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::path::Path;

use super::parts::{LocalBinary, LocalImage};
use crate::bundle::{Digest, Package, PackageKind, PartPackages};

/// More than this is no database of packages.
const FILE_BYTES: u64 = 16 << 20;

/// Databases of other package managers, which are named as unread.
const OTHERS: [&str; 8] = [
    "var/lib/rpm/Packages",
    "var/lib/rpm/Packages.db",
    "var/lib/rpm/rpmdb.sqlite",
    "usr/lib/sysimage/rpm/Packages",
    "usr/lib/sysimage/rpm/Packages.db",
    "usr/lib/sysimage/rpm/rpmdb.sqlite",
    "usr/share/rpm/rpmdb.sqlite",
    "var/lib/pacman/local/ALPM_DB_VERSION",
];

/// What one file of a layer says.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Found {
    Packages(Vec<Package>),
    /// The licences of the Debian package with this name.
    Licenses(String, Vec<String>),
    /// `ID-VERSION_ID` of os-release(5).
    Distro(String),
    Unread,
}

/// What one layer says, by path.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct LayerPackages {
    found: BTreeMap<String, Found>,
    /// The paths that it removes from the layers below, and the directories that it empties.
    /// Source: OCI image spec 1.1, `layer.md`, "Whiteouts".
    removed: Vec<String>,
    emptied: Vec<String>,
}

impl LayerPackages {
    /// What the layer in `tar` says. It is read as far as it is a tar.
    pub(super) fn read(tar: impl Read) -> Self {
        let mut layer = Self::default();
        // An error of the reader's own is met again by its caller, which reads on.
        let _ = layer.add_all(&mut tar::Archive::new(tar));
        layer
    }

    fn add_all(&mut self, tar: &mut tar::Archive<impl Read>) -> io::Result<()> {
        for entry in tar.entries()? {
            let mut entry = entry?;
            let Some(path) = normal(&entry.path()?) else {
                continue;
            };
            let (directory, name) = path.rsplit_once('/').unwrap_or(("", &path));
            if name == ".wh..wh..opq" {
                self.emptied.push(directory.to_owned());
            } else if let Some(name) = name.strip_prefix(".wh.") {
                let removed = if directory.is_empty() {
                    name.to_owned()
                } else {
                    format!("{directory}/{name}")
                };
                self.removed.push(removed);
            } else if entry.header().entry_type().is_file() {
                let size = entry.size();
                let is_executable = entry.header().mode().is_ok_and(|mode| mode & 0o111 != 0);
                if let Some(found) = read_file(&path, size, is_executable, &mut entry)? {
                    self.found.insert(path, found);
                }
            }
        }
        Ok(())
    }
}

/// What the file says, where it is one of those that do.
fn read_file(path: &str, size: u64, is_executable: bool, file: &mut impl Read) -> io::Result<Option<Found>> {
    if OTHERS.contains(&path) {
        return Ok(Some(Found::Unread));
    }
    let read: fn(&str, &str) -> Option<Found> = match path {
        "etc/os-release" | "usr/lib/os-release" => |_, text| distro(text).map(Found::Distro),
        "lib/apk/db/installed" | "usr/lib/apk/db/installed" => {
            |_, text| Some(Found::Packages(apk::packages(text)))
        }
        _ if deb::is_database(path) => |_, text| Some(Found::Packages(deb::packages(text))),
        _ if deb::documented(path).is_some() => |path, text| {
            let name = deb::documented(path)?.to_owned();
            Some(Found::Licenses(name, deb::licenses(text)))
        },
        _ if is_executable => {
            let packages = golang::packages(file)?;
            return Ok((!packages.is_empty()).then_some(Found::Packages(packages)));
        }
        _ => return Ok(None),
    };
    if size > FILE_BYTES {
        return Ok(Some(Found::Unread));
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(read(path, &String::from_utf8_lossy(&bytes)))
}

/// The packages in an image with these layers, lowest first.
fn of_image<'a>(config: Digest, layers: impl IntoIterator<Item = &'a LayerPackages>) -> PartPackages {
    let mut found: BTreeMap<&str, &Found> = BTreeMap::new();
    for layer in layers {
        found.retain(|path, _| {
            let is_below = |directory: &String| {
                directory.is_empty()
                    || path
                        .strip_prefix(directory.as_str())
                        .is_some_and(|rest| rest.starts_with('/'))
            };
            !layer.removed.iter().any(|gone| path == gone || is_below(gone))
                && !layer.emptied.iter().any(is_below)
        });
        found.extend(layer.found.iter().map(|(path, found)| (path.as_str(), found)));
    }
    let distro = found.values().find_map(|found| match found {
        Found::Distro(distro) => Some(distro),
        _ => None,
    });
    let licenses: BTreeMap<&str, &Vec<String>> = found
        .values()
        .filter_map(|found| match found {
            Found::Licenses(name, licenses) => Some((name.as_str(), licenses)),
            _ => None,
        })
        .collect();
    let mut packages = BTreeSet::new();
    for package in found
        .values()
        .filter_map(|found| match found {
            Found::Packages(packages) => Some(packages),
            _ => None,
        })
        .flatten()
    {
        let mut package = package.clone();
        if package.kind != PackageKind::Golang {
            package.distro = distro.cloned();
        }
        if package.kind == PackageKind::Deb {
            package.licenses = licenses
                .get(package.name.as_str())
                .copied()
                .cloned()
                .unwrap_or_default();
        }
        packages.insert(package);
    }
    let unread = found.iter().filter(|(_, found)| matches!(found, Found::Unread));
    PartPackages {
        part: config,
        packages: packages.into_iter().filter(Package::is_plain).collect(),
        unread: unread.map(|(path, _)| (*path).to_owned()).collect(),
    }
}

/// The packages in every part that has any, by the parts' digests.
pub(super) fn of_parts(binaries: &[LocalBinary], images: &[LocalImage]) -> Vec<PartPackages> {
    let binaries = binaries.iter().map(|binary| PartPackages {
        part: binary.pin.sha256,
        packages: binary.packages.clone(),
        unread: Vec::new(),
    });
    let mut parts: Vec<PartPackages> = binaries.collect();
    parts.extend(images.iter().map(|image| {
        let layers = image.layers.iter().map(|layer| layer.packages.as_ref());
        of_image(image.pin.config, layers)
    }));
    parts.retain(|part| !part.packages.is_empty() || !part.unread.is_empty());
    parts.sort_by_key(|part| part.part);
    parts.dedup_by_key(|part| part.part);
    parts
}

/// The packages that Go names in the binary. It is read as far as they stand in it.
pub(super) fn of_binary(binary: &mut impl Read) -> io::Result<Vec<Package>> {
    let packages: BTreeSet<Package> = golang::packages(binary)?.into_iter().collect();
    Ok(packages.into_iter().filter(Package::is_plain).collect())
}

/// The path in an image, without `./` and `/` in front; `None` where it is not text or leads up.
fn normal(path: &Path) -> Option<String> {
    let path = path.to_str()?.trim_start_matches("./").trim_matches('/');
    let is_named = |name: &str| !name.is_empty() && name != "." && name != "..";
    path.split('/').all(is_named).then(|| path.to_owned())
}

/// `ID` and `VERSION_ID` of os-release(5).
fn distro(text: &str) -> Option<String> {
    let value = |key: &str| {
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        value.map(|value| value.trim().trim_matches(['"', '\'']).to_owned())
    };
    let id = value("ID")?;
    Some(match value("VERSION_ID") {
        Some(version) => format!("{id}-{version}"),
        None => id,
    })
}

#[cfg(test)]
mod tests;
