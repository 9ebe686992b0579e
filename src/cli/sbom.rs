//! `inspect --sbom`: what is in a bundle, as a bill of materials for `CycloneDX` 1.5
//! (<https://cyclonedx.org/docs/1.5/json/>).
//!
//! The same bundle gives the same text: there is no time in it, and its number is made
//! of the index.

use serde_json::{Value, json};

use crate::bundle::{BinaryPart, BundleIndex, Digest, FilePart, ImagePart};

/// The bill of materials of the bundle with this index.
pub(super) fn sbom(index: &BundleIndex) -> Value {
    let written = index.encode().expect("an index that was read can be written");
    let binaries = index.binaries.iter().map(binary);
    let parts = binaries.chain(index.images.iter().map(image));
    let components: Vec<Value> = parts.chain(index.files.iter().map(file)).collect();
    let parts: Vec<&Value> = components.iter().map(|component| &component["bom-ref"]).collect();
    let (packer, packer_version) = index.packer.split_once(' ').unwrap_or((&index.packer, ""));
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": format!("urn:uuid:{}", uuid(Digest::of(&written))),
        "version": 1,
        "metadata": {
            "component": {
                "bom-ref": "bundle",
                "type": "application",
                "name": index.name,
                "version": index.serial.to_string(),
            },
            "tools": { "components": [
                { "type": "application", "name": packer, "version": packer_version },
            ] },
        },
        "dependencies": [{ "ref": "bundle", "dependsOn": parts }],
        "components": components,
    })
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
        "properties": properties(&part.origin.transport, &part.origin.evidence),
    })
}

/// The digest of an image is that of the manifest under which the bundle carries it.
fn image(part: &ImagePart) -> Value {
    let (reference, arch) = (&part.reference, part.platform.arch.name());
    let name = format!("{}/{}", reference.registry(), reference.repository());
    let last = name.rsplit('/').next().unwrap_or(&name);
    let mut properties = properties(&part.origin.transport, &part.origin.evidence);
    properties.insert(0, property("config", &part.config.to_string()));
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
        "properties": properties(&part.origin.transport, &part.origin.evidence),
    })
}

fn properties(transport: &str, evidence: &[String]) -> Vec<Value> {
    let evidence = evidence.iter().map(|sentence| property("evidence", sentence));
    [property("transport", transport)]
        .into_iter()
        .chain(evidence)
        .collect()
}

fn property(name: &str, value: &str) -> Value {
    json!({ "name": format!("minikube-offline:{name}"), "value": value })
}

/// A UUID of version 8 (RFC 9562, section 5.8) made of a digest.
fn uuid(digest: Digest) -> String {
    let mut bytes = *digest.as_bytes();
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = Digest::from_bytes(bytes).hex();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..32]].join("-")
}
