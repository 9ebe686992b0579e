//! From what is signed to an image: each document names the digest of the next.

use serde::Deserialize;
use serde_json::Value;

use super::Files;
use crate::bundle::Digest;

/// What cosign signs of an image. Source: containers/image,
/// `docs/containers-signature.5.md`.
#[derive(Deserialize)]
struct Payload {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    image: SignedImage,
}

#[derive(Deserialize)]
struct SignedImage {
    #[serde(rename = "docker-manifest-digest")]
    digest: Digest,
}

/// Fails unless the documents lead to the image with this config; the reason is a
/// sentence.
pub(super) fn lead_to(documents: &[Digest], files: &Files, config: Digest) -> Result<(), String> {
    let (first, manifests) = documents.split_first().ok_or("nothing says what is signed")?;
    let payload = files.get(first).ok_or("what is signed is missing")?;
    let payload: Payload = serde_json::from_slice(payload)
        .map_err(|error| format!("what is signed is not an image: {error}"))?;
    let nexts = manifests.iter().chain([&config]);
    let mut named = vec![payload.critical.image.digest];
    for next in nexts {
        if !named.contains(next) {
            return Err(format!("what is signed does not lead to {next}"));
        }
        named = files.get(next).map(|json| names(json)).unwrap_or_default();
    }
    Ok(())
}

/// The digests that a manifest, or a list of them, names: what an image is made of.
/// Source: OCI image spec, "Image Index" and "Image Manifest".
fn names(json: &[u8]) -> Vec<Digest> {
    let document: Value = serde_json::from_slice(json).unwrap_or_default();
    let listed = document["manifests"].as_array().into_iter().flatten();
    listed
        .chain([&document["config"]])
        .filter_map(|descriptor| Digest::parse(descriptor["digest"].as_str()?.strip_prefix("sha256:")?).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_document_names_the_next_or_the_chain_is_broken() {
        let mut files = Files::new();
        let mut add = |json: Value| {
            let bytes = json.to_string().into_bytes();
            let digest = Digest::of(&bytes);
            files.insert(digest, bytes);
            digest
        };
        let config = Digest::of(b"config");
        let manifest = add(json!({ "config": { "digest": config } }));
        let list = add(json!({ "manifests": [{ "digest": Digest::of(b"other") }, { "digest": manifest }] }));
        let signed = |digest| json!({ "critical": { "image": { "docker-manifest-digest": digest } } });
        let (of_list, of_manifest) = (add(signed(list)), add(signed(manifest)));
        let lead = |documents: &[Digest]| lead_to(documents, &files, config);
        assert_eq!(lead(&[of_list, list, manifest]), Ok(()));
        assert_eq!(lead(&[of_manifest, manifest]), Ok(()));
        for (documents, missed) in [
            (vec![of_list, manifest], manifest),
            (vec![of_manifest, list, manifest], list),
            (vec![of_list, list], config),
            (vec![of_list], config),
        ] {
            assert_eq!(
                lead(&documents),
                Err(format!("what is signed does not lead to {missed}"))
            );
        }
        assert_eq!(lead(&[]), Err("nothing says what is signed".to_owned()));
        let no_payload = lead(&[manifest]).expect_err("a manifest");
        assert!(
            no_payload.starts_with("what is signed is not an image: "),
            "{no_payload}"
        );
    }
}
