//! SPDX 2.3 (<https://spdx.github.io/spdx-spec/v2.3/>).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Packages, cyclonedx, uuid};
use crate::bundle::{BundleIndex, Package};

const NO_ASSERTION: &str = "NOASSERTION";

/// The document of the bundle with this index: the parts as `CycloneDX` has them, and inside
/// each its packages.
pub(super) fn sbom(index: &BundleIndex, packages: &Packages) -> Value {
    let components = cyclonedx::parts(index);
    let mut elements = vec![element("Bundle", &index.name, &index.serial.to_string(), None)];
    let mut relations = vec![relation("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-Bundle")];
    let mut licenses = BTreeSet::new();
    for (number, (digest, part)) in components.iter().enumerate() {
        let id = format!("Part-{number}");
        let text = |key: &str| part[key].as_str().unwrap_or_default().to_owned();
        let purl = part["purl"].as_str();
        let mut of_part = element(&id, &text("name"), &text("version"), purl);
        let hash = &part["hashes"][0]["content"];
        of_part["checksums"] = json!([{ "algorithm": "SHA256", "checksumValue": hash }]);
        elements.push(of_part);
        relations.push(relation("SPDXRef-Bundle", "CONTAINS", &format!("SPDXRef-{id}")));
        let inside = packages.get(digest).into_iter().flat_map(|part| &part.packages);
        for (place, package) in inside.enumerate() {
            let inner = format!("{id}-{place}");
            let mut of_package = element(&inner, &package.name, &package.version, Some(&package.purl()));
            of_package["licenseDeclared"] = declared(package).into();
            elements.push(of_package);
            relations.push(relation(
                &format!("SPDXRef-{id}"),
                "CONTAINS",
                &format!("SPDXRef-{inner}"),
            ));
            licenses.extend(package.licenses.iter().cloned());
        }
    }
    let licenses = licenses.iter().map(|name| {
        json!({
            "licenseId": license_id(name),
            "name": name,
            "extractedText": format!("named `{name}` by the package's maintainers"),
        })
    });
    // A document of SPDX has a time: that of the parts, where it is known.
    let resolved = index.resolved.as_ref().map(ToString::to_string);
    json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": format!("{}-{}", index.name, index.serial),
        "documentNamespace": format!("urn:uuid:{}", uuid(index)),
        "creationInfo": {
            "created": resolved.unwrap_or_else(|| "1970-01-01T00:00:00Z".to_owned()),
            "creators": [format!("Tool: {}", index.packer.replace(' ', "-"))],
        },
        "packages": elements,
        "relationships": relations,
        "hasExtractedLicensingInfos": licenses.collect::<Vec<_>>(),
    })
}

fn element(id: &str, name: &str, version: &str, purl: Option<&str>) -> Value {
    let mut element = json!({
        "SPDXID": format!("SPDXRef-{id}"),
        "name": name,
        "downloadLocation": NO_ASSERTION,
        "filesAnalyzed": false,
        "licenseConcluded": NO_ASSERTION,
        "licenseDeclared": NO_ASSERTION,
        "copyrightText": NO_ASSERTION,
    });
    if !version.is_empty() {
        element["versionInfo"] = version.into();
    }
    if let Some(purl) = purl {
        element["externalRefs"] = json!([{
            "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl,
        }]);
    }
    element
}

fn relation(from: &str, kind: &str, to: &str) -> Value {
    json!({ "spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to })
}

/// All of its licences, each by a reference: maintainers' names are not SPDX's.
fn declared(package: &Package) -> String {
    if package.licenses.is_empty() {
        return NO_ASSERTION.to_owned();
    }
    let references: BTreeSet<String> = package.licenses.iter().map(|name| license_id(name)).collect();
    references.into_iter().collect::<Vec<_>>().join(" AND ")
}

/// SPDX 2.3, annex D: an `idstring` has letters, digits, `-` and `.`.
fn license_id(name: &str) -> String {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
    let text: String = name
        .chars()
        .map(|c| if is_allowed(c) { c } else { '-' })
        .collect();
    // Names that differ in other letters stay apart.
    let digest = crate::bundle::Digest::of(name.as_bytes()).hex();
    if text == name {
        format!("LicenseRef-{text}")
    } else {
        format!("LicenseRef-{text}-{}", &digest[..8])
    }
}
