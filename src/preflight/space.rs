//! How much space the start takes, and on which file systems.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Finding, PreflightError, Severity, fatal};
use crate::bundle::{BinaryPart, BinaryRole, ContainerRuntime, PlatformView};
use crate::docker::{Engine, EngineError};
use crate::explain::Kind;
use crate::host::{FileError, FileSystem};
use crate::install::{ImageSet, Layout, PORTIONS_AT_ONCE, Receipt, Step, is_image, portions, step};
use crate::minikube::{ProfileConfig, SiteOptions, Way};
use crate::shown::{human_bytes, human_bytes_at_least};

/// Something that the start will write.
#[derive(Clone, Debug)]
pub(crate) struct Demand {
    /// For people: `the node image in Docker Engine`.
    pub(crate) what: &'static str,
    /// The most that it takes at any time.
    pub(crate) bytes: u64,
    /// Where it goes.
    pub(crate) file_system: FileSystem,
}

/// What is not there yet.
pub(crate) fn demands(
    view: PlatformView<'_>,
    options: &SiteOptions,
    layout: &Layout,
    engine: Option<&Engine>,
    receipt: &Receipt,
) -> Result<Vec<Demand>, PreflightError> {
    let mut demands = Vec::new();
    let mut add = |what, bytes, directory: &Path| -> Result<(), FileError> {
        if bytes > 0 {
            demands.push(Demand {
                what,
                bytes,
                file_system: FileSystem::of(directory)?,
            });
        }
        Ok(())
    };
    let absent = |binary: &BinaryPart, path: PathBuf| {
        let size = binary.size;
        if fs::metadata(path).is_ok_and(|facts| facts.len() == size) {
            0
        } else {
            size
        }
    };
    let programs = [BinaryRole::Minikube, BinaryRole::Kubectl].map(|role| view.binary(role));
    let programs = programs.into_iter().chain(view.helm());
    let programs = programs.map(|binary| absent(binary, layout.program(binary.role)));
    add("the programs", programs.sum(), &layout.programs)?;
    let kubeadm = layout.cache().binary(
        view.platform().arch,
        view.kubernetes_version(),
        BinaryRole::Kubeadm,
    );
    add(
        "kubeadm",
        absent(view.binary(BinaryRole::Kubeadm), kubeadm),
        &layout.minikube_home,
    )?;
    let own_files = view.files().iter().filter(|file| {
        let there = fs::metadata(layout.own_file(view.name(), file));
        there.map_or(true, |facts| facts.len() != file.size)
    });
    let own_files = own_files.map(|file| file.size).sum();
    add("the bundle's own files", own_files, &layout.own_files)?;
    if options.way == Way::Cache {
        let archives: u64 = view
            .cluster_images()
            .map(|image| ImageSet::new(view, [image]).archive_bytes())
            .sum();
        let kubelet = view.binary(BinaryRole::Kubelet).size;
        add("minikube's cache", archives + kubelet, &layout.minikube_home)?;
    }
    if let Some(engine) = engine
        && let (Some(data), Some(images)) = (engine.data_directory(), engine.image_directory())
    {
        let node_image = node_image_bytes(view, engine, receipt)?;
        let config = ProfileConfig::load(&layout.minikube_home, &options.profile)?;
        let step = config.and_then(|config| {
            let profile = (options.profile.as_str(), &config);
            step(receipt, profile, view.name(), view.kubernetes_version())
        });
        let in_nodes = match step {
            // With the state from before, which is less than what a new node writes.
            Some(Step::Upgrade(_)) => node_bytes(view, options),
            _ => in_nodes(view, options, engine, receipt)?,
        };
        // While the node image is loaded it lies there twice: spooled, and unpacked. Where
        // images are kept in containerd, both stay.
        let loading = node_image.saturating_mul(2);
        if engine.info().keeps_images_in_containerd() {
            add("the node image in Docker Engine's containerd", loading, &images)?;
            add("the node's volumes in Docker Engine", in_nodes, &data)?;
        } else {
            let bytes = loading.max(node_image.saturating_add(in_nodes));
            add("the node and its images in Docker Engine", bytes, &data)?;
        }
    }
    Ok(demands)
}

/// The node image's, unless the engine has it.
fn node_image_bytes(view: PlatformView<'_>, engine: &Engine, receipt: &Receipt) -> Result<u64, EngineError> {
    let node = view.node_image();
    let name = node.reference.to_string();
    // Another image under its name does not spare the loading.
    let there = engine.image(&name)?;
    let is_there = there.is_some_and(|state| is_image(&state, node, receipt));
    Ok(if is_there {
        0
    } else {
        ImageSet::new(view, [node]).blob_bytes()
    })
}

/// What the volumes of the nodes take that are not filled yet.
fn in_nodes(
    view: PlatformView<'_>,
    options: &SiteOptions,
    engine: &Engine,
    receipt: &Receipt,
) -> Result<u64, EngineError> {
    let mut in_nodes: u64 = 0;
    for node in options.node_names() {
        let volume = receipt.volumes().get(&node);
        let seeded = volume.is_some_and(|volume| volume.content.is_some());
        if !seeded && engine.container(&node)?.is_none() {
            in_nodes = in_nodes.saturating_add(node_bytes(view, options));
        }
    }
    Ok(in_nodes)
}

/// What a node writes of its own until it is Ready: `/var` of its image, etcd's log, the
/// journal. Measured with minikube v1.38.1 and Kubernetes v1.35.4: 311 MB.
const OWN_BYTES: u64 = 320_000_000;

/// The most that the node holds until it is Ready: Kubernetes' programs; each image as
/// its runtime keeps it; and either what the runtime has spooled, or what the node writes
/// once the spool is empty.
fn node_bytes(view: PlatformView<'_>, options: &SiteOptions) -> u64 {
    let programs: u64 = BinaryRole::KUBERNETES
        .map(|role| view.binary(role).size)
        .iter()
        .sum();
    let images = ImageSet::new(view, view.cluster_images()).blob_bytes();
    let mut portions: Vec<u64> = portions(view).iter().map(ImageSet::blob_bytes).collect();
    portions.sort_unstable_by_key(|bytes| std::cmp::Reverse(*bytes));
    let spooled: u64 = portions.iter().take(PORTIONS_AT_ONCE).sum();
    let runtime = match options.runtime(view.container_runtime()) {
        ContainerRuntime::Docker => images + spooled.max(OWN_BYTES),
        // It keeps each layer beside what it unpacks from it, and spools nothing.
        ContainerRuntime::Containerd => 2 * images + OWN_BYTES,
    };
    // minikube copies its cache into the node, and leaves it there.
    let copied = if options.way == Way::Cache { images } else { 0 };
    programs + runtime + copied
}

/// All that is written to one file system.
struct Need<'a> {
    system: &'a FileSystem,
    what: String,
    /// With a tenth to spare.
    bytes: u64,
}

fn needs(demands: &[Demand]) -> impl Iterator<Item = Need<'_>> {
    let mut by_device: BTreeMap<u64, Vec<&Demand>> = BTreeMap::new();
    for demand in demands {
        by_device
            .entry(demand.file_system.device)
            .or_default()
            .push(demand);
    }
    by_device.into_values().map(|demands| {
        let bytes = demands
            .iter()
            .fold(0u64, |sum, demand| sum.saturating_add(demand.bytes));
        let what: Vec<&str> = demands.iter().map(|demand| demand.what).collect();
        Need {
            system: &demands[0].file_system,
            what: what.join(" and "),
            bytes: bytes.saturating_add(bytes / 10),
        }
    })
}

/// What each file system has and what is needed there, for a person.
pub(crate) fn margins(demands: &[Demand]) -> Vec<String> {
    let margin = |need: Need<'_>| {
        format!(
            "`{}` has {} free, {} needed",
            need.system.directory.display(),
            human_bytes(need.system.free_bytes),
            human_bytes_at_least(need.bytes)
        )
    };
    needs(demands).map(margin).collect()
}

/// What each file system lacks.
pub(crate) fn examine(demands: &[Demand]) -> Vec<Finding> {
    needs(demands).filter_map(|need| examine_one(&need)).collect()
}

fn examine_one(need: &Need<'_>) -> Option<Finding> {
    let Need {
        system,
        what,
        bytes: needed,
    } = need;
    let directory = system.directory.display();
    if system.read_only {
        return Some(fatal(
            format!("`{directory}` is on a read-only file system"),
            format!("{what} cannot be written there"),
            "mount it for writing, or choose another place with `--minikube-home` or `XDG_DATA_HOME`"
                .to_owned(),
        ));
    }
    (*needed > system.free_bytes).then(|| Finding {
        severity: Severity::Fatal,
        kind: Kind::NoSpace,
        what: format!(
            "the file system of `{directory}` has {} free ({} bytes)",
            human_bytes(system.free_bytes),
            system.free_bytes
        ),
        why: format!(
            "{what} need {} ({needed} bytes, a tenth to spare)",
            human_bytes_at_least(*needed)
        ),
        fix: format!(
            "free {} there: `df -h {directory}` shows what is used, `docker system df` what Docker holds",
            human_bytes_at_least(needed - system.free_bytes)
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::testing::{index, view};

    /// Three images of 1000 bytes each above a base of 1000 that they share; manifests
    /// and configs have 1000 bytes, too.
    #[test]
    fn a_node_holds_twice_what_its_runtime_keeps_twice_and_what_it_writes() {
        let index = index();
        let (images, programs) = (1000 + 3 * 3000, 3000);
        let bytes = |runtime, way| {
            let options = SiteOptions {
                container_runtime: Some(runtime),
                way,
                ..SiteOptions::default()
            };
            node_bytes(view(&index), &options)
        };
        let docker = programs + images + OWN_BYTES;
        assert_eq!(bytes(ContainerRuntime::Docker, Way::Volume), docker);
        assert_eq!(bytes(ContainerRuntime::Docker, Way::Cache), docker + images);
        let containerd = programs + 2 * images + OWN_BYTES;
        assert_eq!(bytes(ContainerRuntime::Containerd, Way::Auto), containerd);
    }
}
