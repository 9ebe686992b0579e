//! The node's volume, filled before there is a node: a short-lived container of the node
//! image runs nothing but the node's own runtime, which takes all images from one
//! archive on its stdin. It works whatever the storage driver, and minikube finds
//! everything there.

mod contents;
mod error;

pub use error::SeedError;

use self::contents::{content, pour, verify};
use crate::bundle::{BundleIndex, ContainerRuntime, Digest};
use crate::failure::Failure;
use crate::host::{Engine, EngineError, unix_nanoseconds};
use crate::install::{Event, Session};
use crate::progress::Progress;
use crate::verify::VerifiedBundle;

/// What says that a volume or container is ours; the value is in the journal.
const LABEL: &str = "minikube-offline.seed";

/// The seed's own runtime listens there.
const DOCKER_ADDRESS: &str = "unix:///run/docker.sock";

/// How long the runtime may take to put everything on the disk.
const STOP_SECONDS: u32 = 100;

/// What was found, or done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Seeding {
    /// A complete volume was there.
    Already,
    /// There is a node: its volume is in use, and its images are its own.
    NodeExists,
    /// The volume was filled.
    Seeded,
}

/// The name of the short-lived container.
pub(super) fn container_name(profile: &str) -> String {
    format!("minikube-offline-seed-{profile}")
}

/// Fills the volume of the profile's node. What a killed run left half filled is made
/// anew. On an error nothing is left behind.
pub(super) fn seed(
    bundle: &VerifiedBundle,
    session: &mut Session,
    engine: &Engine,
    profile: &str,
    runtime: ContainerRuntime,
    progress: &dyn Progress,
) -> Result<Seeding, Failure> {
    if engine.container(profile)?.is_some() {
        return Ok(Seeding::NodeExists);
    }
    let index = bundle.index();
    let wanted = content(index, runtime);
    match examine(session, engine, profile)? {
        Found::Nothing => {}
        Found::Complete(content) if content == wanted => return Ok(Seeding::Already),
        Found::Complete(_) | Found::HalfFilled => discard(session, engine, profile)?,
    }
    let nonce = Digest::of(format!("{} {}", unix_nanoseconds(), std::process::id()).as_bytes()).hex();
    let name = profile.to_owned();
    session.journal.record(Event::Volume {
        name: name.clone(),
        nonce: nonce.clone(),
    })?;
    let seeded = create(engine, index, profile, runtime, &nonce)
        .and_then(|()| pour(bundle, engine, profile, runtime, progress))
        .and_then(|()| verify(index, engine, &container_name(profile), runtime))
        .and_then(|()| stop(engine, profile));
    if let Err(failure) = seeded {
        let log = engine.container_log(&container_name(profile));
        // The first error is the one that matters; the next run tidies up again.
        let _ = discard(session, engine, profile);
        return Err(error::with_log(failure, &log));
    }
    session.journal.record(Event::VolumeSeeded {
        name,
        nonce,
        content: wanted,
    })?;
    Ok(Seeding::Seeded)
}

/// What is in the volume of a profile.
enum Found {
    /// All of this.
    Complete(Digest),
    /// Something, from a run that was killed.
    HalfFilled,
    /// There is no volume.
    Nothing,
}

/// Looks at the volume of this name. One that is not ours is an error.
fn examine(session: &Session, engine: &Engine, profile: &str) -> Result<Found, Failure> {
    let seed = container_name(profile);
    if let Some(container) = engine.container(&seed)?
        && !container.labels().contains_key(LABEL)
    {
        return Err(SeedError::ForeignContainer { name: seed }.into());
    }
    let Some(volume) = engine.volume(profile)? else {
        // A killed run may have left the container alone.
        engine.remove_container(&seed)?;
        return Ok(Found::Nothing);
    };
    let recorded = session.journal.receipt().volumes().get(profile);
    let ours = recorded.filter(|recorded| volume.labels.get(LABEL) == Some(&recorded.nonce));
    let users: Vec<String> = engine
        .users_of_volume(profile)?
        .into_iter()
        .filter(|user| *user != seed)
        .collect();
    let name = profile.to_owned();
    match ours {
        None => Err(SeedError::ForeignVolume { name }.into()),
        Some(_) if !users.is_empty() => Err(SeedError::VolumeInUse { name, users }.into()),
        Some(recorded) => Ok(recorded.content.map_or(Found::HalfFilled, Found::Complete)),
    }
}

/// Removes what is ours of a seed: the container and, when it carries our label, the
/// volume.
pub(super) fn discard(session: &mut Session, engine: &Engine, profile: &str) -> Result<(), Failure> {
    let seed = container_name(profile);
    if let Some(container) = engine.container(&seed)?
        && container.labels().contains_key(LABEL)
    {
        engine.remove_container(&seed)?;
    }
    let Some(recorded) = session.journal.receipt().volumes().get(profile).cloned() else {
        return Ok(());
    };
    if let Some(volume) = engine.volume(profile)?
        && volume.labels.get(LABEL) == Some(&recorded.nonce)
    {
        engine.remove_volume(profile)?;
    }
    let name = profile.to_owned();
    Ok(session.journal.record(Event::VolumeRemoved { name })?)
}

/// The volume, with the labels by which `minikube delete` knows it, and the container
/// with the runtime. An empty volume takes over what the image has in `/var`, as it
/// would when minikube makes the node.
fn create(
    engine: &Engine,
    index: &BundleIndex,
    profile: &str,
    runtime: ContainerRuntime,
    nonce: &str,
) -> Result<(), Failure> {
    let labels = [
        ("created_by.minikube.sigs.k8s.io", "true"),
        ("name.minikube.sigs.k8s.io", profile),
        (LABEL, nonce),
    ];
    engine.create_volume(profile, &labels)?;
    let arguments = container_arguments(index, profile, runtime, nonce);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    Ok(engine.run_container(&arguments)?)
}

fn container_arguments(
    index: &BundleIndex,
    profile: &str,
    runtime: ContainerRuntime,
    nonce: &str,
) -> Vec<String> {
    let program = match runtime {
        ContainerRuntime::Docker => format!(
            "exec dockerd --host={DOCKER_ADDRESS} --storage-driver=overlay2 --bridge=none --iptables=false \
             --ip6tables=false --ip-forward=false --ip-masq=false --userland-proxy=false"
        ),
        ContainerRuntime::Containerd => "exec containerd".to_owned(),
    };
    let name = container_name(profile);
    let label = format!("{LABEL}={nonce}");
    let volume = format!("{profile}:/var");
    let image = index.node_image().reference.to_string();
    [
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
        "--volume",
        &volume,
        "--entrypoint",
        "/bin/sh",
        &image,
        "-c",
        &program,
    ]
    .map(str::to_owned)
    .into()
}

/// Ends the runtime in order: only then is its store complete on the disk.
fn stop(engine: &Engine, profile: &str) -> Result<(), Failure> {
    let name = container_name(profile);
    engine.stop_container(&name, STOP_SECONDS)?;
    let code = engine.container(&name)?.map(|container| container.exit_code());
    match code {
        // 143: a runtime that does not catch SIGTERM writes nothing late.
        Some(0 | 143) => Ok(engine.remove_container(&name)?),
        code => Err(SeedError::NotStopped { code }.into()),
    }
}

impl From<SeedError> for Failure {
    fn from(error: SeedError) -> Self {
        error::failure(error)
    }
}

/// Whether another way may work after this failure: not when the bundle is damaged, the
/// disk is full, or the run was told to end.
pub(super) fn may_fall_back(failure: &Failure) -> bool {
    use crate::failure::Kind;
    match failure.kind {
        Kind::Cluster | Kind::Other | Kind::Unfit => true,
        _ => failure
            .error
            .downcast_ref::<EngineError>()
            .is_some_and(EngineError::is_refusal),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::testing::index;

    #[test]
    fn the_seed_runs_the_nodes_runtime_and_nothing_else() {
        let arguments = container_arguments(&index(), "dev", ContainerRuntime::Docker, "n").join(" ");
        for part in [
            "--name minikube-offline-seed-dev ",
            "--label minikube-offline.seed=n ",
            "--network none ",
            "--volume dev:/var ",
            "--entrypoint /bin/sh gcr.io/k8s-minikube/kicbase:v0.0.50 -c exec dockerd ",
        ] {
            assert!(arguments.contains(part), "{part} in {arguments}");
        }
        let arguments = container_arguments(&index(), "dev", ContainerRuntime::Containerd, "n");
        assert_eq!(arguments.last().map(String::as_str), Some("exec containerd"));
    }

    #[test]
    fn a_damaged_bundle_is_no_reason_to_try_another_way() {
        use crate::failure::Kind;
        assert!(!may_fall_back(&Failure::new(Kind::Damaged, "x")));
        assert!(!may_fall_back(&Failure::new(Kind::Interrupted, "x")));
        assert!(may_fall_back(&Failure::new(Kind::Unfit, "x")));
    }
}
