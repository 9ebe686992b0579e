//! `version`: which program this is and, in a bundle, which bundle.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::json;

use super::console::Console;
use super::path_value::path_value;
use crate::bundle::Platform;
use crate::bundle::limits::FORMAT;
use crate::failure::Failure;
use crate::trust::TrustedKeys;
use crate::verify::OpenedBundle;

/// What the program was built from: `packaging/build` sets the variable.
const COMMIT: Option<&str> = option_env!("MINIKUBE_OFFLINE_COMMIT");

pub(super) fn run(bundle: Option<&Path>, console: &Console) -> Result<(), Failure> {
    let version = env!("CARGO_PKG_VERSION");
    let platform = Platform::of_this_machine().map_or_else(|| "unknown".to_owned(), |own| own.to_string());
    let mut value = json!({ "version": version, "commit": COMMIT, "format": FORMAT, "platform": platform });
    let mut text = format!(
        "minikube-offline {version}\ncommit      {}\nplatform    {platform}\nformat      {FORMAT}",
        COMMIT.unwrap_or("unknown")
    );
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
        let stubs = crate::pack::Stub::embedded();
        let carried = match stubs.as_slice() {
            [] => "none".to_owned(),
            stubs => stubs.join(", "),
        };
        let _ = write!(text, "\nstubs       {carried}\nminikube    {}", known.join(", "));
        value["stubs"] = json!(stubs);
        value["minikube_versions"] = json!(known);
    }
    console.result(&text, &value)
}
