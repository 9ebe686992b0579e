//! Kubernetes' programs for a node that runs, as minikube looks for them in it.

use std::io::Write;

use super::SeedError;
use super::sink::{Sink, Stop};
use crate::bundle::BinaryRole;
use crate::docker::Engine;
use crate::install::{TransferError, transfer};
use crate::minikube::binaries_in_node;
use crate::progress::Progress;
use crate::verify::PlatformBundle;

/// Brings kubeadm, kubelet and kubectl of the bundle into the node, beside those that it has.
/// minikube looks for their names only: they are written again where they are there.
pub(crate) fn write(
    bundle: PlatformBundle<'_>,
    engine: &Engine,
    node: &str,
    progress: &dyn Progress,
) -> Result<(), SeedError> {
    let directory = binaries_in_node(bundle.view().kubernetes_version());
    let unpack = format!("mkdir -p {directory} && exec tar -C {directory} -xf -");
    let mut sink = Sink::new(engine.exec(node, &["/bin/sh", "-c", &unpack])?);
    match pour(bundle, &mut sink, progress) {
        Ok(()) => sink.end().finish(),
        Err(Stop::Failed(error)) => Err(error),
        Err(Stop::Written(error)) => sink.explain(error),
    }
}

fn pour(bundle: PlatformBundle<'_>, sink: &mut Sink, progress: &dyn Progress) -> Result<(), Stop> {
    let view = bundle.view();
    let paths = BinaryRole::KUBERNETES.map(|role| (role, view.binary(role).member_path()));
    let role_of = |path: &str| {
        paths
            .iter()
            .find(|(_, known)| known == path)
            .map(|(role, _)| *role)
    };
    let mut members = bundle.members(|member| role_of(&member.path).is_some());
    while let Some(mut reader) = members.next_member().map_err(TransferError::from)? {
        let member = reader.member();
        if let Some(role) = role_of(&member.path) {
            sink.begin(role.name(), member.size, 0o755)?;
            transfer(&mut reader, &mut [sink as &mut dyn Write], &|bytes| {
                progress.advance(bytes);
            })?;
        }
    }
    Ok(())
}
