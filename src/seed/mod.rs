//! The node's volume, filled before there is a node: a short-lived container of the node
//! image runs nothing but the node's own runtime, which takes all images from archives
//! that are made as it reads them. It works whatever the storage driver, and minikube finds
//! everything there.

pub(crate) mod digests;
pub(crate) mod images;
pub use images::NodeImagesError;

mod contents;
mod error;
mod fed;
mod inlet;
mod loads;
pub(crate) mod programs;
mod sink;
mod vessel;

pub use error::SeedError;
pub(crate) use fed::finish;
pub(crate) use vessel::{LABEL, discard_after_kill, discard_all_after_kill};

use crate::bundle::{ContainerRuntime, Digest};
use contents::{content, pour, verify};
use inlet::{Inlet, Pipes};
use vessel::{Found, create, discard, examine, stop};

use crate::docker::Engine;
use crate::host::unix_nanoseconds;
use crate::install::{Event, Session};
use crate::progress::Progress;
use crate::verify::PlatformBundle;
use images::with_second_try;

/// The seed's own runtime listens there.
const DOCKER_ADDRESS: &str = "unix:///run/docker.sock";

/// What was found, or done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Seeding {
    /// A complete volume was there.
    Already,
    /// There is a node: its volume is in use, and its images are its own.
    NodeExists,
    /// The volume was filled.
    Seeded,
}

/// The name of the short-lived container.
pub(crate) fn container_name(node: &str) -> String {
    format!("minikube-offline-seed-{node}")
}

/// Fills the volume of a node, which has the node's name. What a killed run left half
/// filled is made again. On an error nothing of it is left behind.
pub(crate) fn seed(
    bundle: PlatformBundle<'_>,
    session: &mut Session,
    engine: &Engine,
    node: &str,
    runtime: ContainerRuntime,
    progress: &dyn Progress,
) -> Result<Seeding, SeedError> {
    if engine.container(node)?.is_some() {
        return Ok(Seeding::NodeExists);
    }
    let view = bundle.view();
    let wanted = content(view, runtime);
    match examine(session, engine, node)? {
        Found::Nothing => {}
        Found::Complete(content) if content == wanted => return Ok(Seeding::Already),
        Found::Complete(_) | Found::HalfFilled => discard_after_kill(session, engine, node)?,
    }
    with_second_try(progress, || {
        fill(bundle, session, engine, node, runtime, progress)
    })?;
    Ok(Seeding::Seeded)
}

/// Makes the volume, fills it, and records what is in it.
fn fill(
    bundle: PlatformBundle<'_>,
    session: &mut Session,
    engine: &Engine,
    node: &str,
    runtime: ContainerRuntime,
    progress: &dyn Progress,
) -> Result<(), SeedError> {
    let view = bundle.view();
    let nonce = Digest::of(format!("{} {}", unix_nanoseconds(), std::process::id()).as_bytes()).hex();
    let name = node.to_owned();
    session.journal.record(Event::Volume {
        name: name.clone(),
        nonce: nonce.clone(),
    })?;
    let pipes = Pipes::make(session.layout.pipes());
    let seeded = create(session, engine, view, node, runtime, &nonce, pipes.as_ref())
        .map(|()| Inlet::open(engine, container_name(node), pipes.as_ref(), progress))
        .and_then(|inlet| pour(bundle, &inlet, runtime, progress))
        .and_then(|()| verify(view, engine, &container_name(node), runtime))
        .and_then(|()| match runtime {
            ContainerRuntime::Containerd => Ok(()),
            ContainerRuntime::Docker => digests::write(view, engine, &container_name(node)).map(|_| ()),
        })
        .and_then(|()| stop(engine, node));
    if let Err(error) = seeded {
        let log = engine.container_log(&container_name(node));
        // The first error is the one that matters; the next run tidies up again.
        let _ = discard(session, engine, node);
        return Err(error.with_log(&log));
    }
    session.journal.record(Event::VolumeSeeded {
        name,
        nonce,
        content: content(view, runtime),
    })?;
    Ok(())
}
