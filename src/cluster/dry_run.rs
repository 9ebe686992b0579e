//! What the bundle's own minikube says of what a person asks of it, before it is to do it.

use super::ClusterError;
use crate::bundle::ImageReference;
use crate::host::remove_tree_if_there;
use crate::install::Session;
use crate::minikube::{Minikube, MinikubeEvent, SiteOptions, Story, events, request};

/// Fails when `minikube`, whose home is of this one question, would not start with
/// `arguments`, or when an addon that is asked for needs images that are not among `carried`.
pub(crate) fn check(
    minikube: &Minikube,
    options: &SiteOptions,
    arguments: &[String],
    carried: &[&ImageReference],
    session: &mut Session,
) -> Result<(), ClusterError> {
    let checked = check_flags(minikube, arguments, session).and_then(|()| {
        let mut addons = options.addons().into_iter();
        Ok(addons.try_for_each(|addon| request::check_addon(minikube, &addon, carried))?)
    });
    let removed = remove_tree_if_there(&session.layout.dry_run());
    checked?;
    Ok(removed?)
}

fn check_flags(minikube: &Minikube, arguments: &[String], session: &mut Session) -> Result<(), ClusterError> {
    let mut story = Story::default();
    let mut keep = |line: &str| {
        if let Some(MinikubeEvent::Error(complaint)) = events::parse(line) {
            story.add(complaint);
        }
    };
    let command = request::dry_run(minikube, arguments, &session.environment);
    let output = session.run_recorded(&command, &mut keep)?;
    if output.success() {
        return Ok(());
    }
    Err(request::refusal(story.reason(), &output.stderr, output.code).into())
}
