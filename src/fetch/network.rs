//! The images of the network between the pods. minikube names them in none of its lists,
//! and only when there is a node; so they are read from the program itself, which need not
//! be one for this machine.

mod kindnet;
mod manifest;
mod program;

use std::path::Path;

use super::FetchError;
use super::upstream::WantedImage;
use crate::bundle::{ImageReference, ImageRole};
use crate::spec::{Cni, ImageSource, Spec};
use manifest::{CALICO, CILIUM, FLANNEL, Manifest};

/// Whether the network needs an image at all: the bridge's plugins are in the node image.
pub(super) fn has_images(cni: Cni) -> bool {
    !matches!(cni, Cni::Auto | Cni::Bridge)
}

/// The images of the spec's network as this `minikube` names them. Where it names none
/// clearly, they are those that the spec gives.
pub(super) fn images(spec: &Spec, minikube: &Path) -> Result<Vec<WantedImage>, FetchError> {
    let named = match spec.cni {
        Cni::Auto | Cni::Bridge => return Ok(Vec::new()),
        Cni::Calico => CALICO.images(minikube)?,
        Cni::Cilium => CILIUM.images(minikube)?,
        Cni::Flannel => FLANNEL.images(minikube)?,
        Cni::Kindnet => kindnet::image(minikube)?.map(|image| vec![wanted(image)]),
    };
    let needs = manifest_of(spec.cni).map_or(&[kindnet::REPOSITORY][..], |manifest| manifest.needs);
    let is_given = |need: &&str| {
        let name = format!("{need}:");
        spec.images.iter().any(|image| image.to_string().contains(&name))
    };
    match named {
        Ok(images) => Ok(images),
        Err(_) if needs.iter().all(is_given) => Ok(given(spec, needs)),
        Err(found) => Err(FetchError::Network {
            network: spec.cni,
            path: minikube.to_owned(),
            found,
        }),
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

/// The images of the spec that are the network's, as far as their names are in it. They
/// are the cluster's, and no application's.
fn given(spec: &Spec, needs: &[&str]) -> Vec<WantedImage> {
    let images = spec.images.iter().filter_map(|image| match image {
        ImageSource::Docker { reference, .. } => Some(reference.clone()),
        _ => None,
    });
    let is_needed = |image: &ImageReference| needs.iter().any(|need| image.repository().ends_with(need));
    images.filter(is_needed).map(wanted).collect()
}

fn wanted(reference: ImageReference) -> WantedImage {
    WantedImage {
        role: ImageRole::Kubernetes,
        reference,
        pinned: None,
    }
}
