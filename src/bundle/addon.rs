//! minikube's addons that need no image.

/// Those for which minikube lists no image because they are Kubernetes manifests that name
/// none. In its answers nothing tells them from the others with an empty list, which get what
/// they need from a network: by Helm (traefik), by an operator (istio), or by images that only
/// their manifests name (kubeflow). Source: minikube, `pkg/minikube/assets/addons.go` and
/// `deploy/addons`, the same from v1.32.0 to v1.39.
const WITHOUT_IMAGES: [&str; 2] = ["default-storageclass", "pod-security-policy"];

/// Whether the addon, for which minikube lists no image, takes what it needs from a network.
#[must_use]
pub fn is_addon_of_network(addon: &str) -> bool {
    !WITHOUT_IMAGES.contains(&addon)
}
