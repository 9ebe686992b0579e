//! The images inside a node: which are there, and how they come in.

use std::collections::{HashMap, HashSet};
use std::io::Write;

use serde::Deserialize;

use super::SeedError;
use super::fed::finish;
use crate::bundle::{ContainerRuntime, Digest, ImagePart, ImageReference, PlatformView};
use crate::docker::{Engine, EngineError};
use crate::explain::{Explain, Explanation, Kind, in_one_line};
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

impl Explain for NodeImagesError {
    fn explain(&self) -> Explanation {
        match self {
            Self::Engine(error) => error.explain(),
            _ => Kind::Cluster.hint(
                "`docker exec NODE crictl images` shows what is there; `df -h` whether the disk is full; the same command again loads what is missing",
            ),
        }
    }
}

/// The program in a node that takes the archive on its stdin, once the runtime answers.
/// `address` is that of a runtime which was started for the seed alone.
pub(crate) fn load_script(runtime: ContainerRuntime, address: Option<&str>) -> String {
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

/// Loads images by `load`, and once more when the node's runtime ended early: containerd
/// sometimes does that to a sound archive, and minikube tries three times for the same reason.
/// Source: minikube, pull request 22310.
pub(crate) fn with_second_try<T>(
    progress: &dyn Progress,
    mut load: impl FnMut() -> Result<T, SeedError>,
) -> Result<T, SeedError> {
    match load() {
        Err(error) if ended_early(&error) => {
            progress.note("the node's runtime did not read an archive to its end: a second try");
            load()
        }
        loaded => loaded,
    }
}

/// Whether the runtime says that its input was too short. A damaged bundle is a failure of
/// another kind.
fn ended_early(error: &SeedError) -> bool {
    let text = in_one_line(error);
    error.is_the_runtimes()
        && ["unexpected EOF", "short read"]
            .iter()
            .any(|words| text.contains(words))
}

/// The images that a running node has.
#[derive(Debug, Default)]
pub(crate) struct NodeImages {
    /// Their ids by their names.
    ids: HashMap<String, Digest>,
    /// Their names by digest.
    digests: HashSet<String>,
}

/// Asks the node which images it has.
fn list(engine: &Engine, node: &str) -> Result<NodeImages, NodeImagesError> {
    let output = engine.exec_output(node, &["crictl", "images", "--output", "json"])?;
    let output = output.require_success().map_err(EngineError::from)?;
    parse_list(&output.stdout).map_err(|source| NodeImagesError::List {
        node: node.to_owned(),
        source,
    })
}

impl NodeImages {
    /// The images of the bundle that are not there under their names with the bundle's ids.
    fn missing<'a>(&self, view: PlatformView<'a>) -> Vec<&'a ImagePart> {
        let is_there = |image: &&ImagePart| {
            let names = [image.reference.to_string(), image.reference.familiar()];
            let id = names.iter().find_map(|name| self.ids.get(name).copied());
            id.is_some_and(|id| id == image.config || id == image.manifest)
        };
        view.cluster_images().filter(|image| !is_there(image)).collect()
    }

    /// The images of the bundle that somebody names by digest, and that are not found so.
    pub(crate) fn without_digest<'a>(&self, view: PlatformView<'a>) -> Vec<&'a ImagePart> {
        let is_found = |image: &ImagePart, digest: Digest| {
            let names = [image.reference.to_string(), image.reference.familiar()];
            let names = names.iter().filter_map(|name| name.rsplit_once(':'));
            names
                .map(|(repository, _)| format!("{repository}@{digest}"))
                .any(|name| self.digests.contains(&name))
        };
        let images = view.cluster_images();
        let named = images.filter_map(|image| Some((image, image.named_digest()?)));
        named
            .filter(|(image, digest)| !is_found(image, *digest))
            .map(|(image, _)| image)
            .collect()
    }
}

/// Brings into a node that runs what is missing there; says what it then has, and what was
/// told of it.
pub(crate) fn ensure(
    bundle: PlatformBundle<'_>,
    engine: &Engine,
    node: &str,
    runtime: ContainerRuntime,
    progress: &dyn Progress,
) -> Result<(NodeImages, Option<String>), SeedError> {
    let view = bundle.view();
    let there = list(engine, node)?;
    let missing = there.missing(view);
    if missing.is_empty() {
        return Ok((there, None));
    }
    let said = format!("{} images go into the running node `{node}`", missing.len());
    progress.note(&said);
    with_second_try(progress, || {
        load_into_running(bundle, &missing, engine, node, runtime, progress)
    })?;
    let there = list(engine, node)?;
    let still = there.missing(view);
    if still.is_empty() {
        return Ok((there, Some(said)));
    }
    Err(NodeImagesError::Missing {
        node: node.to_owned(),
        missing: still.iter().map(|image| image.reference.clone()).collect(),
    }
    .into())
}

/// Brings images into a node that runs.
fn load_into_running(
    bundle: PlatformBundle<'_>,
    images: &[&ImagePart],
    engine: &Engine,
    node: &str,
    runtime: ContainerRuntime,
    progress: &dyn Progress,
) -> Result<(), SeedError> {
    let set = ImageSet::new(bundle.view(), images.iter().copied());
    let script = load_script(runtime, None);
    let mut running = engine.exec(node, &["/bin/sh", "-c", &script])?;
    let written = write_images(bundle, &set, &mut running as &mut dyn Write, &|bytes| {
        progress.advance(bytes);
    })
    .map(|_| ());
    finish(running, written)
}

/// Reads `crictl images --output json`. Source: CRI API, `ListImagesResponse`.
fn parse_list(text: &str) -> Result<NodeImages, serde_json::Error> {
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
        #[serde(default)]
        repo_digests: Vec<String>,
    }
    let list: List = serde_json::from_str(text)?;
    let mut there = NodeImages::default();
    for image in list.images {
        if let Ok(id) = Digest::parse(&image.id) {
            there.ids.extend(image.repo_tags.into_iter().map(|tag| (tag, id)));
            there.digests.extend(image.repo_digests);
        }
    }
    Ok(there)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::testing::{index, view};
    use crate::progress::Silent;

    /// Programs that end with these words on stderr, one after the other, then one that does
    /// well; gives how many were run, and how it ended.
    fn load_after(failures: &[(Kind, &str)]) -> (usize, Result<(), String>) {
        let mut tries = 0;
        let loaded = with_second_try(&Silent, || {
            tries += 1;
            let Some((kind, words)) = failures.get(tries - 1) else {
                return Ok(());
            };
            Err(SeedError::Runtime {
                kind: *kind,
                message: "it failed".to_owned(),
                log: (*words).to_owned(),
            })
        });
        (tries, loaded.map_err(|error| error.to_string()))
    }

    #[test]
    fn a_load_that_ended_early_is_tried_once_more() {
        const CTR: &str = "ctr: failed to copy: failed to send write: unexpected EOF";
        assert_eq!(load_after(&[(Kind::Other, CTR)]), (2, Ok(())));
        assert_eq!(
            load_after(&[(Kind::Cluster, "ctr: short read: expected 9 bytes but got 4")]),
            (2, Ok(()))
        );
        let (tries, ended) = load_after(&[(Kind::Other, CTR), (Kind::Other, CTR)]);
        assert_eq!(tries, 2);
        assert!(ended.expect_err("it failed twice").contains(CTR));
        // Neither of these does better the second time.
        for once in [
            (Kind::Damaged, CTR),
            (Kind::NoSpace, CTR),
            (Kind::Other, "ctr: unknown flag"),
        ] {
            assert_eq!(load_after(&[once]).0, 1, "{once:?}");
        }
    }

    #[test]
    fn the_runtimes_list_is_read() {
        let id = Digest::of(b"config");
        let text = format!(
            r#"{{"images":[{{"id":"{id}","repoTags":["registry.k8s.io/pause:3.10.1","pause:x"],"repoDigests":[],"size":"1","spec":null,"pinned":true}},{{"id":"what","repoTags":["y:1"]}}]}}"#
        );
        let there = parse_list(&text).expect("list");
        assert_eq!(there.ids.get("registry.k8s.io/pause:3.10.1"), Some(&id));
        assert_eq!((there.ids.len(), there.ids.get("y:1")), (2, None));
        assert!(parse_list("{}").expect("empty").ids.is_empty());
    }

    #[test]
    fn an_image_that_somebody_names_by_digest_is_to_be_found_so() {
        let mut index = index();
        let digest = Digest::of(b"list");
        for image in &mut index.images[2..] {
            image.named_by = vec![crate::install::testing::named(digest)];
        }
        let without = |digests: &[String]| {
            let text = serde_json::json!({
                "images": [{"id": Digest::of(b"config").to_string(), "repoTags": [], "repoDigests": digests}]
            });
            let there = parse_list(&text.to_string()).expect("list");
            let images = there.without_digest(view(&index)).into_iter();
            images.map(|image| image.reference.familiar()).collect::<Vec<_>>()
        };
        let pause = format!("registry.k8s.io/pause@{digest}");
        let (familiar, full) = (format!("app@{digest}"), format!("docker.io/library/app@{digest}"));
        assert_eq!(without(&[]), ["registry.k8s.io/pause:3.10.1", "app:1"]);
        assert_eq!(without(std::slice::from_ref(&pause)), ["app:1"]);
        // Docker Engine leaves away what containerd writes in full.
        for name in [familiar, full] {
            assert_eq!(without(&[pause.clone(), name]), Vec::<String>::new());
        }
        let other = format!("app@{}", Digest::of(b"other"));
        assert_eq!(without(&[pause, other]), ["app:1"]);
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
