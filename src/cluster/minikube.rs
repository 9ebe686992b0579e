//! The installed minikube, run for a session.

use std::path::Path;

use super::ClusterError;
use crate::bundle::BinaryRole;
use crate::docker::Engine;
use crate::host::FileError;
use crate::install::{Layout, Session};
use crate::minikube::{Minikube, MinikubeEvent, Story, events};
use crate::progress::Progress;

/// minikube of this user, for looking only.
pub(crate) fn of(layout: &Layout, engine: Option<&Engine>) -> Minikube {
    let program = layout.program(BinaryRole::Minikube);
    Minikube::of(program, layout.minikube_home.clone(), engine)
}

/// minikube of this session. `home` is its directory, which for older profiles need not be
/// the session's.
pub(crate) fn of_session(
    session: &Session,
    engine: Option<&Engine>,
    home: &Path,
    keep_proxy: bool,
) -> Result<Minikube, FileError> {
    let program = session.layout.program(BinaryRole::Minikube);
    let docker_config = session.layout.empty_docker_config();
    Minikube::of(program, home.to_owned(), engine).with_proxies(
        keep_proxy,
        &session.environment,
        &docker_config,
    )
}

/// `minikube start`.
pub(crate) fn start(
    minikube: &Minikube,
    arguments: &[String],
    session: &mut Session,
    progress: &dyn Progress,
) -> Result<(), ClusterError> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    progress.detail(&format!("minikube {}", arguments.join(" ")));
    let command = minikube.offline_command(&arguments, &session.environment);
    let mut story = Story::default();
    let output = session.run_recorded(&command, &mut |line| tell(line, &mut story, progress))?;
    if output.success() {
        return Ok(());
    }
    let complaint = story.reason().cloned();
    Err(minikube.failed("start the cluster", &output, complaint).into())
}

/// `minikube delete` of one profile.
pub(crate) fn delete(minikube: &Minikube, profile: &str, session: &mut Session) -> Result<(), ClusterError> {
    let output = session.run_recorded(&minikube.delete(profile), &mut |_| {})?;
    Ok(minikube.judge("delete the profile", &output)?)
}

/// `minikube stop`.
pub(crate) fn stop(minikube: &Minikube, profile: &str, session: &mut Session) -> Result<(), ClusterError> {
    let output = session.run_recorded(&minikube.stop(profile), &mut |_| {})?;
    Ok(minikube.judge("stop the cluster", &output)?)
}

fn tell(line: &str, story: &mut Story, progress: &dyn Progress) {
    match events::parse(line) {
        Some(MinikubeEvent::Step {
            message,
            count: Some((number, count)),
        }) => progress.step(&message, number, count),
        Some(MinikubeEvent::Step { message, .. }) => progress.note(&message),
        Some(MinikubeEvent::Warning(message)) if !events::is_expected(&message) => {
            progress.warn(&format!("minikube: {message}"));
        }
        Some(MinikubeEvent::Error(complaint)) => story.add(complaint),
        Some(MinikubeEvent::Info(message) | MinikubeEvent::Warning(message)) => {
            progress.detail(&format!("minikube: {message}"));
        }
        None => {}
    }
}
