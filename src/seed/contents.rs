//! What goes into the volume, and whether it arrived.

use std::collections::HashMap;
use std::io::Write;

use super::images::load_script;
use super::inlet::Inlet;
use super::loads::Loads;
use super::sink::{Sink, Stop};
use super::{DOCKER_ADDRESS, SeedError};
use crate::bundle::{BinaryRole, ContainerRuntime, Digest, ImagePart, Member, PlatformView};
use crate::docker::{Engine, EngineError};
use crate::install::{ImageSet, TransferError, transfer};
use crate::minikube::binaries_in_node;
use crate::progress::Progress;
use crate::verify::PlatformBundle;

/// What a complete volume holds, as one digest.
pub(crate) fn content(view: PlatformView<'_>, runtime: ContainerRuntime) -> Digest {
    let binaries = BinaryRole::KUBERNETES.map(|role| format!("{role} {}", view.binary(role).sha256));
    let images = view.cluster_images().map(|image| {
        let digest = image.named_digest().map(|digest| format!(" {digest}"));
        format!(
            "{} {}{}",
            image.reference,
            image.config,
            digest.unwrap_or_default()
        )
    });
    let text = std::iter::once(format!("1 {runtime} {}", view.node_image().config))
        .chain(binaries)
        .chain(images)
        .collect::<Vec<_>>()
        .join("\n");
    Digest::of(text.as_bytes())
}

/// Gives the seed all that it needs, in one pass over the bundle.
pub(crate) fn pour(
    bundle: PlatformBundle<'_>,
    inlet: &Inlet<'_>,
    runtime: ContainerRuntime,
    progress: &dyn Progress,
) -> Result<(), SeedError> {
    let view = bundle.view();
    let load = load_script(runtime, Some(DOCKER_ADDRESS));
    let start = || inlet.start(&load);
    let directory = binaries_in_node(view.kubernetes_version());
    let unpack = format!("mkdir -p {directory} && exec tar -C {directory} -xf -");
    let mut images = Loads::new(view, &start);
    let mut programs = Sink::new(inlet.start(&unpack)?);
    match write(bundle, &mut images, &mut programs, progress) {
        Ok(()) => {
            programs.end().finish()?;
            images.finish()
        }
        Err(Stop::Failed(error)) => Err(error),
        Err(Stop::Written(error)) => match images.into_broken() {
            Some(sink) => sink.explain(error),
            None => programs.explain(error),
        },
    }
}

fn write(
    bundle: PlatformBundle<'_>,
    images: &mut Loads<'_>,
    programs: &mut Sink,
    progress: &dyn Progress,
) -> Result<(), Stop> {
    let view = bundle.view();
    let wanted = ImageSet::new(view, view.cluster_images());
    let paths = BinaryRole::KUBERNETES.map(|role| (role, view.binary(role).member_path()));
    let role_of = |member: &Member| {
        let found = paths.iter().find(|(_, path)| *path == member.path);
        found.map(|(role, _)| *role)
    };
    let moved = |bytes| progress.advance(bytes);
    let mut members = bundle.members(|member| wanted.wants(member) || role_of(member).is_some());
    while let Some(mut reader) = members.next_member().map_err(TransferError::from)? {
        let member = reader.member();
        if let Some(role) = role_of(member) {
            programs.begin(role.name(), member.size, 0o755)?;
            transfer(&mut reader, &mut [programs as &mut dyn Write], &moved)?;
        } else {
            images.take(member, &mut reader.by_its_chunks(), &moved)?;
        }
    }
    Ok(())
}

/// Asks the seed's runtime whether it has every image with the bundle's id.
pub(crate) fn verify(
    view: PlatformView<'_>,
    engine: &Engine,
    container: &str,
    runtime: ContainerRuntime,
) -> Result<(), SeedError> {
    let images: Vec<&ImagePart> = view.cluster_images().collect();
    let names: Vec<String> = images.iter().map(|image| image.reference.to_string()).collect();
    let mut arguments = match runtime {
        ContainerRuntime::Docker => {
            let format = "{{.Id}} {{json .RootFS.Layers}}";
            vec![
                "docker",
                "-H",
                DOCKER_ADDRESS,
                "image",
                "inspect",
                "--format",
                format,
            ]
        }
        ContainerRuntime::Containerd => vec!["ctr", "--namespace", "k8s.io", "images", "ls"],
    };
    if runtime == ContainerRuntime::Docker {
        arguments.extend(names.iter().map(String::as_str));
    }
    let output = engine.exec_output(container, &arguments)?;
    let text = output.require_success().map_err(EngineError::from)?.stdout;
    let other = match runtime {
        ContainerRuntime::Docker => first_other_in_docker(&text, &images),
        ContainerRuntime::Containerd => first_other_in_containerd(&text, &images),
    };
    match other {
        None => Ok(()),
        Some(image) => Err(SeedError::Image {
            image: image.reference.clone(),
        }),
    }
}

/// One line an image, in the order in which they were asked for: id and layers.
fn first_other_in_docker<'a>(text: &str, images: &[&'a ImagePart]) -> Option<&'a ImagePart> {
    let mut lines = text.lines();
    images.iter().copied().find(|image| {
        let line = lines.next().and_then(|line| line.split_once(' '));
        !line.is_some_and(|(id, layers)| {
            let id = Digest::parse(id).ok();
            let layers: Vec<Digest> = serde_json::from_str(layers).unwrap_or_default();
            id == Some(image.config) || id == Some(image.manifest) || layers == image.layers
        })
    })
}

/// A table: `REF TYPE DIGEST …`. The archive is an OCI layout, so the digest is that of
/// the bundle's manifest.
fn first_other_in_containerd<'a>(text: &str, images: &[&'a ImagePart]) -> Option<&'a ImagePart> {
    let there: HashMap<&str, &str> = text
        .lines()
        .filter_map(|line| {
            let mut columns = line.split_whitespace();
            Some((columns.next()?, columns.nth(1)?))
        })
        .collect();
    images.iter().copied().find(|image| {
        let digest = there.get(image.reference.to_string().as_str());
        digest.and_then(|digest| Digest::parse(digest).ok()) != Some(image.manifest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::testing::{index, view};

    #[test]
    fn the_content_changes_with_runtime_programs_and_images() {
        let index = index();
        let docker = content(view(&index), ContainerRuntime::Docker);
        assert_ne!(docker, content(view(&index), ContainerRuntime::Containerd));
        let mut other = index.clone();
        other.images[3].config = Digest::of(b"other");
        assert_ne!(docker, content(view(&other), ContainerRuntime::Docker));
        assert_eq!(docker, content(view(&index), ContainerRuntime::Docker));
    }

    #[test]
    fn another_image_under_the_name_is_found_out() {
        let index = index();
        let images: Vec<&ImagePart> = view(&index).cluster_images().collect();
        let line = |image: &&ImagePart| {
            format!(
                "{} {}\n",
                image.config,
                serde_json::to_string(&image.layers).expect("layers")
            )
        };
        let text: String = images.iter().map(line).collect();
        assert_eq!(first_other_in_docker(&text, &images), None);
        let wrong = text.replacen(&images[1].config.hex(), &Digest::of(b"x").hex(), 1);
        let wrong = wrong.replacen(&images[1].layers[1].hex(), &Digest::of(b"y").hex(), 1);
        assert_eq!(first_other_in_docker(&wrong, &images), Some(images[1]));

        let row = |image: &&ImagePart| {
            format!(
                "{} application/vnd.oci.image.manifest.v1+json {} 1.0 MiB linux/amd64 -\n",
                image.reference, image.manifest
            )
        };
        let table: String = std::iter::once("REF TYPE DIGEST SIZE PLATFORMS LABELS\n".to_owned())
            .chain(images.iter().map(row))
            .collect();
        assert_eq!(first_other_in_containerd(&table, &images), None);
        assert_eq!(first_other_in_containerd("", &images), Some(images[0]));
    }
}
