//! Programs and images: roles, names, platforms, and configs that say otherwise.

use minikube_offline::bundle::{BinaryRole, Digest, Extent, ImageIndex, ImageRole};

use super::Case;
use crate::draft::{Contents, Draft};

const ROLES: &str = "there is not one program for each platform and role";
const FOLLOWS: &str = "does not follow from the index";
const JSON: &str = "the index is not format 1";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = programs();
    cases.extend(images());
    cases.extend(references());
    cases.extend(documents());
    cases.extend(platforms());
    cases
}

fn platforms() -> Vec<Case> {
    let order = "the platforms are not in order";
    vec![
        Case::draft("no platform", order, |draft| {
            draft.index.cluster.platforms.clear()
        }),
        Case::draft("a platform twice", order, |draft| {
            let platform = draft.index.cluster.platforms[0];
            draft.index.cluster.platforms.push(platform);
        }),
        Case::draft("platforms in another order", order, |draft| {
            draft.index.cluster.platforms = ["linux/arm64", "linux/amd64"]
                .map(|name| name.parse().expect("a platform"))
                .into();
        }),
        Case::draft(
            "two platforms and the stub of one",
            "there is not one stub for each platform",
            |draft| {
                draft.index.cluster.platforms = ["linux/amd64", "linux/arm64"]
                    .map(|name| name.parse().expect("a platform"))
                    .into();
            },
        ),
        Case::draft(
            "a list for one platform",
            "there is not one image index for each image's name",
            |draft| {
                let (reference, digest) = (
                    draft.index.images[0].reference.clone(),
                    draft.index.images[0].manifest,
                );
                draft.index.image_indexes.push(ImageIndex { reference, digest });
            },
        ),
        Case::draft("a list that is not there", "is missing", |draft| {
            let (reference, digest) = (draft.index.images[0].reference.clone(), Digest::of(b"nobody's"));
            draft.index.image_indexes.push(ImageIndex { reference, digest });
        }),
        Case::draft("a volume, and the payload in the first file", "", |draft| {
            let size = draft.index.frames.iter().map(|frame| frame.size).sum();
            let sha256 = Digest::of(b"other");
            draft.index.volumes.push(Extent { size, sha256 });
        }),
        Case::draft("an empty volume", "", |draft| {
            let (size, sha256) = (0, Digest::of(b""));
            draft.index.volumes.push(Extent { size, sha256 });
        }),
        Case::draft("a volume that is longer than the payload", "", |draft| {
            let (size, sha256) = (u64::MAX, Digest::of(b""));
            draft.index.volumes.push(Extent { size, sha256 });
        }),
        Case::draft("volumes whose sizes wrap around", "", |draft| {
            let size: u64 = draft.index.frames.iter().map(|frame| frame.size).sum();
            let sha256 = Digest::of(b"");
            draft.index.volumes = [u64::MAX - (1 << 20) + 1, size.wrapping_add(1 << 20)]
                .map(|size| Extent { size, sha256 })
                .into();
        }),
    ]
}

fn programs() -> Vec<Case> {
    vec![
        Case::draft("a program less", "no part needs", |draft| {
            drop(draft.index.binaries.pop())
        }),
        Case::draft("no program", "no part needs", |draft| {
            draft.index.binaries.clear()
        }),
        Case::draft("a program twice", ROLES, |draft| {
            let binary = draft.index.binaries[0].clone();
            draft.index.binaries.push(binary);
        }),
        Case::draft("programs in another order", ROLES, |draft| {
            draft.index.binaries.swap(0, 1)
        }),
        Case::draft("two programs with one role", "no part needs", |draft| {
            draft.index.binaries[1].role = BinaryRole::Minikube;
        }),
        Case::replace(
            "a role that is none",
            JSON,
            r#""role":"minikube""#,
            r#""role":"init""#,
        ),
        Case::replace(
            "a role in capitals",
            JSON,
            r#""role":"minikube""#,
            r#""role":"Minikube""#,
        ),
        Case::replace(
            "a version that is none",
            JSON,
            r#""version":null"#,
            r#""version":"../../v1""#,
        ),
        Case::draft(
            "a program of another size",
            "is not the file that it says",
            |draft| {
                draft.index.binaries[0].size += 1;
            },
        ),
        Case::draft(
            "a program with another digest",
            "is not the file that it says",
            |draft| {
                draft.index.binaries[0].sha256 = Digest::of(b"other");
            },
        ),
        Case::draft(
            "two programs with each other's files",
            "is not the file that it says",
            |draft| {
                let (one, two) = (draft.index.binaries[0].clone(), draft.index.binaries[2].clone());
                (draft.index.binaries[0].sha256, draft.index.binaries[0].size) = (two.sha256, two.size);
                (draft.index.binaries[2].sha256, draft.index.binaries[2].size) = (one.sha256, one.size);
            },
        ),
        Case::draft("a program for another platform", "no part needs", |draft| {
            draft.index.binaries[0].platform = other_platform(draft);
        }),
    ]
}

fn other_platform(draft: &Draft) -> minikube_offline::bundle::Platform {
    let name = match draft.index.cluster.platforms[0].to_string().as_str() {
        "linux/amd64" => "linux/arm64",
        _ => "linux/amd64",
    };
    name.parse().expect("a platform")
}

fn images() -> Vec<Case> {
    vec![
        Case::draft("no image", "no part needs", |draft| draft.index.images.clear()),
        Case::draft("an image less", "no part needs", |draft| {
            drop(draft.index.images.pop())
        }),
        Case::draft("no node image", "there is not one node image", |draft| {
            draft.index.images[0].role = ImageRole::Kubernetes;
        }),
        Case::draft("two node images", "there is not one node image", |draft| {
            draft.index.images[1].role = ImageRole::Node;
        }),
        Case::draft(
            "images in another order",
            "the images are not in order",
            |draft| draft.index.images.swap(1, 2),
        ),
        Case::draft("an image twice", "the images are not in order", |draft| {
            let image = draft.index.images[2].clone();
            draft.index.images.push(image);
        }),
        Case::draft("two images with one name", "have one name", |draft| {
            let reference = draft.index.images[2].reference.clone();
            draft.index.images[1].reference = reference;
        }),
        Case::draft("an image for another platform", "is for linux/", |draft| {
            draft.index.images[2].platform = other_platform(draft);
        }),
        Case::replace(
            "a role of an image that is none",
            JSON,
            r#""role":"node""#,
            r#""role":"root""#,
        ),
        Case::draft("an image whose config is not there", "no part needs", |draft| {
            draft.index.images[0].config = draft.index.images[1].config;
            draft.index.images[0].layers.push(Digest::of(b"nobody's"));
        }),
        Case::draft("a layer that is not there", "is missing", |draft| {
            draft.index.images[0].layers.push(Digest::of(b"nobody's"));
        }),
        Case::draft("a layer of a program's content", "is missing", |draft| {
            let program = draft.index.binaries[0].sha256;
            draft.index.images[0].layers.push(program);
        }),
    ]
}

/// Names outside the grammar of the distribution spec, and outside the one spelling.
fn references() -> Vec<Case> {
    let long = format!("registry.example/{}:1", "a".repeat(512));
    let tag = format!("registry.example/a:{}", "1".repeat(129));
    let names = [
        "",
        "app",
        "app:1",
        "docker.io/app:1",
        "registry.example/app",
        "registry.example/App:1",
        "registry.example/../etc:1",
        "registry.example/a//b:1",
        "registry.example/a/:1",
        "/registry.example/a:1",
        "registry.example/a:1/..",
        "registry.example/a:",
        "registry.example/a:.1",
        "registry.example/a:-1",
        "registry.example/a b:1",
        "registry.example/a:1 --privileged",
        "--privileged",
        "registry.example/a:1\n",
        "registry.example/a:1\u{1b}[2J",
        "registry.example/a:1\0",
        "registry.example/é:1",
        "registry.example:99999/a:1",
        "registry.example:x/a:1",
        "-registry.example/a:1",
        "registry..example/a:1",
        "registry.example/a:1@sha256:00",
        "registry.example/a__-b:1",
        "registry.example/_a:1",
        "https://registry.example/a:1",
        "registry.example/a;id:1",
        "registry.example/$(id):1",
        "[::1]/a:1",
        &long,
        &tag,
    ];
    names
        .into_iter()
        .map(|name| {
            let to = serde_json::to_string(name).expect("text");
            let shown: String = name.escape_default().to_string().chars().take(50).collect();
            let canonical = ["app", "app:1", "docker.io/app:1", "registry.example/app"].contains(&name);
            let says = if canonical {
                "it is not spelled out in full"
            } else {
                JSON
            };
            Case::replace(
                format!("an image is named `{shown}`"),
                says,
                r#""docker.io/library/app:1""#,
                to,
            )
        })
        .collect()
}

/// Configs and manifests that do not say what the index says: the payload is whole.
fn documents() -> Vec<Case> {
    vec![
        layout("an index.json of no images", |[_, docker]| [b"{}".into(), docker]),
        layout("an index.json with a space", |[index, docker]| {
            [[b" ".to_vec(), index].concat(), docker]
        }),
        layout("an index.json of more than 4 MiB", |[_, docker]| {
            [vec![b' '; (4 << 20) + 1], docker]
        }),
        layout(
            "an index.json that names one image by another's name",
            |[index, docker]| [renamed(&index), docker],
        ),
        layout("a manifest.json of no images", |[index, _]| [index, b"[]".into()]),
        layout(
            "a manifest.json that names one image by another's name",
            |[index, docker]| [index, renamed(&docker)],
        ),
        Case::draft("a layer named twice", FOLLOWS, |draft| {
            let layer = draft.index.images[0].layers[0];
            draft.index.images[0].layers.push(layer);
        }),
        Case::draft("layers in another order", FOLLOWS, |draft| {
            draft.index.images[1].layers.reverse();
        }),
        Case::draft("an image with another one's config", "no part needs", |draft| {
            draft.index.images[1].config = draft.index.images[0].config;
        }),
        Case::draft("two images with each other's configs", FOLLOWS, |draft| {
            let (node, pause) = (draft.index.images[0].config, draft.index.images[1].config);
            draft.index.images[0].config = pause;
            draft.index.images[1].config = node;
        }),
        Case::draft("two images with each other's manifests", FOLLOWS, |draft| {
            let (node, pause) = (draft.index.images[0].manifest, draft.index.images[1].manifest);
            draft.index.images[0].manifest = pause;
            draft.index.images[1].manifest = node;
        }),
        Case::draft("a layer as a config", FOLLOWS, |draft| {
            let layer = draft.index.images[2].layers[1];
            let config = draft.index.images[2].config;
            draft.index.images[2].layers[1] = config;
            draft.index.images[2].config = layer;
        }),
        config(
            "a config of more than 4 MiB",
            "larger than such a file can be",
            || vec![b' '; (4 << 20) + 1],
        ),
        config("a config nested 4 MiB deep", "it is not an image config", || {
            vec![b'['; 4 << 20]
        }),
        config("a config that is no JSON", "it is not an image config", || {
            b"config".to_vec()
        }),
        config("an empty config", "it is not an image config", Vec::new),
        config("a config without layers", "does not describe", || {
            br#"{"architecture":"amd64","os":"linux","rootfs":{}}"#.to_vec()
        }),
        config(
            "a config for another system",
            "only linux/amd64 and linux/arm64",
            || br#"{"architecture":"amd64","os":"windows","rootfs":{"diff_ids":[]}}"#.to_vec(),
        ),
    ]
}

/// Pause is the application, and the application is pause.
fn renamed(document: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(document.to_vec()).expect("JSON");
    let (pause, app) = ("registry.k8s.io/pause:3.10.1", "docker.io/library/app:1");
    text.replace(pause, "@")
        .replace(app, pause)
        .replace('@', app)
        .into_bytes()
}

/// The documents that name the images to other tools are others.
fn layout(name: &str, documents: fn([Vec<u8>; 2]) -> [Vec<u8>; 2]) -> Case {
    let says = if name.contains("4 MiB") {
        "larger than such a file can be"
    } else {
        FOLLOWS
    };
    Case::draft(name, says, move |draft| {
        *draft = Draft::of(&Contents {
            layout: documents,
            ..Contents::small()
        });
    })
}

/// The application's image has another config, which its manifest names.
fn config(name: &str, says: &str, bytes: fn() -> Vec<u8>) -> Case {
    Case::draft(name, says, move |draft| {
        let mut contents = Contents::small();
        contents.config = Some(bytes());
        *draft = Draft::of(&contents);
    })
}
