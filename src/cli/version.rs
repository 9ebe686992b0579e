//! `version`: which program this is and, in a bundle, which bundle.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::json;

use super::console::Console;
use super::path_value::path_value;
use crate::bundle::limits::FORMAT;
use crate::failure::Failure;
use crate::trust::TrustedKeys;
use crate::verify::OpenedBundle;

pub(super) fn run(bundle: Option<&Path>, console: &Console) -> Result<(), Failure> {
    let version = env!("CARGO_PKG_VERSION");
    let mut value = json!({ "version": version, "format": FORMAT });
    let mut text = format!("minikube-offline {version}\nformat      {FORMAT}");
    if let Some(path) = bundle {
        let bundle = OpenedBundle::open_to_show(path, &TrustedKeys::none())?;
        let index = bundle.index();
        let kubernetes = &index.cluster.kubernetes_version;
        let minikube = index.binaries.iter().find(|part| part.role.name() == "minikube");
        let minikube = minikube.and_then(|part| part.version.as_ref());
        let minikube = minikube.map(ToString::to_string);
        let _ = write!(
            text,
            "\nbundle      {} (serial {}), packed by {}\nKubernetes  {kubernetes}\nminikube    {}",
            index.name,
            index.serial,
            index.packer,
            minikube.as_deref().unwrap_or("unknown"),
        );
        value["bundle"] = json!({
            "file": path_value(path),
            "name": index.name,
            "serial": index.serial,
            "packer": index.packer,
            "kubernetes_version": kubernetes,
            "minikube_version": minikube,
        });
    }
    #[cfg(feature = "packager")]
    if bundle.is_none() {
        let known: Vec<&str> = crate::fetch::known_minikubes().collect();
        let _ = write!(text, "\nminikube    {}", known.join(", "));
        value["minikube_versions"] = json!(known);
    }
    console.result(&text, &value)
}
