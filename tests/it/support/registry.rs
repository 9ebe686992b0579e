//! A registry of our own: images in memory, with tokens or a password when asked for.

use std::collections::BTreeMap;
use std::io::Write;

use minikube_offline::bundle::{Arch, Digest};
use serde_json::json;

use super::parts::noise;
use super::server::{Reply, Seen};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const CONFIG: &str = "application/vnd.docker.container.image.v1+json";
const GZIP: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";
const ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";

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

/// What an image is made of, to be changed before it goes in.
pub(crate) struct Draft {
    pub(crate) arch: Arch,
    /// The layer as tar.
    pub(crate) layer: Vec<u8>,
    /// What the config says of the layer.
    pub(crate) diff_id: Digest,
    /// How much larger the manifest says that the layer is.
    pub(crate) lie_bytes: u64,
    pub(crate) zstd: bool,
}

impl Draft {
    pub(crate) fn new(arch: Arch, seed: &str) -> Self {
        let layer = super::parts::tar_of(&[("file", &noise(seed, 20_000))]);
        Self {
            arch,
            diff_id: Digest::of(&layer),
            layer,
            lie_bytes: 0,
            zstd: false,
        }
    }
}

impl Registry {
    /// Adds `drafts` as the image `repository:tag`, in a list of manifests; gives the
    /// list's digest.
    pub(crate) fn add(&mut self, repository: &str, tag: &str, drafts: &[Draft]) -> Digest {
        let mut entries = Vec::new();
        for draft in drafts {
            let manifest = self.add_one(repository, draft);
            let digest = Digest::of(&manifest);
            entries.push(json!({
                "mediaType": MANIFEST, "digest": digest, "size": manifest.len(),
                "platform": { "os": "linux", "architecture": draft.arch.name() },
            }));
            self.put(format!("{repository}/manifests/{digest}"), manifest, MANIFEST);
        }
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries });
        let index = index.to_string().into_bytes();
        let digest = Digest::of(&index);
        self.put(format!("{repository}/manifests/{digest}"), index.clone(), INDEX);
        self.put(format!("{repository}/manifests/{tag}"), index, INDEX);
        digest
    }

    fn add_one(&mut self, repository: &str, draft: &Draft) -> Vec<u8> {
        let config = json!({
            "architecture": draft.arch.name(), "os": "linux",
            "config": { "Labels": { "name": repository } },
            "rootfs": { "type": "layers", "diff_ids": [draft.diff_id] },
        });
        let config = config.to_string().into_bytes();
        let (layer, layer_type) = if draft.zstd {
            (zstd::encode_all(&draft.layer[..], 1).expect("memory"), ZSTD)
        } else {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(&draft.layer).expect("memory");
            (encoder.finish().expect("memory"), GZIP)
        };
        let blob = |bytes: &[u8], media_type: &str, more: u64| json!({ "mediaType": media_type, "digest": Digest::of(bytes), "size": bytes.len() as u64 + more });
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": blob(&config, CONFIG, 0),
            "layers": [blob(&layer, layer_type, draft.lie_bytes)],
        });
        for bytes in [config, layer] {
            let path = format!("blobs/{}", Digest::of(&bytes));
            self.put(path, bytes, "application/octet-stream");
        }
        manifest.to_string().into_bytes()
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
