//! Alpine's database of installed packages (apk-tools, `apk-v2(5)` and `apk_database.c`).

use super::stanza::stanzas;
use crate::bundle::{Package, PackageKind};

/// The packages that are installed.
pub(super) fn packages(text: &str) -> Vec<Package> {
    let package = |stanza: super::stanza::Stanza<'_>| {
        Some(Package {
            kind: PackageKind::Apk,
            name: stanza.value("P")?.to_owned(),
            version: stanza.value("V")?.to_owned(),
            arch: stanza.value("A").map(str::to_owned),
            distro: None,
            licenses: stanza
                .value("L")
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
                .into_iter()
                .collect(),
        })
    };
    stanzas(text).filter_map(package).collect()
}
