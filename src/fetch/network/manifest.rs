//! The images of a network whose manifest minikube carries as it is: they are what its
//! lines with `image:` name. Source: minikube v1.38.1, `pkg/minikube/cni/calico.yaml`,
//! `cilium.yaml`, `flannel.yaml`, which `go:embed` puts into the program.

use std::collections::BTreeMap;
use std::path::Path;

use super::program;
use crate::bundle::{ImageRole, Namer};
use crate::fetch::FetchError;
use crate::fetch::upstream::WantedImage;

/// The key of an image in a manifest.
const PREFIX: &[u8] = b"image: ";

/// A line of a manifest with an image has fewer bytes: the longest of v1.38.1's has 173.
const LINE_BYTES: usize = 512;

/// A network that minikube has a manifest of.
pub(super) struct Manifest {
    /// minikube's name for it.
    pub(super) network: &'static str,
    /// What is in the repository of each of its images.
    word: &'static str,
    /// How the repositories of those end that it cannot do without.
    pub(super) needs: &'static [&'static str],
}

/// Before v1.38 its manifest was a template, and names no image: minikube puts the names
/// together, of texts of which nothing in the program says what they are.
pub(super) const CALICO: Manifest = Manifest {
    network: "calico",
    word: "calico/",
    needs: &["calico/cni", "calico/kube-controllers", "calico/node"],
};

/// With an image of Envoy's since v1.34.
pub(super) const CILIUM: Manifest = Manifest {
    network: "cilium",
    word: "cilium/",
    needs: &["cilium/cilium", "cilium/operator-generic"],
};

pub(super) const FLANNEL: Manifest = Manifest {
    network: "flannel",
    word: "flannel",
    needs: &["/flannel", "/flannel-cni-plugin"],
};

/// What holds the address of several control planes: no network, but read in the same way.
/// Source: minikube v1.38.1, `pkg/minikube/cluster/ha/kube-vip/kube-vip.go:89`, and since
/// v1.33, which was the first to have `--ha`.
pub(super) const KUBE_VIP: Manifest = Manifest {
    network: "kube-vip",
    word: "kube-vip/",
    needs: &["/kube-vip"],
};

impl Manifest {
    /// The images that this `minikube` names, each by its digest where it names one; or
    /// what it names instead.
    pub(super) fn images(&self, minikube: &Path) -> Result<Result<Vec<WantedImage>, String>, FetchError> {
        let names = program::find(minikube, PREFIX, LINE_BYTES, name)?;
        Ok(self.chosen(&names))
    }

    fn chosen(&self, names: &[String]) -> Result<Vec<WantedImage>, String> {
        let network = self.network;
        let because = (Namer::CniManifest, Some(network.to_owned()));
        let mut by_repository: BTreeMap<String, Vec<(&String, WantedImage)>> = BTreeMap::new();
        for name in names {
            let image = WantedImage::parse(ImageRole::Kubernetes, name, &because);
            let Some(image) = image.filter(|image| image.reference.repository().contains(self.word)) else {
                continue;
            };
            let repository = image.reference.repository().to_owned();
            by_repository.entry(repository).or_default().push((name, image));
        }
        if by_repository.is_empty() {
            return Err(format!("no image of {network}"));
        }
        let is_there = |need: &&&str| {
            by_repository
                .keys()
                .any(|repository| repository.ends_with(**need))
        };
        if let Some(missing) = self.needs.iter().find(|need| !is_there(need)) {
            return Err(format!(
                "no image `{}` of {network}",
                missing.trim_start_matches('/')
            ));
        }
        let mut images = Vec::new();
        for several in by_repository.into_values() {
            match &several[..] {
                [(_, image)] => images.push(image.clone()),
                several => {
                    let names: Vec<&str> = several.iter().map(|(name, _)| name.as_str()).collect();
                    return Err(names.join(" and "));
                }
            }
        }
        Ok(images)
    }
}

/// The rest of a line, without the quotes around it.
fn name(bytes: &[u8]) -> Option<String> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let line = std::str::from_utf8(&bytes[..end]).ok()?;
    Some(line.trim().trim_matches(['"', '\'']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(manifest: &Manifest, text: &str) -> Result<Vec<String>, String> {
        let directory = tempfile::tempdir().expect("directory");
        let path = directory.path().join("minikube");
        std::fs::write(&path, text).expect("file");
        let images = manifest.images(&path).expect("read")?;
        let shown = images.iter().map(|image| {
            let digest = image.pinned.as_ref().map(|pinned| pinned.digest.hex());
            format!("{} {}", image.reference, digest.unwrap_or_default())
        });
        Ok(shown.map(|image| image.trim().to_owned()).collect())
    }

    // Lines of minikube v1.38.1's manifests.
    const FLANNEL_TEXT: &str = "      initContainers:
      - name: install-cni-plugin
        image: ghcr.io/flannel-io/flannel-cni-plugin:v1.9.0-flannel1
      - name: install-cni
        image: ghcr.io/flannel-io/flannel:v0.28.1
      containers:
        image: ghcr.io/flannel-io/flannel:v0.28.1
        image: {{.ImageName}}
";

    #[test]
    fn the_images_are_those_of_the_lines_of_its_manifest() {
        let flannel = [
            "ghcr.io/flannel-io/flannel:v0.28.1",
            "ghcr.io/flannel-io/flannel-cni-plugin:v1.9.0-flannel1",
        ];
        assert_eq!(
            named(&FLANNEL, FLANNEL_TEXT),
            Ok(flannel.map(str::to_owned).into())
        );
        assert_eq!(named(&CALICO, FLANNEL_TEXT), Err("no image of calico".to_owned()));
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let text = format!(
            "        image: \"quay.io/cilium/cilium:v1.19.0@sha256:{digest}\"\n        image: \
             \"quay.io/cilium/operator-generic:v1.19.0@sha256:{digest}\"\n"
        );
        let cilium = [
            format!("quay.io/cilium/cilium:v1.19.0 {digest}"),
            format!("quay.io/cilium/operator-generic:v1.19.0 {digest}"),
        ];
        assert_eq!(named(&CILIUM, &text), Ok(cilium.into()));
    }

    #[test]
    fn several_control_planes_have_an_image_in_a_template_of_their_own() {
        // Of minikube v1.38.1.
        let text =
            "    {{- end}}\n    image: ghcr.io/kube-vip/kube-vip:v1.0.4\n    imagePullPolicy: IfNotPresent\n";
        let image = "ghcr.io/kube-vip/kube-vip:v1.0.4".to_owned();
        assert_eq!(named(&KUBE_VIP, text), Ok(vec![image]));
        assert_eq!(
            named(&KUBE_VIP, FLANNEL_TEXT),
            Err("no image of kube-vip".to_owned())
        );
    }

    #[test]
    fn what_is_not_clear_is_not_taken() {
        // Of minikube v1.33.1, whose manifest is a template.
        let template = "        image: {{ .DaemonSetImageName }}\n        image: docker.io/x/y:1\n";
        assert_eq!(named(&CALICO, template), Err("no image of calico".to_owned()));
        let half = "image: ghcr.io/flannel-io/flannel:v0.28.1\n";
        assert_eq!(
            named(&FLANNEL, half),
            Err("no image `flannel-cni-plugin` of flannel".to_owned())
        );
        let two = format!("{FLANNEL_TEXT}image: ghcr.io/flannel-io/flannel:v0.28.2\n");
        assert_eq!(
            named(&FLANNEL, &two),
            Err("ghcr.io/flannel-io/flannel:v0.28.1 and ghcr.io/flannel-io/flannel:v0.28.2".to_owned())
        );
    }
}
