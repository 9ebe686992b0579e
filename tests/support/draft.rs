//! A bundle in the making, each run of which can be spoilt: written from `FORMAT.md`,
//! without the packager. Whatever is spoilt, the rest fits it and a valid key signs it.

use std::path::PathBuf;

use minikube_offline::bundle::{
    Application, Attestation, BinaryPart, BinaryRole, BundleIndex, ChunkTable, ClusterFacts,
    ContainerRuntime, Digest, Extent, FilePart, FileRole, Frame, INDEX_COMMENT, ImagePart, ImageRole, Member,
    Origin, Platform, Signature, StubEntry, TAR_END_BYTES, Trailer, Transport, Verification,
    attestation_path, blob_path, tail_header,
};
use minikube_offline::trust::{KeyDirectory, TrustDirectories, TrustedKeys};
use minisign::KeyPair;
use serde_json::json;

/// A machine without pinned keys.
pub(crate) fn nowhere() -> TrustDirectories {
    let system = KeyDirectory::new(PathBuf::from("/no/such/directory"), 0);
    TrustDirectories { system, user: None }
}

/// A key that signs, and that a reader trusts.
pub(crate) struct Key(KeyPair);

impl Key {
    pub(crate) fn new() -> Self {
        Self(KeyPair::generate_unencrypted_keypair().expect("a key"))
    }

    /// The public half, as `--key` takes it.
    pub(crate) fn base64(&self) -> String {
        self.0.pk.to_base64()
    }

    /// This key alone, as it counts in one run.
    pub(crate) fn trusted(&self) -> TrustedKeys {
        TrustedKeys::load(&[self.base64()], &nowhere()).expect("a key")
    }

    pub(crate) fn sign(&self, message: &[u8], comment: &str) -> [u8; Signature::RUN_BYTES] {
        let signed = minisign::sign(None, &self.0.sk, message, Some(comment), None).expect("a signature");
        let text = signed.to_string().replace(
            &format!("trusted comment: {comment}"),
            &format!("trusted comment: {INDEX_COMMENT}"),
        );
        let signature = Signature::parse_text(&text).expect("a signature");
        signature.encode_run().expect("a run")
    }
}

/// All that follows the payload.
pub(crate) struct Tail {
    pub(crate) front: Vec<u8>,
    pub(crate) json: Vec<u8>,
    pub(crate) run: Vec<u8>,
    pub(crate) trailer: Vec<u8>,
}

/// A bundle in the making.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) header: Vec<u8>,
    pub(crate) stub: Vec<u8>,
    /// What each frame decodes to: tar headers, contents, padding.
    pub(crate) plain: Vec<Vec<u8>>,
    /// The frames as stored.
    pub(crate) stored: Vec<Vec<u8>>,
    pub(crate) index: BundleIndex,
}

fn origin() -> Origin {
    let verification = Verification::RegistryTag {
        subject: "a test".to_owned(),
        digest: Digest::of(b"tag"),
    };
    Origin {
        url: Some("https://x.example/part".to_owned()),
        verified_by: vec![verification],
        ..Origin::by(Transport::File)
    }
}

/// A publisher's signature of these `files`: it and its certificate, and what is signed
/// when that is not the part itself.
fn published(files: &[Vec<u8>]) -> Attestation {
    let mut files = files.iter().map(|file| Digest::of(file));
    Attestation {
        url: "https://publisher.example/part.sig".to_owned(),
        signature: files.next().expect("a signature"),
        certificates: files.next().into_iter().collect(),
        documents: files.collect(),
        log: None,
    }
}

/// An image in the making.
struct Image {
    part: ImagePart,
    blobs: Vec<Vec<u8>>,
}

impl Image {
    fn new(
        platform: Platform,
        (role, reference): (ImageRole, &str),
        layers: &[Vec<u8>],
        config: Option<&Vec<u8>>,
    ) -> Self {
        let diff_ids: Vec<Digest> = layers.iter().map(|layer| Digest::of(layer)).collect();
        let right = json!({
            "architecture": platform.arch.name(),
            "os": "linux",
            "config": { "Labels": { "name": reference } },
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        });
        let config = config.cloned().unwrap_or_else(|| right.to_string().into_bytes());
        let blob = |media_type: &str, bytes: &[u8]| json!({ "mediaType": media_type, "digest": Digest::of(bytes), "size": bytes.len() });
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": blob("application/vnd.oci.image.config.v1+json", &config),
            "layers": layers
                .iter()
                .map(|layer| blob("application/vnd.oci.image.layer.v1.tar", layer))
                .collect::<Vec<_>>(),
        });
        let manifest = manifest.to_string().into_bytes();
        let part = ImagePart {
            role,
            reference: reference.parse().expect("a reference"),
            platform,
            config: Digest::of(&config),
            layers: diff_ids,
            manifest: Digest::of(&manifest),
            origin: origin(),
            named_by: Vec::new(),
        };
        let mut blobs = vec![manifest, config];
        blobs.extend_from_slice(layers);
        Self { part, blobs }
    }
}

/// The documents that name the images to other tools: `index.json`, and `manifest.json`.
fn layout(images: &[Image]) -> [Vec<u8>; 2] {
    let named = images.iter().map(|Image { part, blobs }| {
        json!({
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": part.manifest,
            "size": blobs[0].len(),
            "platform": { "architecture": part.platform.arch.name(), "os": "linux" },
            "annotations": {
                "io.containerd.image.name": part.reference,
                "org.opencontainers.image.ref.name": part.reference,
            },
        })
    });
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": named.collect::<Vec<_>>(),
    });
    let path = |digest: &Digest| format!("blobs/sha256/{}", digest.hex());
    let docker = images.iter().map(|Image { part, .. }| {
        let layers: Vec<String> = part.layers.iter().map(path).collect();
        json!({ "Config": path(&part.config), "RepoTags": [part.reference], "Layers": layers })
    });
    let docker = docker.collect::<serde_json::Value>();
    [index, docker].map(|json| json.to_string().into_bytes())
}

/// What a draft is made of.
pub(crate) struct Contents {
    /// One for each role.
    pub(crate) programs: [Vec<u8>; 4],
    /// The layer that all images have, and one for each image.
    pub(crate) layers: [Vec<u8>; 4],
    /// The config of the last image, where it is not to be the right one.
    pub(crate) config: Option<Vec<u8>>,
    /// The files of a publisher's signature of kubelet, and with the last of the second
    /// image: signature, certificate, document; or none.
    pub(crate) attestations: Vec<Vec<u8>>,
    /// Makes other documents, `index.json` and `manifest.json`, of the right ones.
    pub(crate) layout: fn([Vec<u8>; 2]) -> [Vec<u8>; 2],
    /// What whoever packed it added.
    pub(crate) files: Vec<(FileRole, &'static str, &'static [u8])>,
    /// What a start installs: then there is a Helm.
    pub(crate) applications: Vec<Application>,
}

impl Contents {
    pub(crate) fn small() -> Self {
        let text = |what: &str, size| what.bytes().cycle().take(size).collect();
        Self {
            programs: BinaryRole::ALL.map(|role| text(role.name(), 700)),
            layers: ["base", "node", "pause", "app"].map(|layer| text(layer, 1024)),
            config: None,
            attestations: Vec::new(),
            layout: |right| right,
            files: Vec::new(),
            applications: Vec::new(),
        }
    }

    /// The same with files of whoever packed it.
    pub(crate) fn with_files() -> Self {
        Self {
            files: vec![
                (FileRole::Manifest, "app.yaml", b"kind: App\n"),
                (FileRole::File, "notes.txt", b"read me\n"),
                (FileRole::File, "other.txt", b"or me\n"),
            ],
            ..Self::small()
        }
    }

    /// The same with two applications that have one chart.
    pub(crate) fn with_applications() -> Self {
        let application = |release: &str, values: &[&str]| Application {
            release: release.to_owned(),
            namespace: "web".to_owned(),
            chart: "web-1.2.3.tgz".to_owned(),
            values: values.iter().map(|&name| name.to_owned()).collect(),
        };
        Self {
            files: vec![
                (FileRole::File, "notes.txt", b"read me\n"),
                (FileRole::Chart, "web-1.2.3.tgz", b"a chart"),
                (FileRole::Values, "01-web-1.yaml", b"a: 1\n"),
            ],
            applications: vec![
                application("web", &["01-web-1.yaml"]),
                application("web.two", &[]),
            ],
            ..Self::small()
        }
    }

    /// The same, signed by its publisher; nobody looks whether that holds.
    pub(crate) fn signed() -> Self {
        Self {
            attestations: ["signature", "certificate", "document"].map(Into::into).into(),
            ..Self::small()
        }
    }
}

const IMAGES: [(ImageRole, &str); 3] = [
    (ImageRole::Node, "gcr.io/k8s-minikube/kicbase:v0.0.50"),
    (ImageRole::Kubernetes, "registry.k8s.io/pause:3.10.1"),
    (ImageRole::Application, "docker.io/library/app:1"),
];

impl Draft {
    /// A small bundle without a fault: the images in one frame, the programs in another.
    pub(crate) fn sound() -> Self {
        Self::of(&Contents::small())
    }

    pub(crate) fn of(contents: &Contents) -> Self {
        let platform = Platform::of_this_machine().expect("a bundle can be for this machine");
        let [base, layers @ ..] = &contents.layers;
        let images: Vec<Image> = IMAGES
            .iter()
            .zip(layers)
            .map(|(named, layer)| {
                let config = contents
                    .config
                    .as_ref()
                    .filter(|_| named.0 == ImageRole::Application);
                Image::new(platform, *named, &[base.clone(), layer.clone()], config)
            })
            .collect();
        let [index_json, manifest_json] = (contents.layout)(layout(&images));
        let mut files: Vec<(String, &[u8])> = vec![
            (
                "images/oci-layout".to_owned(),
                br#"{"imageLayoutVersion":"1.0.0"}"#,
            ),
            ("images/index.json".to_owned(), &index_json),
            ("images/manifest.json".to_owned(), &manifest_json),
        ];
        for blob in images.iter().flat_map(|image| &image.blobs) {
            let path = blob_path(Digest::of(blob));
            if files.iter().all(|(there, _)| *there != path) {
                files.push((path, blob));
            }
        }
        for file in &contents.attestations {
            files.push((attestation_path(Digest::of(file)), file));
        }
        let in_images = files.len() as u64;
        let programs = contents.programs.iter().map(Vec::as_slice);
        let programs: Vec<(BinaryRole, &[u8])> = BinaryRole::of_bundle(!contents.applications.is_empty())
            .zip(programs.chain([b"a Helm".as_slice()]))
            .collect();
        for (role, program) in &programs {
            files.push((format!("bin/{platform}/{role}"), program));
        }
        for (role, name, bytes) in &contents.files {
            files.push((format!("{}/{name}", role.directory()), bytes));
        }
        let in_programs = files.len() as u64 - in_images;
        let members: Vec<Member> = files
            .iter()
            .map(|(path, bytes)| Member {
                path: path.clone(),
                size: bytes.len() as u64,
                sha256: Digest::of(bytes),
            })
            .collect();
        let binaries = programs.iter();
        let mut draft = Self {
            header: block(b"#!/bin/sh\nexit 9\n"),
            stub: block(b"\x7fELF, not quite"),
            plain: vec![Vec::new(), Vec::new()],
            stored: Vec::new(),
            index: BundleIndex {
                applications: contents.applications.clone(),
                format: 1,
                name: "draft".to_owned(),
                serial: 7,
                packer: "a test".to_owned(),
                resolved: None,
                cluster: ClusterFacts {
                    platforms: vec![platform],
                    kubernetes_version: "v1.35.4".parse().expect("a version"),
                    container_runtime: ContainerRuntime::Docker,
                },
                header: Extent {
                    size: 4096,
                    sha256: Digest::of(b""),
                },
                stubs: vec![StubEntry {
                    platform,
                    size: 4096,
                    sha256: Digest::of(b""),
                }],
                volumes: Vec::new(),
                chunks: Vec::new(),
                frames: [in_images, in_programs]
                    .map(|members| Frame {
                        size: 0,
                        plain_size: 0,
                        members,
                    })
                    .into(),
                members,
                binaries: binaries
                    .map(|(role, program)| BinaryPart {
                        role: *role,
                        version: None,
                        platform,
                        size: program.len() as u64,
                        sha256: Digest::of(program),
                        origin: origin(),
                    })
                    .collect(),
                images: images.iter().map(|image| image.part.clone()).collect(),
                image_indexes: Vec::new(),
                packages: None,
                files: contents
                    .files
                    .iter()
                    .map(|(role, name, bytes)| FilePart {
                        role: *role,
                        name: (*name).to_owned(),
                        size: bytes.len() as u64,
                        sha256: Digest::of(bytes),
                        origin: origin(),
                    })
                    .collect(),
            },
        };
        for (number, (member, (_, bytes))) in draft.index.members.iter().zip(&files).enumerate() {
            let plain = &mut draft.plain[usize::from(number as u64 >= in_images)];
            plain.extend_from_slice(&member.tar_header().expect("a short path"));
            plain.extend_from_slice(bytes);
            plain.extend(std::iter::repeat_n(0, member.padding()));
        }
        draft.plain[1].extend_from_slice(&[0; TAR_END_BYTES]);
        for (frame, plain) in draft.index.frames.iter_mut().zip(&draft.plain) {
            frame.plain_size = plain.len() as u64;
        }
        if let Some(of_program) = contents.attestations.get(..2) {
            draft.index.binaries[2].origin.attestations = vec![published(of_program)];
            draft.index.images[1].origin.attestations = vec![published(&contents.attestations)];
        }
        draft.compress();
        draft.fit();
        draft
    }

    /// The frames again from what they decode to.
    pub(crate) fn compress(&mut self) {
        self.stored = self.plain.iter().map(|plain| frame(plain)).collect();
    }

    /// Sizes and digests in the index that follow from header, stub and stored frames.
    pub(crate) fn fit(&mut self) {
        self.index.header = Extent {
            size: self.header.len() as u64,
            sha256: Digest::of(&self.header),
        };
        self.index.stubs[0].size = self.stub.len() as u64;
        self.index.stubs[0].sha256 = Digest::of(&self.stub);
        let mut chunks = ChunkTable::new();
        for (frame, stored) in self.index.frames.iter_mut().zip(&self.stored) {
            frame.size = stored.len() as u64;
            chunks.update(stored);
        }
        self.index.chunks = chunks.finish();
    }

    /// The index as it is, whether a reader accepts it or not.
    pub(crate) fn json(&self) -> String {
        serde_json::to_string(&self.index).expect("an index")
    }

    /// The whole file, signed.
    pub(crate) fn finish(&self, key: &Key) -> Vec<u8> {
        self.finish_with(self.json().into_bytes(), key, |_, _| {})
    }

    /// The whole file, unsigned.
    pub(crate) fn finish_unsigned(&self) -> Vec<u8> {
        self.assemble(self.json().into_bytes(), Signature::UNSIGNED, |_| {})
    }

    /// The whole file, with this index, and a tail that `spoil` changes at last.
    pub(crate) fn finish_with(
        &self,
        json: Vec<u8>,
        key: &Key,
        spoil: impl FnOnce(&mut Tail, &Key),
    ) -> Vec<u8> {
        let run = key.sign(&json, INDEX_COMMENT);
        self.assemble(json, run, |tail| spoil(tail, key))
    }

    fn assemble(
        &self,
        json: Vec<u8>,
        run: [u8; Signature::RUN_BYTES],
        spoil: impl FnOnce(&mut Tail),
    ) -> Vec<u8> {
        let mut bytes = self.front();
        let trailer = Trailer {
            total_bytes: (bytes.len() + 8 + json.len() + run.len() + Trailer::BYTES) as u64,
            index_offset: (bytes.len() + 8) as u64,
            index_bytes: json.len() as u64,
            sealed_sha256: Trailer::seal(&json, &run),
        };
        let mut tail = Tail {
            front: tail_header(trailer.total_bytes - trailer.index_offset).to_vec(),
            json,
            run: run.to_vec(),
            trailer: trailer.encode().to_vec(),
        };
        spoil(&mut tail);
        for run in [tail.front, tail.json, tail.run, tail.trailer] {
            bytes.extend(run);
        }
        bytes
    }

    /// Everything before the tail.
    pub(crate) fn front(&self) -> Vec<u8> {
        [&self.header, &self.stub]
            .into_iter()
            .chain(&self.stored)
            .flatten()
            .copied()
            .collect()
    }
}

/// `bytes` padded to a block.
pub(crate) fn block(bytes: &[u8]) -> Vec<u8> {
    let mut block = bytes.to_vec();
    block.resize(bytes.len().next_multiple_of(4096), b'#');
    block
}

/// One zstd frame as the format wants it.
pub(crate) fn frame(plain: &[u8]) -> Vec<u8> {
    let mut compressor = zstd::bulk::Compressor::new(3).expect("a compressor");
    compressor.include_checksum(false).expect("a parameter");
    compressor.include_contentsize(true).expect("a parameter");
    compressor.compress(plain).expect("a frame")
}
