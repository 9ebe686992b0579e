//! From what is signed to an image: each document names the digest of the next.

use serde::Deserialize;
use serde_json::Value;

use super::Files;
use crate::bundle::{Digest, ImageConfig, ImagePart, plain};

/// What cosign signs of an image. Source: containers/image,
/// `docs/containers-signature.5.md`.
#[derive(Deserialize)]
struct Payload {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    identity: Identity,
    image: SignedImage,
}

#[derive(Deserialize)]
struct Identity {
    #[serde(rename = "docker-reference")]
    reference: String,
}

#[derive(Deserialize)]
struct SignedImage {
    #[serde(rename = "docker-manifest-digest")]
    digest: Digest,
}

/// Fails unless the documents speak of this image's repository and lead to its config; the
/// reason is a sentence. The last document may be the config as it was published, which names
/// another platform than the image's: then the image's is that one, corrected.
pub(super) fn lead_to(documents: &[Digest], files: &Files, image: &ImagePart) -> Result<(), String> {
    let (first, manifests) = documents.split_first().ok_or("nothing says what is signed")?;
    let payload = files.get(first).ok_or("what is signed is missing")?;
    let payload: Payload = serde_json::from_slice(payload)
        .map_err(|error| format!("what is signed is not an image: {}", plain(&error.to_string())))?;
    let of = &payload.critical.identity.reference;
    if !speaks_of(of, image) {
        return Err(format!(
            "it was made for `{}`, which is not {}",
            plain(of),
            image.reference
        ));
    }
    let nexts = manifests.iter().chain([&image.config]);
    let mut named = vec![payload.critical.image.digest];
    for next in nexts {
        if !named.contains(next) {
            return Err(format!("what is signed does not lead to {next}"));
        }
        named = files.get(next).map(|json| names(json)).unwrap_or_default();
        let corrected = files.get(next).filter(|_| named.is_empty());
        let corrected = corrected.and_then(|json| ImageConfig::corrected(json, image.platform));
        named.extend(corrected.as_deref().map(Digest::of));
    }
    Ok(())
}

/// Whether a signature for `reference` is one for this image: the last part of its path is
/// that of the image's repository. The registry and the directories are not compared, for an image
/// is signed where it is built, too, and Kubernetes' are named after the mirror that was signed
/// first (kubernetes-sigs/promo-tools, #928, #935). Nor is the tag, where none is named.
fn speaks_of(reference: &str, image: &ImagePart) -> bool {
    let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let name = last(reference.split('@').next().unwrap_or_default());
    let (name, tag) = match name.split_once(':') {
        Some((name, tag)) => (name, Some(tag)),
        None => (name.as_str(), None),
    };
    let own = last(image.reference.repository());
    // Kubernetes' images for one platform are in repositories of their own, too.
    let alone = format!("{own}-{}", image.platform.arch.name());
    (name == own || name == alone) && tag.is_none_or(|tag| tag == image.reference.tag())
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

    fn image(config: Digest) -> ImagePart {
        let part = json!({
            "role": "kubernetes", "reference": "registry.k8s.io/pause:3.10.1", "platform": "linux/amd64",
            "config": config, "layers": [], "manifest": Digest::of(b"manifest"),
            "origin": { "transport": "docker", "verified_by": [], "unverified": false, "attestations": [] },
            "named_by": [],
        });
        serde_json::from_value(part).expect("an image")
    }

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
        let signed = |reference: &str, digest| {
            let identity = json!({ "docker-reference": reference });
            json!({ "critical": { "identity": identity, "image": { "docker-manifest-digest": digest } } })
        };
        let (of_list, of_manifest) = (add(signed("k8s/pause", list)), add(signed("k8s/pause", manifest)));
        let of_nobody = add(json!({ "critical": { "image": { "docker-manifest-digest": manifest } } }));
        let named = [
            "k8s/etcd",
            "registry.k8s.io/pause:3.9",
            "pause-arm64",
            "pause/",
            "",
            "a\nb",
        ];
        let named = named.map(|reference| (reference, add(signed(reference, manifest))));
        let right = [
            "pause",
            "registry.k8s.io/kubernetes/pause-amd64",
            "r.io/pause:3.10.1",
            "r.io/pause@sha256:1",
        ];
        let right = right.map(|reference| add(signed(reference, manifest)));
        let image = image(config);
        let lead = |documents: &[Digest]| lead_to(documents, &files, &image);
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
        for (reference, of) in named {
            let said = format!(
                "it was made for `{}`, which is not registry.k8s.io/pause:3.10.1",
                plain(reference)
            );
            assert_eq!(lead(&[of, manifest]), Err(said));
        }
        for of in right {
            assert_eq!(lead(&[of, manifest]), Ok(()));
        }
        assert!(lead(&[of_nobody, manifest]).is_err());
        assert_eq!(lead(&[]), Err("nothing says what is signed".to_owned()));
        let no_payload = lead(&[manifest]).expect_err("a manifest");
        assert!(
            no_payload.starts_with("what is signed is not an image: "),
            "{no_payload}"
        );
    }
}
