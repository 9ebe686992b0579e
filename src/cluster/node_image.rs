//! The node image in the machine's engine.

use super::ClusterError;
use crate::bundle::{Digest, ImagePart};
use crate::docker::{Engine, EngineError};
use crate::explain::{Advised, Explain, Explanation, Kind};
use crate::install::{Event, ImageSet, Session, has_id_of, is_image, write_images};
use crate::progress::Progress;
use crate::seed::finish;
use crate::verify::PlatformBundle;

/// What is said where the engine has the image.
pub(crate) const ALREADY: &str = "already there";

/// A node image that is not in the engine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeImageError {
    /// The engine took it and has something else.
    #[error(
        "Docker Engine has `{found}` as `{reference}` after loading it, and the bundle says `{expected}`"
    )]
    Mismatch {
        /// The image.
        reference: String,
        /// The id that the engine shows.
        found: String,
        /// The id that it should show.
        expected: Digest,
    },
    /// The engine does not do what it is asked.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl Explain for NodeImageError {
    fn explain(&self) -> Explanation {
        match self {
            Self::Engine(error) => error.explain(),
            Self::Mismatch { .. } => Kind::Other.hint(
                "restart Docker Engine, `sudo systemctl restart docker`, and run the same command again; `docker image ls` shows what it has",
            ),
        }
    }
}

/// Brings the node image into the engine; says in a few words what was done. Once the
/// engine has got it, it unpacks it for seconds: `meanwhile` is done in these.
pub(crate) fn ensure<T>(
    bundle: PlatformBundle<'_>,
    session: &mut Session,
    engine: &Engine,
    progress: &dyn Progress,
    meanwhile: impl FnOnce(&mut Session) -> Result<T, ClusterError>,
) -> Result<(T, &'static str), ClusterError> {
    let view = bundle.view();
    let image = view.node_image();
    let name = image.reference.to_string();
    match engine.image(&name)? {
        Some(state) if is_image(&state, image, session.before()) => {
            return Ok((meanwhile(session)?, ALREADY));
        }
        Some(state) => progress.note(&format!(
            "`{name}` was another image ({}), which stays without a name",
            state.id
        )),
        None => {}
    }
    session.journal.record(Event::Image {
        reference: name.clone(),
        ids: vec![image.config, image.manifest],
    })?;
    let done = load(bundle, image, session, engine, progress, meanwhile)?;
    let own_manifest = engine.info().keeps_images_in_containerd();
    let found = match engine.image(&name)? {
        Some(state) if has_id_of(&state, image) || own_manifest && state.layers() == image.layers => {
            // The id under which uninstall knows it.
            let ids = vec![image.config, image.manifest, state.id];
            session.journal.record(Event::Image { reference: name, ids })?;
            return Ok((done, "loaded"));
        }
        Some(state) => state.id.to_string(),
        None => "nothing".to_owned(),
    };
    Err(NodeImageError::Mismatch {
        reference: image.reference.to_string(),
        found,
        expected: image.config,
    }
    .into())
}

fn load<T>(
    bundle: PlatformBundle<'_>,
    image: &ImagePart,
    session: &mut Session,
    engine: &Engine,
    progress: &dyn Progress,
    meanwhile: impl FnOnce(&mut Session) -> Result<T, ClusterError>,
) -> Result<T, ClusterError> {
    let set = ImageSet::new(bundle.view(), [image]);
    let mut running = engine.load().map_err(NodeImageError::from)?;
    if let Some(process) = running.identity() {
        session.journal.record(Event::Load { process })?;
    }
    let written = write_images(bundle, &set, &mut running, &|bytes| progress.advance(bytes)).map(|_| ());
    let finished = |running, written| {
        let finished = finish(running, written).map_err(ClusterError::from);
        finished.map_err(|error| match error.explain().kind {
            Kind::NoSpace => {
                let hints = vec![engine.room_for_images()];
                Box::new(Advised { error, hints }).into()
            }
            _ => error,
        })
    };
    let done = match written {
        Ok(()) => {
            running.end_input();
            let done = meanwhile(session);
            // Also after a failure: the engine, which has got all, would go on without us.
            finished(running, Ok(())).and(done)
        }
        Err(error) => finished(running, Err(error)).and_then(|()| meanwhile(session)),
    };
    session.journal.record(Event::LoadEnded)?;
    done
}
