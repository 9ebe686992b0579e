//! The seed's volume and container: whose they are, how they come and go.

use std::thread;
use std::time::{Duration, Instant};

use super::inlet::Pipes;
use super::{DOCKER_ADDRESS, SeedError, container_name};
use crate::bundle::{ContainerRuntime, Digest, PlatformView};
use crate::docker::{Engine, EngineError};
use crate::install::{Event, Session};
use crate::minikube::sidecar;
use crate::minikube::{CREATED_BY, NAME};

/// Where containerd listens.
const CONTAINERD_ADDRESS: &str = "/run/containerd/containerd.sock";

/// What says that a volume or container is ours; the value is in the journal.
pub(crate) const LABEL: &str = "minikube-offline.seed";

/// How long the runtime may take to put everything on the disk.
const STOP_SECONDS: u32 = 100;

/// How long the engine may refuse to remove what it is still making.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long after a kill the engine may still make what the killed run had asked for.
const LATE: Duration = Duration::from_secs(5);

/// What is in the volume of a node.
pub(crate) enum Found {
    /// All of this.
    Complete(Digest),
    /// Something, from a run that was killed.
    HalfFilled,
    /// There is no volume.
    Nothing,
}

/// Looks at the volume of this name. One that is not ours is an error.
pub(crate) fn examine(session: &mut Session, engine: &Engine, node: &str) -> Result<Found, SeedError> {
    let seed = container_name(node);
    if let Some(container) = engine.container(&seed)?
        && !container.labels().contains_key(LABEL)
    {
        return Err(SeedError::ForeignContainer { name: seed });
    }
    let Some(volume) = engine.volume(node)? else {
        // A killed run may have left the container alone.
        engine.remove_container(&seed)?;
        return Ok(Found::Nothing);
    };
    let name = node.to_owned();
    let Some(nonce) = volume.labels.get(LABEL).cloned() else {
        return Err(SeedError::ForeignVolume { name });
    };
    let users: Vec<String> = engine
        .users_of_volume(node)?
        .into_iter()
        .filter(|user| *user != seed)
        .collect();
    if !users.is_empty() {
        return Err(SeedError::VolumeInUse { name, users });
    }
    let recorded = session.journal.receipt().volumes().get(node);
    if let Some(recorded) = recorded.filter(|recorded| recorded.nonce == nonce) {
        return Ok(recorded.content.map_or(Found::HalfFilled, Found::Complete));
    }
    // The engine made it after the run that had asked for it was killed and forgotten.
    session.journal.record(Event::Volume { name, nonce })?;
    Ok(Found::HalfFilled)
}

/// The same as [`discard`] for what a killed run left: it may have asked the engine for
/// a container that is still on its way, and minikube's own may use the volume.
pub(crate) fn discard_after_kill(
    session: &mut Session,
    engine: &Engine,
    node: &str,
) -> Result<(), SeedError> {
    let recorded = session.journal.receipt().volumes().get(node);
    if recorded.is_some_and(|volume| volume.content.is_none()) {
        let until = Instant::now() + LATE;
        while engine.container(&container_name(node))?.is_none() && Instant::now() < until {
            thread::sleep(Duration::from_millis(200));
        }
    }
    sidecar::discard(engine, node)?;
    discard(session, engine, node)
}

/// The same for all nodes of a profile.
pub(crate) fn discard_all_after_kill(
    session: &mut Session,
    engine: &Engine,
    profile: &str,
) -> Result<(), SeedError> {
    // Its first node's container is looked for in any case.
    let mut nodes = session.journal.receipt().volumes_of(profile);
    if !nodes.iter().any(|node| node == profile) {
        nodes.push(profile.to_owned());
    }
    nodes
        .iter()
        .try_for_each(|node| discard_after_kill(session, engine, node))
}

/// Removes what is ours of a seed: the container and, when it carries our label, the
/// volume.
pub(crate) fn discard(session: &mut Session, engine: &Engine, node: &str) -> Result<(), SeedError> {
    let Some(recorded) = session.journal.receipt().volumes().get(node).cloned() else {
        return remove_container(engine, node);
    };
    let until = Instant::now() + PATIENCE;
    loop {
        remove_container(engine, node)?;
        let volume = engine.volume(node)?;
        if volume.is_none_or(|volume| volume.labels.get(LABEL) != Some(&recorded.nonce)) {
            break;
        }
        match engine.remove_volume(node) {
            Ok(()) => break,
            // The engine was about to make the container when the run was killed.
            Err(error) if error.is_refusal() && Instant::now() < until => {
                thread::sleep(Duration::from_millis(300));
            }
            Err(error) => return Err(error.into()),
        }
    }
    let name = node.to_owned();
    Ok(session.journal.record(Event::VolumeRemoved { name })?)
}

fn remove_container(engine: &Engine, node: &str) -> Result<(), SeedError> {
    let seed = container_name(node);
    let ours = engine
        .container(&seed)?
        .is_some_and(|container| container.labels().contains_key(LABEL));
    if ours {
        engine.remove_container(&seed)?;
    }
    Ok(())
}

/// The volume, with the labels by which `minikube delete` knows it, and the container
/// with the runtime. An empty volume takes over what the image has in `/var`, as it
/// would when minikube makes the node.
pub(crate) fn create(
    session: &mut Session,
    engine: &Engine,
    view: PlatformView<'_>,
    node: &str,
    runtime: ContainerRuntime,
    nonce: &str,
    pipes: Option<&Pipes>,
) -> Result<(), SeedError> {
    let labels = labels(node, nonce);
    let labels: Vec<(&str, &str)> = labels.iter().map(|(key, value)| (*key, value.as_str())).collect();
    engine.create_volume(node, &labels)?;
    let mut run = |pipes| {
        let arguments = container_arguments(view, node, runtime, nonce, pipes);
        session.run_recorded(&engine.run_container(&arguments), &mut |_| {})
    };
    let mut output = run(pipes)?;
    if pipes.is_some() && !output.success() {
        // An engine that does not see the directory refuses to mount it.
        engine.remove_container(&container_name(node))?;
        output = run(None)?;
    }
    output.require_success().map_err(EngineError::from)?;
    Ok(())
}

/// What `minikube delete`, and we, know the volume by.
fn labels(node: &str, nonce: &str) -> [(&'static str, String); 3] {
    [
        (CREATED_BY, "true".to_owned()),
        (NAME, node.to_owned()),
        (LABEL, nonce.to_owned()),
    ]
}

fn container_arguments(
    view: PlatformView<'_>,
    node: &str,
    runtime: ContainerRuntime,
    nonce: &str,
    pipes: Option<&Pipes>,
) -> Vec<String> {
    let program = match runtime {
        // A containerd of its own, as systemd gives it to the node's dockerd: for one that
        // dockerd starts itself, it waits a second at its start and another at its end.
        ContainerRuntime::Docker => format!(
            "containerd --log-level=warn & \
             exec dockerd --host={DOCKER_ADDRESS} --containerd={CONTAINERD_ADDRESS} \
             --storage-driver=overlay2 --bridge=none --iptables=false \
             --ip6tables=false --ip-forward=false --ip-masq=false --userland-proxy=false"
        ),
        ContainerRuntime::Containerd => "exec containerd".to_owned(),
    };
    let name = container_name(node);
    let label = format!("{LABEL}={nonce}");
    // With its labels, for the engine that makes it when it is gone by then.
    let volume = labels(node, nonce)
        .map(|(key, value)| format!("volume-label={key}={value}"))
        .join(",");
    let volume = format!("type=volume,source={node},target=/var,{volume}");
    let image = view.node_image().reference.to_string();
    let pipes = pipes.map(|pipes| ["--mount".to_owned(), pipes.mount()]);
    let own = [
        "--name",
        &name,
        "--label",
        &label,
        "--network",
        "none",
        "--privileged",
        // The image's own is for systemd.
        "--stop-signal",
        "SIGTERM",
        "--tmpfs",
        "/run",
        "--tmpfs",
        "/tmp",
        "--mount",
        &volume,
        "--entrypoint",
        "/bin/sh",
    ];
    own.map(str::to_owned)
        .into_iter()
        .chain(pipes.into_iter().flatten())
        .chain([&image, "-c", &program].map(str::to_owned))
        .collect()
}

/// Ends the runtime in order: only then is its store complete on the disk.
pub(crate) fn stop(engine: &Engine, node: &str) -> Result<(), SeedError> {
    let name = container_name(node);
    engine.stop_container(&name, STOP_SECONDS)?;
    let code = engine.container(&name)?.map(|container| container.exit_code());
    match code {
        // 143: a runtime that does not catch SIGTERM writes nothing late.
        Some(0 | 143) => Ok(engine.remove_container(&name)?),
        code => Err(SeedError::NotStopped { code }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::testing::{index, view};

    #[test]
    fn the_seed_runs_the_nodes_runtime_and_nothing_else() {
        let arguments =
            container_arguments(view(&index()), "dev", ContainerRuntime::Docker, "n", None).join(" ");
        for part in [
            "--name minikube-offline-seed-dev ",
            "--label minikube-offline.seed=n ",
            "--network none ",
            "--mount type=volume,source=dev,target=/var,volume-label=created_by.minikube.sigs.k8s.io=true,",
            "volume-label=name.minikube.sigs.k8s.io=dev,volume-label=minikube-offline.seed=n ",
            "--entrypoint /bin/sh gcr.io/k8s-minikube/kicbase:v0.0.50 -c containerd --log-level=warn & exec dockerd ",
        ] {
            assert!(arguments.contains(part), "{part} in {arguments}");
        }
        let arguments = container_arguments(view(&index()), "dev", ContainerRuntime::Containerd, "n", None);
        assert_eq!(arguments.last().map(String::as_str), Some("exec containerd"));
    }
}
