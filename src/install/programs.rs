//! minikube, kubectl, kubeadm and Helm on the machine itself.

use std::path::{Path, PathBuf};

use super::cache::CacheError;
use super::error::InstallError;
use super::journal::Event;
use super::layout::Layout;
use super::members::place_members;
use super::place::{Existing, PlaceError};
use super::session::Session;
use crate::bundle::{BinaryRole, PlatformView};
use crate::progress::Progress;
use crate::verify::PlatformBundle;

/// Programs are for everyone to run and for their owner to write.
const PROGRAM_MODE: u32 = 0o755;

/// The programs in their places.
#[derive(Clone, Debug)]
pub struct Installed {
    /// minikube.
    pub minikube: PathBuf,
    /// kubectl, of the cluster's release.
    pub kubectl: PathBuf,
    /// Links that make them commands.
    pub links: Vec<PathBuf>,
    /// How many were written; the others were there.
    pub written: usize,
    /// What the person should know.
    pub notes: Vec<String>,
}

/// Puts minikube, kubectl, kubeadm and Helm where minikube, and the person, find them. What is there
/// with the same content stays; what is another's is never replaced.
pub fn install_programs(
    bundle: PlatformBundle<'_>,
    session: &mut Session,
    progress: &dyn Progress,
) -> Result<Installed, InstallError> {
    let view = bundle.view();
    session.journal.record(Event::Bundle {
        name: view.name().to_owned(),
        serial: view.serial(),
        kubernetes_version: view.kubernetes_version().to_string(),
    })?;
    let written = write_programs(bundle, session, progress)?;
    let mut installed = Installed {
        minikube: session.layout.program(BinaryRole::Minikube),
        kubectl: session.layout.program(BinaryRole::Kubectl),
        links: Vec::new(),
        written,
        notes: Vec::new(),
    };
    name_kubectl_in_cache(view, session, &mut installed)?;
    link_commands(session, &mut installed)?;
    Ok(installed)
}

fn write_programs(
    bundle: PlatformBundle<'_>,
    session: &mut Session,
    progress: &dyn Progress,
) -> Result<usize, InstallError> {
    let view = bundle.view();
    let layout = session.layout.clone();
    let mut placer = session.placer();
    let mut missing: Vec<(String, PathBuf)> = Vec::new();
    let own = [BinaryRole::Minikube, BinaryRole::Kubectl].map(|role| view.binary(role));
    for binary in own.into_iter().chain(view.helm()) {
        let path = layout.program(binary.role);
        // The directory is ours: what is there under this name is an older one of ours,
        // or was changed since.
        if placer.existing(&path, binary.sha256)? != Existing::Same {
            missing.push((binary.member_path(), path));
        }
    }
    // minikube asks it for the images of a release that is not in minikube's list, and
    // without it takes those of another release.
    let kubeadm = cached(view, &layout, BinaryRole::Kubeadm);
    match placer.existing(&kubeadm, view.binary(BinaryRole::Kubeadm).sha256)? {
        Existing::Same => {}
        Existing::Foreign => {
            let (path, role) = (kubeadm, BinaryRole::Kubeadm);
            return Err(CacheError::Foreign { path, role }.into());
        }
        Existing::Absent | Existing::Ours => {
            missing.push((view.binary(BinaryRole::Kubeadm).member_path(), kubeadm));
        }
    }
    place_members(bundle, &missing, PROGRAM_MODE, &mut placer, progress)?;
    Ok(missing.len())
}

/// `minikube kubectl` runs what it finds there, as it is.
fn name_kubectl_in_cache(
    view: PlatformView<'_>,
    session: &mut Session,
    installed: &mut Installed,
) -> Result<(), InstallError> {
    let path = cached(view, &session.layout, BinaryRole::Kubectl);
    let sha256 = view.binary(BinaryRole::Kubectl).sha256;
    let mut placer = session.placer();
    match placer.existing(&path, sha256)? {
        Existing::Same => {}
        Existing::Absent | Existing::Ours => placer.second_name(&installed.kubectl, &path, sha256)?,
        Existing::Foreign => installed.notes.push(format!(
            "`{}` is not this bundle's and stays; `minikube kubectl` runs it",
            path.display()
        )),
    }
    Ok(())
}

/// Where minikube looks for a program of Kubernetes on the machine itself.
fn cached(view: PlatformView<'_>, layout: &Layout, role: BinaryRole) -> PathBuf {
    layout
        .cache()
        .binary(view.platform().arch, view.kubernetes_version(), role)
}

fn link_commands(session: &mut Session, installed: &mut Installed) -> Result<(), InstallError> {
    let directory = session.layout.links.clone();
    for target in [installed.minikube.clone(), installed.kubectl.clone()] {
        let name = target.file_name().unwrap_or_default();
        let link = directory.join(name);
        match session.placer().link(&link, &target) {
            Ok(true) => installed.links.push(link),
            Ok(false) => installed.notes.push(format!(
                "`{}` was there before and stays; this bundle's is `{}`",
                link.display(),
                target.display()
            )),
            // A read-only /usr is no reason to have no cluster.
            Err(PlaceError::File(error)) => installed.notes.push(format!(
                "no command `{}`: {error}; it is `{}`",
                name.to_string_lossy(),
                target.display()
            )),
            Err(error) => return Err(error.into()),
        }
    }
    if !installed.links.is_empty() && !is_on_path(session, &directory) {
        installed
            .notes
            .push(format!("`{}` is not on the PATH", directory.display()));
    }
    Ok(())
}

fn is_on_path(session: &Session, directory: &Path) -> bool {
    session
        .environment
        .path_directories()
        .iter()
        .any(|path| path == directory)
}
