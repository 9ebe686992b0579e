//! dpkg's database of installed packages (`deb-control(5)`, `dpkg(1)`), and Debian's files
//! of copyright (Debian policy 12.5).

use std::collections::BTreeSet;

use super::stanza::{Stanza, stanzas};
use crate::bundle::{Package, PackageKind};

/// Whether this is dpkg's database, or an entry of it as distroless images have it.
pub(super) fn is_database(path: &str) -> bool {
    let entry = path.strip_prefix("var/lib/dpkg/status.d/");
    path == "var/lib/dpkg/status"
        || entry.is_some_and(|name| !name.contains('/') && !name.ends_with(".md5sums"))
}

/// The package whose file of copyright this is.
pub(super) fn documented(path: &str) -> Option<&str> {
    let name = path.strip_prefix("usr/share/doc/")?.strip_suffix("/copyright")?;
    (!name.contains('/')).then_some(name)
}

/// The packages that are installed.
pub(super) fn packages(text: &str) -> Vec<Package> {
    let package = |stanza: Stanza<'_>| {
        // An entry of a distroless image has no status: it is installed.
        let status = stanza.value("Status").unwrap_or("install ok installed");
        let package = Package {
            kind: PackageKind::Deb,
            name: stanza.value("Package")?.to_owned(),
            version: stanza.value("Version")?.to_owned(),
            arch: stanza.value("Architecture").map(str::to_owned),
            distro: None,
            licenses: Vec::new(),
        };
        status.ends_with(" installed").then_some(package)
    };
    stanzas(text).filter_map(package).collect()
}

/// The licences that a file of copyright names: by `License:` in the machine-readable form
/// (DEP 5), and by paths of `/usr/share/common-licenses`.
pub(super) fn licenses(text: &str) -> Vec<String> {
    const COMMON: &str = "/usr/share/common-licenses/";
    let mut licenses = BTreeSet::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("License:") {
            licenses.insert(name.trim().to_owned());
        }
    }
    if licenses.is_empty() {
        for after in text.split(COMMON).skip(1) {
            let is_name = |c: char| c.is_ascii_alphanumeric() || ".-+".contains(c);
            let end = after.find(|c| !is_name(c)).unwrap_or(after.len());
            licenses.insert(after[..end].trim_end_matches(['.', '-']).to_owned());
        }
    }
    let is_name = |name: &String| !name.is_empty() && name.len() <= 100;
    licenses.into_iter().filter(is_name).collect()
}
