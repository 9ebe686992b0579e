//! Names by digest in the node's Docker Engine. `docker load` gives none, and what names an
//! image by its digest, as minikube's addons and its manifest of cilium do, would pull it.
//! They stand in the file of the engine's names, into which minikube merges its own, too:
//! v1.38.1, `pkg/minikube/docker/store.go`. containerd takes them from the archive.

use std::io::Write;

use serde_json::{Value, json};

use crate::bundle::{Digest, ImagePart, PlatformView};
use crate::cluster::node_image::finish;
use crate::failure::Failure;
use crate::host::Engine;
use crate::install::TransferError;
use crate::progress::Progress;

/// Where the engine keeps its names. It writes the file when a name comes or goes, and reads
/// it at its start: the next one is the node's.
const NAMES: &str = "/var/lib/docker/image/overlay2/repositories.json";

/// Gives the names to the images of the seed, whose engine gets no more of them. Where the
/// engine has them elsewhere, that is said: without them most images are found all the same.
pub(super) fn name(
    view: PlatformView<'_>,
    engine: &Engine,
    container: &str,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    let images = view.cluster_images();
    let wanted: Vec<(&ImagePart, Digest)> = images
        .filter_map(|image| Some((image, image.named_digest()?)))
        .collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let output = engine.exec_output(container, &["cat", NAMES])?;
    let there = output.require_success().ok();
    let Some(names) = there.and_then(|there| with_digests(&there.stdout, &wanted)) else {
        progress.note("the node will not know its images by digest: its engine keeps its names elsewhere");
        return Ok(());
    };
    let script = format!("umask 077 && cat >{NAMES}.new && sync {NAMES}.new && mv {NAMES}.new {NAMES}");
    let mut running = engine.exec(container, &["/bin/sh", "-c", &script])?;
    let written = running.write_all(names.as_bytes());
    finish(running, written.map_err(TransferError::Write))
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
