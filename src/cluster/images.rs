//! The images inside a node: which are there, and how they come in.

use std::collections::HashMap;
use std::io::Write;

use serde::Deserialize;

use super::node_image::finish;
use crate::bundle::{ContainerRuntime, Digest, ImagePart, ImageReference, PlatformView};
use crate::failure::{Failure, Kind};
use crate::host::{Engine, EngineError};
use crate::install::{ImageSet, write_images};
use crate::progress::Progress;
use crate::verify::PlatformBundle;

/// A node without its images.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeImagesError {
    /// The runtime in the node says something that is not understood.
    #[error("the images in the node `{node}` cannot be listed")]
    List {
        /// The node.
        node: String,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
    /// Images are not there after they were loaded.
    #[error(
        "the node `{node}` does not have these images as the bundle has them: {}",
        names(missing)
    )]
    Missing {
        /// The node.
        node: String,
        /// Which ones.
        missing: Vec<ImageReference>,
    },
    /// The engine does not do what it is asked.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

fn names(images: &[ImageReference]) -> String {
    images
        .iter()
        .map(|image| format!("`{image}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

impl From<NodeImagesError> for Failure {
    fn from(error: NodeImagesError) -> Self {
        match error {
            NodeImagesError::Engine(error) => error.into(),
            _ => Self::new(Kind::Cluster, error).hint(
                "`docker exec NODE crictl images` shows what is there; `df -h` whether the disk is full; the same command again loads what is missing",
            ),
        }
    }
}

/// The program in a node that takes the archive on its stdin, once the runtime answers.
/// `address` is that of a runtime which was started for the seed alone.
pub(super) fn load_script(runtime: ContainerRuntime, address: Option<&str>) -> String {
    let (asked, load) = match runtime {
        ContainerRuntime::Docker => {
            let client =
                address.map_or_else(|| "docker".to_owned(), |address| format!("docker -H {address}"));
            (format!("{client} version"), format!("{client} load --quiet"))
        }
        ContainerRuntime::Containerd => (
            "ctr version".to_owned(),
            "ctr --namespace k8s.io images import -".to_owned(),
        ),
    };
    format!(
        "tries=0; until {asked} >/dev/null 2>&1; do tries=$((tries + 1)); \
         [ $tries -le 600 ] || {{ echo \"the node's {runtime} does not answer\" >&2; exit 1; }}; \
         sleep 0.1; done; exec {load}"
    )
}

/// The images of the bundle that the running node does not have under their names with
/// the bundle's ids.
pub(super) fn missing<'a>(
    engine: &Engine,
    node: &str,
    view: PlatformView<'a>,
) -> Result<Vec<&'a ImagePart>, NodeImagesError> {
    let output = engine.exec_output(node, &["crictl", "images", "--output", "json"])?;
    let output = output.require_success().map_err(EngineError::from)?;
    let there = parse_list(&output.stdout).map_err(|source| NodeImagesError::List {
        node: node.to_owned(),
        source,
    })?;
    Ok(view
        .cluster_images()
        .filter(|image| {
            let ids = [image.reference.to_string(), image.reference.familiar()]
                .into_iter()
                .find_map(|name| there.get(&name).copied());
            !ids.is_some_and(|id| id == image.config || id == image.manifest)
        })
        .collect())
}

/// Brings images into a node that runs.
pub(super) fn load_into_running(
    bundle: PlatformBundle<'_>,
    images: &[&ImagePart],
    engine: &Engine,
    node: &str,
    runtime: ContainerRuntime,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    let set = ImageSet::new(bundle.view(), images.iter().copied());
    let script = load_script(runtime, None);
    let mut running = engine.exec(node, &["/bin/sh", "-c", &script])?;
    let written = write_images(bundle, &set, &mut running as &mut dyn Write, &|bytes| {
        progress.advance(bytes);
    })
    .map(|_| ());
    finish(running, written)
}

/// Reads `crictl images --output json`: the id of each name. Source: CRI API,
/// `ListImagesResponse`.
fn parse_list(text: &str) -> Result<HashMap<String, Digest>, serde_json::Error> {
    #[derive(Deserialize)]
    struct List {
        #[serde(default)]
        images: Vec<Image>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Image {
        id: String,
        #[serde(default)]
        repo_tags: Vec<String>,
    }
    let list: List = serde_json::from_str(text)?;
    Ok(list
        .images
        .into_iter()
        .filter_map(|image| Some((Digest::parse(&image.id).ok()?, image.repo_tags)))
        .flat_map(|(id, tags)| tags.into_iter().map(move |tag| (tag, id)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runtimes_list_is_read() {
        let id = Digest::of(b"config");
        let text = format!(
            r#"{{"images":[{{"id":"{id}","repoTags":["registry.k8s.io/pause:3.10.1","pause:x"],"repoDigests":[],"size":"1","spec":null,"pinned":true}},{{"id":"what","repoTags":["y:1"]}}]}}"#
        );
        let there = parse_list(&text).expect("list");
        assert_eq!(there.get("registry.k8s.io/pause:3.10.1"), Some(&id));
        assert_eq!((there.len(), there.get("y:1")), (2, None));
        assert!(parse_list("{}").expect("empty").is_empty());
    }

    #[test]
    fn the_archive_is_read_only_once_the_runtime_answers() {
        let script = load_script(ContainerRuntime::Docker, Some("unix:///run/docker.sock"));
        assert!(
            script.starts_with("tries=0; until docker -H unix:///run/docker.sock version"),
            "{script}"
        );
        assert!(
            script.ends_with("exec docker -H unix:///run/docker.sock load --quiet"),
            "{script}"
        );
        assert!(load_script(ContainerRuntime::Containerd, None).ends_with("images import -"));
    }
}
