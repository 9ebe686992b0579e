//! Whether minikube's cache has programs of others in the place of the bundle's: minikube runs
//! what it finds there as it is. Source: minikube v1.38.1, `pkg/minikube/download/binary.go:78`,
//! which looks for the name alone.

use std::path::PathBuf;

use super::finding::{Finding, fatal};
use crate::bundle::{BinaryRole, PlatformView};
use crate::host::FileError;
use crate::install::{Layout, Receipt};
use crate::install::{file_digest, recorded};
use crate::minikube::move_away;
use crate::minikube::{SiteOptions, Way};

/// A program that no bundle put there, and that is not this bundle's.
#[derive(Clone, Debug)]
pub(crate) struct ForeignProgram {
    pub(crate) role: BinaryRole,
    pub(crate) path: PathBuf,
}

/// Those that this start would use: minikube asks kubeadm for its images, and with
/// `--image-load cache` it copies the others into the node.
pub(crate) fn foreign_programs(
    view: PlatformView<'_>,
    options: &SiteOptions,
    layout: &Layout,
    receipt: &Receipt,
) -> Result<Vec<ForeignProgram>, FileError> {
    let mut foreign = Vec::new();
    for role in BinaryRole::KUBERNETES {
        if role != BinaryRole::Kubeadm && options.way != Way::Cache {
            continue;
        }
        let cache = layout.cache();
        let path = cache.binary(view.platform().arch, view.kubernetes_version(), role);
        let is_other = file_digest(&path)?.is_some_and(|digest| digest != view.binary(role).sha256);
        if is_other && recorded(receipt, &path)?.is_none() {
            foreign.push(ForeignProgram { role, path });
        }
    }
    Ok(foreign)
}

pub(crate) fn examine(foreign: &[ForeignProgram]) -> Vec<Finding> {
    let finding = |ForeignProgram { role, path }: &ForeignProgram| {
        fatal(
            format!("`{}` is not the {role} of this bundle", path.display()),
            "minikube would run it as it is, and nothing tells what it does",
            format!("move it away: {}", move_away(path)),
        )
    };
    foreign.iter().map(finding).collect()
}
