//! How much space the start takes, and on which file systems.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Finding, Severity, fatal};
use crate::bundle::{BinaryRole, BundleIndex};
use crate::failure::{Failure, Kind};
use crate::host::{Engine, FileSystem};
use crate::install::{ImageSet, Layout, Receipt, SiteOptions, Way};

/// Something that the start will write.
#[derive(Clone, Debug)]
pub(super) struct Demand {
    /// For people: `the node image in Docker Engine`.
    pub(super) what: &'static str,
    /// The most that it takes at any time.
    pub(super) bytes: u64,
    /// Where it goes.
    pub(super) file_system: FileSystem,
}

/// What is not there yet.
pub(super) fn demands(
    index: &BundleIndex,
    options: &SiteOptions,
    layout: &Layout,
    engine: Option<&Engine>,
    receipt: &Receipt,
) -> Result<Vec<Demand>, Failure> {
    let mut demands = Vec::new();
    let mut add = |what, bytes, folder: &Path| -> Result<(), Failure> {
        if bytes > 0 {
            demands.push(Demand {
                what,
                bytes,
                file_system: FileSystem::of(folder)?,
            });
        }
        Ok(())
    };
    let absent = |role: BinaryRole, path: PathBuf| {
        let size = index.binary(role).size;
        if fs::metadata(path).is_ok_and(|facts| facts.len() == size) {
            0
        } else {
            size
        }
    };
    let programs = [BinaryRole::Minikube, BinaryRole::Kubectl].map(|role| absent(role, layout.program(role)));
    add("the programs", programs.iter().sum(), &layout.programs)?;
    let cluster = &index.cluster;
    let kubeadm = layout.cache().binary(
        cluster.platform.arch,
        &cluster.kubernetes_version,
        BinaryRole::Kubeadm,
    );
    add(
        "kubeadm",
        absent(BinaryRole::Kubeadm, kubeadm),
        &layout.minikube_home,
    )?;
    let images = ImageSet::new(index, index.cluster_images());
    if options.way == Way::Cache {
        let archives: u64 = index
            .cluster_images()
            .map(|image| ImageSet::new(index, [image]).archive_bytes())
            .sum();
        let kubelet = index.binary(BinaryRole::Kubelet).size;
        add("minikube's cache", archives + kubelet, &layout.minikube_home)?;
    }
    if let Some(engine) = engine
        && let Some(folder) = engine.data_folder()
    {
        let bytes = engine_bytes(index, options, engine, receipt, &images)?;
        add("the node and its images in Docker Engine", bytes, &folder)?;
    }
    Ok(demands)
}

/// The most that Docker Engine holds at any time. `docker load` spools an archive
/// before it reads it, so each image set counts twice while it is loaded; so it does in
/// the node, and containerd keeps the layers beside what it unpacks from them.
fn engine_bytes(
    index: &BundleIndex,
    options: &SiteOptions,
    engine: &Engine,
    receipt: &Receipt,
    images: &ImageSet<'_>,
) -> Result<u64, Failure> {
    let node = index.node_image();
    let node_bytes = match engine.image(&node.reference.to_string())? {
        Some(_) => 0,
        None => ImageSet::new(index, [node]).blob_bytes(),
    };
    let seeded = receipt
        .volumes()
        .get(&options.profile)
        .is_some_and(|volume| volume.content.is_some());
    let in_node = if seeded || engine.container(&options.profile)?.is_some() {
        0
    } else {
        let binaries: u64 = BinaryRole::KUBERNETES
            .map(|role| index.binary(role).size)
            .iter()
            .sum();
        2 * images.blob_bytes() + binaries
    };
    Ok((2 * node_bytes).max(node_bytes + in_node))
}

/// What each file system lacks, with a tenth to spare.
pub(super) fn examine(demands: &[Demand]) -> Vec<Finding> {
    let mut by_device: BTreeMap<u64, Vec<&Demand>> = BTreeMap::new();
    for demand in demands {
        by_device
            .entry(demand.file_system.device)
            .or_default()
            .push(demand);
    }
    by_device
        .into_values()
        .filter_map(|demands| examine_one(&demands))
        .collect()
}

fn examine_one(demands: &[&Demand]) -> Option<Finding> {
    let system = &demands.first()?.file_system;
    let needed = demands
        .iter()
        .fold(0u64, |sum, demand| sum.saturating_add(demand.bytes));
    let needed = needed.saturating_add(needed / 10);
    let what = demands
        .iter()
        .map(|demand| demand.what)
        .collect::<Vec<_>>()
        .join(" and ");
    let folder = system.folder.display();
    if system.read_only {
        return Some(fatal(
            format!("`{folder}` is on a read-only file system"),
            format!("{what} cannot be written there"),
            "mount it for writing, or choose another place with `--minikube-home` or `XDG_DATA_HOME`"
                .to_owned(),
        ));
    }
    (needed > system.free_bytes).then(|| Finding {
        severity: Severity::Fatal,
        kind: Kind::NoSpace,
        what: format!(
            "the file system of `{folder}` has {} free ({} bytes)",
            mebibytes(system.free_bytes),
            system.free_bytes
        ),
        why: format!(
            "{what} need {} ({needed} bytes, a tenth to spare)",
            mebibytes(needed)
        ),
        mend: format!(
            "free {} there: `df -h {folder}` shows what is used, `docker system df` what Docker holds",
            mebibytes(needed - system.free_bytes)
        ),
    })
}

/// Rounded up, so that what is said is enough.
fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1 << 20))
}
