//! A registry of our own: images in memory, with tokens or a password when asked for.

use std::collections::BTreeMap;
use std::io::Write;

use minikube_offline::bundle::{Arch, Digest};
use serde_json::json;

use super::authority::Authority;
use super::parts::noise;
use super::server::{Reply, Seen};

/// The media types of OCI's image spec, and Docker's: list, manifest, config, layer.
const OCI: [&str; 4] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.oci.image.layer.v1.tar",
];
const DOCKER: [&str; 4] = [
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.container.image.v1+json",
    "application/vnd.docker.image.rootfs.diff.tar",
];

/// What a registry wants to see before it lets in.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Guard {
    #[default]
    None,
    /// `me` and `secret`.
    Password,
    /// A token that the registry itself gives to everybody.
    Token,
    /// A token that it never takes.
    TokenInVain,
}

/// The content of a registry, by path.
#[derive(Clone, Debug, Default)]
pub(crate) struct Registry {
    /// Content and media type by `REPOSITORY/manifests/TAG` and `blobs/DIGEST`.
    content: BTreeMap<String, (Vec<u8>, String)>,
    pub(crate) guard: Guard,
    /// Without `Docker-Content-Digest`.
    pub(crate) silent: bool,
}

/// How a layer is compressed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Packing {
    Gzip,
    Plain,
    Zstd,
}

/// A signature, as cosign puts it into a registry.
pub(crate) struct Signing {
    /// What is signed.
    pub(crate) payload: Vec<u8>,
    pub(crate) signature: String,
    pub(crate) certificate: String,
}

/// What an image is made of, to be changed before it goes in.
#[derive(Clone)]
pub(crate) struct Draft {
    /// What the list says that it is for.
    pub(crate) arch: Arch,
    /// What its config says.
    pub(crate) config_arch: Arch,
    /// The layer as tar.
    pub(crate) layer: Vec<u8>,
    /// What the config says of the layer.
    pub(crate) diff_id: Digest,
    /// How much larger the manifest says that the layer is.
    pub(crate) lie_bytes: u64,
    pub(crate) packing: Packing,
    /// With OCI's media types instead of Docker's.
    pub(crate) oci: bool,
    /// What is served instead of the compressed layer.
    pub(crate) stored: Option<Vec<u8>>,
}

impl Draft {
    pub(crate) fn new(arch: Arch, seed: &str) -> Self {
        let layer = super::parts::tar_of(&[("file", &noise(seed, 20_000))]);
        Self {
            arch,
            config_arch: arch,
            diff_id: Digest::of(&layer),
            layer,
            lie_bytes: 0,
            packing: Packing::Gzip,
            oci: false,
            stored: None,
        }
    }

    fn types(&self) -> [&'static str; 4] {
        if self.oci { OCI } else { DOCKER }
    }

    /// The layer as it is served, and its media type.
    pub(crate) fn stored(&self) -> (Vec<u8>, String) {
        let (bytes, ending) = match self.packing {
            Packing::Gzip => (gzip(&self.layer), "gzip"),
            Packing::Plain => (self.layer.clone(), ""),
            Packing::Zstd => (zstd::encode_all(&self.layer[..], 1).expect("memory"), "zstd"),
        };
        let joint = match (ending, self.oci) {
            ("", _) => "",
            (_, true) => "+",
            (_, false) => ".",
        };
        let media_type = format!("{}{joint}{ending}", self.types()[3]);
        (self.stored.clone().unwrap_or(bytes), media_type)
    }

    pub(crate) fn config(&self, repository: &str) -> Vec<u8> {
        let config = json!({
            "architecture": self.config_arch.name(), "os": "linux",
            "config": { "Labels": { "name": repository } },
            "rootfs": { "type": "layers", "diff_ids": [self.diff_id] },
        });
        config.to_string().into_bytes()
    }

    /// The manifest as `repository` has it.
    pub(crate) fn manifest(&self, repository: &str) -> Vec<u8> {
        let blob = |bytes: &[u8], media_type: &str, more: u64| json!({ "mediaType": media_type, "digest": Digest::of(bytes), "size": bytes.len() as u64 + more });
        let [_, manifest, config, _] = self.types();
        let (layer, layer_type) = self.stored();
        let document = json!({
            "schemaVersion": 2, "mediaType": manifest,
            "config": blob(&self.config(repository), config, 0),
            "layers": [blob(&layer, &layer_type, self.lie_bytes)],
        });
        document.to_string().into_bytes()
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

impl Registry {
    /// Adds `drafts` as the image `repository:tag`, in a list of manifests; gives the
    /// list's digest.
    pub(crate) fn add(&mut self, repository: &str, tag: &str, drafts: &[Draft]) -> Digest {
        let mut entries = Vec::new();
        let mut list = DOCKER[0];
        for draft in drafts {
            let [index, manifest, ..] = draft.types();
            let (digest, size) = self.add_one(repository, draft);
            list = index;
            entries.push(json!({
                "mediaType": manifest, "digest": digest, "size": size,
                "platform": { "os": "linux", "architecture": draft.arch.name() },
            }));
        }
        let index = json!({ "schemaVersion": 2, "mediaType": list, "manifests": entries });
        let index = index.to_string().into_bytes();
        let digest = Digest::of(&index);
        self.put(format!("{repository}/manifests/{digest}"), index.clone(), list);
        self.put(format!("{repository}/manifests/{tag}"), index, list);
        digest
    }

    /// Adds `draft` as the image `repository:tag`, without a list.
    pub(crate) fn add_alone(&mut self, repository: &str, tag: &str, draft: &Draft) {
        self.add_one(repository, draft);
        let (manifest, media_type) = (draft.manifest(repository), draft.types()[1]);
        self.put(format!("{repository}/manifests/{tag}"), manifest, media_type);
    }

    /// Puts the manifests of one repository into another as well.
    pub(crate) fn copy(&mut self, from: &str, to: &str) {
        let from = format!("{from}/");
        let there: Vec<_> = self.content.range(from.clone()..).collect();
        let of_it = there.into_iter().filter_map(|(key, value)| {
            let rest = key.strip_prefix(&from)?;
            Some((format!("{to}/{rest}"), value.clone()))
        });
        let copied: Vec<_> = of_it.collect();
        self.content.extend(copied);
    }

    /// Signs the manifest `digest` in `repository`, as cosign does.
    pub(crate) fn sign(&mut self, repository: &str, digest: Digest, authority: &Authority) {
        let payload = json!({ "critical": {
            "identity": { "docker-reference": repository },
            "image": { "docker-manifest-digest": digest },
            "type": "cosign container image signature",
        }, "optional": null });
        let payload = payload.to_string().into_bytes();
        let signing = Signing {
            signature: authority.sign(&payload),
            certificate: authority.certificate(),
            payload,
        };
        self.put_signature(repository, digest, signing);
    }

    /// The signature of the manifest `digest`, under its tag.
    pub(crate) fn put_signature(&mut self, repository: &str, digest: Digest, signing: Signing) {
        let Signing {
            payload,
            signature,
            certificate,
        } = signing;
        let annotations = json!({
            "dev.cosignproject.cosign/signature": signature,
            "dev.sigstore.cosign/certificate": certificate,
            "dev.sigstore.cosign/bundle": "{}",
        });
        let manifest = json!({
            "schemaVersion": 2, "mediaType": OCI[1],
            "config": { "mediaType": OCI[2], "digest": Digest::of(b"{}"), "size": 2 },
            "layers": [{
                "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
                "digest": Digest::of(&payload), "size": payload.len(), "annotations": annotations,
            }],
        });
        let manifest = manifest.to_string().into_bytes();
        self.put(
            format!("blobs/{}", Digest::of(&payload)),
            payload,
            "application/octet-stream",
        );
        let tag = format!("sha256-{}.sig", digest.hex());
        self.put(format!("{repository}/manifests/{tag}"), manifest, OCI[1]);
    }

    fn add_one(&mut self, repository: &str, draft: &Draft) -> (Digest, usize) {
        for bytes in [draft.config(repository), draft.stored().0] {
            let path = format!("blobs/{}", Digest::of(&bytes));
            self.put(path, bytes, "application/octet-stream");
        }
        let manifest = draft.manifest(repository);
        let (digest, size) = (Digest::of(&manifest), manifest.len());
        self.put(
            format!("{repository}/manifests/{digest}"),
            manifest,
            draft.types()[1],
        );
        (digest, size)
    }

    pub(crate) fn put(&mut self, path: String, bytes: Vec<u8>, media_type: &str) {
        self.content.insert(path, (bytes, media_type.to_owned()));
    }

    /// What this registry answers.
    pub(crate) fn answer(&self, seen: &Seen) -> Reply {
        if seen.target.starts_with("/token?") {
            return Reply::ok(r#"{"token":"let-me-in"}"#);
        }
        let wanted = match self.guard {
            Guard::None => None,
            // me:secret
            Guard::Password => Some(("Basic bWU6c2VjcmV0", "Basic realm=\"test\"".to_owned())),
            Guard::Token | Guard::TokenInVain => {
                let host = seen.header("host").unwrap_or_default();
                let challenge = format!("Bearer realm=\"http://{host}/token\",service=\"test\"");
                Some(("Bearer let-me-in", challenge))
            }
        };
        if let Some((value, challenge)) = wanted
            && (seen.header("authorization") != Some(value) || self.guard == Guard::TokenInVain)
        {
            return Reply::status(401).header("www-authenticate", challenge);
        }
        let Some(path) = seen.target.strip_prefix("/v2/") else {
            return Reply::status(404);
        };
        if path.is_empty() {
            return Reply::ok("{}");
        }
        let key = path.find("blobs/").map_or(path, |at| &path[at..]);
        let Some((bytes, media_type)) = self.content.get(key) else {
            return Reply::status(404).body("MANIFEST_UNKNOWN");
        };
        let digest = Digest::of(bytes);
        let reply = Reply::file(seen, bytes, &format!("\"{digest}\"")).header("content-type", media_type);
        if self.silent {
            reply
        } else {
            reply.header("docker-content-digest", digest)
        }
    }
}
