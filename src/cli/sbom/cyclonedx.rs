//! `CycloneDX` 1.5 (<https://cyclonedx.org/docs/1.5/json/>).

use serde_json::{Value, json};

use super::{Packages, uuid};
use crate::bundle::{BinaryPart, BundleIndex, Digest, FilePart, ImagePart, Origin, Package, Platform};
use crate::cli::provenance;

/// The bill of materials of the bundle with this index: each part, and inside it its packages.
pub(super) fn sbom(index: &BundleIndex, packages: &Packages) -> Value {
    let mut components = Vec::new();
    for (digest, mut part) in parts(index) {
        if let Some(inside) = packages.get(&digest) {
            let name = part["bom-ref"].as_str().unwrap_or_default().to_owned();
            let inner = inside.packages.iter().map(|inner| package(&name, inner));
            part["components"] = inner.collect();
            if let Some(properties) = part["properties"].as_array_mut() {
                properties.extend(inside.unread.iter().map(|path| property("unread", path)));
            }
        }
        components.push(part);
    }
    let parts: Vec<&Value> = components.iter().map(|component| &component["bom-ref"]).collect();
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": format!("urn:uuid:{}", uuid(index)),
        "version": 1,
        "metadata": {
            "component": {
                "bom-ref": "bundle",
                "type": "application",
                "name": index.name,
                "version": index.serial.to_string(),
            },
            "tools": { "components": [
                { "type": "application", "name": index.packer },
            ] },
        },
        "dependencies": [{ "ref": "bundle", "dependsOn": parts }],
        "components": components,
    })
}

/// Each part's component, and the digest by which its packages are listed.
pub(super) fn parts(index: &BundleIndex) -> Vec<(Digest, Value)> {
    let binaries = index.binaries.iter().map(|part| (part.sha256, binary(part)));
    let images = index.images.iter().map(|part| (part.config, image(part)));
    let files = index.files.iter().map(|part| (part.sha256, file(part)));
    binaries.chain(images).chain(files).collect()
}

fn package(part: &str, package: &Package) -> Value {
    let purl = package.purl();
    let mut component = json!({
        "bom-ref": format!("{part} {purl}"),
        "type": "library",
        "name": package.name,
        "version": package.version,
        "purl": purl,
    });
    if !package.licenses.is_empty() {
        let licenses = package
            .licenses
            .iter()
            .map(|name| json!({ "license": { "name": name } }));
        component["licenses"] = licenses.collect();
    }
    component
}

fn binary(part: &BinaryPart) -> Value {
    let (name, sha256) = (part.role.name(), part.sha256.hex());
    let version = part.version.as_ref().map(ToString::to_string);
    let at = version
        .as_ref()
        .map(|version| format!("@{version}"))
        .unwrap_or_default();
    json!({
        "bom-ref": format!("{name} {}", part.platform),
        "type": "application",
        "name": name,
        "version": version.unwrap_or_default(),
        "purl": format!("pkg:generic/{name}{at}?checksum=sha256:{sha256}"),
        "hashes": [{ "alg": "SHA-256", "content": sha256 }],
        "properties": properties(&part.origin, Some(part.platform)),
    })
}

/// The digest of an image is that of the manifest under which the bundle carries it.
fn image(part: &ImagePart) -> Value {
    let (reference, arch) = (&part.reference, part.platform.arch.name());
    let name = format!("{}/{}", reference.registry(), reference.repository());
    let last = name.rsplit('/').next().unwrap_or(&name);
    let mut properties = properties(&part.origin, Some(part.platform));
    properties.insert(0, property("config", &part.config.to_string()));
    let names = provenance::names(&part.named_by);
    properties.extend(names.iter().map(|name| property("named-by", name)));
    json!({
        "bom-ref": format!("{reference} {}", part.platform),
        "type": "container",
        "name": name,
        "version": reference.tag(),
        // https://github.com/package-url/purl-spec, type `oci`; the qualifiers in order.
        "purl": format!(
            "pkg:oci/{last}@sha256%3A{}?arch={arch}&repository_url={}&tag={}",
            part.manifest.hex(), name.replace(':', "%3A"), reference.tag(),
        ),
        "hashes": [{ "alg": "SHA-256", "content": part.manifest.hex() }],
        "properties": properties,
    })
}

fn file(part: &FilePart) -> Value {
    json!({
        "bom-ref": part.member_path(),
        "type": "file",
        "name": part.name,
        "hashes": [{ "alg": "SHA-256", "content": part.sha256.hex() }],
        "properties": properties(&part.origin, None),
    })
}

fn properties(origin: &Origin, platform: Option<Platform>) -> Vec<Value> {
    let sentences = provenance::sentences(origin, platform);
    let mut properties = vec![property("transport", origin.transport.name())];
    properties.extend(origin.url.iter().map(|url| property("url", url)));
    properties.extend(sentences.iter().map(|sentence| property("provenance", sentence)));
    properties
}

fn property(name: &str, value: &str) -> Value {
    json!({ "name": format!("minikube-offline:{name}"), "value": value })
}
