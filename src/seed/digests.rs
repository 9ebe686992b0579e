//! Names by digest in a node. What names an image so, as minikube's addons and its manifest
//! of cilium do, would pull it if the runtime did not know it by that name. containerd takes
//! such names from the archive. Docker Engine takes none, `docker load` gives none: they
//! stand in the file of the engine's names, into which minikube merges its own, too:
//! v1.38.1, `pkg/minikube/docker/store.go`.

use std::io::Write;

use serde_json::{Value, json};

use super::SeedError;
use super::fed::finish;
use super::images::NodeImages;
use crate::bundle::{ContainerRuntime, Digest, ImagePart, ImageReference, PlatformView};
use crate::docker::Engine;
use crate::install::TransferError;

/// Where the engine keeps its names. It writes the file when a name comes or goes, and reads
/// it at its start: the next one is the node's.
const NAMES: &str = "/var/lib/docker/image/overlay2/repositories.json";

/// Writes the names of all images into that file, for the engine's next start: until then no
/// other name may come or go, for then it writes what it knows. Says whether they stand
/// there: not where the engine has its names elsewhere.
pub(crate) fn write(view: PlatformView<'_>, engine: &Engine, container: &str) -> Result<bool, SeedError> {
    let images = view.cluster_images();
    let wanted: Vec<(&ImagePart, Digest)> = images
        .filter_map(|image| Some((image, image.named_digest()?)))
        .collect();
    if wanted.is_empty() {
        return Ok(true);
    }
    let output = engine.exec_output(container, &["cat", NAMES])?;
    let there = output.require_success().ok();
    let Some(names) = there.and_then(|there| with_digests(&there.stdout, &wanted)) else {
        return Ok(false);
    };
    let script = format!("umask 077 && cat >{NAMES}.new && sync {NAMES}.new && mv {NAMES}.new {NAMES}");
    let mut running = engine.exec(container, &["/bin/sh", "-c", &script])?;
    let written = running.write_all(names.as_bytes());
    finish(running, written.map_err(TransferError::Write))?;
    Ok(true)
}

/// What a person should know of a running node whose runtime does not find each image by its
/// digest: after minikube loaded them from its cache, or they came into it as it ran.
pub(crate) fn look(
    view: PlatformView<'_>,
    images: &NodeImages,
    engine: &Engine,
    node: &str,
    runtime: ContainerRuntime,
) -> Result<Option<String>, SeedError> {
    let unnamed = images.without_digest(view);
    let Some(first) = unnamed.first() else {
        return Ok(None);
    };
    let written = runtime == ContainerRuntime::Docker && write(view, engine, node)?;
    let text = sentence(node, &first.reference, unnamed.len(), written);
    Ok(Some(text))
}

fn sentence(node: &str, first: &ImageReference, count: usize, from_next_start: bool) -> String {
    let which = match count {
        1 => format!("one image, `{first}`,"),
        count => format!("{count} images, such as `{first}`,"),
    };
    if from_next_start {
        format!(
            "the node `{node}` finds {which} by digest only from its next start on: until then a pod that \
             names it so does not come up; `minikube stop`, then start it again"
        )
    } else {
        format!(
            "the node `{node}` does not find {which} by digest: a pod that names it so does not come up; \
             give it the tag alone, which for an addon `minikube addons enable NAME --images` does"
        )
    }
}

/// The engine's names with those by digest; nothing where it has another form, or lacks one
/// of the images.
fn with_digests(text: &str, wanted: &[(&ImagePart, Digest)]) -> Option<String> {
    let mut names: Value = serde_json::from_str(text).ok()?;
    for (image, digest) in wanted {
        let by_tag = image.reference.familiar();
        let (repository, _) = by_tag.rsplit_once(':')?;
        let names = names
            .get_mut("Repositories")?
            .get_mut(repository)?
            .as_object_mut()?;
        let id = names.get(&by_tag)?.as_str()?.to_owned();
        names.insert(format!("{repository}@{digest}"), json!(id));
    }
    Some(names.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::testing::{index, view};

    #[test]
    fn what_is_not_found_by_digest_is_said_and_what_helps() {
        let image: ImageReference = "registry.k8s.io/x:1".parse().expect("reference");
        let later = sentence("minikube", &image, 1, true);
        assert_eq!(
            later,
            "the node `minikube` finds one image, `registry.k8s.io/x:1`, by digest only from its next start \
             on: until then a pod that names it so does not come up; `minikube stop`, then start it again"
        );
        let never = sentence("minikube-m02", &image, 3, false);
        assert_eq!(
            never,
            "the node `minikube-m02` does not find 3 images, such as `registry.k8s.io/x:1`, by digest: a pod \
             that names it so does not come up; give it the tag alone, which for an addon \
             `minikube addons enable NAME --images` does"
        );
    }

    #[test]
    fn a_name_by_digest_stands_beside_that_by_tag() {
        let mut index = index();
        index.images[3].reference = "docker.io/team/app:1".parse().expect("reference");
        let index = index;
        let images: Vec<&ImagePart> = view(&index).cluster_images().collect();
        let digest = Digest::of(b"list");
        let wanted = [(images[1], digest), (images[2], digest)];
        // As Docker Engine 20.10 writes it.
        let text = r#"{"Repositories":{"registry.k8s.io/pause":{"registry.k8s.io/pause:3.10.1":"sha256:1"},"team/app":{"team/app:1":"sha256:2"}}}"#;
        let names: Value = serde_json::from_str(&with_digests(text, &wanted).expect("names")).expect("JSON");
        let of =
            |repository: &str| names["Repositories"][repository][format!("{repository}@{digest}")].clone();
        assert_eq!(of("registry.k8s.io/pause"), json!("sha256:1"));
        assert_eq!(of("team/app"), json!("sha256:2"));
        assert_eq!(names["Repositories"]["team/app"]["team/app:1"], json!("sha256:2"));
        for other in [
            "",
            "{}",
            r#"{"Repositories":{}}"#,
            r#"{"Repositories":{"team/app":{}}}"#,
        ] {
            assert_eq!(with_digests(other, &wanted), None, "{other}");
        }
    }
}
