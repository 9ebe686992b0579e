//! An index and options for tests.

use crate::bundle::{
    BinaryPart, BinaryRole, BundleIndex, ClusterFacts, ContainerRuntime, Digest, Extent, Frame, ImagePart,
    ImageRole, Member, NamedBy, Namer, Origin, Platform, PlatformView, Transport, blob_path,
};

use crate::minikube::SiteOptions;

fn platform() -> Platform {
    "linux/amd64".parse().expect("platform")
}

/// The digest, as an addon names an image by it.
pub(crate) fn named(digest: Digest) -> NamedBy {
    NamedBy {
        digest,
        by: Namer::MinikubeAddon,
        name: Some("x".to_owned()),
    }
}

fn origin() -> Origin {
    Origin::by(Transport::File)
}

/// An image that shares its lowest layer with every other.
pub(crate) fn image(role: ImageRole, reference: &str) -> ImagePart {
    ImagePart {
        role,
        reference: reference.parse().expect("reference"),
        platform: platform(),
        config: Digest::of(format!("config {reference}").as_bytes()),
        layers: vec![
            Digest::of(b"base"),
            Digest::of(format!("layer {reference}").as_bytes()),
        ],
        manifest: Digest::of(format!("manifest {reference}").as_bytes()),
        origin: origin(),
        named_by: Vec::new(),
    }
}

/// An index with the facts that a start uses; its payload is not there.
pub(crate) fn index() -> BundleIndex {
    let images = vec![
        image(ImageRole::Node, "gcr.io/k8s-minikube/kicbase:v0.0.50"),
        image(ImageRole::Kubernetes, "registry.k8s.io/kube-apiserver:v1.35.4"),
        image(ImageRole::Kubernetes, "registry.k8s.io/pause:3.10.1"),
        image(ImageRole::Application, "docker.io/library/app:1"),
    ];
    let member = |path: String, sha256| Member {
        path,
        size: 1000,
        sha256,
    };
    let mut members: Vec<Member> = images
        .iter()
        .flat_map(ImagePart::blobs)
        .map(|digest| member(blob_path(digest), digest))
        .collect();
    members.sort_by(|one, two| one.path.cmp(&two.path));
    members.dedup();
    let binaries = BinaryRole::ALL.map(|role| BinaryPart {
        role,
        version: None,
        platform: platform(),
        size: 1000,
        sha256: Digest::of(role.name().as_bytes()),
        origin: origin(),
    });
    BundleIndex {
        format: 1,
        name: "test".to_owned(),
        serial: 1,
        packer: "test".to_owned(),
        resolved: None,
        cluster: ClusterFacts {
            platforms: vec![platform()],
            kubernetes_version: "v1.35.4".parse().expect("version"),
            container_runtime: ContainerRuntime::Docker,
        },
        header: Extent {
            size: 4096,
            sha256: Digest::of(b""),
        },
        stubs: Vec::new(),
        volumes: Vec::new(),
        chunks: Vec::new(),
        frames: Vec::<Frame>::new(),
        members,
        binaries: binaries.into(),
        images,
        image_indexes: Vec::new(),
        files: Vec::new(),
        applications: Vec::new(),
        packages: None,
    }
}

/// What `index` has for its one platform.
pub(crate) fn view(index: &BundleIndex) -> PlatformView<'_> {
    index.on(platform()).expect("its platform")
}

/// What a person who types `arguments` after `--` asks for.
pub(crate) fn with(arguments: &str) -> SiteOptions {
    SiteOptions {
        extra_args: arguments.split_whitespace().map(str::to_owned).collect(),
        ..SiteOptions::default()
    }
}
