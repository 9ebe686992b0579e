//! The labels by which minikube knows what it makes in the engine. Source: minikube v1.38.1,
//! `drivers/kic/oci/types.go`, `CreatedByLabelKey` and `ProfileLabelKey`.

/// That it is minikube's: `true`.
pub(crate) const CREATED_BY: &str = "created_by.minikube.sigs.k8s.io";

/// The name of the profile or of the node that it is made for.
pub(crate) const NAME: &str = "name.minikube.sigs.k8s.io";
