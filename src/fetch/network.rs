//! The images of the network between the pods. minikube names them in none of its lists,
//! and only when there is a node; so they are read from the program itself, which need not
//! be one for this machine.

mod kindnet;
mod manifest;
mod program;

use std::path::Path;

use super::FetchError;
use super::minikube::Minikube;
use super::resolve::Resolver;
use super::toolbox::Toolbox;
use super::upstream::WantedImage;
use crate::bundle::{BinaryRole, ImageReference};
use crate::spec::{Cni, ImageSource, Spec};
use manifest::{CALICO, CILIUM, FLANNEL, KUBE_VIP, Manifest};

impl Resolver<'_> {
    /// The images that the CNI of the spec needs, and those of several control planes.
    pub(super) fn of_network(&self, toolbox: &Toolbox<'_>) -> Result<Vec<WantedImage>, FetchError> {
        if !has_images(self.spec) {
            return Ok(Vec::new());
        }
        // It is read and not run, so it may be for any platform.
        let mut packed = toolbox.here.iter();
        let packed = packed.find(|binary| binary.pin.role == BinaryRole::Minikube);
        let minikube = match packed {
            Some(packed) => Some(packed.path.as_path()),
            None => toolbox.minikube()?.map(Minikube::path),
        };
        // Without any, it is named among what is missing.
        let Some(minikube) = minikube else {
            return Ok(Vec::new());
        };
        let shown = self
            .upstream
            .map_or_else(|| minikube.to_owned(), |upstream| upstream.shown(minikube));
        images(self.spec, minikube, &shown)
    }
}

/// Whether the spec asks for images that minikube names in none of its lists: the bridge's
/// plugins are in the node image.
pub(super) fn has_images(spec: &Spec) -> bool {
    spec.ha || !matches!(network_of(spec), Cni::Auto | Cni::Bridge)
}

/// The images of the spec's network as this `minikube` names them, and that of several
/// control planes. Where it names none clearly, they are those that the spec gives. Messages
/// name it as `shown`.
pub(super) fn images(spec: &Spec, minikube: &Path, shown: &Path) -> Result<Vec<WantedImage>, FetchError> {
    let network = network_of(spec);
    let named = match network {
        Cni::Auto | Cni::Bridge => Ok(Vec::new()),
        Cni::Calico => CALICO.images(minikube)?,
        Cni::Cilium => CILIUM.images(minikube)?,
        Cni::Flannel => FLANNEL.images(minikube)?,
        Cni::Kindnet => kindnet::image(minikube)?.map(|image| vec![WantedImage::of_kubernetes(image)]),
    };
    let needs = manifest_of(network).map_or(&[kindnet::REPOSITORY][..], |manifest| manifest.needs);
    let mut images = named
        .or_else(|found| given(spec, needs).ok_or(found))
        .map_err(|found| FetchError::Network {
            network,
            path: shown.to_owned(),
            found,
        })?;
    if spec.ha {
        let named = KUBE_VIP.images(minikube)?;
        let of_planes = named
            .or_else(|found| given(spec, KUBE_VIP.needs).ok_or(found))
            .map_err(|found| FetchError::HighAvailability {
                path: shown.to_owned(),
                found,
            })?;
        images.extend(of_planes);
    }
    Ok(images)
}

/// The network that minikube takes when nobody names one: where there are several control
/// planes there are several nodes, and it is kindnet's.
fn network_of(spec: &Spec) -> Cni {
    match spec.cni {
        Cni::Auto if spec.ha => Cni::Kindnet,
        cni => cni,
    }
}

fn manifest_of(cni: Cni) -> Option<Manifest> {
    match cni {
        Cni::Calico => Some(CALICO),
        Cni::Cilium => Some(CILIUM),
        Cni::Flannel => Some(FLANNEL),
        Cni::Auto | Cni::Bridge | Cni::Kindnet => None,
    }
}

/// The images that the spec gives where each of `needs` is among them; of these, those that
/// have their names in the spec. They are the cluster's, and no application's.
fn given(spec: &Spec, needs: &[&str]) -> Option<Vec<WantedImage>> {
    let is_given = |need: &&str| {
        let name = format!("{need}:");
        spec.images.iter().any(|image| image.to_string().contains(&name))
    };
    if !needs.iter().all(is_given) {
        return None;
    }
    let images = spec.images.iter().filter_map(|image| match image {
        ImageSource::Docker { reference, .. } => Some(reference.clone()),
        _ => None,
    });
    let is_needed = |image: &ImageReference| needs.iter().any(|need| image.repository().ends_with(need));
    Some(images.filter(is_needed).map(WantedImage::of_kubernetes).collect())
}
